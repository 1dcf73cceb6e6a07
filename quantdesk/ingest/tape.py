"""Read what can be replayed: recorded frames, NDJSON ticks ``{symbol, ts, price, size}``, a ticks export."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

import msgspec

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import ConfigError
from quantdesk.feed.binance import BadFrame, number, parse
from quantdesk.ingest.extent import extent_of
from quantdesk.recording import Recording, frame_of
from quantdesk.trades import RawTrade
from quantdesk.types import Tick, decimals_of


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """Carry one bar whose trades are not held; it is known when it closes (exchange ms)."""

    symbol: str
    interval: str
    closes: int
    bar: BarArrays  # one row


#: (seconds on the recording's clock, a frame, a tick or a bar)
Recorded: TypeAlias = "tuple[float, bytes | Tick | PlayedBar]"
#: Tick and step size by symbol.
Precision: TypeAlias = "dict[str, tuple[Decimal, Decimal]]"

MAX_LINE = 1 << 20
#: So many records at the start tell the precision of prices and quantities.
SAMPLE = 20_000
EXPORT_COLUMNS = ["symbol", "agg_id", "price", "quantity", "trade_time_ms", "is_buyer_maker", "trades"]
_TRUE = {"true", "1", "t", "yes"}
_STAMP_UNITS = ((1e11, 1_000.0), (1e14, 1.0), (1e17, 1e-3), (float("inf"), 1e-6))


class Tape(Protocol):
    """Iterate over a recording; each iteration starts anew and counts what it skips."""

    @property
    def skipped(self) -> int:
        """Return how many records could not be read."""

    @property
    def damage(self) -> str:
        """Return why the file ended early, empty where it did not."""

    def precision(self) -> Precision:
        """Return the tick and step size of each symbol that is known before it is played."""

    def extent(self) -> tuple[int, int] | None:
        """Return the first and the last exchange time (ms), or None where that is not known."""

    def __iter__(self) -> Iterator[Recorded]: ...


class FrameTape:
    """Read recorded websocket frames."""

    def __init__(self, path: Path) -> None:
        self._recording = Recording(path)

    @property
    def skipped(self) -> int:
        """Return how many lines were no frames."""
        return self._recording.skipped

    @property
    def damage(self) -> str:
        """Return why the file ended early, if it did."""
        return self._recording.damage

    def precision(self) -> Precision:
        """Return tick and step sizes as the first records show them."""
        return precision_of(self)

    def extent(self) -> tuple[int, int] | None:
        """Return the first and the last exchange time (ms)."""
        return extent_of(self._recording.path, FrameTape(self._recording.path), frame_of)

    def __iter__(self) -> Iterator[Recorded]:
        for local_ns, frame in self._recording:
            yield local_ns / 1e9, frame


class _Lines:
    """Read a text of ticks, plain or gzipped, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skipped = 0
        self.damage = ""

    def precision(self) -> Precision:
        """Return tick and step sizes as the first records show them."""
        return precision_of(self)

    def extent(self) -> tuple[int, int] | None:
        """Return the first and the last exchange time (ms)."""
        one = type(self)(self._path)
        return extent_of(self._path, one, lambda line: one._row(line.decode("utf-8", "replace")))

    def _open(self) -> IO[str]:
        return _text(self._path)

    def _row(self, line: str) -> Tick:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Recorded]:
        self.skipped, self.damage = 0, ""
        self._begin()
        try:
            with self._open() as lines:
                while line := lines.readline(MAX_LINE):
                    if not line.strip():
                        continue
                    try:
                        tick = self._row(line)
                    except (BadFrame, ValueError, KeyError, TypeError, IndexError, msgspec.MsgspecError):
                        self.skipped += 1
                        continue
                    yield tick.ts / 1_000, tick
        except (OSError, EOFError, zlib.error) as error:
            self.damage = f"{self._path.name}: {error}"

    def _begin(self) -> None:
        """Start anew."""


class NdjsonTape(_Lines):
    """Read ticks as JSON lines; they have no ids, so each symbol counts from 1 in the file's order."""

    def _begin(self) -> None:
        self._ids: dict[str, int] = {}

    def _row(self, line: str) -> Tick:
        row = msgspec.json.decode(line)
        symbol, ts = str(row["symbol"]), _ms(row["ts"])
        price, size = _positive(row["price"], "price"), _positive(row["size"], "size")
        if not symbol or len(symbol) > 40:
            raise BadFrame("no symbol")
        ident = self._ids[symbol] = self._ids.get(symbol, 0) + 1
        return Tick(symbol, ident, price, size, ts, bool(row.get("is_buyer_maker", False)))


class ExportTape(_Lines):
    """Read what ``quantdesk export ticks`` wrote."""

    def _begin(self) -> None:
        self._columns: list[str] = []

    def _row(self, line: str) -> Tick:
        cells = next(csv.reader([line]))
        if not self._columns:
            self._columns = [cell.strip().lower().removeprefix("\ufeff") for cell in cells]
            self.skipped -= 1  # the header is no row, and no bad one either
            raise BadFrame("the header")
        row = dict(zip(self._columns, cells, strict=True))
        ident, ts, trades = int(row["agg_id"]), int(row["trade_time_ms"]), int(row["trades"])
        if not 0 <= ident < 2**63 or ts <= 0 or trades <= 0:
            raise BadFrame("out of range")
        price, quantity = _positive(row["price"], "price"), _positive(row["quantity"], "quantity")
        symbol = row["symbol"].removeprefix("'")
        return Tick(symbol, ident, price, quantity, ts, row["is_buyer_maker"].lower() in _TRUE, trades)


def open_tape(path: Path) -> Tape:
    """Return the reader for a file by its first line; raise ConfigError where it is none of the known forms."""
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    try:
        with _text(path) as lines:
            first = lines.readline(MAX_LINE).strip().removeprefix("\ufeff")
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if first.startswith("{"):
        return NdjsonTape(path)
    if first.lower().replace(" ", "").split(",")[: len(EXPORT_COLUMNS)] == EXPORT_COLUMNS:
        return ExportTape(path)
    tape = FrameTape(path)
    if next(iter(islice(tape, 1)), None) is None:
        raise ConfigError(
            f"{path.name}: neither recorded frames (<ns> <frame>), nor ticks as JSON lines, nor a ticks export"
        )
    return tape


def precision_of(tape: Tape) -> Precision:
    """Return the tick and step size of each symbol as the first records show them."""
    found: Precision = {}
    for _, record in islice(iter(tape), SAMPLE):
        try:
            event = parse(record) if isinstance(record, bytes) else record
        except BadFrame:
            continue
        if isinstance(event, Tick | RawTrade):
            price, quantity = found.get(event.symbol, (Decimal(1), Decimal(1)))
            found[event.symbol] = min(price, step_of(event.price)), min(quantity, step_of(event.quantity))
    return found


def step_of(value: float) -> Decimal:
    """Return the power of ten that a number is a multiple of, 1e-8 at least."""
    return Decimal(1).scaleb(-min(8, decimals_of(Decimal(repr(value)))))


def _text(path: Path) -> IO[str]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    raw: Any = gzip.open(path) if zipped else path.open("rb")  # noqa: SIM115  # the wrapper closes it
    return io.TextIOWrapper(raw, "utf-8", errors="replace")


def _positive(value: object, name: str) -> float:
    return number(value if isinstance(value, str) else repr(value), name, above=True)


def _ms(value: object) -> int:
    """Return a stamp in ms: s, ms, µs or ns by magnitude, or an ISO 8601 time (naive is UTC)."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        from datetime import UTC, datetime

        moment = datetime.fromisoformat(value)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadFrame("no time")
    stamp = float(value)
    factor = next(factor for below, factor in _STAMP_UNITS if stamp < below)
    ms = int(value) if factor == 1.0 and isinstance(value, int) else int(stamp * factor)
    if not 0 < ms < 253_402_300_800_000:
        raise BadFrame("no time")
    return ms
