"""Word the kinds of z for menus, titles and tips."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.zscore import ZKind

translate = QCoreApplication.translate

#: What no reader may overlook, in the same letters on chart, box and export.
LOOK_AHEAD = "LOOK-AHEAD"


def kind_name(kind: ZKind) -> str:
    """Return the name of a kind."""
    return {
        ZKind.WALK_FORWARD: translate("z", "walk-forward"),
        ZKind.REGRESSION: translate("z", "regression"),
        ZKind.ROLLING: translate("z", "rolling"),
        ZKind.EXPANDING: translate("z", "expanding"),
        ZKind.EWM: translate("z", "exponential"),
        ZKind.FULL_SAMPLE: translate("z", "full sample"),
    }[kind]


def kind_title(kind: ZKind, window: int) -> str:
    """Return a kind and what it looks at, short: walk-forward 60."""
    if kind is ZKind.FULL_SAMPLE:
        return kind_name(kind)
    words = {
        ZKind.EXPANDING: translate("z", "expanding from {bars}"),
        ZKind.EWM: translate("z", "exponential, half-life {bars}"),
    }
    return words.get(kind, "{name} {bars}").format(name=kind_name(kind), bars=window)


def kind_tip(kind: ZKind, window: int) -> str:
    """Return in one sentence what a kind judges a bar by."""
    return {
        ZKind.WALK_FORWARD: translate("z", "Residual of each bar from the regression of the {bars} bars before it."),
        ZKind.REGRESSION: translate("z", "Residual from the regression of {bars} bars, the bar itself among them."),
        ZKind.ROLLING: translate("z", "Spread against its mean over {bars} bars, the bar itself among them."),
        ZKind.EXPANDING: translate("z", "Spread against its mean over all bars so far, from the {bars}th on."),
        ZKind.EWM: translate("z", "Spread against its mean under weights that halve every {bars} bars."),
        ZKind.FULL_SAMPLE: translate(
            "z", "LOOK-AHEAD: line, mean and deviation are of all bars, later ones too. For judging the past only."
        ),
    }[kind].format(bars=window)
