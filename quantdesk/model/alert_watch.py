"""Watch one rule over the frames of a pair: each bar is judged once, those that heal later as history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantdesk.analytics.alerts.machine import Firing, Phase, State, changed, healed, step
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.analytics.rolling import BoolArray
from quantdesk.model.alert_samples import FrameSamples, view_of

#: So many bars that lacked trades are waited for; of more, the oldest are forgotten.
MOST_PASSED = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold a firing with its row; ``healed``: its bar lacked trades when its turn came, so it is no news."""

    row: int
    firing: Firing
    healed: bool = False


class RuleWatch:
    """Remember what one rule has judged of the view on screen."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._view: tuple[object, ...] | None = None
        self._state = State()
        self._from = self._to = -1
        self._passed: set[int] = set()  # times passed over because trades were missing

    @property
    def held(self) -> str:
        """Return why an alert that is due does not fire; empty where none is."""
        return self._state.held

    def change(self, rule: Rule) -> None:
        """Take the edited rule; the bars judged so far are not judged again."""
        old, self.rule = self.rule, rule
        state = changed(self._state, old, rule)
        if (rule.metric, rule.comparison) != (old.metric, old.comparison):
            self._begin(state)
        self._state = state

    def judge(self, samples: FrameSamples) -> list[Judged]:
        """Judge the bars not judged yet, of the first frame of a view the newest only; return what fired."""
        view = view_of(samples.frame, self.rule.metric)
        if view != self._view:
            self._view = view
            self._begin(State())
        usable = samples.usable(self.rule)
        found = self._healed(samples, usable)
        start = int(np.searchsorted(samples.times, self._to, "right"))
        rows = (start + np.flatnonzero(usable[start:])).tolist()
        return found + self._step(samples, rows, usable) if rows else found

    def _begin(self, state: State) -> None:
        self._state = state
        self._from = self._to = -1
        self._passed.clear()

    def _step(self, samples: FrameSamples, rows: list[int], usable: BoolArray) -> list[Judged]:
        first = self._state.phase is Phase.NEW
        rows = rows[-1:] if first else rows
        metric, found = self.rule.metric, []
        for row, sample in zip(rows, samples.narrow(metric, rows), strict=True):
            self._state, fired = step(self.rule, self._state, sample)
            found += [Judged(row, replace(one, sample=samples.snapshot(metric, row))) for one in fired]
        self._to = int(samples.times[rows[-1]])
        if first:
            self._from = self._to
        lacking = samples.times[~samples.complete & ~usable]
        self._passed.update(lacking[(lacking > self._from) & (lacking <= self._to)].tolist())
        return found

    def _healed(self, samples: FrameSamples, usable: BoolArray) -> list[Judged]:
        """Judge bars that lacked trades when their turn came and are whole now."""
        if not self._passed:
            return []
        self._passed = set(sorted(self._passed)[-MOST_PASSED:])
        times, metric = samples.times, self.rule.metric
        whole = np.flatnonzero(np.isin(times, list(self._passed)) & usable)
        if len(whole) == 0:
            return []
        self._passed -= set(times[whole].tolist())
        column = samples.column(metric)
        if column is None or not any(self.rule.is_beyond(value) for value in column[whole].tolist()):
            return []  # nothing can have fired there: the walk is spared
        rows = np.flatnonzero(usable & (times >= self._from) & (times <= self._to)).tolist()
        fired = healed(self.rule, list(samples.narrow(metric, rows)), set(times[whole].tolist()))
        found = []
        for firing in fired:
            row = int(np.searchsorted(times, firing.time_ms))
            found.append(Judged(row, replace(firing, sample=samples.snapshot(metric, row)), healed=True))
        return found
