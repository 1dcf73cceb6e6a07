"""Judge each closed bar's z once, with hysteresis, and say so without crying wolf."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.config import ConfigError
from quantdesk.model.frame import PairFrame
from quantdesk.types import Origin

MOST_EVENTS = 1_000
CROSS = "cross"
#: A bar this much older (ms) than the newest one, and more than two bars older, is no news.
FRESH_MS = 300_000
AT_START = "beyond at start"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Set when to alert: |z| at or beyond ``level``, armed again below ``rearm``. Raises ConfigError."""

    level: float = 2.0
    rearm: float = 1.5
    enabled: bool = True
    muted: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.rearm <= self.level < float("inf"):
            raise ConfigError("the alert level must be positive and not below the level that arms it again")


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Record one alert. ``time_ms`` is the bar's open time, ``fired_at`` the clock's (ms)."""

    time_ms: int
    fired_at: int
    pair: str
    interval: str
    z: float
    level: float
    origin: Origin
    popup: bool
    kind: str
    text: str


class AlertModel(QObject):
    """Walk every frame's bars not judged yet; feed it each frame of one pair view.

    ``fired(event)`` tells of each new row of ``events`` (newest last, bounded); only events with
    ``popup`` may reach the tray, with sound unless ``rule.muted``.
    """

    fired = Signal(object)
    rule_changed = Signal()
    cleared = Signal()

    def __init__(
        self, rule: AlertRule | None = None, now_ms: Callable[[], int] | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._rule = rule or AlertRule()
        self._now_ms = now_ms or _system_ms
        self._events: deque[AlertEvent] = deque(maxlen=MOST_EVENTS)
        self._view: tuple[object, ...] | None = None
        self._armed: bool | None = None  # None: no z of this view has been seen yet
        self._judged_from = self._judged_to = -1
        self._partial: set[int] = set()  # times passed over because trades were missing
        self._last_z = 0.0

    @property
    def rule(self) -> AlertRule:
        """Return the rule in force."""
        return self._rule

    @property
    def events(self) -> Sequence[AlertEvent]:
        """Return the newest events, oldest first."""
        return tuple(self._events)

    def set_rule(self, rule: AlertRule) -> None:
        """Change the rule; the bars judged so far are not judged again.

        With another level the newest z counts as known: it alerts only after it has been nearer to zero.
        """
        old, self._rule = self._rule, rule
        if rule == old:
            return
        if self._armed is not None:
            beyond = abs(self._last_z)
            if rule.level != old.level:
                self._armed = beyond < rule.level
            elif beyond < rule.rearm:
                self._armed = True
        self.rule_changed.emit()

    @Slot(object)
    def judge(self, frame: PairFrame | None) -> list[AlertEvent]:
        """Judge the frame's new bars; return the events, which were also emitted."""
        if frame is None:
            return []
        settings = frame.settings
        view = (frame.epoch, frame.origin, settings.y, settings.x, settings.interval, settings.window, settings.log)
        if view != self._view:
            self._view, self._armed, self._judged_from, self._judged_to = view, None, -1, -1
            self._partial.clear()
        healed = self._healed(frame)
        start = int(np.searchsorted(frame.times, self._judged_to, "right"))
        rows = start + np.flatnonzero(np.isfinite(frame.z[start:]))
        found = healed
        if len(rows):
            found = healed + self._judge_rows(frame, rows)
            passed = frame.left_out[frame.left_out > self._judged_from]
            self._partial.update(passed[passed <= self._judged_to].tolist())
        for event in found:
            self._events.append(event)
            self.fired.emit(event)
        return found

    def clear(self) -> None:
        """Empty the table; what is armed stays armed."""
        self._events.clear()
        self.cleared.emit()

    def _judge_rows(self, frame: PairFrame, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[AlertEvent]:
        first = self._armed is None
        found = self._at_start(frame, int(rows[-1])) if first else self._walk(frame, rows)
        self._judged_to = int(frame.times[rows[-1]])
        self._last_z = float(frame.z[rows[-1]])
        if first:
            self._judged_from = self._judged_to
        return found

    def _healed(self, frame: PairFrame) -> list[AlertEvent]:
        """Judge bars that lacked trades when their turn came and are whole now: as history, never as news."""
        if not self._partial:
            return []
        self._partial = set(sorted(self._partial)[-MOST_EVENTS:])
        whole = self._partial - set(frame.left_out.tolist())
        rows = np.flatnonzero(np.isin(frame.times, list(whole)) & np.isfinite(frame.z))
        if len(rows) == 0:
            return []
        self._partial -= set(frame.times[rows].tolist())
        if not self._rule.enabled:
            return []
        walked = (frame.times >= self._judged_from) & (frame.times <= self._judged_to) & np.isfinite(frame.z)
        crossed = self._crossings(frame.z, np.flatnonzero(walked), armed=True)[0]
        return [self._event(frame, row, CROSS, healed=True) for row in rows.tolist() if row in crossed]

    def _crossings(
        self,
        z: np.ndarray[tuple[int], np.dtype[np.float64]],
        rows: np.ndarray[tuple[int], np.dtype[np.intp]],
        *,
        armed: bool,
    ) -> tuple[list[int], bool]:
        """Return the rows at which z crosses the level, and whether it is armed behind them."""
        found: list[int] = []
        for row, beyond in zip(rows.tolist(), np.abs(z[rows]).tolist(), strict=True):
            if armed and beyond >= self._rule.level:
                armed = False
                found.append(row)
            elif beyond < self._rule.rearm:
                armed = True
        return found, armed

    def _at_start(self, frame: PairFrame, row: int) -> list[AlertEvent]:
        self._armed = abs(float(frame.z[row])) < self._rule.level
        return [] if self._armed or not self._rule.enabled else [self._event(frame, row, AT_START)]

    def _walk(self, frame: PairFrame, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[AlertEvent]:
        crossed, self._armed = self._crossings(frame.z, rows, armed=bool(self._armed))
        return [self._event(frame, row, CROSS) for row in crossed] if self._rule.enabled else []

    def _event(self, frame: PairFrame, row: int, kind: str, *, healed: bool = False) -> AlertEvent:
        time, newest, length = int(frame.times[row]), int(frame.times[-1]), frame.interval_ms
        live = frame.origin is Origin.LIVE and frame.live_since is not None and time + length > frame.live_since
        # After an hour without a connection the hour fills in behind: nobody wants its alerts as news.
        fresh = newest - time <= max(2 * length, FRESH_MS)
        origin = Origin.HISTORY if frame.origin is Origin.LIVE and not (live and fresh and not healed) else frame.origin
        pair = f"{frame.settings.y} / {frame.settings.x}"
        z = float(frame.z[row])
        return AlertEvent(
            time_ms=time,
            fired_at=self._now_ms(),
            pair=pair,
            interval=frame.settings.interval,
            z=z,
            level=self._rule.level,
            origin=origin,
            popup=origin is Origin.LIVE and kind == CROSS,
            kind=kind,
            text=self._text(pair, frame.settings.interval, time, z, origin, kind),
        )

    def _text(self, pair: str, interval: str, time_ms: int, z: float, origin: Origin, kind: str) -> str:
        mark = "" if origin is Origin.LIVE else f"{origin.value.upper()}: "
        what = self.tr("z {z}") if kind == CROSS else self.tr("z {z} already beyond the level at start")
        bar = self.tr("{interval} bar of {time} UTC").format(interval=interval, time=_utc(time_ms))
        return f"{mark}{pair}  {what.format(z=f'{z:+.2f}')}  ({bar})"


def _utc(ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _system_ms() -> int:
    return time.time_ns() // 1_000_000
