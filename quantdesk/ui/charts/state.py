"""Hold what all panels of a stack share: the data, the visible rows, the cursor and the look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QFont, QFontMetricsF

from quantdesk.model.paint_latency import PaintLatency
from quantdesk.ui.charts.lettering import Lettering
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.ticks import TimeTick, time_ticks
from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.view import TimeView
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.analytics.spread_bars import SpreadBars
    from quantdesk.bars.arrays import IntArray
    from quantdesk.model.pair import LegColumns, PairFrame, PairTail
    from quantdesk.model.spread_candles import SpreadCandles
    from quantdesk.ui.charts.rule_marks import RuleMark
    from quantdesk.ui.charts.ruler import Ruler

TEXT_PIXELS = 12
#: What stands for a leg where the candles of the spread show.
SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Span:
    """Hold a piece of a legend; ``link`` makes it clickable, ``gap`` is the room before it in pixels.

    A ``head`` announces the piece after it and is not shown without it.
    """

    text: str
    color: str
    bold: bool = False
    gap: float = 0.0
    link: str = ""
    head: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """Hold a value marked on the axis; ``line`` draws it across the plot, dotted; ``under`` is a second line.

    A ``hollow`` one is no value of the data.
    """

    value: float
    text: str
    color: str
    line: bool = False
    under: str = ""
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold the values of one bar, NaN where none; what the crosshair reads, or the latest."""

    row: int
    time_ms: int
    under_cursor: bool
    values: dict[str, float] = field(default_factory=dict)


def chart_font(base: QFont, *, bold: bool = False) -> QFont:
    """Return the font of axes and legends: its figures all have one width, so that numbers do not dance."""
    font = QFont(base)
    font.setPixelSize(TEXT_PIXELS)
    font.setFeature(QFont.Tag("tnum"), 1)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def ink_on(color: str) -> QColor:
    """Return black or white, whichever reads better on a colour."""
    back = QColor(color)
    light = 0.299 * back.redF() + 0.587 * back.greenF() + 0.114 * back.blueF()
    return QColor("#0b0e14" if light > 0.62 else "#ffffff")


class ChartState:
    """Gather what panels read when they paint; only the stack writes it."""

    def __init__(self, tokens: Tokens, font: QFont) -> None:
        self.tokens = tokens
        self.set_font(font)
        self.view = TimeView()
        self.line = TimeLine()
        self.frame: PairFrame | None = None
        self.tail: PairTail | None = None
        self.leg = "y"  #: whose candles show: "y", "x" or SPREAD
        self.spread_candles = True  #: the spread's panel draws candles, not a line
        self.ratio = False  #: the ratio of the prices stands for the hedged spread
        self.candles: SpreadCandles | None = None
        self.forming: SpreadBars | None = None
        self.formed: tuple[IntArray, SpreadBars] | None = None  #: bars as they formed last, by time
        self.level = 2.0
        self.levels: Sequence[float] = (-2.0, 2.0)  #: where alert rules have their levels
        self.ticks: list[TimeTick] = []
        self.marks: Sequence[RuleMark] = ()  #: what rules did at which bars, by time
        self.chosen_zone = UTC_ZONE
        self.scale = PriceScale.LINEAR
        self.both_legs = False  #: the other leg is drawn over the candles
        self.cursor_row: int | None = None
        self.cursor_panel = ""
        self.cursor_y = 0.0
        self.flash_row: int | None = None
        self.ruler: Ruler | None = None
        self.drawing = False  #: a drawing tool is at hand, and Shift is its own
        self.countdown = ""  #: until the bar closes, "" where none is forming live
        self.latency = PaintLatency()  #: the market's own, once there is one

    def set_level(self, level: float, drawn: Sequence[float] | None) -> None:
        """Take z for far out beyond ±level; draw these levels of z, or ±level."""
        self.level = level
        self.levels = (-level, level) if drawn is None else tuple(drawn)

    def set_font(self, font: QFont) -> None:
        """Take the program's font."""
        self.font, self.bold = chart_font(font), chart_font(font, bold=True)
        self.small = QFont(self.font)
        self.small.setPixelSize(TEXT_PIXELS - 2)
        self.small_metrics = QFontMetricsF(self.small)
        self.metrics, self.bold_metrics = QFontMetricsF(self.font), QFontMetricsF(self.bold)
        self.letters, self.bold_letters = Lettering(self.font), Lettering(self.bold)

    @property
    def cursor_color(self) -> str:
        """Return the colour of the crosshair's tags: darker than any other tag."""
        return "#3b4356" if self.tokens.dark else "#4a5468"

    @property
    def row(self) -> int:
        """Return the row that legends show: under the cursor, else the newest."""
        newest = len(self.line) - 1
        return newest if self.cursor_row is None else self.cursor_row

    @property
    def zone(self) -> Zone:
        """Return the zone in which times are written: a bar of a day or more is one of UTC days."""
        return self.chosen_zone.of_bars(self.line.step_ms)

    def label_times(self, pixels: float) -> None:
        """Choose the labels of the time axis; without a bar there is no time to label."""
        line, view = self.line, self.view
        self.ticks = time_ticks(line, view.left, view.right, pixels, zone=self.zone) if len(line) else []

    @property
    def other_leg(self) -> str:
        """Return the leg whose candles do not show, "" where those of the spread do."""
        return {"y": "x", "x": "y"}.get(self.leg, "")

    def visible_times(self) -> tuple[int, int] | None:
        """Return the first and last visible bar's open time (ms), None without bars."""
        line, view = self.line, self.view
        if not len(line):
            return None
        first = min(max(0, math.ceil(view.left)), len(line) - 1)
        last = min(max(first, math.floor(view.right)), len(line) - 1)
        return int(line.at(first)), int(line.at(last))

    def symbol(self, leg: str) -> str:
        """Return the name of a leg, "" where there is none."""
        if self.frame is None:
            return ""
        return str((self.frame.settings.y if leg == "y" else self.frame.settings.x) or "")

    def decimals(self, leg: str) -> int:
        """Return the decimals of a leg's prices."""
        if self.frame is None:
            return 2
        return int(self.frame.price_decimals_y if leg == "y" else self.frame.price_decimals_x)

    def quantity_decimals(self, leg: str) -> int:
        """Return the decimals of a leg's quantities."""
        if self.frame is None:
            return 3
        return int(self.frame.quantity_decimals_y if leg == "y" else self.frame.quantity_decimals_x)

    def qualities(self, leg: str) -> IntArray | None:
        """Return the quality code of each closed row of a leg, None where nobody can tell."""
        if self.frame is None or leg not in ("y", "x"):
            return None
        return self.frame.quality_y if leg == "y" else self.frame.quality_x

    def columns(self, leg: str) -> LegColumns | None:
        """Return the closed bars of a leg."""
        if self.frame is None or leg not in ("y", "x"):
            return None
        return self.frame.y if leg == "y" else self.frame.x
