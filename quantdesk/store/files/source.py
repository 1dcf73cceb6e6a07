"""Open a plain, zipped or gzipped file safely and hand out its bytes in blocks."""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quantdesk.store.files.report import Cancelled, FileError

_FOREIGN = (
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"SQLite format 3", "a database"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_GZIP = b"\x1f\x8b"
_TABLES = (".csv", ".tsv", ".txt")
_PACKED = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz")


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Bound what unpacking may cost: bytes, and bytes out per byte in above a free amount."""

    max_bytes: int = 2_000_000_000
    max_ratio: int = 200
    free_bytes: int = 50_000_000
    block_bytes: int = 1 << 20
    max_members: int = 1_000


DEFAULT_LIMITS = SourceLimits()


def read_blocks(
    path: Path,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    limits: SourceLimits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """Yield the unpacked bytes in blocks; report progress 0..1, raise FileError or Cancelled."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise FileError(f"{path.name}: is {what}: name a CSV, zip or gz file")
        with path.open("rb") as raw:
            yield from _unpacked(path, raw, progress, cancelled, limits)
    except FileNotFoundError:
        raise FileError(f"{path.name}: there is no such file at {path}") from None
    except PermissionError:
        raise FileError(f"{path.name}: no permission to read it") from None
    except (OSError, ValueError) as error:
        if isinstance(error, gzip.BadGzipFile):
            raise FileError(f"{path.name}: the gz file is damaged: download it again") from None
        reason = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"{path.name}: cannot be read: {reason}") from None


def _unpacked(
    path: Path, raw: IO[bytes], progress: Callable[[float], None], cancelled: Callable[[], bool], limits: SourceLimits
) -> Iterator[bytes]:
    size = path.stat().st_size
    magic = raw.read(16)
    raw.seek(0)
    if magic.startswith(_ZIP) or (path.suffix.lower() == ".zip" and size):
        yield from _from_zip(path, raw, progress, cancelled, limits)
        return
    if magic.startswith(_GZIP):
        yield from _from_gzip(path, raw, size, progress, cancelled, limits)
        return
    if size > limits.max_bytes:
        raise FileError(f"{path.name}: has {size:,} bytes, the limit is {limits.max_bytes:,}: split it")
    for _, block in _read(path, raw, cancelled, limits, lambda done: None):
        yield block
        progress(min(1.0, raw.tell() / max(size, 1)))


def _from_gzip(
    path: Path,
    raw: IO[bytes],
    size: int,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    limits: SourceLimits,
) -> Iterator[bytes]:
    def check(done: int) -> None:
        _check_ratio(path, done, raw.tell(), limits)

    try:
        with gzip.GzipFile(fileobj=raw) as stream:
            for _, block in _read(path, stream, cancelled, limits, check):
                yield block
                progress(min(1.0, raw.tell() / max(size, 1)))
    except EOFError:
        raise FileError(f"{path.name}: the gz file is cut short: download it again") from None
    except (gzip.BadGzipFile, zlib.error):
        raise FileError(f"{path.name}: the gz file is damaged: download it again") from None


def _from_zip(
    path: Path, raw: IO[bytes], progress: Callable[[float], None], cancelled: Callable[[], bool], limits: SourceLimits
) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(raw) as archive:
            member = _only_member(path, archive, limits)

            def check(done: int) -> None:
                _check_ratio(path, done, max(member.compress_size, 1), limits)

            with archive.open(member) as stream:
                for done, block in _read(path, stream, cancelled, limits, check):
                    yield block
                    progress(min(1.0, done / max(member.file_size, 1)))
                if _cut_short(stream, member):
                    raise FileError(f"{path.name}: the zip is cut short: download it again")
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        what = "fails its checksum" if "CRC" in str(error) else "is cut short or damaged"
        raise FileError(f"{path.name}: the zip {what}: download it again") from None
    except (NotImplementedError, RuntimeError, UnicodeDecodeError, OverflowError) as error:
        raise FileError(f"{path.name}: the zip cannot be read: {' '.join(str(error).split())}") from None


def _cut_short(stream: IO[bytes], member: zipfile.ZipInfo) -> bool:
    """Tell whether the stream ended before the size that the archive declares."""
    return stream.tell() < member.file_size


def _only_member(path: Path, archive: zipfile.ZipFile, limits: SourceLimits) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > limits.max_members:
        raise FileError(f"{path.name}: the zip has {len(members):,} members: it must hold one table")
    for member in members:
        _check_name(path, member.filename)
    files = [m for m in members if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if any(m.filename == "[Content_Types].xml" for m in files):
        raise FileError(f"{path.name}: is a workbook or document: save the table as CSV first")
    tables = [m for m in files if m.filename.lower().endswith(_TABLES[:2])]
    chosen = tables if len(files) > 1 and tables else files
    if not chosen:
        raise FileError(f"{path.name}: the zip is empty")
    if len(chosen) > 1:
        names = ", ".join(_shown(m.filename) for m in chosen[:3]) + (", ..." if len(chosen) > 3 else "")
        raise FileError(f"{path.name}: the zip holds {len(chosen)} files ({names}): it must hold one table")
    member = chosen[0]
    name = _shown(member.filename)
    if member.flag_bits & 0x41:
        raise FileError(f"{path.name}: the zip is encrypted: unpack it first")
    if member.filename.lower().endswith(_PACKED):
        raise FileError(f"{path.name}: the zip holds another archive ({name}): unpack it first")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(f"{path.name}: the zip is packed in a way that is not supported: unpack it first")
    _check_size(path, member.file_size, limits)
    _check_ratio(path, member.file_size, max(member.compress_size, 1), limits)
    return member


def _check_name(path: Path, name: str) -> None:
    parts = re.split(r"[/\\]", name)
    if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise FileError(f"{path.name}: the zip has a member outside its own folder ({_shown(name)}): not opened")


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:80])


def _check_size(path: Path, size: int, limits: SourceLimits) -> None:
    if size > limits.max_bytes:
        raise FileError(f"{path.name}: unpacks to {size:,} bytes or more, the limit is {limits.max_bytes:,}: split it")


def _check_ratio(path: Path, size: int, packed: int, limits: SourceLimits) -> None:
    if size > limits.free_bytes and size > limits.max_ratio * packed:
        raise FileError(
            f"{path.name}: unpacks to more than {limits.max_ratio} times its size ({size:,} bytes): not opened, "
            "unpack it yourself if you trust it"
        )


def _read(
    path: Path,
    stream: IO[bytes] | gzip.GzipFile,
    cancelled: Callable[[], bool],
    limits: SourceLimits,
    check: Callable[[int], None],
) -> Iterator[tuple[int, bytes]]:
    """Yield (bytes so far, block); refuse other formats by their first bytes, and too much of anything."""
    done = 0
    while True:
        if cancelled():
            raise Cancelled
        block = stream.read(limits.block_bytes)
        if not block:
            return
        if done == 0:
            _check_magic(path, block)
        done += len(block)
        _check_size(path, done, limits)
        check(done)
        yield done, block


def _check_magic(path: Path, block: bytes) -> None:
    if block.startswith((*_ZIP, _GZIP)):
        raise FileError(f"{path.name}: holds another archive: unpack it first")
    for magic, what in _FOREIGN:
        if block.startswith(magic):
            raise FileError(f"{path.name}: is {what}, not a text table: save or unpack it as CSV")
