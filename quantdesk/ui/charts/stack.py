"""Stack the charts on one time axis, move them together and read them with one crosshair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from quantdesk.model.clock import FrameClock
from quantdesk.model.indicators import IndicatorModel
from quantdesk.model.pair import PairModel
from quantdesk.model.spread_bars import SpreadBarsModel
from quantdesk.ui.charts import kept, synthetic
from quantdesk.ui.charts.attribution import AttributionPanel
from quantdesk.ui.charts.axis import TimeAxis
from quantdesk.ui.charts.countdown import Countdown
from quantdesk.ui.charts.drawing_layer import DrawingLayer
from quantdesk.ui.charts.drawing_tools import DrawingTools
from quantdesk.ui.charts.flash import Flash
from quantdesk.ui.charts.indicator_lines import IndicatorLines, pyramid_of
from quantdesk.ui.charts.intake import Intake
from quantdesk.ui.charts.keys import act_of
from quantdesk.ui.charts.measuring import Measuring
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.panels import CorrelationPanel, ZPanel
from quantdesk.ui.charts.pointing import Pointing
from quantdesk.ui.charts.price import PricePanel
from quantdesk.ui.charts.quality import row_to_explain
from quantdesk.ui.charts.reading import read
from quantdesk.ui.charts.rule_marks import RuleMark
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.splitter import Splitter
from quantdesk.ui.charts.spread import SpreadPanel
from quantdesk.ui.charts.state import SPREAD, ChartState, Reading
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.theme_tokens import Tokens

SHARES = {"price": 46, "spread": 17, "attribution": 12, "z": 16, "correlation": 12}


class ChartStack(QWidget):
    """Show a pair: price, spread, what moved it, z and correlation over the rows of its frame.

    Everything is painted on the clock's ticks. ``reading_changed`` tells that the bar under the
    crosshair, or the newest one, reads differently; ``leg_changed`` that the other leg's candles show.
    """

    reading_changed = Signal(object)  # Reading
    leg_changed = Signal(str)
    why_wanted = Signal(str, object)  # leg, open time (ms): what is known of a bar's trades

    def __init__(self, pair: PairModel, clock: FrameClock, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chart_stack")
        self.setAccessibleName(self.tr("Charts"))
        self.setAccessibleDescription(
            self.tr("Left and Right move by a bar, with Ctrl by a page; plus and minus zoom; End shows the latest.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._pair, self._clock = pair, clock
        self._state = ChartState(tokens, self.font())
        self._reading: Reading | None = None
        self.intake = self._intake = Intake(pair, self._state)
        self._spread: synthetic.SpreadIntake | None = None
        self._flash = Flash(self)
        self._flash.turned.connect(clock.mark)
        self._countdown = Countdown(pair, self._state, parent=self)
        self._countdown.turned.connect(self._on_second)
        self._panels: dict[str, Panel] = {}
        price = PricePanel(self._state)
        self.indicators = price.indicators = IndicatorLines(price, IndicatorModel(pair.jobs, self, pyramid_of))
        for panel in (
            price,
            SpreadPanel(self._state),
            AttributionPanel(self._state),
            ZPanel(self._state),
            CorrelationPanel(self._state),
        ):
            self._panels[panel.name] = panel
        self._measuring = Measuring(self._state, self._panels)
        self.pointing = self._pointing = Pointing(self._state, self._measuring, self)
        self._pointing.moved.connect(clock.mark_newest)
        self.drawing = DrawingTools(self._state, self._panels, self)
        self.drawing.moved.connect(clock.mark)
        self._lay_out()
        self.set_tokens(tokens)
        self._clock.tick.connect(self._on_tick)
        pair.changed.connect(self._clock.mark)
        pair.settings_changed.connect(self._clock.mark)

    def _lay_out(self) -> None:
        self._splitter = Splitter(self._state)
        self._axis = TimeAxis(self._state, self)
        self._pointing.width = lambda: self._axis.plot_width
        for panel in self._panels.values():
            self._splitter.addWidget(panel)
            panel.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            panel.setFocusProxy(self)
            self._pointing.watch(panel)
            panel.dragged.connect(self.pan)
            panel.zoomed.connect(self._on_zoomed)
            panel.linked.connect(self._on_linked)
            panel.touched.connect(self._clock.mark)
            panel.clicked.connect(self.drawing.choose_none)
        for panel in self.drawing.panels.values():
            panel.layers.append(DrawingLayer(self.drawing))
        for index, name in enumerate(self._panels):
            self._splitter.setStretchFactor(index, SHARES[name])
        self._splitter.setSizes([SHARES[name] * 10 for name in self._panels])
        self._axis.zoomed.connect(self.zoom)
        self._axis.zoomed_at.connect(self._on_zoomed)
        self._axis.reset.connect(self.reset_view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self._axis)

    # -- what the window asks for -----------------------------------------------------------

    @property
    def panel_names(self) -> tuple[str, ...]:
        """Return the names of the panels, top first."""
        return tuple(self._panels)

    @property
    def price_leg(self) -> str:
        """Return whose candles show: "y", "x" or "spread"."""
        return self._state.leg

    @property
    def reading(self) -> Reading | None:
        """Return what the crosshair reads, or the newest bar."""
        return self._reading

    def panel(self, name: str) -> Panel:
        """Return a panel by name."""
        return self._panels[name]

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._state.tokens = tokens
        for panel in self._panels.values():
            panel.restyle()
        self._splitter.update()
        self._clock.mark()

    def set_price_leg(self, leg: str) -> None:
        """Show the candles of "y", of "x" or of the "spread"."""
        if leg not in ("y", "x", SPREAD):
            raise ValueError(f"no leg {leg!r}")
        if leg != self._state.leg:
            self._state.leg = leg
            self._panels["price"].stale = self._panels["price"].auto = True
            self._panels["price"].restyle()
            if self._state.ruler is not None and self._state.ruler.panel == "price":
                self._measuring.remove()
            self._clock.mark()
            self.leg_changed.emit(leg)

    def follow_spread(self, model: SpreadBarsModel) -> None:
        """Take the candles of the spread from a model."""
        self._spread = synthetic.SpreadIntake(model, self._state)
        model.changed.connect(self._clock.mark)

    def set_spread_candles(self, candles: bool) -> None:
        """Draw the spread as candles, or as a line."""
        self._state.spread_candles = candles
        self._clock.mark()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._state.chosen_zone = zone
        self._axis.setAccessibleName(self.tr("Time axis ({zone})").format(zone=zone.title))
        self._clock.mark()

    def set_scale(self, scale: PriceScale) -> None:
        """Show prices on another scale."""
        self._state.scale = scale
        self._clock.mark()

    def set_both_legs(self, shown: bool) -> None:
        """Draw the other leg over the candles, both indexed."""
        self._state.both_legs = shown
        self._panels["price"].stale = self._panels["price"].auto = True
        self._clock.mark()

    def alert_level(self, level: float, drawn: Sequence[float] | None = None) -> None:
        """Take z for far out beyond ±level; draw these levels of z, or ±level."""
        self._state.set_level(abs(level), drawn)
        self._clock.mark()

    def set_marks(self, marks: Sequence[RuleMark]) -> None:
        """Mark the bars at which rules fired, and at which that was over."""
        self._state.marks = tuple(marks)
        for panel in self._panels.values():
            panel.stale = True
        self._clock.mark()

    @Slot()
    def go_latest(self) -> None:
        """Show the newest bar, and follow it."""
        self._state.view.latest()
        self._clock.mark()

    @Slot()
    def reset_view(self) -> None:
        """Show the first view again: zoom, place and every scale."""
        self._state.view.reset()
        for panel in self._panels.values():
            panel.auto = True
        self._clock.mark()

    @Slot(float)
    def zoom(self, factor: float) -> None:
        """Make bars wider by a factor; the newest bar keeps its place if it is in view."""
        self._state.view.zoom(factor)
        self._clock.mark()

    @Slot(float)
    def pan(self, bars: float) -> None:
        """Move by bars, towards the newest if positive."""
        self._state.view.pan(bars)
        self._clock.mark()

    def show_time(self, ms: int) -> None:
        """Bring the bar at a time to the middle and let it flash."""
        self._pull()
        if not len(self._state.line):
            self._intake.sought = ms  # another pair or interval is on its way
            return
        self._state.view.centre(row := max(0, self._state.line.row_at_or_before(ms)))
        self._flash.start(row)
        self._clock.mark()

    def visible_range(self) -> tuple[int, int] | None:
        """Return the first and last visible bar's open time (ms), None without bars."""
        self._pull()
        return self._state.visible_times()

    @Slot()
    def measure(self) -> None:
        """Start a measurement at the crosshair or the newest bar; end the one that is open; remove one that ended."""
        self._pull()
        self._measuring.toggle()
        self.setFocus()
        self._clock.mark()

    @Slot()
    def explain_bar(self) -> None:
        """Ask about the bar under the crosshair, else the newest visible one that lacks trades, else the newest."""
        self._pull()
        self._explain(row_to_explain(self._state))

    def _explain(self, row: int) -> None:
        if 0 <= row < len(self._state.line.times):
            leg = "y" if self._state.leg == SPREAD else self._state.leg
            self.why_wanted.emit(leg, int(self._state.line.at(row)))

    def set_panel_visible(self, name: str, visible: bool) -> None:
        """Show or hide a panel."""
        self._panels[name].setVisible(visible)
        self._clock.mark()

    def is_panel_visible(self, name: str) -> bool:
        """Tell whether a panel is shown."""
        return not self._panels[name].isHidden()

    def save_state(self) -> dict[str, object]:
        """Return sizes, visible panels and leg as plain values."""
        return kept.plain_of(self, self._splitter)

    def restore_state(self, saved: Mapping[str, object]) -> None:
        """Take what save_state returned; what is not understood is passed over."""
        kept.restore(saved, self, self._splitter)

    def grab_picture(self) -> QImage:
        """Return the charts as they are, without crosshair, at the screen's pixel ratio."""
        put_back, self.drawing.bare = self._pointing.take_away(), True
        self._refresh()
        image = self.grab().toImage()
        put_back()
        self.drawing.bare = False
        self._clock.mark()
        return image

    # -- frames -----------------------------------------------------------------------------

    @Slot()
    def _on_tick(self) -> None:
        if self.isVisible() and not self.window().isMinimized():
            self._refresh(newest_only=self._clock.newest_only)

    def _refresh(self, *, newest_only: bool = False) -> None:
        self._pull()
        shown = [panel for panel in self._panels.values() if not panel.isHidden()]
        for panel in shown:
            panel.anew = panel.anew or panel.stale or not newest_only
            if panel.stale:
                panel.stale = False
                panel.load()
            panel.load_tail()
        self._pointing.to_row(self._axis.plot_width)
        self._tick_and_draw(shown)
        need = max([panel.axis_need() for panel in shown] + [self._axis.axis_need()])
        # One margin for all; it shrinks only by much, or it would tremble with every digit.
        width = self._axis.width() - self._axis.plot_width
        if need > width or need < width - 24:
            for panel in self._panels.values():
                panel.set_axis_width(max(56.0, need))
            self._axis.set_axis_width(max(56.0, need))
            self._tick_and_draw(shown)
        self._state.flash_row = self._flash.lit
        self._countdown.look()
        self._axis.update()
        self._read()

    def _pull(self) -> None:
        changed, moved_on = self._intake.pull()
        if self._spread is not None:
            others = self._spread.pull(panel_shown=not self._panels["spread"].isHidden())
            for name in ("price", "spread") if others else ():
                self._panels[name].stale = True
        for panel in self._panels.values():
            panel.stale = panel.stale or changed
            panel.auto = panel.auto or moved_on
        if moved_on:
            self._measuring.remove()

    def _tick_and_draw(self, shown: Sequence[Panel]) -> None:
        self._state.label_times(self._axis.plot_width)
        for panel in shown:
            panel.refresh()

    # -- what the panels tell ---------------------------------------------------------------

    @Slot()
    def _on_second(self) -> None:
        if self.isVisible() and not self.window().isMinimized():
            self._panels["price"].repaint_axis()
        else:
            self._countdown.stop()

    def _read(self) -> None:
        reading = read(self._state, self._panels)
        if repr(reading) != repr(self._reading):
            self._reading = reading
            self.reading_changed.emit(reading)

    @Slot(float, float)
    def _on_zoomed(self, factor: float, row: float) -> None:
        self._state.view.zoom(factor, row)
        self._clock.mark()

    @Slot(str)
    def _on_linked(self, link: str) -> None:
        if link == "latest":
            self.go_latest()
        elif link.startswith("leg:"):
            self.set_price_leg(link[4:])
        elif link.startswith("why:"):
            self._explain(int(link[4:]))

    # -- events -----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by bar, page or to an end; zoom; move a drawing or the end of a ruler, or take it away."""
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Qt.Key.Key_Escape and any(panel.let_go() for panel in self._panels.values()):
            event.accept()
            return
        if not (self.drawing.key(key, control=control) or self._measuring.key(key, control=control)):
            act = act_of(key, self._state.view, control=control)
            if act is None:
                super().keyPressEvent(event)
                return
            act()
        self._clock.mark()
        event.accept()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was missed while hidden."""
        super().showEvent(event)
        self._state.latency.forget()  # nobody could see what came meanwhile
        self._clock.mark()

    def changeEvent(self, event: QEvent) -> None:
        """Take another font of the program."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self._clock.mark()  # a window that was minimised drew nothing meanwhile
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_state"):
            self._state.set_font(self.font())
            self._clock.mark()

    def pointer_at(self) -> QPointF | None:
        """Return where the crosshair stands in its panel, None when it is away."""
        return self._pointing.at
