"""The installed Qt survives many calls: some releases lose a reference to None with each void call."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Counter(QObject):
    counted = Signal(int)


def test_twenty_thousand_qt_calls_and_emits_do_not_crash(qapp: object) -> None:
    seen: list[int] = []
    counter = Counter()
    counter.counted.connect(seen.append)
    for number in range(20_000):
        counter.setObjectName("x")
        counter.counted.emit(number)
    assert seen == list(range(20_000))
