"""Keep how a stack of charts is laid out, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quantdesk.ui.charts.splitter import Splitter
from quantdesk.ui.charts.state import SPREAD

if TYPE_CHECKING:
    from quantdesk.ui.charts.stack import ChartStack

STATE_VERSION = 1


def plain_of(stack: ChartStack, splitter: Splitter) -> dict[str, object]:
    """Return sizes, hidden panels and leg."""
    return {
        "version": STATE_VERSION,
        "sizes": splitter.sizes(),
        "hidden": [name for name in stack.panel_names if not stack.is_panel_visible(name)],
        "leg": stack.price_leg,
    }


def restore(saved: Mapping[str, object], stack: ChartStack, splitter: Splitter) -> None:
    """Take what ``plain_of`` returned; what is not understood is passed over."""
    if saved.get("version") != STATE_VERSION:
        return
    names = stack.panel_names
    hidden, sizes, leg = saved.get("hidden"), saved.get("sizes"), saved.get("leg")
    if isinstance(hidden, list) and len(set(hidden) & set(names)) < len(names):
        for name in names:
            stack.set_panel_visible(name, name not in hidden)
    if isinstance(sizes, list) and len(sizes) == len(names) and all(isinstance(s, int) for s in sizes):
        splitter.setSizes(sizes)
    if leg in ("y", "x", SPREAD):
        stack.set_price_leg(str(leg))
