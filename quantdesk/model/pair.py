"""Follow one pair: closed bars carry the frame on, anything else goes out to a job; frozen frames come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from quantdesk.analytics.pairs import PairEvidence, PairSnapshot, test
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import BarArrays
from quantdesk.model.building import Built, FrameOrder, build
from quantdesk.model.frame import LastValues, LegColumns, PairFrame, PairSettings, PairTail, Refit
from quantdesk.model.frozen_line import FrozenTest, test_frozen
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.held_lines import HeldLines, fitted_by
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.jobs import Jobs
from quantdesk.model.kept_lines import LineBook, LineKey
from quantdesk.model.leg_reading import leg_copy
from quantdesk.model.live_pair import LivePair, build_and_follow
from quantdesk.model.source import SeriesSource
from quantdesk.model.tail import tail_of
from quantdesk.types import Origin

__all__ = ["LastValues", "LegColumns", "PairFrame", "PairModel", "PairSettings", "PairTail", "Refit"]

#: A live frame is built of the newest rows only; it grows by a twentieth before it is cut back to them.
LIVE_ROWS = 20_000
#: The slow tests run at most this often below one-minute bars.
EVIDENCE_PAUSE_MS = 15_000
#: Bars newer than the frame that are drawn before a job has counted them.
MOST_TAIL_ROWS = 512
EVALUATE, EVIDENCE = "evaluate", "evidence"


@dataclass(frozen=True, slots=True)
class _Tested:
    """Remember what the newest evidence was made of."""

    epoch: int
    settings: PairSettings
    last_time: int
    observations: int
    line: int  # from when on the frozen line applies; 0 while it may still change


class PairModel(QObject):
    """Hold the pair on screen; every number comes from closed bars only.

    ``changed`` = a new frame or evidence; ``settings_changed`` = another source or settings (the frame
    may be None until the next ``changed``); ``failed(text)`` = a job could not do its work; ``rested`` =
    a job has ended, and ``is_current`` may have become true. Frozen lines of the live market are taken from
    and put into ``kept``, which windows share; those of any other source are forgotten when it is set anew.
    """

    changed = Signal()
    settings_changed = Signal()
    failed = Signal(str)
    rested = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None, *, kept: LineBook | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._source: SeriesSource | None = None
        self._settings = PairSettings()
        self._frame: PairFrame | None = None
        self._evidence: PairEvidence | None = None
        self._frozen: FrozenTest | None = None
        self._lines = HeldLines(LineBook(self) if kept is None else kept)
        self._live: LivePair | None = None
        self._epoch = self._version = 0
        self._other_kinds: tuple[ZKind, ...] = ()
        self._stale = self._refit_wanted = self._tests_by_bars = self._tests_seldom = False
        self._tested: _Tested | None = None
        self._snapshot: PairSnapshot | None = None
        self._since_evidence = QElapsedTimer()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._on_turn)
        self.kept.changed.connect(self._on_kept)

    @property
    def kept(self) -> LineBook:
        """Return where frozen lines of the live market are kept."""
        return self._lines.kept

    @property
    def jobs(self) -> Jobs:
        """Return what runs the jobs of this pair, for other models of it."""
        return self._jobs

    @property
    def source(self) -> SeriesSource | None:
        """Return where the bars come from."""
        return self._source

    @property
    def settings(self) -> PairSettings:
        """Return the pair and its windows."""
        return self._settings

    @property
    def frame(self) -> PairFrame | None:
        """Return the newest frame; None until the first job of this pair has ended."""
        return self._frame

    @property
    def is_current(self) -> bool:
        """Return whether the frame shows all that the source has told of."""
        return not self._stale and not self._jobs.busy(EVALUATE)

    @property
    def is_tested(self) -> bool:
        """Return whether no slow test runs or waits."""
        return not self._jobs.busy(EVIDENCE)

    def test_by_bars(self, on: bool) -> None:
        """Let the pause between slow tests be one of the bars' time, so that a replay repeats them exactly."""
        self._tests_by_bars = on

    def test_seldom(self, on: bool) -> None:
        """Let slow tests pause at any interval: bars come faster than anybody reads their evidence."""
        self._tests_seldom = on

    def test_now(self) -> None:
        """Run the slow tests on the frame at hand, without making another one."""
        if self._frame is not None and self._snapshot is not None:
            self._want_evidence(self._frame, self._snapshot, at_once=True)

    @property
    def evidence(self) -> PairEvidence | None:
        """Return the newest test results of this pair; None until there are some."""
        return self._evidence

    @property
    def frozen(self) -> FrozenTest | None:
        """Return the tests of the frozen line on the bars after its window; None until there are some."""
        return self._frozen

    def set_source(self, source: SeriesSource | None, settings: PairSettings) -> None:
        """Show a pair of another source, with new hedge lines where none of the live market are kept."""
        if self._source is not None:
            self._source.bar_closed.disconnect(self._on_bar_closed)
            self._source.series_changed.disconnect(self._on_series_changed)
        self._source = source
        if source is not None:
            source.bar_closed.connect(self._on_bar_closed)
            source.series_changed.connect(self._on_series_changed)
        self._settings = settings
        self._lines.set_source(source)
        self._start_anew()

    def set_settings(self, settings: PairSettings) -> None:
        """Show another pair, interval or window of the same source; lines that were frozen by the same return."""
        old, self._settings = self._settings, settings
        if settings == old:
            return
        if _identity(settings) != _identity(old):
            self._start_anew()
            return
        self._lines.change(old, settings, self._frame)
        self.settings_changed.emit()
        self.refresh()

    def refit(self) -> None:
        """Fit the hedge line anew on the last formation window; it draws from the next bar on."""
        self._refit_wanted = True
        self.refresh()

    def watch_kinds(self, kinds: Iterable[ZKind]) -> None:
        """Let the frames from the next one on hold these kinds of z, too, made in the pool."""
        self._other_kinds = tuple(kinds)

    @Slot()
    def refresh(self) -> None:
        """Evaluate again with what the source holds now; many calls in one turn make one job."""
        self._stale = True
        if not self._turn.isActive():
            self._turn.start()

    def build_now(self) -> None:
        """Build the frame at once on this thread, for the first paint; evidence waits for the next job."""
        if self._source is None or self._jobs.busy(EVALUATE) or self._settings.hedge is HedgeMethod.JOHANSEN:
            return  # Johansen's test would import statsmodels before the first paint
        order = self._order(self._source)
        self._lines.send()
        built, self._live = build(order), None
        self._lines.take(built, shown=True)
        self._frame = built.frame
        self.changed.emit()

    def tail(self) -> PairTail:
        """Return the bars newer than the frame, for display only; cheap enough to call at every paint."""
        frame, settings = self._frame, self._settings
        if frame is None or self._source is None:
            return PairTail.empty()
        after = int(frame.times[-1]) + 1 if len(frame.times) else 0
        y, x = self._newer(settings.y, after), self._newer(settings.x, after)
        return tail_of(frame, y, x)

    def order(self) -> FrameOrder | None:
        """Return copies of the legs as they stand now, for a job that is not the view's; None without a source."""
        return None if self._source is None else self._order(self._source)

    def _newer(self, symbol: str, after: int) -> BarArrays:
        series = self._source.series(symbol, self._settings.interval) if self._source and symbol else None
        return series.since(after)[-MOST_TAIL_ROWS:] if series is not None else BarArrays.empty()

    def _start_anew(self) -> None:
        self._epoch += 1
        self._lines.begin()
        self._frame = self._evidence = self._frozen = self._tested = self._live = None
        self._snapshot = None
        self._refit_wanted = False
        self.settings_changed.emit()
        self.changed.emit()
        self.refresh()

    @Slot(str, str, object)
    def _on_bar_closed(self, symbol: str, interval: str, _open_times: object) -> None:
        self._on_series_changed(symbol, interval)

    @Slot(str, str)
    def _on_series_changed(self, symbol: str, interval: str) -> None:
        if interval == self._settings.interval and symbol in (self._settings.y, self._settings.x):
            self.refresh()

    @Slot()
    def _on_turn(self) -> None:
        # A snapshot is copied only when a job can start with it: the newest state wins.
        if not self._stale or self._source is None or self._jobs.busy(EVALUATE):
            return
        self._stale = False
        self._recall(self._source)
        live, self._live = self._live, None
        carried = None if live is None else live.extended(self._order(self._source, live.horizon))
        if carried is not None:
            # A bar costs less here than the copies for a job would.
            self._on_built(carried, live)
            return
        order = self._order(self._source)
        self._lines.send()
        self._refit_wanted = False
        epoch = self._epoch
        self._jobs.submit(
            EVALUATE,
            lambda: build_and_follow(order),
            lambda found: self._on_built(*found),
            lambda e: self._on_failed(epoch, e),
            first=True,
        )

    def _recall(self, source: SeriesSource) -> None:
        if self._lines.recall(source, self._settings):
            self._live = None

    @Slot(object)
    def _on_kept(self, key: LineKey) -> None:
        if self._lines.follow(key):
            self._live = None
            self.refresh()

    def _order(self, source: SeriesSource, after: int | None = None) -> FrameOrder:
        self._recall(source)
        self._version += 1
        rows = None if source.origin is Origin.FILE else LIVE_ROWS
        interval = self._settings.interval
        return FrameOrder(
            version=self._version,
            epoch=self._epoch,
            origin=source.origin,
            live_since=source.live_since,
            interval_ms=interval_ms_of(interval),
            settings=self._settings,
            y=leg_copy(source, self._settings.y, interval, rows, after),
            x=leg_copy(source, self._settings.x, interval, rows, after),
            lines=self._lines.now,
            refit_now=self._refit_wanted,
            most_rows=rows,
            other_kinds=self._other_kinds,
        )

    def _on_built(self, built: Built, live: LivePair | None) -> None:
        frame = built.frame
        self.rested.emit()
        if self._stale:
            self._turn.start()
        same = frame.epoch == self._epoch and fitted_by(frame.settings) == fitted_by(self._settings)
        self._lines.take(built, shown=same)
        if frame.epoch != self._epoch:
            return
        # What carries on draws with the lines it was made with: others may stand here meanwhile.
        self._live = live if built.lines == self._lines.now else None
        self._frame, self._snapshot = frame, built.snapshot
        self.changed.emit()
        if frame.epoch == self._epoch:
            self._want_evidence(frame, built.snapshot)

    def _on_failed(self, epoch: int, error: Exception) -> None:
        self.rested.emit()
        if self._stale:
            self._turn.start()
        if epoch == self._epoch:
            self.failed.emit(f"{self._settings.y} / {self._settings.x}: {error}")

    def _want_evidence(self, frame: PairFrame, snapshot: PairSnapshot, *, at_once: bool = False) -> None:
        if frame.last.time is None:
            return
        line = frame.fit if frame.beta_path is None else None  # a ratio that moves was not known beforehand
        starts = line.time if line is not None and frame.formation_settled else 0
        wanted = _Tested(frame.epoch, frame.settings, frame.last.time, frame.observations, starts)
        if wanted == self._tested or not (at_once or self._is_due(wanted, frame.interval_ms)):
            return
        self._tested = wanted
        self._since_evidence.start()
        epoch, method = frame.epoch, frame.settings.hedge.bench_name
        self._jobs.submit(
            EVIDENCE,
            lambda: (epoch, test(snapshot), test_frozen(snapshot, line, method)),
            self._on_tested,
            lambda e: self._on_failed(epoch, e),
        )

    def _is_due(self, wanted: _Tested, interval_ms: int) -> bool:
        last = self._tested
        if last is None or (last.epoch, last.settings) != (wanted.epoch, wanted.settings):
            return True
        if wanted.last_time != last.last_time and interval_ms >= 60_000 and not self._tests_seldom:
            return True
        # Much history has filled in: evidence on a few bars should not stand beside it.
        if wanted.line != last.line or wanted.observations > 1.25 * last.observations:
            return True
        if self._tests_by_bars:
            return wanted.last_time - last.last_time >= EVIDENCE_PAUSE_MS
        return self._since_evidence.hasExpired(EVIDENCE_PAUSE_MS)

    def _on_tested(self, outcome: tuple[int, PairEvidence, FrozenTest | None]) -> None:
        epoch, evidence, frozen = outcome
        self.rested.emit()
        if epoch == self._epoch:
            self._evidence, self._frozen = evidence, frozen
            self.changed.emit()


def _identity(settings: PairSettings) -> tuple[object, ...]:
    return settings.y, settings.x, settings.interval, settings.log
