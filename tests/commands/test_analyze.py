import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import coint, kpss
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from quantdesk.analytics.effective_sample import effective_sample
from quantdesk.analytics.hurst import hurst
from quantdesk.cli import main

MINUTE = 60_000
START = 1_700_000_040_000


def _write(path: Path, closes: np.ndarray, first: int = 0, titles: str = "time,close") -> Path:
    rows = [f"{START + (first + i) * MINUTE},{value!r}" for i, value in enumerate(closes.tolist())]
    path.write_text("\n".join([titles, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def closes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = np.round(200 + rng.normal(0, 0.3, 400).cumsum(), 2)
    return np.round(1.5 * x + 10 + rng.normal(0, 0.5, 400), 2), x


@pytest.fixture
def files(tmp_path: Path, closes) -> tuple[str, str]:
    return str(_write(tmp_path / "AAA.csv", closes[0])), str(_write(tmp_path / "BBB.csv", closes[1]))


def _json(capsys, *arguments: str) -> dict:
    assert main(["analyze", *arguments, "--json"]) == 0
    text = capsys.readouterr().out
    assert "NaN" not in text
    assert "Infinity" not in text
    return json.loads(text)


def test_the_numbers_are_those_of_statsmodels(capsys, files, closes) -> None:
    y, x = closes
    found = _json(capsys, *files)
    fit = OLS(y, add_constant(x)).fit()
    spread = y - fit.params[1] * x
    slope = OLS(np.diff(spread), add_constant(spread[:-1])).fit().params[1]
    assert found["sample"] == "whole sample"
    assert found["observations"] == 400
    assert (found["y"], found["x"]) == ("AAA", "BBB")
    ols = found["hedge"]["ols"]
    assert [ols["alpha"], ols["beta"]] == pytest.approx(list(fit.params), rel=1e-9)
    assert [ols["r_squared"], ols["stderr"]] == pytest.approx([fit.rsquared, fit.bse[1]], rel=1e-9)
    assert found["spread"] == pytest.approx(
        {
            "mean": spread.mean(),
            "std": spread.std(ddof=1),
            "last": spread[-1],
            "half_life": -np.log(2) / slope,
            "hurst": hurst(spread).value,
            "effective_sample": effective_sample(spread).size,
        },
        rel=1e-8,
    )
    past = OLS(y[-61:-1], add_constant(x[-61:-1])).fit()
    z = (y[-1] - past.params[0] - past.params[1] * x[-1]) / np.sqrt(past.ssr / 58)
    assert found["z"]["window"] == 60
    assert found["z"]["last"] == pytest.approx(z, rel=1e-8)
    returns = np.corrcoef(np.diff(np.log(y)), np.diff(np.log(x)))[0, 1]
    assert found["correlation"]["returns"] == pytest.approx(returns, rel=1e-10)
    test = found["tests"]["engle_granger"]
    statistic, p_value, critical = coint(y, x, autolag="BIC")
    assert [test["statistic"], test["p_value"]] == pytest.approx([statistic, p_value], rel=1e-6)
    assert list(test["critical_values"].items()) == list(zip(["1%", "5%", "10%"], critical.tolist(), strict=True))
    assert found["tests"]["adf"]["fitted_beta"] is True
    assert set(test["critical_values"]) == set(found["tests"]["adf"]["critical_values"])


def test_a_given_lag_holds_for_both_tests(capsys, files, closes) -> None:
    tests = _json(capsys, *files, "--lag", "3")["tests"]
    assert (tests["engle_granger"]["lags"], tests["adf"]["lags"]) == (3, 3)
    assert tests["engle_granger"]["statistic"] == pytest.approx(coint(*closes, maxlag=3, autolag=None)[0], rel=1e-6)
    tests = _json(capsys, *files, "--autolag", "AIC")["tests"]
    assert tests["engle_granger"]["statistic"] == pytest.approx(coint(*closes, autolag="AIC")[0], rel=1e-6)


def test_logs_hold_for_everything(capsys, files, closes) -> None:
    log_y, log_x = np.log(closes[0]), np.log(closes[1])
    found = _json(capsys, *files, "--log", "--window", "30")
    fit = OLS(log_y, add_constant(log_x)).fit()
    assert found["hedge"]["ols"]["beta"] == pytest.approx(fit.params[1], rel=1e-9)
    assert found["spread"]["last"] == pytest.approx(log_y[-1] - fit.params[1] * log_x[-1], rel=1e-9)
    assert found["log"] is True
    assert found["z"]["window"] == 30


def test_legs_are_joined_on_time(capsys, tmp_path, closes) -> None:
    y, x = closes
    late = _write(tmp_path / "late.csv", x[100:], first=100)
    early = _write(tmp_path / "early.csv", y[:300])
    found = _json(capsys, str(early), str(late))
    assert found["observations"] == 200
    assert found["start_ms"] == START + 100 * MINUTE
    assert found["hedge"]["ols"]["beta"] == pytest.approx(np.polyfit(x[100:300], y[100:300], 1)[0], rel=1e-8)


def test_one_file_with_two_price_columns_is_a_pair(capsys, tmp_path, closes, files) -> None:
    rows = [
        f"{START + i * MINUTE},{a!r},{b!r}" for i, (a, b) in enumerate(zip(*(c.tolist() for c in closes), strict=True))
    ]
    both = tmp_path / "both.csv"
    both.write_text("\n".join(["time,EWA,EWC", *rows]), encoding="utf-8")
    found = _json(capsys, str(both))
    assert (found["y"], found["x"]) == ("EWA", "EWC")
    assert found["hedge"] == _json(capsys, *files)["hedge"]
    assert main(["analyze", str(both), files[0]]) == 2
    assert "holds a pair of its own" in capsys.readouterr().err


def test_every_hedge_ratio_and_test_is_statsmodels_or_the_formula(capsys, files, closes) -> None:
    y, x = closes
    found = _json(capsys, *files, "--lag", "2")
    hedge, tests = found["hedge"], found["tests"]
    assert list(hedge) == ["ols", "ols_no_intercept", "tls", "johansen", "kalman"]
    assert all(isinstance(method["beta"], float) for method in hedge.values())
    assert hedge["ols"]["beta_reverse"] == pytest.approx(1 / np.polyfit(y, x, 1)[0], rel=1e-9)
    assert "y on x" in hedge["ols"]["label"] and all(method["label"] for method in hedge.values())
    assert hedge["ols_no_intercept"]["beta"] == pytest.approx((x @ y) / (x @ x), rel=1e-12)
    direction = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]), full_matrices=False)[2][0]
    assert hedge["tls"]["beta"] == pytest.approx(direction[1] / direction[0], rel=1e-9)
    oracle = coint_johansen(np.column_stack([y, x]), 0, 2)
    assert hedge["johansen"]["beta"] == pytest.approx(-oracle.evec[1, 0] / oracle.evec[0, 0], rel=1e-6)
    johansen = tests["johansen"]
    assert johansen["trace"] == pytest.approx(oracle.lr1.tolist(), rel=1e-6)
    assert johansen["max_eigen"] == pytest.approx(oracle.lr2.tolist(), rel=1e-6)
    assert johansen["eigenvalues"] == pytest.approx(oracle.eig.tolist(), rel=1e-6)
    assert johansen["critical_values_trace"] == oracle.cvt.tolist()
    assert johansen["critical_values_max_eigen"] == oracle.cvm.tolist()
    assert (johansen["det_order"], johansen["k_ar_diff"]) == (0, 2)
    reverse = coint(x, y, maxlag=2, autolag=None)
    assert tests["engle_granger_reverse"]["statistic"] == pytest.approx(reverse[0], rel=1e-6)
    smaller = min(tests[name]["p_value"] for name in ("engle_granger", "engle_granger_reverse"))
    assert tests["engle_granger_combined"]["p_value"] == min(1.0, 2 * smaller)
    spread = y - hedge["ols"]["beta"] * x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that p is clipped, and how 0.15 answers
        statistic = kpss(spread, regression="c", nlags=tests["kpss"]["lags"])[0]
    assert tests["kpss"]["statistic"] == pytest.approx(statistic, rel=1e-6)
    assert 0.01 <= tests["kpss"]["p_value"] <= 0.10
    assert found["verdict"]["headline"] == "The tests agree: the legs are cointegrated (5 %)"
    assert _json(capsys, *files)["tests"]["johansen"]["k_ar_diff"] == 1


def test_a_stated_delta_makes_the_kalman_ratio_slow_or_quick(capsys, files) -> None:
    slow, quick = (_json(capsys, *files, "--kalman-delta", delta)["hedge"]["kalman"] for delta in ("1e-9", "0.5"))
    assert (slow["delta"], quick["delta"]) == pytest.approx((1e-9, 0.5))
    assert "as given" in slow["label"]
    assert quick["beta_deviation"] > 10 * slow["beta_deviation"]


@pytest.mark.parametrize("delta", ["0", "1", "-0.1", "nan"])
def test_a_delta_that_is_none_is_wrong_use(capsys, files, delta: str) -> None:
    assert main(["analyze", *files, f"--kalman-delta={delta}"]) == 2
    assert "--kalman-delta takes a number above 0 and below 1" in capsys.readouterr().err


def test_what_does_not_exist_is_null(capsys, tmp_path, closes, files) -> None:
    flat = _write(tmp_path / "flat.csv", np.full(400, 7.0))
    found = _json(capsys, files[0], str(flat))
    ols = found["hedge"]["ols"]
    assert {name: ols[name] for name in ols if ols[name]} == {}
    assert {"alpha", "beta", "beta_reverse", "r_squared", "stderr"} < set(ols)
    assert found["z"]["last"] is None
    assert found["correlation"]["returns"] is None
    assert all(not test for test in found["tests"].values())
    assert [method["beta"] for method in found["hedge"].values() if method["beta"] is not None] == [
        found["hedge"]["ols_no_intercept"]["beta"]
    ]
    assert found["verdict"]["agreement"] == "undecided"
    assert any("does not vary" in note for note in found["notes"])
    same = _json(capsys, files[0], files[0])
    assert same["hedge"]["ols"]["beta"] == 1.0
    assert same["tests"]["engle_granger"] is None
    short = _write(tmp_path / "short.csv", closes[1][:4])
    found = _json(capsys, files[0], str(short))
    assert found["observations"] == 4
    assert found["z"]["last"] is None
    assert main(["analyze", files[0], str(flat)]) == 0


def test_the_table_shows_the_same_numbers_and_the_caution(capsys, files) -> None:
    assert main(["analyze", *files]) == 0
    text = capsys.readouterr().out
    assert "AAA on BBB, prices, 1m, 2023-11-14" in text
    assert "Engle-Granger (MacKinnon), y on x, constant, n=400, lag" in text
    assert "p of the ADF is too small" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--window", "2"], "--window must be at least 3"),
        (["--lag", "-1"], "--lag must not be negative"),
        (["--lag", "1", "--autolag", "AIC"], "not allowed with"),
        (["--autolag", "HQ"], "invalid choice"),
    ],
)
def test_wrong_use_is_exit_2(capsys, files, arguments: list[str], words: str) -> None:
    assert main(["analyze", *files, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_failures_are_one_line_and_exit_1(capsys, tmp_path, closes, files) -> None:
    later = _write(tmp_path / "later.csv", closes[1], first=1_000)
    few = _write(tmp_path / "few.csv", closes[1][:2])
    below = _write(tmp_path / "below.csv", closes[1] - 200)
    broken = tmp_path / "broken.csv"
    broken.write_text("time,close\n1700000040000,1.5\nx,2\n1700000160000,1.6\n", encoding="utf-8")
    cases = [
        ([str(later)], "no time in common"),
        ([str(few)], "at least 3"),
        ([str(below), "--log"], "no price above zero"),
        ([str(tmp_path / "none.csv")], "none.csv"),
        ([str(broken)], "broken.csv"),
    ]
    for arguments, words in cases:
        assert main(["analyze", files[0], *arguments]) == 1, arguments
        error = capsys.readouterr().err
        assert words in error
        assert error.strip().count("\n") == 0
    assert main(["analyze", files[0]]) == 2


def test_the_program_itself_prints_json_and_no_warning(files) -> None:
    command = [sys.executable, "-W", "error", "-m", "quantdesk", "analyze", *files, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["observations"] == 400


def test_a_failure_is_one_line_also_where_rows_were_skipped(capsys, tmp_path: Path) -> None:
    path = tmp_path / "AAA.csv"
    path.write_text("time,close\n2024-01-01,5\n2024-01-02,x\n", encoding="utf-8")
    assert main(["analyze", str(path), str(path), "--skip-bad-rows"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "common to both legs" in error


def test_rows_that_were_skipped_stand_in_the_notes(capsys, files) -> None:
    with Path(files[0]).open("a", encoding="utf-8") as file:
        file.write("never,5\n")
    assert "1 rejected" in " ".join(_json(capsys, *files, "--skip-bad-rows")["notes"])
