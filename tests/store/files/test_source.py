"""Archives that lie, are cut or would fill the memory are refused before or while unpacking."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from quantdesk.store.files import FileError, read_file
from quantdesk.store.files.source import SourceLimits

TEXT = "time,close\n" + "".join(f"{1721347020 + 60 * i},{1 + i * 37 % 101}.{i % 89}\n" for i in range(5_000))


def pack(path: Path, members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def why(path: Path, limits: SourceLimits | None = None) -> str:
    with pytest.raises(FileError) as caught:
        read_file(path, limits=limits or SourceLimits())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_two_tables_in_a_zip_are_named(tmp_path: Path) -> None:
    words = why(pack(tmp_path / "two.zip", {"a.csv": TEXT, "b.csv": TEXT}))
    assert "a.csv" in words and "b.csv" in words


def test_a_table_beside_a_readme_and_system_clutter_opens(tmp_path: Path) -> None:
    path = pack(tmp_path / "one.zip", {"a.csv": TEXT, "LICENSE": "words", "__MACOSX/._a.csv": "x"})
    assert read_file(path).report.rows == 5_000


@pytest.mark.parametrize("name", ["../a.csv", "x/../../a.csv", "/etc/a.csv", "..\\a.csv", "C:\\a.csv"])
def test_a_member_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert "outside its own folder" in why(pack(tmp_path / "evil.zip", {name: TEXT}))
    assert sorted(p.name for p in tmp_path.parent.rglob("a.csv")) == []


def test_a_zip_bomb_is_refused_by_its_declared_ratio_before_unpacking(tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", {"a.csv": b"0" * 60_000_000})
    asked: list[bool] = []
    with pytest.raises(FileError, match="200 times"):
        read_file(path, cancelled=lambda: asked.append(True) or False)
    assert asked == []


def test_declared_and_real_sizes_are_limited(tmp_path: Path) -> None:
    limits = SourceLimits(max_bytes=10_000)
    assert "limit" in why(pack(tmp_path / "a.zip", {"a.csv": TEXT}), limits)
    plain = tmp_path / "a.csv"
    plain.write_text(TEXT)
    assert "limit" in why(plain, limits)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(TEXT.encode()))
    assert "limit" in why(packed, limits)


def test_a_gz_bomb_is_stopped_while_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"time,close\n" + b"2024-01-01,1\n" * 400_000))
    words = why(path, SourceLimits(free_bytes=2_000_000, max_ratio=100))
    assert "100 times" in words


def test_a_zip_that_declares_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "liar.zip", {"a.csv": TEXT})
    raw = bytearray(path.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (1_000).to_bytes(4, "little")
    path.write_bytes(bytes(raw))
    why(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.99])
def test_a_cut_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = pack(tmp_path / "cut.zip", {"a.csv": TEXT})
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    assert "cut" in why(path)
    packed = tmp_path / "cut.csv.gz"
    whole = gzip.compress(TEXT.encode())
    packed.write_bytes(whole[: int(len(whole) * share)])
    assert "cut" in why(packed)


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "crc.zip", {"a.csv": TEXT}, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"1721347020,", b"1721347021,", 1))
    assert "checksum" in why(path)
    whole = bytearray(gzip.compress(TEXT.encode()))
    whole[-8] ^= 1
    packed = tmp_path / "crc.csv.gz"
    packed.write_bytes(bytes(whole))
    assert "damaged" in why(packed)


def test_every_flipped_byte_of_a_zip_is_refused_or_harmless(tmp_path: Path) -> None:
    path = pack(tmp_path / "flip.zip", {"a.csv": TEXT[:400].rsplit("\n", 1)[0] + "\n"})
    whole = path.read_bytes()
    good = read_file(path).legs[0].bars.close.tolist()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert read_file(path).legs[0].bars.close.tolist() == good
        except FileError as error:
            assert "\n" not in str(error)


def test_encrypted_nested_empty_and_foreign_archives_say_so(tmp_path: Path) -> None:
    path = pack(tmp_path / "locked.zip", {"a.csv": TEXT})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    assert "encrypted" in why(path)
    inner = path.read_bytes()
    assert "another archive" in why(pack(tmp_path / "nested.zip", {"inner.zip": inner}))
    assert "another archive" in why(pack(tmp_path / "hidden.zip", {"inner.csv": inner}))
    assert "empty" in why(pack(tmp_path / "none.zip", {}))
    assert "workbook" in why(pack(tmp_path / "book.xlsx", {"[Content_Types].xml": "<x/>", "xl/a.xml": "<x/>"}))
    (tmp_path / "odd.zip").write_bytes(b"not a zip at all")
    assert "cut short or damaged" in why(tmp_path / "odd.zip")
    assert "not supported" in why(pack(tmp_path / "lzma.zip", {"a.csv": TEXT}, zipfile.ZIP_LZMA))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in why(tmp_path / "pipe.csv")


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.csv"
    path.write_text(TEXT)
    path.chmod(0)
    try:
        path.open().close()
    except PermissionError:
        assert "permission" in why(path)
    else:
        pytest.skip("this user may read everything")
