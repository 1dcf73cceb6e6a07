from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.analysis import AnalysisOptions, DeskLine, PairInput, analyse, input_of
from quantdesk.analytics.base_rate import base_rate
from quantdesk.analytics.evidence import gather
from quantdesk.analytics.hedge import ols, ols_through_origin, total_least_squares
from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.kalman import kalman_hedge
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.analytics.ticks import collapse
from quantdesk.analytics.zscore import ZKind, z_series

MINUTE = 60_000


@pytest.fixture
def pair(walk_pair) -> PairInput:
    y, x = (leg[:600] for leg in walk_pair)
    return PairInput("Y", "X", "1m", np.arange(600, dtype=np.int64) * MINUTE, y, x, ("y.csv: 600 rows",))


def test_every_number_is_that_of_its_own_function(pair: PairInput) -> None:
    found = analyse(pair, AnalysisOptions(lag=1))
    y, x = pair.closes_y, pair.closes_x
    assert list(found.hedges) == ["ols", "ols_reverse", "ols_no_intercept", "tls", "johansen", "kalman"]
    live = kalman_hedge(y, x, 200).live
    assert live is not None
    fits = (ols(y, x), ols_through_origin(y, x), total_least_squares(y, x), johansen(y, x, 1), live)
    betas = [fit.beta for fit in fits]
    betas.insert(1, 1 / ols(x, y).beta)
    assert [ratio.beta for ratio in found.hedges.values()] == betas
    assert found.evidence.verdict == gather(pair.times, y, x, lag=1).verdict
    assert found.base_rate == base_rate(ZKind.WALK_FORWARD, 60, 2.0, found.z)
    assert found.tick_correlation is None
    assert found.notes == ("y.csv: 600 rows",)


def test_a_snapshot_is_joined_on_time(pair: PairInput) -> None:
    kept = np.delete(np.arange(600), [3, 400])
    snapshot = PairSnapshot(pair.times, pair.closes_y, pair.times[kept], pair.closes_x[kept])
    found = input_of(snapshot, "Y", "X", "1m", ("1 partial bar left out",))
    np.testing.assert_array_equal(found.times, pair.times[kept])
    np.testing.assert_array_equal(found.closes_y, pair.closes_y[kept])
    np.testing.assert_array_equal(found.closes_x, pair.closes_x[kept])
    assert (found.name_y, found.interval, found.notes) == ("Y", "1m", ("1 partial bar left out",))


@pytest.mark.parametrize("kind", list(ZKind))
def test_the_z_is_of_the_kind_chosen(pair: PairInput, kind: ZKind) -> None:
    found = analyse(pair, AnalysisOptions(z_kind=kind, window=50))
    formation = None if kind in (ZKind.WALK_FORWARD, ZKind.REGRESSION, ZKind.FULL_SAMPLE) else 200
    assert found.options.formation == formation
    expected = z_series(kind, pair.closes_y, pair.closes_x, 50, formation=formation)
    np.testing.assert_array_equal(found.z, expected.z)
    assert found.looks_ahead is (kind is ZKind.FULL_SAMPLE)
    assert kind.value in found.z_label
    if formation:
        assert np.isnan(found.scores.beta[:200]).all() and np.isfinite(found.scores.beta[200:]).all()
        assert "β fitted on the first 200 bars" in found.z_label


def test_logs_are_of_the_bars_that_have_one(pair: PairInput) -> None:
    y = pair.closes_y.copy()
    y[[5, 70]] = [-1.0, np.nan]
    found = analyse(replace(pair, closes_y=y), AnalysisOptions(log=True))
    kept = np.delete(np.arange(600), [5, 70])
    np.testing.assert_array_equal(found.times, pair.times[kept])
    np.testing.assert_array_equal(found.y, np.log(y[kept]))
    assert found.unit == "ln prices"
    assert "2 common bars lack a price above zero in both legs and are left out" in found.notes


def test_trades_give_the_correlation_of_ticks(pair: PairInput) -> None:
    legs = [collapse(pair.times + shift, closes) for shift, closes in ((0, pair.closes_y), (7, pair.closes_x))]
    found = analyse(replace(pair, ticks_y=legs[0], ticks_x=legs[1]), AnalysisOptions())
    assert found.tick_correlation is not None
    assert found.tick_correlation.returns_y > 500


def test_what_does_not_exist_stands_in_the_notes(pair: PairInput) -> None:
    flat = analyse(replace(pair, closes_x=np.full(600, 3.0)), AnalysisOptions())
    assert any(note.startswith("hedge ols: x does not vary") for note in flat.notes)
    assert any(note.startswith("z: the window before the last row") for note in flat.notes)
    short = replace(pair, times=pair.times[:30], closes_y=pair.closes_y[:30], closes_x=pair.closes_x[:30])
    assert "z: needs 61 rows" in analyse(short, AnalysisOptions()).notes
    assert "z: needs 241 rows" in analyse(short, AnalysisOptions(z_kind=ZKind.ROLLING)).notes
    empty = replace(short, times=pair.times[:0], closes_y=pair.closes_y[:0], closes_x=pair.closes_x[:0])
    assert len(analyse(empty, AnalysisOptions()).z) == 0


def test_nothing_can_be_written_to_and_the_callers_arrays_stay_theirs(pair: PairInput) -> None:
    y = pair.closes_y.copy()
    given = replace(pair, closes_y=y)
    y[0] = 0.0
    assert given.closes_y[0] != 0.0
    found = analyse(given, AnalysisOptions())
    for array in (found.times, found.closes_y, found.y, found.x, found.z, found.scores.beta):
        assert not array.flags.writeable


@pytest.mark.parametrize(("kind", "fewest"), [(ZKind.WALK_FORWARD, 3), (ZKind.ROLLING, 20), (ZKind.EWM, 1)])
def test_a_window_too_short_for_its_kind_is_refused_in_words(kind: ZKind, fewest: int) -> None:
    AnalysisOptions(z_kind=kind, window=fewest)
    with pytest.raises(ValueError, match=f"at least {fewest}"):
        AnalysisOptions(z_kind=kind, window=fewest - 1)


def test_a_short_half_life_has_the_base_rate_of_its_own(pair: PairInput) -> None:
    found = analyse(pair, AnalysisOptions(z_kind=ZKind.EWM, window=1))
    assert found.base_rate == base_rate(ZKind.EWM, 1, 2.0, found.z)


def test_the_line_of_a_desk_must_be_of_the_bars_that_are_analysed(pair: PairInput) -> None:
    short = np.zeros(3)
    with pytest.raises(ValueError, match="3 bars, not the 600"):
        analyse(pair, AnalysisOptions(), DeskLine("OLS", 1.0, 0.0, short, short.copy()))


def test_legs_of_different_length_are_refused(pair: PairInput) -> None:
    with pytest.raises(ValueError, match="one time and one close"):
        replace(pair, times=pair.times[1:])
