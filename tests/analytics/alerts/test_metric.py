from __future__ import annotations

import numpy as np

from quantdesk.analytics.alerts.metric import Metric, MetricSample


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
