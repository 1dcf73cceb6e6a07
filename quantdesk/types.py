"""Name the things that travel: instruments, ticks, quotes, klines, gaps and states.

Every stamp is an int of milliseconds since 1970 UTC; prices and quantities are doubles whose
``repr`` is the exchange's number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

#: What is assumed until the exchange says better: fine enough for every known instrument.
UNKNOWN_STEP = Decimal("0.00000001")


class Origin(StrEnum):
    """Say where data come from; only ``LIVE`` may speak to the tray as the market."""

    LIVE = "live"
    HISTORY = "history"
    FILE = "file"
    REPLAY = "replay"
    SIMULATED = "simulated"


class Interval(StrEnum):
    """Name the bar intervals that are built from trades."""

    S1 = "1s"
    M1 = "1m"
    M5 = "5m"

    def __init__(self, text: str) -> None:
        #: The length in milliseconds: asked with every trade, so looked up once.
        self.ms = {"1s": 1_000, "1m": 60_000, "5m": 300_000}[text]


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a tick or step size has (0.10 -> 1, 0.001 -> 3, 1 -> 0)."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@dataclass(frozen=True, slots=True)
class Instrument:
    """Identify what is traded: a symbol at a venue, with its price tick and quantity step."""

    venue: str
    symbol: str
    tick_size: Decimal = UNKNOWN_STEP
    step_size: Decimal = UNKNOWN_STEP

    @property
    def price_decimals(self) -> int:
        """Return the decimals of a price."""
        return decimals_of(self.tick_size)

    @property
    def quantity_decimals(self) -> int:
        """Return the decimals of a quantity."""
        return decimals_of(self.step_size)


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """Describe one symbol of exchangeInfo."""

    symbol: str
    status: str
    contract_type: str
    base: str
    quote: str
    tick_size: Decimal
    step_size: Decimal


@dataclass(frozen=True, slots=True)
class Tick:
    """Carry one aggregate trade. ``ts`` is the trade time T; ``trades`` is l - f + 1.

    ``first_trade`` is f, -1 where unknown (the store does not keep it): aggregates are compared without it.
    """

    symbol: str
    agg_id: int
    price: float
    quantity: float
    ts: int
    is_buyer_maker: bool
    trades: int = 1
    event_ts: int = 0
    first_trade: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class BookTicker:
    """Carry the best bid and ask; ``update_id`` strictly rises."""

    symbol: str
    update_id: int
    bid: float
    bid_quantity: float
    ask: float
    ask_quantity: float
    ts: int
    event_ts: int


@dataclass(frozen=True, slots=True)
class MarkPrice:
    """Carry mark price, index price and funding rate; the heartbeat of the market route."""

    symbol: str
    mark: float
    index: float
    funding_rate: float
    next_funding_ts: int
    event_ts: int


@dataclass(frozen=True, slots=True)
class Kline:
    """Carry the exchange's own bar; used to check ours, and as history."""

    symbol: str
    interval: str
    open_time: int
    close_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trades: int
    closed: bool
    event_ts: int = 0


@dataclass(frozen=True, slots=True)
class ServerShutdown:
    """Announce that the exchange will cut this connection soon."""

    event_ts: int


MarketEvent = Tick | BookTicker | MarkPrice | Kline | ServerShutdown


class GapState(StrEnum):
    """Say how far the filling of a gap has come."""

    OPEN = "open"
    FILLING = "filling"
    FILLED = "filled"
    EXPIRED = "expired"
    MISSING = "missing"
    DROPPED = "dropped"  #: deleted by hand: not missing, and not to be fetched again


@dataclass(frozen=True, slots=True)
class Gap:
    """Record a hole in the aggregate trade ids [first_id, last_id], both inclusive.

    ``start_ts``/``end_ts`` bound the trade times of the missing ids (the neighbours' trade times),
    so that bars overlapping them are known to be partial. ``calls`` counts REST requests made.
    """

    symbol: str
    first_id: int
    last_id: int
    start_ts: int
    end_ts: int
    opened_at: int
    state: GapState = GapState.OPEN
    calls: int = 0

    @property
    def size(self) -> int:
        """Return how many ids the gap spans."""
        return self.last_id - self.first_id + 1


@dataclass(frozen=True, slots=True)
class AlertRow:
    """Carry an alert as a store keeps it: key, where it was seen, and the rule, snapshot and outcome as JSON.

    ``bar_time`` is the bar's open time; ``fired_at`` and ``outcome_at`` are the clock's. The outcome
    is None until something is known of it.
    """

    id: str
    rule_id: str
    venue: str
    y: str
    x: str
    interval: str
    origin: Origin
    settings: str
    bar_time: int
    fired_at: int
    rule: str
    snapshot: str
    outcome: str | None = None
    outcome_at: int | None = None


class Light(StrEnum):
    """Colour a connection or store light."""

    OFF = "off"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Sum up the feed for the status bar; made anew, never changed in place."""

    light: Light = Light.OFF
    text: str = ""
    symbols: tuple[str, ...] = ()
    messages_per_second: float = 0.0
    lag_ms: float | None = None
    clock_offset_ms: float | None = None
    duplicates: int = 0
    quarantined: int = 0
    reconnects: int = 0
    open_gaps: int = 0
    missing_ids: int = 0
    used_weight: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Sum up the store for the status bar.

    ``place`` says which store it is, ``standby`` which symbols another program writes.
    """

    light: Light = Light.OFF
    text: str = ""
    queued: int = 0
    written: int = 0
    duplicates: int = 0
    size_bytes: int = 0
    read_only: bool = False
    spilled: int = 0
    place: str = ""
    standby: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """Remember how a connection ended: local time (ms), why, how long it had lasted (s), whether it had data."""

    at_ms: int
    reason: str
    lasted: float
    delivered: bool


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Tell how long (s) a stream has been silent; None: nothing has come yet."""

    name: str
    silence: float | None


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """Show one route; ``cuts`` are the last twenty, oldest first. Empty ``words``: data flow."""

    route: str
    generation: int
    connected_seconds: float | None
    words: str
    remedy: str
    reconnects: int
    cuts: tuple[Cut, ...]
    frames_per_second: float
    streams: tuple[StreamReport, ...]
    queued: int
    queue_limit: int
    verified_seconds_ago: float | None
    lost_subscriptions: int
    sleeps: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Name a stretch without a hole: ids and trade times (ms) from the first to the last one held."""

    first_id: int
    last_id: int
    start_ts: int
    end_ts: int


@dataclass(frozen=True, slots=True)
class SymbolReport:
    """Account for one symbol. ``gaps``: active and recent rows of the ledger, ascending.

    ``filled``, ``expired`` and ``missing`` count ids of this session; ``taken`` those that were new.
    """

    symbol: str
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    taken: int
    duplicates: int
    refused: int
    open_ids: int
    filled_ids: int
    expired_ids: int
    missing_ids: int
    calls: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Show exchange to receipt (ms) over the last minute; None while nothing came or the offset is unknown."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Queues:
    """Show how full everything bounded is, as (now, limit)."""

    socket: tuple[int, int]
    buffered: tuple[int, int]  #: ticks that wait until the store has told what it holds
    pending: tuple[int, int]  #: ticks that wait behind a young gap or for the next flush
    gaps: tuple[int, int]
    gap_ids: int
    klines: tuple[int, int]  #: stretches of time whose klines are yet to be asked for
    quarantine: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RestReport:
    """Show what REST is asked: weight used this minute of the limit, our own share of it, bans."""

    used_weight: int
    limit: int
    share: int
    banned_for: float
    requests: int
    trouble: str


@dataclass(frozen=True, slots=True)
class BadFrameSeen:
    """Keep a frame that could not be used, with the reason and the local time (s) it came."""

    at: float
    reason: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class FeedReport:
    """Show the whole feed at one moment (local ms), made when somebody looks.

    ``offset_ms``: the exchange's clock minus ours, right to within ``offset_error_ms``.
    """

    at_ms: int
    symbols: tuple[SymbolReport, ...]
    connections: tuple[ConnectionReport, ...]
    latency: Latency
    queues: Queues
    rest: RestReport
    quarantined: int
    quarantine: tuple[BadFrameSeen, ...]
    offset_ms: float | None
    offset_error_ms: float | None
