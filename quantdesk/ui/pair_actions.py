"""List the actions of the Pair menu: words, keys and icons."""

from __future__ import annotations

from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.action_spec import ActionSpec, translate


def _pair_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "pair.1s",
            translate("actions", "&1 second"),
            keys="1",
            tip=translate("actions", "Bars of one second"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.1m",
            translate("actions", "1 &minute"),
            keys="2",
            tip=translate("actions", "Bars of one minute"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.5m",
            translate("actions", "&5 minutes"),
            keys="3",
            tip=translate("actions", "Bars of five minutes"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.leg_y",
            translate("actions", "Candles of &Y"),
            keys="Alt+1",
            tip=translate("actions", "Draw the dependent leg"),
            checkable=True,
            one_of="leg",
        ),
        ActionSpec(
            "pair.leg_x",
            translate("actions", "Candles of &X"),
            keys="Alt+2",
            tip=translate("actions", "Draw the other leg"),
            checkable=True,
            one_of="leg",
        ),
    )


def _fit_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "pair.swap",
            translate("actions", "S&wap legs"),
            keys="Alt+S",
            icon="swap",
            tip=translate("actions", "Exchange Y and X"),
        ),
        ActionSpec(
            "pair.log",
            translate("actions", "&Log prices"),
            keys="Alt+L",
            icon="log",
            tip=translate("actions", "Regress logarithms of the prices"),
            checkable=True,
        ),
        ActionSpec(
            "pair.refit",
            translate("actions", "&Refit"),
            keys="Ctrl+R",
            icon="refit",
            tip=translate("actions", "Fit the hedge ratio anew on the newest bars"),
        ),
        ActionSpec(
            "pair.settings", translate("actions", "Windows and refit &schedule…"), keys="Ctrl+Shift+R", icon="schedule"
        ),
    )


def _z_actions() -> tuple[ActionSpec, ...]:
    names = {
        ZKind.WALK_FORWARD: translate("actions", "&Walk-forward (the signal)"),
        ZKind.REGRESSION: translate("actions", "&Regression, the bar itself included"),
        ZKind.ROLLING: translate("actions", "R&olling"),
        ZKind.EXPANDING: translate("actions", "&Expanding"),
        ZKind.EWM: translate("actions", "E&xponentially weighted"),
        ZKind.FULL_SAMPLE: translate("actions", "&Full sample (looks ahead)"),
    }
    return tuple(ActionSpec(f"pair.z_{kind}", text, checkable=True, one_of="z_kind") for kind, text in names.items())


def pair_actions() -> tuple[ActionSpec, ...]:
    """Return what is done to the pair: interval, legs, fit, kind of z."""
    return (*_pair_actions(), *_fit_actions(), *_z_actions())
