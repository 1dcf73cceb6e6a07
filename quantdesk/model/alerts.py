"""Judge each closed bar once by every rule, follow what fired, and say so without crying wolf."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.analytics.alerts.machine import Kind
from quantdesk.analytics.alerts.outcome import RuleRecord
from quantdesk.analytics.alerts.record import AlertRecord
from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.config import ConfigError
from quantdesk.model.alert_event import AlertEvent
from quantdesk.model.alert_log import AlertLog
from quantdesk.model.alert_samples import FrameSamples, Look
from quantdesk.model.alert_watch import Judged, RuleWatch
from quantdesk.model.frame import PairFrame
from quantdesk.types import AlertRow, Origin

__all__ = ["AT_START", "CROSS", "FRESH_MS", "MOST_EVENTS", "MOST_RULES", "AlertEvent", "AlertModel"]

MOST_EVENTS = 1_000
MOST_RULES = 50
CROSS, AT_START = Kind.CROSS, Kind.AT_START
#: A bar this much older (ms) than the newest one, and more than two bars older, is no news.
FRESH_MS = 300_000


class AlertModel(QObject):
    """Walk every frame's bars not judged yet; feed it each frame of one pair view.

    ``fired(event)`` tells of each new row of ``events`` (newest last, bounded); only events with
    ``popup`` may leave the window, as their rule says and unless ``muted``. ``followed([event])`` tells
    of events of which more has become known, ``restored`` that rows of earlier sessions came in
    or rows were forgotten.
    """

    fired = Signal(object)
    followed = Signal(list)
    restored = Signal()
    rules_changed = Signal()
    muted_changed = Signal(bool)
    cleared = Signal()

    def __init__(
        self,
        rules: Sequence[Rule] | None = None,
        *,
        muted: bool = False,
        now_ms: Callable[[], int] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.log = AlertLog(self)
        self._rules: tuple[Rule, ...] = ()
        self._watches: dict[str, RuleWatch] = {}
        self._muted = muted
        self._now_ms = now_ms or _system_ms
        self._events: dict[str, AlertEvent] = {}
        self._origin = Origin.LIVE
        self.set_rules((z_rule(),) if rules is None else rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules in force, in their order."""
        return self._rules

    @property
    def muted(self) -> bool:
        """Return whether no alert may make a sound or leave the window."""
        return self._muted

    @property
    def events(self) -> Sequence[AlertEvent]:
        """Return the newest events, oldest first."""
        return tuple(self._events.values())

    def held(self, rule_id: str) -> str:
        """Return why an alert of a rule that is due does not fire; empty where none is."""
        return self._watches[rule_id].held if rule_id in self._watches else ""

    def record_of(self, rule: Rule) -> RuleRecord:
        """Return what became of a rule's firings, as it stands now, in data such as are on screen."""
        return self.log.record_of(rule, self._origin)

    def last_fired(self, rule: Rule) -> int | None:
        """Return the open time (ms) of the bar at which a rule fired last, or None."""
        return self.log.last_fired(rule, self._origin)

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Put rules in force; bars judged so far are not judged again. Raises ConfigError for two of one id.

        With another level the newest value counts as known: it alerts only after it has been nearer.
        """
        if len({rule.id for rule in rules}) < len(rules):
            raise ConfigError("two alert rules have one id")
        if len(rules) > MOST_RULES:
            raise ConfigError(f"at most {MOST_RULES} alert rules can be watched")
        if tuple(rules) == self._rules:
            return
        self._rules = tuple(rules)
        held, self._watches = self._watches, {}
        for rule in rules:
            watch = self._watches[rule.id] = held.get(rule.id) or RuleWatch(rule)
            if watch.rule != rule:
                watch.change(rule)
        self.rules_changed.emit()

    def set_muted(self, muted: bool) -> None:
        """Let alerts be heard and pop up, or keep them in the window."""
        if muted != self._muted:
            self._muted = muted
            self.muted_changed.emit(muted)

    @Slot(object)
    def judge(self, frame: PairFrame | None, look: Look | None = None) -> list[AlertEvent]:
        """Judge the frame's new bars by every rule; return the events, which were also emitted."""
        if frame is None or len(frame) == 0:
            return []
        self._origin = frame.origin
        samples = FrameSamples(frame, look)
        judged = [one for watch in self._watches.values() for one in watch.judge(samples)]
        judged.sort(key=lambda one: (not one.healed, one.row))
        found = []
        for one in judged:
            event = self._event(samples, one)
            if event.id in self.log:
                continue  # seen before: the view was left and has come back, or another session had it
            found.append(self._put(AlertEvent(self.log.add(event.record), event.popup)))
        self._follow(samples)
        found = [self._events.get(event.id, event) for event in found]
        for event in found:
            self.fired.emit(event)
        return found

    def restore(self, rows: Iterable[AlertRow]) -> int:
        """Take firings of earlier sessions into table and records, oldest first; return how many are unreadable."""
        records, unread = self.log.restore(rows)
        if records:
            earlier = {record.id: AlertEvent(record, earlier=True) for record in records}
            self._events = dict(list({**earlier, **self._events}.items())[-MOST_EVENTS:])
            self.restored.emit()
        return unread

    def forget(self, origin: Origin) -> None:
        """Forget the firings of one stream of data, records and all: it begins anew and brings them again."""
        self.log.forget(origin)
        kept = {key: event for key, event in self._events.items() if event.origin is not origin}
        if len(kept) < len(self._events):
            self._events = kept
            self.restored.emit()

    def clear(self) -> None:
        """Empty the table; what is armed stays armed, what is kept stays kept."""
        self._events.clear()
        self.cleared.emit()

    def _follow(self, samples: FrameSamples) -> None:
        changed = []
        for record in self.log.follow(samples, self._now_ms()):
            known = self._events.get(record.id)
            if known is not None:
                self._events[record.id] = AlertEvent(record, known.popup, known.earlier)
                changed.append(self._events[record.id])
        if changed:
            self.followed.emit(changed)

    def _put(self, event: AlertEvent) -> AlertEvent:
        self._events[event.id] = event
        if len(self._events) > MOST_EVENTS:
            del self._events[next(iter(self._events))]
        return event

    def _event(self, samples: FrameSamples, judged: Judged) -> AlertEvent:
        frame, firing = samples.frame, judged.firing
        time_ms, newest, length = firing.time_ms, int(frame.times[-1]), frame.interval_ms
        live = frame.origin is Origin.LIVE and frame.live_since is not None and time_ms + length > frame.live_since
        # After an hour without a connection the hour fills in behind: nobody wants its alerts as news.
        fresh = newest - time_ms <= max(2 * length, FRESH_MS)
        news = live and fresh and not judged.healed
        origin = Origin.HISTORY if frame.origin is Origin.LIVE and not news else frame.origin
        context = samples.context(firing.rule.metric, origin)
        record = AlertRecord(firing, context, self._now_ms())
        return AlertEvent(record, popup=origin is Origin.LIVE and firing.kind is Kind.CROSS)


def _system_ms() -> int:
    return time.time_ns() // 1_000_000
