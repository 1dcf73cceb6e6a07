"""Keep toolbar and actions in step with the pair that is shown, and turn clicks into settings."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.config import ConfigError
from quantdesk.model.frame import PairSettings
from quantdesk.model.pair import PairModel
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.toolbar import Toolbar


class PairControl(QObject):
    """Change the pair by call, follow it by signal. ``refused(text)`` = the settings made no sense."""

    refused = Signal(str)

    def __init__(self, pair: PairModel, actions: ActionRegistry, toolbar: Toolbar, charts: ChartStack) -> None:
        super().__init__(toolbar)
        self._pair = pair
        self._actions = actions
        self._toolbar = toolbar
        self._charts = charts
        toolbar.y_picked.connect(self.pick_y)
        toolbar.x_picked.connect(self.pick_x)
        toolbar.window_changed.connect(lambda window: self.change(window=window))
        for name in TIMEFRAMES:
            actions[f"pair.{name}"].triggered.connect(lambda _=False, n=name: self.change(interval=n))
        actions["pair.leg_y"].triggered.connect(lambda: charts.set_price_leg("y"))
        actions["pair.leg_x"].triggered.connect(lambda: charts.set_price_leg("x"))
        actions["pair.leg_spread"].triggered.connect(lambda: charts.set_price_leg("spread"))
        for kind in ZKind:
            actions[f"pair.z_{kind}"].triggered.connect(lambda _=False, k=kind: self.change(z_kind=k))
        actions["pair.swap"].triggered.connect(self.swap)
        actions["pair.log"].triggered.connect(lambda on: self.change(log=on))
        actions["pair.refit"].triggered.connect(pair.refit)
        charts.leg_changed.connect(self._on_leg)
        pair.settings_changed.connect(self.refresh)
        pair.changed.connect(self._enable)
        self._on_leg(charts.price_leg)
        self.refresh()

    @property
    def text(self) -> str:
        """Return the pair in words, as titles and alerts name it."""
        return pair_text(self._pair.settings)

    def change(self, **changes: object) -> None:
        """Show the pair with some settings changed."""
        try:
            settings = replace(self._pair.settings, **changes)  # type: ignore[arg-type]  # the callers name real fields
        except ConfigError as error:
            self.refused.emit(str(error))
            self.refresh()
            return
        self.put(settings)

    def put(self, settings: PairSettings) -> None:
        """Show the pair with these settings."""
        if settings != self._pair.settings:
            self._pair.set_settings(settings)

    @Slot(str)
    def pick_y(self, symbol: str) -> None:
        """Choose the dependent leg; the other leg's symbol swaps the two."""
        self.swap() if symbol == self._pair.settings.x else self.change(y=symbol)

    @Slot(str)
    def pick_x(self, symbol: str) -> None:
        """Choose the other leg; the dependent leg's symbol swaps the two."""
        self.swap() if symbol == self._pair.settings.y else self.change(x=symbol)

    @Slot()
    def swap(self) -> None:
        """Exchange the legs."""
        settings = self._pair.settings
        if settings.y and settings.x:
            self.change(y=settings.x, x=settings.y)

    @Slot()
    def refresh(self) -> None:
        """Show what the model holds."""
        source, settings = self._pair.source, self._pair.settings
        symbols = source.symbols() if source is not None else ()
        listed = [*symbols, *(s for s in (settings.y, settings.x) if s and s not in symbols)]
        # A symbol whose first bar has not come yet will have them all.
        intervals = (source.intervals(settings.y) if source is not None and settings.y else ()) or TIMEFRAMES
        self._toolbar.show_pair(listed, settings.y, settings.x, settings.window, intervals, settings.interval)
        self._actions["pair.log"].setChecked(settings.log)
        self._actions[f"pair.z_{settings.z_kind}"].setChecked(True)
        self._actions["pair.swap"].setEnabled(bool(settings.y and settings.x))
        self._enable()

    @Slot()
    def _enable(self) -> None:
        frame = self._pair.frame
        held = frame is not None and len(frame) > 0
        for name in ("file.export_visible", "file.export_all", "pair.refit"):
            if name in self._actions:
                self._actions[name].setEnabled(held)
        if self._pair.settings.hedge.moves:
            self._actions["pair.refit"].setEnabled(False)  # it is fitted anew with every bar

    @Slot(str)
    def _on_leg(self, leg: str) -> None:
        self._actions[f"pair.leg_{leg}"].setChecked(True)


def pair_text(settings: PairSettings) -> str:
    """Return "Y / X", or the one leg there is."""
    return " / ".join(leg for leg in (settings.y, settings.x) if leg)
