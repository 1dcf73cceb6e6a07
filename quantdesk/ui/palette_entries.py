"""Gather what the command palette offers: the menus' actions, symbols for each leg, and pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence

from quantdesk.ui.action_reasons import reason_of
from quantdesk.ui.action_spec import translate
from quantdesk.ui.action_table import group_titles
from quantdesk.ui.command_match import match
from quantdesk.ui.menu_walk import INTO, walk

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow

#: With more symbols than these the pairs would be thousands: the legs are offered one by one.
_MOST_PAIRED = 20
#: What was used lately comes before its equals, never before a better match.
_USED = 4.0


#: What takes something away comes after what does not, and is not offered as used lately: Enter is pressed quickly.
_CAREFUL = 60.0
_TAKING_AWAY = (
    "file.quit", "alerts.clear", "draw.delete_all", "workspace.delete", "workspace.reset", "workspace.close_window",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe one line: ``above`` are the menus it stands in, ``why`` says why it is off.

    ``quiet`` entries wait until something is typed; ``careful`` ones take something away; one that is
    ``last`` stands below whatever matches; what is ``named`` is found by its title alone.
    """

    id: str
    title: str
    above: str
    run: Callable[[], object]
    keys: str = ""
    enabled: bool = True
    why: str = ""
    checked: bool = False
    quiet: bool = False
    careful: bool = False
    last: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Hold an entry and the places of its title that were matched."""

    entry: Entry
    marks: frozenset[int] = frozenset()


def entries_of(window: ChartWindow) -> list[Entry]:
    """Return everything that can be asked of the window now."""
    return [*_actions(window), *_legs(window), *_pairs(window)]


def ranked(entries: Sequence[Entry], typed: str, used: Sequence[str]) -> list[Found]:
    """Return the entries that match, best first; without words those used last, then the rest in menu order."""
    lately = {name: len(used) - place for place, name in enumerate(used)}
    if not typed.strip():
        shown = [entry for entry in entries if not entry.quiet or entry.id in lately]
        return [Found(entry) for entry in sorted(shown, key=lambda e: -lately.get(e.id, 0))]
    found: list[tuple[float, Found]] = []
    for entry in entries:
        hit = None if entry.last else match(typed, entry.title, "" if entry.named else entry.above, entry.keys)
        if hit is not None:
            bonus = _USED * lately.get(entry.id, 0) / max(1, len(used))
            # What cannot be used now is listed, after its equals.
            malus = (0 if entry.enabled else _USED) + (_CAREFUL if entry.careful else 0)
            found.append((hit.score + bonus - malus, Found(entry, hit.marks)))
    below = [Found(entry) for entry in entries if entry.last]
    return [*(one for _, one in sorted(found, key=lambda pair: -pair[0])), *below]


def _actions(window: ChartWindow) -> list[Entry]:
    made: list[Entry] = []
    for placed in walk(window.menuBar()):
        action, name = placed.action, placed.action.objectName()
        if name == "view.palette" or not (name or action.isEnabled()) or not action.isVisible():
            continue  # it is open; a menu's own word that it is empty; the key of a workspace that is not there
        above = INTO.join(placed.above)
        # A bare symbol in a menu says too little: it would be taken for a switch to that symbol.
        bare = not name and not action.data()
        made.append(
            Entry(
                id=name or f"{above}{INTO}{action.toolTip()}",
                title=placed.long_title if bare else placed.title,
                above=placed.above[0] if bare else above,
                run=action.trigger,
                keys=action.shortcut().toString(QKeySequence.SequenceFormat.NativeText),
                enabled=action.isEnabled(),
                why=reason_of(window, name) if name in window.registry else "",
                checked=action.isChecked(),
                quiet=not name,
                careful=bare or name in _TAKING_AWAY,
            )
        )
    return made


def symbol_entries(window: ChartWindow, typed: Callable[[], str]) -> list[Entry]:
    """Return every symbol for either leg, first the one whose candles show, and the way to the exchange's others.

    ``typed`` tells what has been typed when an entry is run.
    """
    legs, leg = _legs(window), window.charts.price_leg
    by_symbol = sorted(legs, key=lambda entry: (entry.title, not entry.id.startswith(leg)))
    made = [replace(entry, quiet=False, named=True) for entry in by_symbol]
    if window.registry["market.add"].isEnabled():
        pick = window.control.pick_y if leg == "y" else window.control.pick_x

        def search() -> None:
            window.searching.search_symbol(window.market.symbols(), typed(), pick)

        title = translate("palette", "Search the exchange for other symbols…")
        made.append(Entry("market.add", title, _pair_menu(window), search, last=True))
    return made


def _legs(window: ChartWindow) -> list[Entry]:
    control, settings = window.control, window.pair.settings
    made: list[Entry] = []
    for leg, box, pick in (("y", window.bar.y_box, control.pick_y), ("x", window.bar.x_box, control.pick_x)):
        above = INTO.join((_pair_menu(window), box.accessibleName()))
        for symbol in _symbols(window):
            if symbol != getattr(settings, leg):
                made.append(Entry(f"{leg}:{symbol}", symbol, above, partial(pick, symbol), quiet=True))
    return made


def _pairs(window: ChartWindow) -> list[Entry]:
    symbols, control, shown = _symbols(window), window.control, window.control.text
    if len(symbols) > _MOST_PAIRED:
        return []
    above = _pair_menu(window)
    named = ((y, x, f"{y} / {x}") for y, x in permutations(symbols, 2))
    return [
        Entry(f"pair:{title}", title, above, partial(control.change, y=y, x=x), quiet=True)
        for y, x, title in named
        if title != shown
    ]


def _symbols(window: ChartWindow) -> Sequence[str]:
    source = window.pair.source
    return source.symbols() if source is not None else ()


def _pair_menu(window: ChartWindow) -> str:
    return group_titles()["pair"]
