"""Name indicators in full and in a few letters, and say how each is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.indicators import Indicator, IndicatorKind
from quantdesk.config import ConfigError
from quantdesk.ui.charts.inks import INKS

#: The colour that each kind takes first.
_FIRST = {
    IndicatorKind.SMA: "orange",
    IndicatorKind.EMA: "sky",
    IndicatorKind.VWAP_DAY: "purple",
    IndicatorKind.VWAP: "green",
    IndicatorKind.BOLLINGER: "grey",
}


@dataclass(frozen=True, slots=True)
class ShownIndicator:
    """Hold an indicator with its colour, a name of ``INKS``, and whether it is drawn now. Raises ConfigError."""

    indicator: Indicator
    ink: str
    shown: bool = True

    def __post_init__(self) -> None:
        if self.ink not in INKS:
            raise ConfigError(f"there is no colour {self.ink!r}: {', '.join(INKS)} are")


def _tr(text: str) -> str:
    return QCoreApplication.translate("indicators", text)


def kind_title(kind: IndicatorKind) -> str:
    """Return the name of a kind in full."""
    return {
        IndicatorKind.SMA: _tr("Simple average (SMA)"),
        IndicatorKind.EMA: _tr("Exponential average (EMA)"),
        IndicatorKind.VWAP_DAY: _tr("VWAP of the UTC day"),
        IndicatorKind.VWAP: _tr("VWAP of the last bars"),
        IndicatorKind.BOLLINGER: _tr("Bollinger bands"),
    }[kind]


def short_name(indicator: Indicator) -> str:
    """Return what a legend calls an indicator."""
    kind, bars = indicator.kind, indicator.bars
    if kind is IndicatorKind.VWAP_DAY:
        return _tr("VWAP day")
    if kind is IndicatorKind.BOLLINGER:
        return f"BB {bars}, {indicator.deviations:g}σ"
    return {IndicatorKind.SMA: f"SMA {bars}", IndicatorKind.EMA: f"EMA {bars}"}.get(kind, f"VWAP {bars}")


def new_one(kind: IndicatorKind, held: Iterable[ShownIndicator]) -> ShownIndicator:
    """Return an indicator of a kind with a colour that no other has, as long as there are some."""
    used = {one.ink for one in held}
    inks = [_FIRST[kind], *INKS]
    return ShownIndicator(Indicator(kind), next((name for name in inks if name not in used), inks[0]))
