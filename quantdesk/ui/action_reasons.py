"""Say why an action of the window cannot be used now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow


def _tr(text: str) -> str:
    return QCoreApplication.translate("reasons", text)


def reason_of(window: ChartWindow, name: str) -> str:
    """Return in a few words why the action is off; nothing where it is on or nobody knows."""
    if window.registry[name].isEnabled():
        return ""
    frame, settings, file = window.pair.frame, window.pair.settings, window.mode.origin is Origin.FILE
    no_bars = frame is None or not len(frame)
    if name == "pair.refit" and settings.hedge.moves:
        return _tr("the hedge ratio moves with every bar")
    if name in ("pair.refit", "file.export_visible", "file.export_all"):
        return _tr("no bars are loaded") if no_bars else ""
    if name in ("market.add", "market.reconnect"):
        return _tr("a file is shown") if file else ""
    for start, words in (
        ("replay.", _tr("nothing is replayed")),
        ("view.panel_", _tr("the last panel stays")),
        ("workspace.share_", _tr("the window is not linked")),
    ):
        if name.startswith(start):
            return words
    known = {
        "pair.swap": _tr("there is one leg only"),
        **dict.fromkeys((f"pair.{name}" for name in TIMEFRAMES), _tr("there are no such bars")),
        "file.live": _tr("the market is shown"),
        "file.tray": _tr("this desktop has no tray"),
        "market.simulate": _tr("it is running"),
        "view.undo": _tr("nothing was changed"),
        "view.redo": _tr("nothing was undone"),
        "draw.next": _tr("nothing is drawn here"),
        "draw.delete_all": _tr("nothing is drawn here"),
        "draw.edit": _tr("no drawing is chosen"),
        "draw.delete": _tr("no drawing is chosen"),
        "workspace.reopen": _tr("no window was closed"),
        "workspace.delete": _tr("the last workspace stays"),
        "workspace.new": _tr("nine workspaces are the most"),
        "workspace.save_as": _tr("nine workspaces are the most"),
        "workspace.new_window": _tr("nine windows are the most"),
        "help.logs": _tr("no log is written"),
    }
    return known.get(name, "")
