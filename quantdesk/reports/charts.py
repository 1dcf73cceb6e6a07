"""Choose what the report draws of an analysis: legs, spread, z, p over time, and the line's stability."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.analysis import Z_LEVEL, PairAnalysis
from quantdesk.analytics.breaks import CUSUM_BOUND_5
from quantdesk.reports.drawing import Band, Level, Line, Picture, draw, ribbon
from quantdesk.reports.words import figure, text

#: Bounds of p and the class of what lies below them, and how the legend names them.
P_CLASSES = ((0.01, "p1"), (0.05, "p5"), (0.10, "p10"), (2.0, "p100"))
P_NAMES = ("below 0.01", "below 0.05", "below 0.10", "0.10 or more")


def legs_chart(analysis: PairAnalysis) -> str:
    """Return both legs, the first usable close of each at 100."""
    legs = []
    for closes in (analysis.closes_y, analysis.closes_x):
        first = float(closes[0]) if len(closes) else 0.0
        if not first > 0:
            return _section("Legs", [], "", "a leg does not start above zero: there is nothing to index")
        legs.append(100 * closes / first)
    names = (text(analysis.pair.name_y), text(analysis.pair.name_x))
    picture = Picture("both legs, indexed", analysis.times, (Line(legs[1], "x"), Line(legs[0], "y")))
    legend = [("y", names[0]), ("x", names[1])]
    return _section("Legs <small>first bar = 100</small>", legend, draw(picture))


def spread_chart(analysis: PairAnalysis) -> str:
    """Return the whole-sample spread with its mean and two deviations on either side."""
    spread, times = analysis.evidence.spread, analysis.times
    good = spread[np.isfinite(spread)]
    if len(good) < 2:
        return _section("Spread", [], "", "there is no line, so there is no spread")
    mean, deviation = float(good.mean()), float(good.std(ddof=1))
    low, high = np.full(len(times), mean - 2 * deviation), np.full(len(times), mean + 2 * deviation)
    picture = Picture(
        "spread with mean and two deviations",
        times,
        (Line(spread, "spread"),),
        (Band(low, high, "band"),),
        (Level(mean, "mean"),),
    )
    legend = [("spread", "y − βx"), ("band box", f"mean {figure(mean, 5)} ± 2σ, σ = {figure(deviation, 4)}")]
    note = f"β = {figure(analysis.evidence.beta)} fitted on the whole sample: a description, not a signal."
    return _section(f"Spread <small>in {text(analysis.unit)}</small>", legend, draw(picture), note)


def z_chart(analysis: PairAnalysis) -> str:
    """Return the z of the chosen kind, its thresholds, and how often a walk would be beyond them."""
    z = analysis.z
    good = z[np.isfinite(z)]
    title = f"z-score <small>{text(analysis.z_name)}, {analysis.z_window}</small>"
    badge = ' <span class="badge bad">LOOK-AHEAD</span>' if analysis.looks_ahead else ""
    if len(good) == 0:
        reason = next((note for note in analysis.notes if note.startswith("z: ")), "there is no value")
        return _section(title + badge, [], "", text(_capital(reason.removeprefix("z: "))))
    far = max(3.0, 1.25 * float(np.quantile(np.abs(good), 0.999)))
    cut = int((np.abs(good) > far).sum())
    levels = (Level(Z_LEVEL, "level"), Level(-Z_LEVEL, "level"), Level(0.0, "mean"))
    picture = Picture("z-score", analysis.times, (Line(z, "z"),), (), levels, (-far, far))
    legend = [("z", f"z, last {figure(float(z[-1]), 4)}"), ("level", f"±{Z_LEVEL:g}")]
    note = f"{text(_capital(analysis.z_label))}. {text(_capital(analysis.base_rate.label))}"
    note += f". {cut} values beyond ±{far:.1f} are drawn at the edge." if cut else "."
    if analysis.looks_ahead:
        note += " Each value knows the whole sample, also what came after it: no signal can be made of it."
    return _section(title + badge, legend, draw(picture), note)


def p_ribbon(analysis: PairAnalysis) -> str:
    """Return Engle-Granger's p over windows as a strip of colours, each from its window's last bar on."""
    path = analysis.evidence.p_over_time
    title = "Cointegration over time"
    if path is None:
        return _section(title, [], "", text(analysis.evidence.reasons.get("p_over_time", "")))
    held = np.full(len(analysis.times), np.nan)
    for row, p in zip(path.rows.tolist(), path.p_value.tolist(), strict=True):
        held[row : row + path.step] = p
    drawing = ribbon("p of Engle-Granger over time", analysis.times, held, P_CLASSES)
    legend = [(f"{css} box", name) for (_, css), name in zip(P_CLASSES, P_NAMES, strict=True)]
    good = path.p_value[np.isfinite(path.p_value)]
    share = (
        f"Below 0.05 in {100 * float((good < 0.05).mean()):.0f} % of {len(good)} overlapping windows. "
        if len(good)
        else ""
    )
    note = f"{share}{text(path.label)}. Of independent walks some windows show a small p, too."
    return _section(title + " <small>p, y on x</small>", legend, drawing, note)


def stability_charts(analysis: PairAnalysis) -> str:
    """Return the rolling slope with its error and the CUSUM of the residuals."""
    return _beta_chart(analysis) + _cusum_chart(analysis)


def _beta_chart(analysis: PairAnalysis) -> str:
    rolling = analysis.evidence.rolling_beta
    if rolling is None:
        return ""
    lines, bands = (Line(rolling.beta, "x"),), (Band(rolling.lower, rolling.upper, "band"),)
    whole = Level(analysis.evidence.fit.beta, "mean", "")
    picture = Picture("rolling hedge ratio", analysis.times, lines, bands, (whole,), height=190)
    legend = [("x", f"β over {rolling.window} bars"), ("band box", "± 2 standard errors")]
    note = "Dotted: β of the whole sample. The errors take residuals for independent; the true band is wider."
    return _section("Hedge ratio over time", legend, draw(picture), note)


def _cusum_chart(analysis: PairAnalysis) -> str:
    found = analysis.evidence.cusum
    if found is None:
        return ""
    bounds = (Level(CUSUM_BOUND_5, "level", "5 %"), Level(-CUSUM_BOUND_5, "level"), Level(0.0, "mean"))
    picture = Picture("CUSUM of residuals", analysis.times, (Line(found.path, "spread"),), (), bounds, height=190)
    legend = [("spread", f"CUSUM, largest {figure(found.statistic, 3)}"), ("level", "5 % bound ±1.358")]
    return _section("Breaks in the line", legend, draw(picture), text(found.label))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _section(title: str, legend: list[tuple[str, str]], drawing: str, note: str = "") -> str:
    """Return a card: title, legend of (class, HTML), drawing and note, all HTML already."""
    keys = "".join(f'<li><i class="{css}"></i>{name}</li>' for css, name in legend)
    keys = f'<ul class="legend">{keys}</ul>' if keys else ""
    below = f'<p class="note">{note}</p>' if note else ""
    return f"<section><h2>{title}</h2>{keys}{drawing}{below}</section>"
