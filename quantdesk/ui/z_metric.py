"""Word the box of the live z: its kind, the level, and how often chance alone passes that level."""

from __future__ import annotations

import math

from quantdesk.analytics.base_rate import BaseRate
from quantdesk.model.frame import PairFrame
from quantdesk.ui.charts.pyramid import newest
from quantdesk.ui.charts.ticks import number
from quantdesk.ui.metric_box import NONE, Metric
from quantdesk.ui.z_words import LOOK_AHEAD, kind_name, kind_tip, translate


def z_title(frame: PairFrame) -> str:
    """Return the box's title: a z that looks ahead says so first."""
    kind = frame.settings.z_kind
    return f"z · {LOOK_AHEAD}" if kind.look_ahead else translate("z", "z {kind}").format(kind=kind_name(kind))


def z_metric(
    frame: PairFrame, value: float, level: float, rate: BaseRate | None, problem: str = "", note: str = ""
) -> Metric:
    """Return the box of a finite z; ``rate`` None says why in ``problem``, or that it is being counted.

    ``note`` goes to the end of the tip.
    """
    kind, window, closed = frame.settings.z_kind, frame.settings.window, frame.last.z
    beyond = abs(value) >= level
    words = (translate("z", "beyond ±{level}") if beyond else translate("z", "within ±{level}")).format(
        level=f"{level:g}"
    )
    full, short, base = _base_rate(level, rate, problem)
    tip = [
        kind_tip(kind, window),
        translate("z", "{z} is {words}; closed {closed}.").format(
            z=number(value, 3), words=words, closed=number(closed, 3)
        ),
        translate("z", "Alerts judge the walk-forward z of closed bars only: {z}.").format(
            z=number(newest(frame.signal_z), 3)
        ),
        base,
    ]
    beside = words if beyond else translate("z", "closed {closed}").format(closed=number(closed, 2))
    if kind.look_ahead:
        beside = kind_name(kind)
    tone = "ahead" if kind.look_ahead else "level" if beyond else ""
    return Metric(z_title(frame), number(value, 2), full, "\n".join(tip) + note, tone, short, beside)


def _base_rate(level: float, rate: BaseRate | None, problem: str) -> tuple[str, str, str]:
    """Return how often the level is passed by chance and here: in full, short, and as a sentence."""
    passed = f"|z| ≥ {level:g}"
    if rate is None:
        reason = problem or translate("z", "is being counted")
        words = translate("z", "How often {level} comes by chance: {reason}.").format(level=passed, reason=reason)
        return f"{passed}: {NONE}", f"{passed}: {NONE}", words
    chance, here = percent(rate.random_walk), percent(rate.history)
    full = translate("z", "{level}: {chance} on a random walk, {here} here")
    short = translate("z", "chance {chance}, here {here}").format(
        chance=percent(rate.random_walk, 0, ""), here=percent(rate.history, 0, "%")
    )
    tip = translate(
        "z",
        "Base rate of {level}: {chance} of the bars of a random walk with this window (simulated, right to about "
        "1 point in 100), {here} of this pair's own {bars} bars that have a z.",
    )
    if rate.history is None:
        tip += " " + translate("z", "{none}: no bar of this pair has a z yet.")
    named = {"level": passed, "chance": chance, "here": here, "bars": f"{rate.bars:,}", "none": NONE}
    return full.format(**named), short, tip.format(**named)


def percent(share: float | None, decimals: int = 1, unit: str = " %") -> str:
    """Write a share in percent, a dash where there is none."""
    return NONE if share is None or not math.isfinite(share) else f"{number(100 * share, decimals)}{unit}"
