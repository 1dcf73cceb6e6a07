from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantdesk.bars.arrays import fold
from quantdesk.config import ConfigError
from quantdesk.model.files import FilesModel
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.store.files import LoadedFile, LoadedLeg, LoadReport, interval_name
from tests.model.conftest import bars_of, walk

DAY = 86_400_000
MONDAY = 1_719_792_000_000  # 2024-07-01 00:00 UTC


def loaded(*names: str, step: int = 60_000, n: int = 120, start: int = MONDAY, adjust: float = 1.0) -> LoadedFile:
    y, x = walk(n)
    times = start + step * np.arange(n)
    legs = tuple(
        LoadedLeg(name, bars_of(times, close), step, 2, 3, close * adjust, "bars")
        for name, close in zip(names, (y, x), strict=False)
    )
    return LoadedFile(legs, LoadReport(Path(f"{names[0]}.csv"), "bars", n))


@pytest.fixture
def files(qapp) -> FilesModel:
    return FilesModel()


def test_one_file_is_a_leg_and_a_second_one_makes_the_pair(files, qtbot):
    with qtbot.waitSignal(files.changed):
        assert files.add(loaded("EWA")) == ()
    assert files.settings(PairSettings()).x == ""
    files.add(loaded("EWC"))
    assert files.legs == ("EWA", "EWC")
    settings = files.settings(PairSettings(window=30))
    assert (settings.y, settings.x, settings.interval, settings.window) == ("EWA", "EWC", "1m", 30)
    files.add(loaded("GLD"))
    assert files.legs == ("GLD",)
    files.clear()
    assert files.legs == () and files.series("GLD", "1m") is None


def test_a_file_with_two_legs_is_the_pair_whatever_was_open(files):
    files.add(loaded("OLD"))
    files.add(loaded("EWA", "EWC"))
    assert files.legs == ("EWA", "EWC")


def test_the_same_name_twice_stays_two_legs(files):
    files.add(loaded("EWA"))
    files.add(loaded("EWA"))
    assert files.legs == ("EWA", "EWA (2)")


def test_finer_bars_are_folded_to_the_coarser_file_and_the_user_is_told(files):
    fine = loaded("FINE", n=600, adjust=0.5)
    files.add(fine)
    notes = files.add(loaded("COARSE", step=300_000))
    assert notes == ("FINE was folded from 1m to 5m bars, the interval of COARSE",)
    assert files.interval == "5m"
    wanted = fold(fine.legs[0].bars, 300_000, 2, 3)
    np.testing.assert_array_equal(files.series("FINE", "5m").arrays().close, wanted.close)
    np.testing.assert_array_equal(files.statistic_closes("FINE", "5m"), wanted.close * 0.5)


def test_weeks_that_open_on_mondays_fold_days_to_mondays(files):
    files.add(loaded("WEEKS", step=7 * DAY, n=10))
    files.add(loaded("DAYS", step=DAY, n=70))
    assert files.interval == "1w"
    assert files.series("DAYS", "1w").times().tolist() == files.series("WEEKS", "1w").times().tolist()


def test_intervals_that_do_not_fit_are_said_in_words(files):
    files.add(loaded("A", step=7 * 60_000))
    (note,) = files.add(loaded("B", step=300_000))
    assert "cannot be compared" in note and "5m" in note and "7m" in note
    assert files.interval == "7m" and files.series("B", "7m") is None


def test_a_file_can_be_seen_at_longer_intervals(files):
    files.add(loaded("A"))
    assert files.intervals("A") == ("1m", "5m", "15m", "1h", "4h", "1d")
    assert len(files.series("A", "5m")) == 24
    assert files.series("A", "1s") is None
    assert files.instrument("A").price_decimals == 2


def test_an_opened_pair_is_evaluated(files, jobs, until):
    files.add(loaded("EWA", "EWC", adjust=0.5))
    pair = PairModel(jobs)
    pair.set_source(files, files.settings(PairSettings(window=20)))
    until(lambda: pair.frame is not None)
    assert len(pair.frame) == 120 and pair.frame.formation == (MONDAY, MONDAY + 39 * 60_000)
    assert pair.frame.last.spread == pytest.approx(
        0.5 * pair.frame.last.close_y - 0.5 * pair.frame.beta * pair.frame.last.close_x
    )


@pytest.mark.parametrize("ms", [1, 1_000, 90_000, 60_000, 300_000, 3_600_000, DAY, 7 * DAY])
def test_interval_names_read_back(ms):
    assert interval_ms_of(interval_name(ms)) == ms


@pytest.mark.parametrize("name", ["", "m", "0m", "1x", "-1m", "1 m", "m1"])
def test_a_name_that_is_no_interval_is_refused(name):
    with pytest.raises(ConfigError):
        interval_ms_of(name)


def test_settings_of_an_empty_model_are_empty(files):
    assert files.settings(replace(PairSettings(), y="A")).y == ""
