"""Say in words what a rule waits for, what an alert has seen, and what became of it."""

from __future__ import annotations

from math import isfinite

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.alerts.machine import Kind
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import Ended, Outcome, RuleRecord
from quantdesk.analytics.alerts.rule import Comparison, Rule


def _tr(text: str) -> str:
    return QCoreApplication.translate("rules", text)


def metric_name(metric: Metric) -> str:
    """Return a metric's name for people."""
    names = {
        Metric.Z: _tr("z (walk-forward)"),
        Metric.REGRESSION_Z: _tr("regression z, the bar included"),
        Metric.ROLLING_Z: _tr("rolling z of the spread"),
        Metric.EXPANDING_Z: _tr("expanding z of the spread"),
        Metric.EW_Z: _tr("exponentially weighted z of the spread"),
        Metric.SPREAD: _tr("spread"),
        Metric.RATIO: _tr("ratio of the prices, Y / X"),
        Metric.BETA: _tr("hedge ratio β"),
        Metric.CORRELATION: _tr("rolling correlation"),
        Metric.HY_CORRELATION: _tr("Hayashi-Yoshida correlation"),
        Metric.HALF_LIFE: _tr("half-life in bars"),
        Metric.COINTEGRATION_P: _tr("cointegration p"),
        Metric.PRICE_Y: _tr("price of Y"),
        Metric.PRICE_X: _tr("price of X"),
        Metric.LEAD_LAG: _tr("lead of Y over X in ms"),
        Metric.VOLUME_Y: _tr("volume of Y"),
        Metric.VOLUME_X: _tr("volume of X"),
    }
    return names[metric]


def metric_sign(metric: Metric) -> str:
    """Return the short name that stands before a value."""
    signs = {
        Metric.Z: "z",
        Metric.REGRESSION_Z: _tr("regr. z"),
        Metric.ROLLING_Z: _tr("rolling z"),
        Metric.EXPANDING_Z: _tr("exp. z"),
        Metric.EW_Z: _tr("EW z"),
        Metric.SPREAD: _tr("spread"),
        Metric.RATIO: _tr("Y / X"),
        Metric.BETA: "β",
        Metric.CORRELATION: _tr("corr."),
        Metric.HY_CORRELATION: _tr("HY corr."),
        Metric.HALF_LIFE: _tr("half-life"),
        Metric.COINTEGRATION_P: "p",
        Metric.PRICE_Y: "Y",
        Metric.PRICE_X: "X",
        Metric.LEAD_LAG: _tr("lead"),
        Metric.VOLUME_Y: _tr("vol. Y"),
        Metric.VOLUME_X: _tr("vol. X"),
    }
    return signs[metric]


def is_z(metric: Metric) -> bool:
    """Return whether a metric belongs on the chart of z."""
    return metric.mean is not None


def level_number(value: float) -> str:
    """Return a level with at least one decimal, as typography writes it: 2.0, 2.25, −0.5."""
    text = f"{value:,.10g}"
    text = text if "." in text or "e" in text or "n" in text else f"{text}.0"
    return text.replace("-", "−")


def value_number(metric: Metric, value: float) -> str:
    """Return a value with the digits that mean something."""
    if not isfinite(value):
        return "–"
    if is_z(metric):
        text = f"{value:+.2f}"
    elif metric in (Metric.CORRELATION, Metric.HY_CORRELATION):
        text = f"{value:+.3f}"
    elif metric is Metric.COINTEGRATION_P:
        text = f"{value:.3f}"
    elif metric is Metric.HALF_LIFE:
        text = f"{value:.1f}"
    else:
        text = f"{value:,.6g}"
    return text.replace("-", "−")


def value_text(metric: Metric, value: float) -> str:
    """Return a value with what it is of: "z +2.13"."""
    return f"{metric_sign(metric)} {value_number(metric, value)}"


def level_text(rule: Rule) -> str:
    """Return the enter level with what it is compared to: "|z| ≥ 2.0"."""
    sign, level = metric_sign(rule.metric), level_number(rule.enter)
    forms = {
        Comparison.BEYOND: "|{0}| ≥ {1}",
        Comparison.AT_LEAST: "{0} ≥ {1}",
        Comparison.AT_MOST: "{0} ≤ {1}",
        Comparison.CROSSES_UP: _tr("{0} crosses above {1}"),
        Comparison.CROSSES_DOWN: _tr("{0} crosses below {1}"),
    }
    return forms[rule.comparison].format(sign, level)


def comparison_name(comparison: Comparison) -> str:
    """Return a comparison for a list to choose from."""
    names = {
        Comparison.BEYOND: _tr("|value| is at least"),
        Comparison.AT_LEAST: _tr("value is at least"),
        Comparison.AT_MOST: _tr("value is at most"),
        Comparison.CROSSES_UP: _tr("value crosses above"),
        Comparison.CROSSES_DOWN: _tr("value crosses below"),
    }
    return names[comparison]


def event_words(rule: Rule, value: float, kind: Kind) -> str:
    """Return in short what happened: "crossed +2.0"."""
    if kind is Kind.AT_START:
        return _tr("beyond at start")
    if rule.comparison is Comparison.BEYOND:
        level = level_number(rule.enter)
        return _tr("crossed {0}").format(f"+{level}" if value > 0 else f"−{level}")
    return level_text(rule) if rule.comparison.is_crossing else _tr("reached {0}").format(level_number(rule.enter))


def waits_for(rule: Rule) -> str:
    """Return what makes a row, as the end of a sentence: "|z| crosses 2.0"."""
    if rule.comparison is Comparison.BEYOND:
        return _tr("|{0}| crosses {1}").format(metric_sign(rule.metric), level_number(rule.enter))
    return level_text(rule)


def condition_text(rule: Rule) -> str:
    """Return the whole condition: level, re-arming, end, dwell, cooldown and gates."""
    down = rule.comparison.sign < 0
    parts = [level_text(rule)]
    if rule.dwell_bars > 1:
        parts.append(_tr("for {0} bars").format(rule.dwell_bars))
    if rule.dwell_seconds:
        parts.append(_tr("for {0} s").format(f"{rule.dwell_seconds:g}"))
    if rule.gates.p_below is not None:
        parts.append(_tr("while cointegration p < {0}").format(f"{rule.gates.p_below:g}"))
    if rule.gates.max_age_seconds is not None:
        parts.append(_tr("with prices at most {0} s old").format(f"{rule.gates.max_age_seconds:g}"))
    armed = _tr("armed again above {0}") if down else _tr("armed again below {0}")
    parts.append(armed.format(level_number(rule.rearm)))
    if rule.exit is not None:
        parts.append(_tr("reverted at {0}").format(level_number(rule.exit)))
    if rule.stop is not None:
        parts.append(_tr("stopped at {0}").format(level_number(rule.stop)))
    if rule.cooldown_seconds:
        parts.append(_tr("at most every {0} s").format(f"{rule.cooldown_seconds:g}"))
    if not rule.gates.complete:
        parts.append(_tr("also on bars that lack trades"))
    if not rule.gates.window_full:
        parts.append(_tr("also on windows that are not full"))
    return ", ".join(parts)


def outcome_text(outcome: Outcome | None, kind: Kind = Kind.CROSS) -> str:
    """Return what became of an alert, in short."""
    if kind is Kind.AT_START or outcome is None:
        return "–"
    forms = {
        Ended.OPEN: _tr("open, {0} bars"),
        Ended.REVERTED: _tr("reverted in {0} bars"),
        Ended.STOPPED: _tr("stopped after {0} bars"),
        Ended.EXPIRED: _tr("not reverted in {0} bars"),
    }
    text = forms[outcome.ended].format(f"{outcome.bars:,}")
    if outcome.bars == 1:
        text = text.replace(_tr("1 bars"), _tr("1 bar"))
    return _tr("open") if outcome.ended is Ended.OPEN and not outcome.bars else text


def record_texts(rule: Rule, record: RuleRecord) -> tuple[str, str, str, str]:
    """Return fired, reverted, median time to the mean, and worst excursion; a dash where there is nothing to say."""
    share = "–" if record.share_reverted is None else f"{record.share_reverted:.0%}"
    bars = "–" if record.median_bars is None else _tr("{0} bars").format(f"{record.median_bars:g}")
    worst = "–" if record.worst is None else value_number(rule.metric, record.worst).lstrip("+")
    return f"{record.firings:,}", share, bars, worst


def duration_text(ms: float) -> str:
    """Return a span of time in its largest fitting unit."""
    seconds = ms / 1_000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
