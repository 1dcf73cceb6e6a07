"""Find out what a table is: separator, header, which column is which, and what it holds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from quantdesk.store.files.headerless import headerless_columns
from quantdesk.store.files.report import FileError
from quantdesk.store.files.rows import Form, split_line
from quantdesk.store.files.text import MAX_COLUMNS, Block
from quantdesk.store.files.times import is_clock, parse_time

_SAMPLE = 200
_SEPARATORS = (b"\t", b";", b"|", b",")
_TIMES = ("open_time", "open_time_ms", "timestamp", "datetime", "date_time", "time", "date")
_OHLC = ("open", "high", "low", "close")
_PRICES = ("close", "price", "last", "close_price", "last_price", "close_last", "value")
_ALIASES: dict[str, tuple[str, ...]] = {
    "open": ("open", "open_price"),
    "high": ("high", "high_price"),
    "low": ("low", "low_price"),
    "close": ("close", "close_price", "close_last", "price", "last"),
    "adj_close": ("adj_close", "adjclose", "adjusted_close", "close_adj"),
    "volume": ("volume", "vol", "base_volume", "tickvol"),
    "quote_volume": ("quote_volume", "quote_asset_volume", "quotevolume"),
    "trades": ("count", "trades", "number_of_trades", "num_trades", "trade_count", "tradecount"),
    "symbol": ("symbol", "ticker", "pair"),
}
_AGG: dict[str, tuple[str, ...]] = {
    "id": ("agg_trade_id", "agg_id", "aggtradeid", "aggregate_trade_id"),
    "price": ("price",),
    "quantity": ("quantity", "qty"),
    "first_id": ("first_trade_id", "firsttradeid"),
    "last_id": ("last_trade_id", "lasttradeid"),
    "time": ("transact_time", "trade_time_ms", "trade_time", "timestamp", "time"),
    "maker": ("is_buyer_maker", "isbuyermaker", "was_the_buyer_the_maker"),
    "trades": ("trades",),
    "symbol": ("symbol",),
}
_RAW = _AGG | {"id": ("id", "trade_id", "tradeid"), "trades": ()}
_NOT_PRICES = re.compile(
    r"(taker_.*|close_time.*|ignore|interval|dividends?|stock_splits?|capital_gains|change.*|open_interest|openint|vol.*|"
    r"unix|index|id|spread|turnover|exchange|currency|open_time.*|.*_ratio|repaired)"
)
_KNOWN = {name for names in _ALIASES.values() for name in names} | set(_TIMES)


@dataclass(frozen=True, slots=True)
class Layout:
    """Say what a table holds: ``columns`` maps roles (time, open, ..., first, second) to column numbers."""

    kind: str
    form: Form
    header_lines: int
    columns: dict[str, int]
    names: tuple[str, ...] = ()
    symbol: str | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Sample:
    name: str
    separator: bytes
    first_line: int
    header: list[str]
    rows: list[list[str]]
    decimal_comma: bool


def find_layout(path: Path, block: Block) -> Layout:
    """Return the layout of the table that starts with ``block``; raise FileError in words if it is none."""
    lines = block.data.split(b"\n")[:_SAMPLE]
    number = next((i for i, line in enumerate(lines) if line.strip(b" ,;\t|")), None)
    if number is None:
        raise FileError(f"{path.name}: is empty")
    _check_text(path.name, lines[number])
    filled = [line for line in lines[number:] if line.strip(b" ,;\t|")]
    if len(filled) == _SAMPLE:
        filled = filled[:-1]
    separator = _separator(path.name, filled)
    cells = [_cells(line, separator) for line in filled]
    if len(cells[0]) > MAX_COLUMNS:
        raise FileError(f"{path.name}: line {number + 1} has more than {MAX_COLUMNS:,} columns")
    titled = not _is_data(cells[0])
    rows = cells[1:] if titled else cells
    if not rows:
        raise FileError(f"{path.name}: has a header but no data rows")
    comma = separator != b"," and _decimal_comma(path.name, rows)
    if comma:
        rows = [[cell.replace(",", ".") for cell in row] for row in rows]
    header = [_plain(cell) for cell in cells[0]] if titled else []
    sample = _Sample(path.name, separator, number + int(titled), header, rows, comma)
    return _titled(sample, cells[0]) if titled else _untitled(sample)


def _check_text(name: str, line: bytes) -> None:
    odd = sum(byte < 32 and byte != 9 for byte in line[:4096])
    if odd:
        raise FileError(f"{name}: this is not a text table (it has control characters)")


def _separator(name: str, lines: list[bytes]) -> bytes:
    bare = [re.sub(rb'"[^"]*"', b"", line) for line in lines]
    for separator in _SEPARATORS:
        if bare[0].count(separator) and sum(separator in line for line in bare) * 2 > len(bare):
            return separator
    raise FileError(
        f"{name}: this is not a text table of times and prices: no separator (, ; tab or |) divides its lines"
    )


def _cells(line: bytes, separator: bytes) -> list[str]:
    try:
        cells = split_line(line, separator)
    except ValueError:
        cells = line.split(separator)
    return [cell.decode("utf-8", "replace").strip() for cell in cells]


def _plain(title: str) -> str:
    """Return a column's name in lower case with underscores: ``<Open Time>`` -> open_time."""
    return re.sub(r"[^\w%]+", "_", title.strip().strip("<>*#").lower()).strip("_")


def _is_data(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return any(parse_time(c) is not None for c in filled[:1]) or all(_number(c) is not None for c in filled)


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text):
        return None
    return float(text)


def _decimal_comma(name: str, rows: list[list[str]]) -> bool:
    cells = [cell for row in rows for cell in row if re.fullmatch(r"[+-]?\d+(,\d+)+", cell)]
    if not cells or any(re.fullmatch(r"[+-]?\d+\.\d+", cell) and parse_time(cell) is None for r in rows for cell in r):
        return False
    if all(re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", cell) for cell in cells):
        raise FileError(
            f"{name}: '{cells[0]}' may be {cells[0].replace(',', '')} or {cells[0].replace(',', '.', 1)}: "
            "write decimal points"
        )
    return True


def _form(sample: _Sample, columns: dict[str, int]) -> Form:
    needed = max(columns.values()) + 1
    lengths = Counter(len(row) for row in sample.rows)
    cells = max(lengths.most_common(1)[0][0], needed)
    return Form(sample.separator, cells, needed, len(sample.header) or cells, sample.decimal_comma)


def _untitled(sample: _Sample) -> Layout:
    kind, columns = headerless_columns(sample.name, sample.rows)
    return Layout(kind, _form(sample, columns), sample.first_line, columns, notes=("no header",))


def _titled(sample: _Sample, titles: list[str]) -> Layout:
    header = sample.header
    for kind, roles in (("aggTrades", _AGG), ("trades", _RAW)):
        found = _match(header, roles)
        if {"id", "price", "quantity", "time", "maker"} <= found.keys():
            return Layout(
                kind, _form(sample, found), sample.first_line, found, symbol=_first_text(sample, found.get("symbol"))
            )
    times = _time_columns(sample)
    named = _match(header, _ALIASES)
    symbol = _first_text(sample, named.get("symbol"))
    _check_twice(sample, [named[role] for role in (*_OHLC, "adj_close") if role in named])
    if all(name in named for name in _OHLC):
        columns = times | named
        binance = {"close_time", "ignore"} <= set(header)
        kind = "klines" if binance else "ohlcv"
        return Layout(kind, _form(sample, columns), sample.first_line, columns, symbol=symbol)
    return _prices(sample, titles, times, named, symbol)


def _check_twice(sample: _Sample, columns: list[int]) -> None:
    """Refuse a price column whose name comes again over another filled column: which one counts?"""
    for column in columns:
        title = sample.header[column]
        for other in range(column + 1, len(sample.header)):
            if sample.header[other] == title and any(row[other : other + 1] > [""] for row in sample.rows):
                raise FileError(f"{sample.name}: has two columns called {title}: give them different names")


def _prices(
    sample: _Sample, titles: list[str], times: dict[str, int], roles: dict[str, int], symbol: str | None
) -> Layout:
    """Lay out a table without OHLC: a named price, one unknown column, or two (a pair)."""
    header = sample.header
    extra = {role: roles[role] for role in ("adj_close", "volume", "quote_volume", "trades", "symbol") if role in roles}
    price = next((header.index(name) for name in _PRICES if name in header), None)
    if price is None and "adj_close" in roles:
        price = roles["adj_close"]
    if price is not None:
        columns = times | extra | {"close": price}
        return Layout("closes", _form(sample, columns), sample.first_line, columns, symbol=symbol)
    unknown = [i for i in range(len(header)) if i not in times.values() and _may_be_price(sample, i)]
    if len(unknown) == 1:
        columns = times | extra | {"close": unknown[0]}
        return Layout("closes", _form(sample, columns), sample.first_line, columns, (titles[unknown[0]],), symbol)
    if len(unknown) == 2:
        columns = times | {"first": unknown[0], "second": unknown[1]}
        names = (titles[unknown[0]], titles[unknown[1]])
        if names[0] == names[1]:
            raise FileError(f"{sample.name}: both price columns are called {names[0]}: give them different names")
        return Layout("pair", _form(sample, columns), sample.first_line, columns, names)
    shown = ", ".join((titles[i] or "(no name)") for i in unknown[:6]) + (", ..." if len(unknown) > 6 else "")
    what = f"{len(unknown)} columns that may be prices ({shown})" if unknown else "no price column"
    raise FileError(
        f"{sample.name}: has {what}: keep the time and two price columns for a pair, or open, high, low and close"
    )


def _may_be_price(sample: _Sample, column: int) -> bool:
    title = sample.header[column]
    if not title or title in _KNOWN or _NOT_PRICES.fullmatch(title):
        return False
    filled = [row[column] for row in sample.rows if column < len(row) and row[column]]
    numbers = sum(_number(cell) is not None for cell in filled)
    return numbers * 2 > len(filled) or (not numbers and bool(filled) and column <= 2 and len(sample.header) <= 3)


def _match(header: list[str], roles: dict[str, tuple[str, ...]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for role, names in roles.items():
        column = next((header.index(name) for name in names if name in header), None)
        if column is not None:
            found[role] = column
    if roles is _ALIASES and "volume" not in found:
        # "Volume BTC" is the base asset's where the quote's stands beside it; "Volume MA" is an indicator.
        named = [i for i, h in enumerate(header) if re.fullmatch(r"volume_(?!s?ma|ema|avg|usdt?|busd)[a-z0-9]{2,8}", h)]
        if named:
            found["volume"] = named[0]
    return found


def _first_text(sample: _Sample, column: int | None) -> str | None:
    if column is None or column >= len(sample.rows[0]):
        return None
    return sample.rows[0][column] or None


def _time_columns(sample: _Sample) -> dict[str, int]:
    """Return the time column (and a clock column beside a date); prefer the one whose cells are times."""
    header, rows = sample.header, sample.rows
    found = [header.index(name) for name in _TIMES if name in header]
    if not found and header[0] == "" and rows[0][0] and "-" in rows[0][0] and parse_time(rows[0][0]) is not None:
        return {"time": 0}
    if not found:
        titles = ", ".join(h[:24] for h in header[:8] if h) or "none"
        raise FileError(
            f"{sample.name}: has no time column (found: {titles}): name it time, timestamp, date, datetime or open_time"
        )
    firsts = {i: next((row[i] for row in rows if i < len(row) and row[i]), "") for i in found}
    times = [i for i in found if parse_time(firsts[i]) is not None]
    clocks = [i for i in found if is_clock(firsts[i])]
    if times and clocks and not re.search(r"\d[T ]\d|\d{9}", firsts[times[0]]):
        return {"time": times[0], "clock": clocks[0]}
    return {"time": (times or found)[0]}
