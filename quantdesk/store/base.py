"""Say what a store does; the embedded and the server store both keep this promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.types import AlertRow, Gap, Instrument, StoreStatus, Tick

T = TypeVar("T")

#: Rises with every change of the tables; an older program stays out of a newer store.
SCHEMA_VERSION = 3


class StoreError(Exception):
    """Say in one line why the store cannot do what was asked, and what to do next."""


class StoreBusyError(StoreError):
    """Another program writes to this store; open it read-only."""


class DiskLowError(StoreError):
    """The disk is nearly full; writing has stopped cleanly."""


class StoreRefusedError(StoreError):
    """The store will not have us as we are (password, rights, version): waiting cannot help, a person can."""


class LeasedElsewhereError(StoreError):
    """Another program writes this instrument to the store; ``holder`` names it."""

    def __init__(self, words: str, holder: str) -> None:
        super().__init__(words)
        self.holder = holder


@dataclass(frozen=True, slots=True)
class TickArrays:
    """Hold n stored ticks as columns, ascending in (ts, agg_id)."""

    agg_id: IntArray
    ts: IntArray
    price: FloatArray
    quantity: FloatArray
    is_buyer_maker: IntArray
    trades: IntArray

    def __len__(self) -> int:
        return len(self.agg_id)


@dataclass(frozen=True, slots=True)
class StoredBars:
    """Hold bars of the read view: trades take precedence, ``origin`` tells each bar's source.

    ``origin[i]`` is "trades", "partial" (trades, but some of the bar's are missing and no source bar
    stands in), "kline" or "file:<name>".
    """

    bars: BarArrays
    origin: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TradeBars:
    """Hold bars built from trades with the ids [first_id[i], last_id[i]] of each one's trades."""

    bars: BarArrays
    first_id: IntArray
    last_id: IntArray

    def __len__(self) -> int:
        return len(self.bars)


@dataclass(frozen=True, slots=True)
class Retention:
    """Say how long trades are kept; bars stay for ever. 0 = no bound.

    ``compress_days`` is the age from which a server's trades are compressed.
    """

    keep_days: int = 0
    keep_bytes: int = 0
    compress_days: int = 7


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Tell what a person wants to know of a store; None = not known, empty words = nothing to say.

    ``rows`` counts by table, ``sizes`` bytes by table. ``refresh_lag`` (s) is how long the oldest change
    has waited to reach every bar; ``jobs`` are words of the server's own jobs that are not well.
    """

    kind: str  #: "SQLite 3.40.1", "TimescaleDB 2.23.0 on PostgreSQL 17.5"
    bar_mode: str  #: "tables" or "continuous aggregates"
    place: str  #: without a secret
    rows: dict[str, int]
    sizes: dict[str, int]
    size_bytes: int | None = None
    uncompressed_bytes: int | None = None
    compressed_bytes: int | None = None
    refresh_lag: float | None = None
    trouble: str = ""
    jobs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  #: e.g. that the server could do better
    leases: tuple[tuple[str, str], ...] = ()  #: (symbol, who writes it)
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class IdRun:
    """Name a run of stored aggregate trade ids without a hole; ``*_ts`` are the trade times of its ends."""

    first_id: int
    last_id: int
    first_ts: int
    last_ts: int


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Count rows, and name the first and the last time (ms) of them; None where there are none."""

    rows: int
    first_ts: int | None
    last_ts: int | None


@dataclass(frozen=True, slots=True)
class TickEdge:
    """Name a stored trade at the edge of a span: its id and trade time (ms)."""

    agg_id: int
    ts: int


@dataclass(frozen=True, slots=True)
class BarChecks:
    """Count closed, whole 1m bars from trades that have a kline, and how they compare at step precision.

    ``count_only`` differ in nothing but a larger trade count of the exchange: insurance-fund and ADL
    trades, which no aggregate trade tells of. ``first_differences`` are open times (ms).
    """

    checked: int = 0
    matching: int = 0
    count_only: int = 0
    first_differences: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredInstrument:
    """Tell what is held of one instrument."""

    id: int
    instrument: Instrument
    ticks: int
    first_ts: int | None
    last_ts: int | None
    last_agg_id: int | None


class Reader(Protocol):
    """Read a store; every call fetches all and closes. Safe beside a writer in this or another process."""

    def instruments(self) -> list[StoredInstrument]:
        """List every instrument that has ticks or source bars."""

    def find(self, symbol: str, venue: str | None = None) -> list[StoredInstrument]:
        """List the instruments of a symbol, of one venue or of all."""

    def last_tick(self, instrument: Instrument) -> tuple[int, int] | None:
        """Return (agg_id, ts) of the highest stored id, or None."""

    def load_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> StoredBars:
        """Load bars with start <= open_time < end, ascending; ``limit`` keeps the newest."""

    def intervals(self, instrument: Instrument) -> list[str]:
        """List the intervals that the read view has bars of."""

    def iter_bars(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        chunk: int = 50_000,
    ) -> Iterator[StoredBars]:
        """Yield the bars that load_bars would load in blocks, ascending."""

    def load_ticks(
        self, instrument: Instrument, start: int | None = None, end: int | None = None, chunk: int = 50_000
    ) -> Iterator[TickArrays]:
        """Yield the ticks with start <= ts < end in blocks, ascending in (ts, agg_id)."""

    def load_gaps(self, instrument: Instrument) -> list[Gap]:
        """Load the ledger of one instrument, ascending in first_id."""

    def id_runs(self, instrument: Instrument, since: int | None = None, until: int | None = None) -> list[IdRun]:
        """Find the runs of ids that are really stored, ascending and disjoint; traded in [since, until) (ms) or all."""

    def duplicates(self, instrument: Instrument) -> int:
        """Return how many trades came once more and were dropped, ever."""

    def bar_checks(self, instrument: Instrument) -> BarChecks:
        """Compare the closed 1m bars from trades with the exchange's klines."""

    def count_ticks(self, instrument: Instrument, start: int, end: int) -> int:
        """Count the ticks with start <= ts < end."""

    def first_tick(self, instrument: Instrument, start: int = 0, end: int | None = None) -> TickEdge | None:
        """Return the first trade with start <= ts < end (ms), or None."""

    def newest_tick(self, instrument: Instrument, start: int = 0, end: int | None = None) -> TickEdge | None:
        """Return the last trade with start <= ts < end (ms), or None."""

    def trade_bar_span(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> RowSpan:
        """Count the bars from trades with start <= open time < end (ms); ``pause`` is called now and then."""

    def source_bar_span(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        pause: Callable[[], None] = lambda: None,
        origin: str | None = None,
    ) -> RowSpan:
        """Count the source bars with start <= open time < end (ms), of one origin or all."""

    def source_intervals(self, instrument: Instrument) -> list[str]:
        """List the intervals that there are source bars of."""

    def iter_source_bars(self, instrument: Instrument, interval: str, chunk: int = 50_000) -> Iterator[StoredBars]:
        """Yield every source bar, shown or not, in blocks, ascending."""

    def iter_trade_bars(
        self, instrument: Instrument, interval: str, end: int, chunk: int = 50_000
    ) -> Iterator[TradeBars]:
        """Yield the bars from trades with open_time < end in blocks, ascending; partial ones as well."""

    def firings(self, rule_id: str | None = None, since: int | None = None, limit: int = 1_000) -> list[AlertRow]:
        """Load alerts, oldest first: of one rule or all, fired at ``since`` (ms) or later, the newest ``limit``."""

    def facts(self) -> StoreFacts:
        """Tell kind, sizes and health; may take a moment."""

    def close(self) -> None:
        """Let go of the store."""


class Store(Reader, Protocol):
    """Write a store; used by ONE thread, the writer's."""

    def ensure_instrument(self, instrument: Instrument) -> int:
        """Register the instrument or update its tick and step size; return its id."""

    def append_ticks(self, instrument: Instrument, ticks: Sequence[Tick], *, guest: bool = False) -> int:
        """Insert ticks, ignore those already held, refresh the touched bars; return how many were new.

        Raises LeasedElsewhereError where another program writes the instrument, unless as a ``guest``:
        rows of the past are the same whoever brings them.
        """

    def append_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> int:
        """Upsert closed bars whose trades we do not hold; return how many rows changed."""

    def append_trade_bars(self, instrument: Instrument, interval: str, bars: TradeBars) -> int:
        """Keep bars whose trades are no longer held, never replacing one of more trades; return how many changed."""

    def save_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Write the ledger rows (keyed by instrument and first_id) and mark the overlapping bars partial
        while a gap is open, filling, expired or missing-in-part; clear the mark once filled or missing."""

    def add_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped."""

    def save_firing(self, firing: AlertRow) -> bool:
        """Keep an alert; return whether it was new: one with its key stays as it is."""

    def save_outcome(self, firing_id: str, outcome: str, at: int) -> bool:
        """Note what became of an alert (JSON), known ``at`` (ms); return whether it is noted.

        False where there is no such alert, or a later outcome is noted already.
        """

    def acquire(self, instrument: Instrument) -> bool:
        """Take or keep the right to write an instrument's ticks and ledger; False while another program has it."""

    def release(self, instrument: Instrument) -> None:
        """Give up the right to write an instrument."""

    def tend(self) -> None:
        """Keep what has to be kept alive; called about once a second."""

    def retention(self) -> Retention:
        """Return how long trades are kept."""

    def set_retention(self, retention: Retention) -> None:
        """Change how long trades are kept; on a server for everybody."""

    @property
    def words(self) -> str:
        """Say for the status bar what the store is; empty while that is not known."""

    def probe(self) -> None:
        """Raise StoreError where the store takes no rows now; does not wait for a lock."""

    def sync(self) -> None:
        """Put on the disk itself what is committed, so that no power cut takes it back."""

    @property
    def spill_path(self) -> Path | None:
        """Name the file that rows wait in while the store takes none; None where there is no place."""

    def enforce_limits(self, seconds: float | None = None) -> int:
        """Delete the oldest ticks above the size cap in slices (never bars); return rows deleted.

        With ``seconds`` it stops after about that time and goes on at the next call.
        """

    def size_bytes(self) -> int:
        """Return what the store takes on disk."""

    def free_bytes(self) -> int | None:
        """Return what is free where the store writes, or None where that is not known."""


class Writer(Protocol):
    """Take what the feed hands over; no method waits for the disk but ``flush`` and ``stop``."""

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Queue ticks; False = refused, and the caller books a gap."""

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Queue closed bars whose trades we do not hold."""

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Queue rows of the ledger."""

    def put_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped."""

    def call(self, act: Callable[[Store], T]) -> Future[T]:
        """Run ``act`` on the store behind what is queued."""

    def takeovers(self) -> list[Instrument]:
        """Return, once, the instruments that this program has begun to write in another's place."""

    def release(self, instrument: Instrument) -> None:
        """Write an instrument no longer, behind what is queued: another program may."""

    def flush(self, timeout: float) -> bool:
        """Wait until what is queued now is committed."""

    def stop(self, timeout: float = 30.0) -> bool:
        """Commit what is queued and close."""

    @property
    def status(self) -> StoreStatus:
        """Return how the store is doing."""
