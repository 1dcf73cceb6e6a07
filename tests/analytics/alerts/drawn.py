"""Draw rules and samples for the properties of the alerts."""

from __future__ import annotations

from hypothesis import strategies as st

from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.rule import Comparison, Gates, Notice, Rule

START = 1_720_000_000_000
MINUTE = 60_000
NAN = float("nan")


def rule(comparison: Comparison = Comparison.BEYOND, enter: float = 2.0, rearm: float = 1.5, **more) -> Rule:
    return Rule("r1", "my rule", more.pop("metric", Metric.Z), comparison, enter, rearm, **more)


def samples(values: list[float], metric: Metric = Metric.Z, **more) -> list[MetricSample]:
    return [MetricSample(START + MINUTE * row, {metric: value}, **more) for row, value in enumerate(values)]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    comparison = draw(st.sampled_from(Comparison))
    sign = comparison.sign
    levels = sorted(draw(st.lists(st.integers(1, 40), min_size=4, max_size=4, unique=True)))
    exit_, rearm, enter, stop = (level / 10 * (sign or 1) for level in levels)
    return Rule(
        draw(st.text("abcß", min_size=1, max_size=5)),
        draw(st.text("abc {}ß", min_size=1, max_size=5).filter(str.strip)),
        draw(st.sampled_from([Metric.Z, Metric.SPREAD])),
        comparison,
        enter,
        rearm,
        draw(st.one_of(st.none(), st.just(exit_))),
        draw(st.one_of(st.none(), st.just(stop))),
        draw(st.integers(1, 3)),
        draw(st.sampled_from([0.0, 90.0])),
        draw(st.sampled_from([0.0, 200.0])),
        draw(st.booleans()),
        Gates(draw(st.one_of(st.none(), st.just(0.05))), draw(st.booleans()), draw(st.booleans()),
              draw(st.one_of(st.none(), st.just(2.0)))),
        Notice(draw(st.booleans()), draw(st.booleans()), webhook=draw(st.booleans())),
    )  # fmt: skip


@st.composite
def courses(draw: st.DrawFn) -> list[MetricSample]:
    """Draw samples at ascending times with everything that can be missing."""
    at, found = START, []
    for _ in range(draw(st.integers(0, 30))):
        at += MINUTE * draw(st.integers(1, 3))
        value = draw(st.one_of(st.just(NAN), st.floats(-5, 5)))
        values = {Metric.Z: value, Metric.SPREAD: draw(st.floats(-5, 5))}
        rarely = st.sampled_from([True] * 5 + [False])
        ages = (draw(st.sampled_from([None, 100, 1_000, 5_000])) for _ in range(2))
        p = draw(st.sampled_from([None, 0.01, 0.01, 0.2, NAN]))
        found.append(MetricSample(at, values, draw(rarely), draw(rarely), *ages, p))
    return found
