"""Read a file of bars or trades into legs: whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quantdesk.store.files.bars_file import build_bars
from quantdesk.store.files.columns import Columns
from quantdesk.store.files.layout import Layout, find_layout
from quantdesk.store.files.names import symbol_of
from quantdesk.store.files.report import Cancelled, FileError, LoadedFile, LoadReport
from quantdesk.store.files.source import DEFAULT_LIMITS, SourceLimits, read_blocks
from quantdesk.store.files.text import Block, check_lines, line_blocks
from quantdesk.store.files.trades_file import build_trades

#: Lines are read in pieces of about this size, so that Cancel is heard soon.
_PIECE = 1 << 18


def read_file(
    path: Path,
    *,
    skip_bad_rows: bool = False,
    bar_interval_ms: int | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
    cancelled: Callable[[], bool] = lambda: False,
    limits: SourceLimits = DEFAULT_LIMITS,
) -> LoadedFile:
    """Read bars or trades from a plain, zipped or gzipped text table.

    ``bar_interval_ms`` is the interval of bars built from trades; None chooses 1m, or 1s for trades
    that span less than an hour. ``progress`` hears 0..1, ``cancelled`` is asked every few
    milliseconds. Raises FileError in one line, or Cancelled; nothing half-loads.
    """
    path = Path(path)
    layout: Layout | None = None
    columns: Columns | None = None
    for block in line_blocks(path.name, read_blocks(path, lambda done: progress(0.95 * done), cancelled, limits)):
        check_lines(path.name, block)
        given = block
        if columns is None or layout is None:
            if not block.data.strip():
                continue
            layout = find_layout(path, block)
            columns = Columns(path.name, layout, skip_bad_rows=skip_bad_rows)
            given = _without_header(block, layout)
        for piece in _pieces(given):
            if cancelled():
                raise Cancelled
            columns.take(piece)
    if columns is None or layout is None:
        raise FileError(f"{path.name}: is empty")
    columns.flaws.fail_if_all(columns.rows)
    if cancelled():
        raise Cancelled
    name = symbol_of(path)
    report = LoadReport(
        path, layout.kind, columns.rows, tuple(columns.flaws.named), columns.flaws.count, notes=layout.notes
    )
    trades = layout.kind in ("aggTrades", "trades")
    loaded = (
        build_trades(report, name, layout, columns, bar_interval_ms)
        if trades
        else build_bars(report, name, layout, columns)
    )
    progress(1.0)
    return loaded


def _without_header(block: Block, layout: Layout) -> Block:
    start = 0
    for _ in range(layout.header_lines):
        start = block.data.index(b"\n", start) + 1
    return Block(block.first_line + layout.header_lines, block.data[start:])


def _pieces(block: Block) -> list[Block]:
    pieces, start, line = [], 0, block.first_line
    while start < len(block.data):
        end = block.data.find(b"\n", min(start + _PIECE, len(block.data) - 1)) + 1
        piece = block.data[start:end]
        pieces.append(Block(line, piece))
        line += piece.count(b"\n")
        start = end
    return pieces
