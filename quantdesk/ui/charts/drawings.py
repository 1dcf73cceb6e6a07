"""Describe what a user draws on a chart: horizontal and trend lines, and where they belong."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum

from PySide6.QtCore import Qt

from quantdesk.config import ConfigError
from quantdesk.model.frame import LATEST_END, PairFrame
from quantdesk.types import Origin
from quantdesk.ui.charts.inks import FIRST_INK, INKS

#: The panels that can be drawn on.
DRAWABLE = ("price", "spread", "z")
#: On one panel of one symbol; beyond that nobody finds anything.
MOST_HERE = 200
MOST_IN_ALL = 5_000
WIDEST = 4
LONGEST_TEXT = 80
#: Times (ms) and sizes of values beyond these are damage.
_LATEST, _LARGEST = LATEST_END, 1e15


class Kind(StrEnum):
    """Name what can be drawn."""

    LEVEL = "level"
    TREND = "trend"


class Stroke(StrEnum):
    """Name how a line is drawn."""

    SOLID = "solid"
    DASH = "dash"
    DOT = "dot"

    @property
    def style(self) -> Qt.PenStyle:
        """Return Qt's pen for it."""
        return {"solid": Qt.PenStyle.SolidLine, "dash": Qt.PenStyle.DashLine}.get(self.value, Qt.PenStyle.DotLine)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Hold a point by time (ms) and value: it stays there whatever interval or scale shows it."""

    ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Look:
    """Hold colour (a name of ``INKS``), width in pixels and stroke of a line. Raises ConfigError."""

    ink: str = FIRST_INK
    width: int = 2
    stroke: Stroke = Stroke.SOLID

    def __post_init__(self) -> None:
        if self.ink not in INKS:
            raise ConfigError(f"there is no colour {self.ink!r}: {', '.join(INKS)} are")
        if not 1 <= self.width <= WIDEST:
            raise ConfigError(f"a line is 1 to {WIDEST} pixels wide, not {self.width}")


def _new_id() -> str:
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold a line by its one anchor (a level) or two (a trend line). Raises ConfigError."""

    kind: Kind
    anchors: tuple[Anchor, ...]
    look: Look = field(default_factory=Look)
    text: str = ""
    id: str = field(default_factory=_new_id)

    def __post_init__(self) -> None:
        wanted = 1 if self.kind is Kind.LEVEL else 2
        if len(self.anchors) != wanted:
            raise ConfigError(f"a {self.kind.value} has {wanted} anchors, not {len(self.anchors)}")
        for anchor in self.anchors:
            if not (0 <= anchor.ms <= _LATEST and math.isfinite(anchor.value) and abs(anchor.value) < _LARGEST):
                raise ConfigError(f"a drawing cannot stand at {anchor.value} and time {anchor.ms}")
        if len(self.text) > LONGEST_TEXT:
            raise ConfigError(f"a label has at most {LONGEST_TEXT} letters")
        if not self.id:
            raise ConfigError("a drawing has no id")

    def at(self, *anchors: Anchor) -> Drawing:
        """Return the same drawing elsewhere."""
        return replace(self, anchors=anchors)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Say where drawings belong: ``scope`` keeps the market, the simulator, replays and files apart.

    ``subject`` is the symbol on the price panel, the pair elsewhere; a spread of logarithms is another one.
    """

    scope: str
    panel: str
    subject: str


def scope_of(origin: Origin) -> str:
    """Return which drawings data of an origin show: stored bars are the market's."""
    return (Origin.LIVE if origin is Origin.HISTORY else origin).value


def place_of(frame: PairFrame | None, leg: str, panel: str, *, ratio: bool = False) -> Place | None:
    """Return where what is drawn on a panel belongs; None where nothing can be.

    ``leg`` is whose candles show, ``ratio`` says that the ratio of the prices stands for their spread.
    """
    if frame is None or panel not in DRAWABLE:
        return None
    scope, y, x = scope_of(frame.origin), frame.settings.y, frame.settings.x
    if panel == "price" and leg in ("y", "x"):
        symbol = y if leg == "y" else x
        return Place(scope, panel, symbol) if symbol else None
    if not (y and x):
        return None
    if panel == "z":
        return Place(scope, panel, f"{y} / {x}")
    formula = " (ratio)" if ratio else " (log)" if frame.settings.log else ""
    return Place(scope, panel, f"{y} / {x}{formula}")
