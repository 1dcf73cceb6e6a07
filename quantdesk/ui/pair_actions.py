"""List the actions of the Pair menu: words, keys and icons."""

from __future__ import annotations

from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.action_spec import ActionSpec, translate


def interval_titles() -> dict[str, str]:
    """Return the words for every interval of a market, shortest first, with the mnemonic of menus."""
    return {
        "1s": translate("actions", "1 &second"),
        "5s": translate("actions", "5 se&conds"),
        "15s": translate("actions", "15 sec&onds"),
        "1m": translate("actions", "1 &minute"),
        "5m": translate("actions", "5 mi&nutes"),
        "15m": translate("actions", "15 min&utes"),
        "1h": translate("actions", "1 &hour"),
        "4h": translate("actions", "4 hou&rs"),
        "1d": translate("actions", "1 &day (UTC)"),
    }


def _interval_actions() -> tuple[ActionSpec, ...]:
    return tuple(
        ActionSpec(
            f"pair.{name}",
            title,
            keys=str(number),
            tip=translate("actions", "Bars of {0}").format(title.replace("&", "")),
            checkable=True,
            one_of="interval",
        )
        for number, (name, title) in enumerate(interval_titles().items(), 1)
    )


def _pair_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "pair.interval",
            translate("actions", "&Type an interval…"),
            keys=",",
            tip=translate("actions", "Type 15m or 4h; over the charts digits alone are enough"),
        ),
        ActionSpec(
            "pair.symbol",
            translate("actions", "&Find a symbol…"),
            keys="/",
            tip=translate("actions", "Show another symbol; over the charts its first letter is enough"),
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
        ActionSpec(
            "pair.leg_spread",
            translate("actions", "Candles of the sprea&d"),
            keys="Alt+3",
            tip=translate("actions", "Draw the spread as the symbol of the price chart"),
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
    return (*_interval_actions(), *_pair_actions(), *_fit_actions(), *_z_actions())
