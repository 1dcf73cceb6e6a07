"""Say in words how a hedge ratio is estimated."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod

translate = QCoreApplication.translate


def hedge_name(method: HedgeMethod) -> str:
    """Return the short name of a method."""
    return {
        HedgeMethod.OLS: translate("hedge", "OLS"),
        HedgeMethod.ORIGIN: translate("hedge", "OLS, no intercept"),
        HedgeMethod.REVERSE: translate("hedge", "OLS, x on y"),
        HedgeMethod.TLS: translate("hedge", "TLS"),
        HedgeMethod.JOHANSEN: translate("hedge", "Johansen"),
        HedgeMethod.ROLLING: translate("hedge", "Rolling OLS"),
        HedgeMethod.KALMAN: translate("hedge", "Kalman"),
    }[method]


def hedge_tip(method: HedgeMethod) -> str:
    """Return in a sentence or two what a method does."""
    return {
        HedgeMethod.OLS: translate("hedge", "Least squares of y on x with an intercept: all error is put on y."),
        HedgeMethod.ORIGIN: translate(
            "hedge", "Least squares through the origin: nothing is left where both are zero."
        ),
        HedgeMethod.REVERSE: translate(
            "hedge", "Least squares of x on y, turned round: all error is put on x, so its β is never smaller in size."
        ),
        HedgeMethod.TLS: translate(
            "hedge", "Total least squares: both legs count alike. In prices their scale decides, so use it with logs."
        ),
        HedgeMethod.JOHANSEN: translate("hedge", "The most stationary mix of both legs by Johansen's test, one lag."),
        HedgeMethod.ROLLING: translate(
            "hedge", "Least squares on the last window of bars, anew with every bar: β moves, the spread with it."
        ),
        HedgeMethod.KALMAN: translate(
            "hedge", "β wanders as a random walk and is filtered bar by bar: β moves, the spread with it."
        ),
    }[method]


def fitted_how(settings: PairSettings) -> str:
    """Return how the ratio on screen was found, for a tip."""
    name = hedge_name(settings.hedge)
    if settings.stated_delta is not None:
        name = translate("hedge", "{0}, δ {1} as stated").format(name, f"{settings.stated_delta:g}")
    return translate("hedge", "{0}, moving with every bar").format(name) if settings.hedge.moves else name
