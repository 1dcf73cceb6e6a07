"""Lay the levels of alert rules over the charts: dashed lines with a bell, to be dragged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from quantdesk.analytics.alerts.levels import Level, Part, levels_of, with_level
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import shade
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.state import SPREAD, ChartState, Tag

#: So near (pixels) the pointer takes hold of a line, and of its tag on the axis.
_NEAR, _NEAR_TAG = 3.0, 9.0
_PATTERNS = {Part.ENTER: (4, 3), Part.REARM: (1, 3), Part.EXIT: (8, 3), Part.STOP: (2, 2)}
#: Whose tag is wanted most, and whose sign lies on top.
_ORDER = {Part.ENTER: 0, Part.STOP: 1, Part.EXIT: 2, Part.REARM: 3}
#: How far from the axis (pixels) the signs stand: a bell is covered by none.
_SIGN_LEFT = {Part.ENTER: 12.0, Part.STOP: 28.0, Part.EXIT: 28.0, Part.REARM: 28.0}
_Z_OF = {
    ZKind.REGRESSION: Metric.REGRESSION_Z,
    ZKind.ROLLING: Metric.ROLLING_Z,
    ZKind.EXPANDING: Metric.EXPANDING_Z,
    ZKind.EWM: Metric.EW_Z,
}


def metric_of(panel: str, state: ChartState) -> Metric | None:
    """Return what a panel shows, as rules name it; None where no rule can watch it."""
    spread = Metric.RATIO if state.ratio else Metric.SPREAD
    if panel == "price":
        return {"y": Metric.PRICE_Y, "x": Metric.PRICE_X, SPREAD: spread}[state.leg]
    if panel == "z":
        kind = ZKind.WALK_FORWARD if state.frame is None else state.frame.settings.z_kind
        return _Z_OF.get(kind, Metric.Z)
    return {"spread": spread, "correlation": Metric.CORRELATION}.get(panel)


def belongs(metric: Metric, panel: str, state: ChartState) -> bool:
    """Tell whether a metric's values are those of a panel's axis; every z has the axis of z."""
    return metric.mean is not None if panel == "z" else metric is metric_of(panel, state)


def within(metric: Metric, value: float) -> float:
    """Return the value, or the nearest one that the metric can have."""
    return min(max(value, -1.0), 1.0) if metric is Metric.CORRELATION else value


@dataclass(frozen=True, slots=True)
class _Line:
    rule: Rule
    level: Level


class LevelLayer(QObject):
    """Draw the levels of the rules that are on, and let them be dragged.

    ``moved(before, after)`` gives both rules when a level was let go elsewhere, ``opened(rule)`` asks for its dialog.
    """

    moved = Signal(object, object)
    opened = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rules: Sequence[Rule] = ()
        self.preview: Rule | None = None  #: the rule as it would be if it were let go now
        self._hovered: tuple[str, str, Part] | None = None  # panel, rule, part

    def lines(self, panel: Panel) -> list[_Line]:
        """Return the levels that belong to a panel's axis, as they are shown."""
        preview = self.preview
        shown = [preview if preview is not None and preview.id == rule.id else rule for rule in self.rules]
        mine = (rule for rule in shown if rule.enabled and belongs(rule.metric, panel.name, panel.state))
        return [_Line(rule, level) for rule in mine for level in levels_of(rule)]

    def paint(self, painter: QPainter, panel: Panel) -> None:
        """Draw a line and its sign for each level, and in words what is dragged or under the pointer."""
        plot = panel.plot
        said = None
        for line in sorted(self.lines(panel), key=lambda line: -_ORDER[line.level.part]):
            y = panel.y_of(line.level.value)
            if not (math.isfinite(y) and 0 <= y <= plot.height()):
                continue
            color = self._color(line.level.part, panel.state)
            overlay.dotted(painter, color, QPointF(0, y), QPointF(plot.right(), y), _PATTERNS[line.level.part])
            at = QPointF(plot.right() - _SIGN_LEFT[line.level.part], y)
            _sign(painter, at, line.level.part, color, QColor(panel.state.tokens.panel))
            if self._is_held(panel, line):
                said = line, y, color
        if said is not None:
            self._say(painter, panel, *said)

    def tags(self, panel: Panel) -> Sequence[Tag]:
        """Return the levels that have room on the axis, and in any case the one that is held.

        Values of the data come first, then where rules fire, stop and exit; where they are armed again is only said
        of a level that is held.
        """
        taken = [panel.y_of(tag.value) for tag in panel.tags()]
        found = []
        for line in sorted(
            self.lines(panel), key=lambda line: (not self._is_held(panel, line), _ORDER[line.level.part])
        ):
            y, held = panel.y_of(line.level.value), self._is_held(panel, line)
            if not 0 <= y <= panel.plot.height():
                continue
            free = line.level.part is not Part.REARM and all(abs(y - other) >= overlay.TAG_HEIGHT for other in taken)
            if held or free:
                taken.append(y)
                color = self._color(line.level.part, panel.state).name()
                found.append(Tag(line.level.value, panel.value_text(line.level.value), color, hollow=True))
        return found[::-1]

    def grip_at(self, panel: Panel, at: QPointF) -> LevelGrip | None:
        """Return the level whose line or tag is under the pointer, the nearest one; while a tool draws none."""
        if panel.state.drawing:
            return None
        on_axis = at.x() > panel.plot.right()
        best: tuple[float, _Line] | None = None
        for line in self.lines(panel):
            tagged = on_axis and line.level.part is not Part.REARM
            away = abs(panel.y_of(line.level.value) - at.y())
            if away <= (_NEAR_TAG if tagged else _NEAR) and (best is None or away < best[0]):
                best = away, line
        held = None if best is None else (panel.name, best[1].rule.id, best[1].level.part)
        if held != self._hovered:
            self._hovered = held
            panel.touched.emit()
        return None if best is None else LevelGrip(self, best[1].rule, best[1].level)

    def _is_held(self, panel: Panel, line: _Line) -> bool:
        return self._hovered == (panel.name, line.rule.id, line.level.part)

    def _color(self, part: Part, state: ChartState) -> QColor:
        tokens = state.tokens
        names = {Part.ENTER: tokens.level, Part.EXIT: tokens.ok, Part.STOP: tokens.error}
        return QColor(names[part]) if part in names else shade(tokens.text_dim, 0.9)

    def _say(self, painter: QPainter, panel: Panel, line: _Line, y: float, color: QColor) -> None:
        names = {
            Part.ENTER: self.tr("enter"),
            Part.REARM: self.tr("armed again"),
            Part.EXIT: self.tr("exit"),
            Part.STOP: self.tr("stop"),
        }
        state, plot = panel.state, panel.plot
        words = f"{line.rule.name} · {names[line.level.part]} {panel.value_text(line.level.value)}"
        wide, tall = state.metrics.horizontalAdvance(words) + 12, state.metrics.height() + 4
        top = y - tall - 3 if y - tall - 3 > overlay.LEGEND_TOP + tall else y + 3
        box = QRectF(plot.right() - wide - 42, min(top, plot.height() - tall), wide, tall)
        painter.setPen(QPen(color, 1))
        painter.setBrush(QColor(state.tokens.raised))
        painter.drawRect(box)
        painter.setFont(state.font)
        painter.setPen(QColor(state.tokens.text))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), words)


class LevelGrip:
    """Drag one level of a rule; double-clicked, open the rule."""

    def __init__(self, layer: LevelLayer, rule: Rule, level: Level) -> None:
        self._layer, self._rule, self._level = layer, rule, level

    @property
    def shape(self) -> Qt.CursorShape:
        """Return the pointer's shape over it."""
        return Qt.CursorShape.SplitVCursor

    def drag(self, panel: Panel, at: QPointF) -> None:
        """Follow the pointer, as far as the rule's other levels allow."""
        self._layer.preview = self._moved(panel, at)
        panel.touched.emit()

    def drop(self, panel: Panel, at: QPointF) -> None:
        """Give the rule its new level."""
        self._layer.preview = None
        after = self._moved(panel, at)
        panel.touched.emit()
        if after != self._rule:
            self._layer.moved.emit(self._rule, after)

    def click(self, panel: Panel, at: QPointF) -> None:
        """Leave it where it is."""

    def cancel(self, panel: Panel) -> None:
        """Put the level back."""
        self._layer.preview = None
        panel.touched.emit()

    def open(self, panel: Panel) -> None:
        """Ask for the rule's dialog."""
        self._layer.opened.emit(self._rule)

    def _moved(self, panel: Panel, at: QPointF) -> Rule:
        step = step_of(panel)
        pointed = within(self._rule.metric, panel.value_at(min(max(at.y(), 0.0), panel.plot.height())))
        value = round(pointed / step) * step
        # A size is dragged on its own side: beyond zero it would grow again.
        if self._level.value < 0 < value and self._other_side():
            value = 0.0
        if value < 0 < self._level.value and self._other_side():
            value = 0.0
        digits = max(0, -math.floor(math.log10(step)))
        return with_level(self._rule, self._level.part, round(value, digits), step)

    def _other_side(self) -> bool:
        return self._rule.comparison.sign == 0


def step_of(panel: Panel) -> float:
    """Return the power of ten next above a fifth of a pixel's worth of a panel's axis: finer nobody can point."""
    worth = abs(panel.value_at(0) - panel.value_at(panel.plot.height())) / max(1.0, panel.plot.height())
    return 10.0 ** math.ceil(math.log10(worth) - 1e-9 - math.log10(5)) if worth > 0 and math.isfinite(worth) else 1.0


def _sign(painter: QPainter, at: QPointF, part: Part, color: QColor, back: QColor) -> None:
    """Draw a bell where a rule fires, a ring where it is armed again, a cross at its exit, a square at its stop."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(back)
    painter.drawEllipse(at, 7.0, 7.0)
    painter.translate(at)
    if part is Part.ENTER:
        painter.setBrush(color)
        painter.drawPath(_bell())
    elif part is Part.STOP:
        painter.setBrush(color)
        painter.drawRect(QRectF(-4, -4, 8, 8))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 1.6))
        if part is Part.EXIT:
            painter.drawLine(QPointF(-3.5, -3.5), QPointF(3.5, 3.5))
            painter.drawLine(QPointF(-3.5, 3.5), QPointF(3.5, -3.5))
        else:
            painter.drawEllipse(QPointF(0, 0), 3.0, 3.0)
    painter.restore()


def _bell() -> QPainterPath:
    path = QPainterPath(QPointF(-5, 3))
    path.cubicTo(QPointF(-2.6, 1), QPointF(-4.2, -5.4), QPointF(0, -5.4))
    path.cubicTo(QPointF(4.2, -5.4), QPointF(2.6, 1), QPointF(5, 3))
    path.closeSubpath()
    path.addEllipse(QPointF(0, 4.4), 1.5, 1.5)
    return path
