from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.alerts.metric import Metric, MetricSample, samples_of


def test_every_metric_has_a_label_and_a_unit_and_scores_have_a_mean():
    assert len({metric.label for metric in Metric}) == len(Metric)
    assert all(isinstance(metric.unit, str) for metric in Metric)
    assert {metric for metric in Metric if metric.mean == 0} == {
        Metric.Z, Metric.REGRESSION_Z, Metric.ROLLING_Z, Metric.EXPANDING_Z, Metric.EW_Z
    }  # fmt: skip


def test_a_sample_keeps_its_values_whatever_the_caller_does():
    values = {Metric.Z: 1.0, Metric.BETA: float("inf")}
    sample = MetricSample(1, values)
    values[Metric.Z] = 9.0
    assert sample.value(Metric.Z) == 1.0
    assert np.isnan(sample.value(Metric.BETA)) and np.isnan(sample.value(Metric.SPREAD))


def test_columns_become_samples_bar_by_bar():
    columns = {Metric.Z: np.array([1.0, np.nan]), Metric.BETA: np.array([0.5, 0.6])}
    whole = np.array([True, False])
    found = list(samples_of(np.array([10, 20]), columns, complete=whole, p=0.03))
    assert [(s.time_ms, s.complete, s.window_full, s.p) for s in found] == [
        (10, True, True, 0.03),
        (20, False, True, 0.03),
    ]
    assert found[1].value(Metric.BETA) == 0.6 and np.isnan(found[1].value(Metric.Z))
    assert len(list(samples_of(np.array([1, 2]), {}))) == 2
    with pytest.raises(ValueError, match="length of the times"):
        list(samples_of(np.array([1]), columns))
