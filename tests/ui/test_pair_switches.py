"""Looking at one pair after another leaves nothing of those before."""

from __future__ import annotations

import gc
import itertools
from collections import Counter
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from quantdesk.model.frame import PairFrame

from .conftest import SYMBOLS, Desk

SWITCHES = 20
#: More frames than before may be alive by these: what a dock still shows, what a job has just made.
FRAMES = 2


def switch(desk: Desk, qtbot: QtBot, changes: Iterable[dict[str, object]]) -> None:
    """Show each, wait for its frame and paint it."""
    for change in changes:
        desk.window.control.change(**change)
        qtbot.waitUntil(lambda: desk.pair.frame is not None and desk.pair.is_current, timeout=20_000)
        desk.window.clock.flush()
        desk.window.charts.repaint()


def alive(desk: Desk, qtbot: QtBot) -> Counter[str]:
    """Count the desk's own objects by their type, and Qt's in the window, once nothing runs any more."""
    qtbot.waitUntil(lambda: not desk.jobs.busy(), timeout=20_000)
    qtbot.wait(1)
    gc.collect()
    kinds = Counter(map(type, gc.get_objects()))
    found = Counter({f"{k.__module__}.{k.__qualname__}": n for k, n in kinds.items() if _is_own(k)})
    found["QObject"] = len(desk.window.findChildren(QObject))
    return found


def _is_own(kind: type) -> bool:
    return str(getattr(kind, "__module__", "")).startswith("quantdesk")


def test_nothing_of_a_pair_stays_once_others_are_shown(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    window = desk.window
    window.resize(1_400, 900)
    window.show()
    for name in ("view.evidence", "view.hedge_bench", "view.ticks", "view.data"):
        window.registry[name].trigger()
    pairs = itertools.cycle(itertools.permutations(SYMBOLS, 2))
    intervals = itertools.cycle(("5m", "15m", "1m"))
    changes = (
        {"interval": next(intervals)} if n % 4 == 3 else dict(zip("yx", next(pairs), strict=True))
        for n in itertools.count()
    )
    switch(desk, qtbot, itertools.islice(changes, 12))  # every panel has shown every pair once
    before = alive(desk, qtbot)
    switch(desk, qtbot, itertools.islice(changes, SWITCHES))
    after = alive(desk, qtbot)
    grown = {name: (before[name], count) for name, count in after.items() if count - before[name] >= SWITCHES // 2}
    assert not grown, grown
    frames = f"{PairFrame.__module__}.{PairFrame.__qualname__}"
    assert after[frames] <= before[frames] + FRAMES
