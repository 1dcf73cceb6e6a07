"""Turn bytes into blocks of whole lines: byte order marks, UTF-16, line endings, limits."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quantdesk.store.files.report import FileError

MAX_LINE = 256 * 1024
MAX_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Block:
    """Hold whole lines, each ended by a newline; ``first_line`` is the number of the first one."""

    first_line: int
    data: bytes


def line_blocks(name: str, chunks: Iterable[bytes]) -> Iterator[Block]:
    """Yield the text as UTF-8 (or whatever one-byte coding it has) in blocks of whole lines.

    Raises FileError for NUL bytes, broken UTF-16 and lines beyond 256 KiB.
    """
    line, carry = 1, b""
    for chunk in _decoded(name, chunks):
        data = carry + chunk
        held = b""
        if data.endswith(b"\r"):  # its newline may come with the next chunk
            data, held = data[:-1], b"\r"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\0" in data:
            where = line + data.count(b"\n", 0, data.index(b"\0"))
            raise FileError(f"{name}: line {where}: this is not a text table (it has binary zeros)")
        cut = data.rfind(b"\n") + 1
        carry = data[cut:] + held
        if len(carry) > MAX_LINE:
            raise _too_long(name, line + data.count(b"\n"), carry)
        if cut:
            yield Block(line, data[:cut])
            line += data.count(b"\n", 0, cut)
    if carry:
        yield Block(line, carry.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n") + b"\n")


def _too_long(name: str, line: int, text: bytes) -> FileError:
    if any(text.count(mark) > MAX_COLUMNS for mark in (b",", b";", b"\t", b"|")):
        return FileError(f"{name}: line {line} has more than {MAX_COLUMNS:,} columns")
    return FileError(f"{name}: line {line} is longer than {MAX_LINE:,} bytes: this is not a table of prices")


def check_lines(name: str, block: Block) -> None:
    """Raise FileError if a line of the block is longer than the limit."""
    start = 0
    while len(block.data) - start > MAX_LINE:
        end = block.data.rfind(b"\n", start, start + MAX_LINE + 1)
        if end < 0:
            line = block.first_line + block.data.count(b"\n", 0, start)
            raise _too_long(name, line, block.data[start : block.data.index(b"\n", start)])
        start = end + 1


def _decoded(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    try:
        for given in chunks:
            chunk = given
            if first:
                first = False
                if chunk.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
                    raise FileError(f"{name}: is UTF-32 text: save it as UTF-8")
                if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    decoder = codecs.getincrementaldecoder("utf-16")()
                elif chunk.startswith(codecs.BOM_UTF8):
                    chunk = chunk[3:]
            yield chunk if decoder is None else decoder.decode(chunk).encode()
        if decoder is not None:
            yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise FileError(f"{name}: is not valid UTF-16 text: save it as UTF-8") from None
