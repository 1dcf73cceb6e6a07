"""Take frames and tails from the pair model, and keep the view on the times it showed."""

from __future__ import annotations

import numpy as np

from quantdesk.model.frame import PairFrame
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.ui.charts.state import ChartState
from quantdesk.ui.charts.timeline import TimeLine

#: A view that is off by less (bars) was not moved by anybody.
_MOVED = 1e-3


class Intake:
    """Bring the chart state up to date; the only reader of the pair model's bars."""

    def __init__(self, pair: PairModel, state: ChartState) -> None:
        self._pair, self._state = pair, state
        self.measures = True  #: whether the market's paint latency is that of these charts
        # What was shown last, also while the model has no frame between two settings.
        self._before: tuple[PairFrame, TimeLine] | None = None
        # The time (ms) that belongs in the middle, while there are no bars yet to show it so, and what is shown.
        self._awaited: tuple[float, tuple[float, float]] | None = None
        self.sought: int | None = None  #: the time (ms) of a bar to show with the next frame

    def pull(self) -> tuple[bool, bool]:
        """Take what is new; tell whether the frame is another, and whether it is of something else."""
        state, frame = self._state, self._pair.frame
        self._follow_latency()
        old, changed, other = state.line, frame is not state.frame, False
        if changed:
            old, other = self._take(frame)
        state.tail = None if frame is None else self._pair.tail()
        if state.tail is not None and not np.array_equal(state.tail.times, state.line.tail):
            state.line = state.line.with_tail(state.tail.times)
        if state.line is not old and len(state.line):
            state.view.on_rows(old, state.line)
        return changed, other

    def _follow_latency(self) -> None:
        """Tell the market that a paint of what it has now is due, and whose trades it shows."""
        source, settings = self._pair.source, self._pair.settings
        if self.measures and isinstance(source, MarketModel):
            self._state.latency = source.latency
            source.latency.shown = frozenset((settings.y, settings.x))
            source.latency.pulled()

    def _take(self, frame: PairFrame | None) -> tuple[TimeLine, bool]:
        """Show another frame; return the line whose times the view has to keep."""
        state = self._state
        if state.frame is not None:
            self._before = (state.frame, state.line)
        state.frame = frame
        if frame is None:
            state.line = TimeLine()
            return state.line, False
        state.line = TimeLine(frame.times, None, frame.interval_ms)
        if self._before is None:
            return TimeLine(), False
        before, old = self._before
        sought, self.sought = self.sought, None
        if sought is None and (before.settings.y != frame.settings.y or before.origin != frame.origin):
            state.view.reset()
            return old, True
        if sought is None and before.interval_ms == frame.interval_ms:
            other = before.epoch != frame.epoch or before.settings != frame.settings
            return (state.line if self._is_awaited() else old), other
        self._awaited = None
        if sought is None and (state.view.follows or not len(old)):
            return old, True
        self._centre(old.time_of((state.view.left + state.view.right) / 2) if sought is None else sought)
        return state.line, True

    def _is_awaited(self) -> bool:
        """Bring a time to the middle that could not be shown there yet, unless the view was moved since."""
        view, awaited = self._state.view, self._awaited
        if awaited is None or max(abs(view.left - awaited[1][0]), abs(view.right - awaited[1][1])) > _MOVED:
            self._awaited = None
            return False
        self._centre(awaited[0])
        return True

    def _centre(self, middle_ms: float) -> None:
        """Show as many bars as before, with a time in the middle; where no bar is as old, the bars there are."""
        view, line = self._state.view, self._state.line
        middle, span, follows = line.x_of(middle_ms), view.span, view.follows
        view.on_rows(TimeLine(), line)
        if middle >= -0.5 or not len(line):
            view.show(middle - span / 2, middle + span / 2)
        elif follows or len(line) < span:
            right = len(line) - 0.5 + min(2.0, span * 0.02)  # not quite where End would be: that is a move
            view.show(right - span, right)
        else:
            view.first()
        shown = (view.left, view.right)
        self._awaited = (middle_ms, shown) if abs(sum(shown) / 2 - middle) > 1 else None
