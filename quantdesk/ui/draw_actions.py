"""List the actions of the Draw menu: lines drawn by hand, and indicators."""

from __future__ import annotations

from quantdesk.ui.action_spec import ActionSpec, translate


def draw_actions() -> tuple[ActionSpec, ...]:
    """Return what is drawn over the charts."""
    return (
        ActionSpec(
            "draw.horizontal",
            translate("actions", "&Horizontal line"),
            keys="Alt+H",
            tip=translate("actions", "Draw a horizontal line on price, spread or z with one click"),
            checkable=True,
        ),
        ActionSpec(
            "draw.trend",
            translate("actions", "&Trend line"),
            keys="Alt+T",
            tip=translate("actions", "Draw a trend line with two clicks or a drag; Shift keeps it at 0°, 45° or 90°"),
            checkable=True,
        ),
        ActionSpec(
            "draw.magnet",
            translate("actions", "&Magnet"),
            tip=translate("actions", "Draw ends to the open, high, low or close that is near"),
            checkable=True,
        ),
        ActionSpec(
            "draw.next",
            translate("actions", "&Next drawing"),
            keys="N",
            tip=translate("actions", "Choose the next drawing: arrows move it, Enter edits it, Delete deletes it"),
        ),
        ActionSpec("draw.edit", translate("actions", "&Edit drawing…")),
        ActionSpec("draw.delete", translate("actions", "&Delete drawing"), icon="clear"),
        ActionSpec(
            "draw.delete_all",
            translate("actions", "Delete &all drawings"),
            tip=translate("actions", "Delete the drawings of this symbol and this pair; Undo brings them back"),
        ),
        ActionSpec(
            "draw.indicators",
            translate("actions", "&Indicators…"),
            keys="Ctrl+Shift+I",
            tip=translate("actions", "Draw SMA, EMA, VWAP or Bollinger bands over the candles"),
        ),
    )
