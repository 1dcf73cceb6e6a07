"""The frozen hedge line is tested with its beta given, on bars that it was not fitted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.evidence import FEWEST_TEST_BARS
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.analytics.stationarity import adf
from quantdesk.model.frame import PairSettings, Refit
from quantdesk.model.frozen_line import test_frozen as tests_of
from quantdesk.model.pair import PairModel
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, Source, walk

Y, X = walk(500)
TIMES = START + MINUTE * np.arange(500)
LINE = Refit(int(TIMES[100]), 100.0, 2.0, 0.0, 3.0, int(TIMES[0]), int(TIMES[99]), 100)


def test_only_the_bars_after_the_window_are_tested_and_beta_is_the_given_one():
    found = tests_of(PairSnapshot(TIMES, Y, TIMES, X), LINE)
    assert found is not None and found.evidence is not None
    assert found.bars == found.evidence.observations == 400
    assert found.evidence.start == TIMES[100] and found.evidence.beta_given and found.evidence.beta == 2.0
    expected = adf(Y[100:] - 2.0 * X[100:])
    assert found.evidence.adf.statistic == pytest.approx(expected.statistic)
    assert not found.evidence.adf.fitted_beta
    assert found.evidence.kpss.critical_5 == pytest.approx(0.463)


def test_bars_that_one_leg_lacks_are_not_counted_and_too_few_bars_make_no_test():
    snapshot = PairSnapshot(TIMES[:110], Y[:110], np.delete(TIMES[:115], 105), np.delete(X[:115], 105))
    found = tests_of(snapshot, LINE)
    assert found is not None and found.bars == 9 < FEWEST_TEST_BARS and found.evidence is None


def test_without_a_line_there_is_nothing_to_test():
    assert tests_of(PairSnapshot(TIMES, Y, TIMES, X), None) is None


@pytest.fixture
def filed(jobs, until):
    source = Source(Origin.FILE)
    source.put("A", TIMES, Y, quiet=True)
    source.put("B", TIMES, X, quiet=True)
    pair = PairModel(jobs)
    pair.set_source(source, PairSettings("A", "B", window=20, correlation_window=20, formation_bars=40))
    until(lambda: pair.frozen is not None)
    return pair


def test_a_pair_tests_its_line_beside_the_sample(filed):
    fit = filed.frame.fit
    assert filed.frozen.method == "OLS"
    assert filed.frozen.line == fit and filed.frozen.evidence.start == fit.time
    assert filed.evidence.observations == 500 and filed.frozen.bars == 500 - fit.n
    assert not filed.evidence.beta_given


def test_a_refit_takes_its_own_tests_at_once(filed, until):
    filed.refit()
    until(lambda: filed.frozen.line != filed.frame.first_fit)
    assert filed.frozen.line == filed.frame.fit == filed.frame.refits[-1]
    assert filed.frozen.bars == 0 and filed.frozen.evidence is None


def test_another_pair_starts_without_the_old_ones_tests(filed):
    filed.set_settings(replace(filed.settings, log=True))
    assert filed.frozen is None and filed.evidence is None
