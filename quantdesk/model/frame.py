"""Name what a pair view shows: its settings, the frame of closed bars and the tail still forming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.attribution import Attribution
from quantdesk.analytics.held_z import FormingZ
from quantdesk.analytics.kalman import FEWEST_FORMATION
from quantdesk.analytics.rolling import BoolArray
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.config import ConfigError
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.intervals import interval_ms_of
from quantdesk.types import Origin

NAN = float("nan")
SHORTEST_WINDOW = 20  # |z| cannot exceed (w - 1)/sqrt(w): a shorter window cannot speak
LONGEST_WINDOW = 5_000
LEAST_REFIT_EVERY = 10
LATEST_END = 4_102_444_799_999  # 31 December 2099


@dataclass(frozen=True, slots=True)
class PairSettings:
    """Choose a pair: y is the dependent leg, x the hedge leg ("" = none yet).

    ``window`` (z), ``correlation_window``, ``formation_bars`` and ``refit_every`` (0 = never) count
    joined bars; ``log`` fits and shows the spread of natural logarithms. ``hedge`` estimates the ratio, on the
    bars that closed by ``formation_end`` (ms; 0 = on the formation window); ``z_kind`` is
    the z that is shown, whatever alerts judge. ``kalman_delta`` states how fast a Kalman ratio may move
    (0 = the most likely on its formation window). Raises ConfigError.
    """

    y: str = ""
    x: str = ""
    interval: str = "1m"
    window: int = 60
    correlation_window: int = 60
    log: bool = False
    formation_bars: int = 240
    refit_every: int = 0
    hedge: HedgeMethod = HedgeMethod.OLS
    formation_end: int = 0
    z_kind: ZKind = ZKind.WALK_FORWARD
    kalman_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.y and self.y == self.x:
            raise ConfigError(f"both legs are {self.y}: choose two different ones")
        for name in ("window", "correlation_window", "formation_bars"):
            if not SHORTEST_WINDOW <= getattr(self, name) <= LONGEST_WINDOW:
                words = name.replace("_", " ")
                raise ConfigError(f"{words} must be from {SHORTEST_WINDOW} to {LONGEST_WINDOW} bars")
        interval_ms_of(self.interval)
        if self.refit_every != 0 and not LEAST_REFIT_EVERY <= self.refit_every <= 1_000_000:
            raise ConfigError(f"refit every must be 0 (never) or at least {LEAST_REFIT_EVERY} bars")
        if self.hedge not in tuple(HedgeMethod):
            raise ConfigError(f"{self.hedge} is no way to estimate a hedge ratio: {', '.join(HedgeMethod)} are")
        object.__setattr__(self, "hedge", HedgeMethod(self.hedge))
        if self.formation_bars < self.least_formation:
            raise ConfigError(f"a Kalman filter needs a formation window of at least {self.least_formation} bars")
        if not 0 <= self.formation_end <= LATEST_END:
            raise ConfigError("the hedge ratio must be frozen at a date from 1970 to 2099")
        if self.z_kind not in tuple(ZKind):
            raise ConfigError(f"{self.z_kind} is no kind of z: {', '.join(ZKind)} are")
        object.__setattr__(self, "z_kind", ZKind(self.z_kind))
        if not 0 <= self.kalman_delta < 1:
            raise ConfigError(f"δ of the Kalman filter must be above 0 and below 1, not {self.kalman_delta:g}")

    @property
    def stated_delta(self) -> float | None:
        """Return the δ that was stated for the Kalman filter in force, None where there is none."""
        return self.kalman_delta or None if self.hedge is HedgeMethod.KALMAN else None

    @property
    def z_rows(self) -> int:
        """Return the joined bars before the first z: with those of the formation window for a z of its spread."""
        late = {ZKind.WALK_FORWARD: self.window + 1, ZKind.EWM: SHORTEST_WINDOW, ZKind.FULL_SAMPLE: SHORTEST_WINDOW}
        return late.get(self.z_kind, self.window)

    @property
    def least_formation(self) -> int:
        """Return the fewest joined bars that the hedge ratio can be fitted on."""
        return FEWEST_FORMATION if self.hedge is HedgeMethod.KALMAN else SHORTEST_WINDOW


@dataclass(frozen=True, slots=True)
class LegColumns:
    """Hold one leg as read-only columns of n rows; NaN where the leg has no bar."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    trades: FloatArray

    def __post_init__(self) -> None:
        for column in fields(self):
            getattr(self, column.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.close)

    @classmethod
    def empty(cls, rows: int = 0) -> LegColumns:
        """Return a leg without a bar."""
        return cls(*(np.full(rows, np.nan) for _ in fields(cls)))

    @classmethod
    def placed(cls, bars: BarArrays, times: IntArray) -> LegColumns:
        """Return the bars at their rows of ``times``, which must contain every open time."""
        out = cls.empty(len(times))
        rows = np.searchsorted(times, bars.open_time)
        for column in fields(cls):
            values = getattr(out, column.name)
            values.setflags(write=True)
            values[rows] = getattr(bars, column.name)
            values.setflags(write=False)
        return out


@dataclass(frozen=True, slots=True)
class Refit:
    """Hold one hedge line and from which bar on it draws the spread.

    ``time`` is the first open time (ms) it applies to; ``start_ms``/``end_ms`` are the first and last
    open time of its formation window of ``n`` joined bars. ``mean`` and ``sigma`` (ddof 1) are those of
    the spread y - beta x inside that window.
    """

    time: int
    alpha: float
    beta: float
    mean: float
    sigma: float
    start_ms: int
    end_ms: int
    n: int
    r_squared: float = NAN
    stderr_beta: float = NAN


@dataclass(frozen=True, slots=True, eq=False)
class JoinedLegs:
    """Hold the n joined bars as statistics counted them: closes (adjusted ones of a file) or their logs.

    ``beta`` is the hedge ratio in force at each, NaN without one; a frozen one was fitted on bars up to
    ``fitted_until`` (open time, ms) and nobody knew it before: None where none was, or where it moves.
    The columns are read-only.
    """

    times: IntArray
    y: FloatArray
    x: FloatArray
    beta: FloatArray
    fitted_until: int | None = None

    def __post_init__(self) -> None:
        for column in (self.times, self.y, self.x, self.beta):
            column.setflags(write=False)

    @property
    def known(self) -> BoolArray:
        """Return at which bars the ratio did not know the bar itself nor any later one."""
        if self.fitted_until is None:
            return np.ones(len(self.times), np.bool_)
        return np.asarray(self.times > self.fitted_until, np.bool_)


@dataclass(frozen=True, slots=True)
class LastValues:
    """Hold the newest values of the closed bars for the metric boxes; NaN = none. Times in ms."""

    time_y: int | None = None
    time_x: int | None = None
    close_y: float = NAN
    close_x: float = NAN
    volume_y: float = NAN
    volume_x: float = NAN
    time: int | None = None  # newest joined bar
    spread: float = NAN
    z: float = NAN
    correlation: float = NAN


@dataclass(frozen=True, slots=True)
class PairFrame:
    """Show the closed bars of a pair: n rows, row number = x ordinal, NaN = no value.

    ``times`` is the ascending union of both legs' open times (ms). Rows up to and including
    ``formation[1]`` were seen by the first fit: shade them. ``fit`` is the line in force at the newest
    row, ``refits`` are the later lines (marks on the chart), the first formation not among them.
    ``spread_upper``/``spread_lower`` are mean ± 2 sigma of the formation window in force at each row; where
    the ratio moves, alpha ± 2 deviations of the line known before the row.
    ``next_*`` judge the forming bar: z = (y - next_alpha - next_beta x) / next_sigma, on logs if
    ``settings.log``. ``epoch`` rises when another source or pair is shown, ``version`` with every frame.
    """

    version: int
    epoch: int
    origin: Origin
    live_since: int | None
    interval_ms: int
    settings: PairSettings
    times: IntArray
    y: LegColumns
    x: LegColumns
    spread: FloatArray
    spread_upper: FloatArray
    spread_lower: FloatArray
    z: FloatArray
    correlation: FloatArray
    alpha: float
    beta: float
    formation: tuple[int, int] | None
    formation_settled: bool
    fit: Refit | None
    refits: tuple[Refit, ...]
    observations: int  # joined bars behind the statistics
    last: LastValues = field(default_factory=LastValues)
    next_alpha: float = NAN
    next_beta: float = NAN
    next_sigma: float = NAN
    price_decimals_y: int = 2
    price_decimals_x: int = 2
    quantity_decimals_y: int = 3
    quantity_decimals_x: int = 3
    first_fit: Refit | None = None  # the line of the first formation window
    #: BarQuality of each row (n), -1 where the leg has no bar and lacks none; None where nobody can tell.
    quality_y: IntArray | None = None
    quality_x: IntArray | None = None
    #: Open times (ms) at which both legs have a bar that statistics left out, ascending.
    left_out: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    #: The hedge ratio in force at each row (n) where it moves with every bar; None where it is frozen.
    beta_path: FloatArray | None = None
    hedge_reason: str = ""  #: why there is no hedge ratio where bars enough are there
    #: The walk-forward z of each row (n) where ``z`` is of another kind; None where it is ``z`` itself.
    walk_z: FloatArray | None = None
    #: What judges the forming bar by a kind other than walk-forward.
    forming: FormingZ | None = None
    #: Which leg, or the hedge ratio itself, moved the spread since the joined bar before (n).
    attribution: Attribution | None = None
    #: What the statistics were made of, for those that are not columns here.
    joined: JoinedLegs | None = None
    #: Kinds of z that rules judge beside those shown (n each); one that is absent can be made of ``joined``.
    other_z: Mapping[ZKind, FloatArray] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.walk_z is None and self.settings.z_kind is not ZKind.WALK_FORWARD:
            raise ValueError(f"a frame that shows the {self.settings.z_kind} z needs the walk-forward z for its alerts")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def signal_z(self) -> FloatArray:
        """Return the z that alerts judge (n): walk-forward whatever is shown, so no value knows a later bar."""
        return self.z if self.walk_z is None else self.walk_z

    def beta_column(self) -> FloatArray:
        """Return the hedge ratio in force at each row (n), NaN without one."""
        if self.beta_path is not None:
            return self.beta_path
        first = self.first_fit or self.fit
        if first is None:
            return np.full(len(self.times), NAN)
        row = np.searchsorted(np.array([r.time for r in self.refits], np.int64), self.times, "right")
        return np.array([first.beta, *(r.beta for r in self.refits)])[row]

    def beta_at(self, row: int) -> float:
        """Return the hedge ratio in force at one row, NaN without one."""
        if self.beta_path is not None:
            return float(self.beta_path[row])
        time, first = int(self.times[row]), self.first_fit or self.fit
        line = next((refit for refit in reversed(self.refits) if refit.time <= time), first)
        return NAN if line is None else line.beta

    def left_out_between(self, start_ms: int, end_ms: int) -> int:
        """Return how many bars within a span of open times (ms, inclusive) statistics left out."""
        return int(np.count_nonzero((self.left_out >= start_ms) & (self.left_out <= end_ms)))

    def window_start(self, bars: int) -> int | None:
        """Return the open time (ms) of the first of the newest ``bars`` that both legs have whole."""
        near = slice(-4 * bars, None)  # asked at every paint: more rows than these are seldom needed
        joined = np.isfinite(self.y.close[near]) & np.isfinite(self.x.close[near])
        joined &= ~np.isin(self.times[near], self.left_out)
        times = self.times[near][joined][-bars:]
        return int(times[0]) if len(times) else None

    @property
    def spread_decimals(self) -> int:
        """Return the decimals a spread is worth showing with."""
        return 6 if self.settings.log else max(self.price_decimals_y, self.price_decimals_x)


@dataclass(frozen=True, slots=True)
class PairTail:
    """Show the bars after the frame's last row, m rows, display only: no statistic counts them.

    ``times`` (ms) is the union of both legs' bars newer than the frame; the last is usually forming.
    """

    times: IntArray
    y: LegColumns
    x: LegColumns
    spread: FloatArray
    z: FloatArray
    attribution: Attribution | None = None

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def empty(cls) -> PairTail:
        """Return no bars."""
        none = np.empty(0)
        return cls(np.empty(0, np.int64), LegColumns.empty(), LegColumns.empty(), none, none)
