"""Recorded pairs whose answers are known, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from quantdesk.cli import main

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def analysed(capsys: pytest.CaptureFixture[str]):
    if not SHARED.is_dir():
        pytest.skip("shared data folder is absent")

    def act(y: Path, x: Path, *arguments: str) -> dict:
        assert main(["analyze", str(y), str(x), "--log", "--autolag", "AIC", "--json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    return act


def _spot(name: str) -> Path:
    return SHARED / "spot_1d" / f"{name}USDT-1d.csv"


def test_wrapped_bitcoin_is_cointegrated_with_bitcoin(analysed) -> None:
    found = analysed(_spot("WBTC"), _spot("BTC"))
    assert found["tests"]["engle_granger"]["statistic"] == pytest.approx(-4.69, abs=0.005)
    assert found["tests"]["johansen"]["rank"] == 1
    assert found["tests"]["kpss"]["p_bound"] == ">"
    assert [method["beta"] for method in found["hedge"].values()] == pytest.approx([1.0] * 5, abs=0.02)
    assert 0 < found["spread"]["hurst"] < 0.3
    assert (found["verdict"]["agreement"], found["verdict"]["cointegrated"]) == ("agree", True)
    assert 0.04 < found["z"]["base_rate"] < 0.3


def test_ether_is_not_cointegrated_with_bitcoin(analysed) -> None:
    found = analysed(_spot("ETH"), _spot("BTC"))
    assert found["tests"]["engle_granger"]["p_value"] == pytest.approx(0.28, abs=0.005)
    assert found["tests"]["johansen"]["rank"] == 0
    assert found["tests"]["kpss"]["p_bound"] == "<"
    assert found["verdict"]["cointegrated"] is False


def test_coke_is_not_cointegrated_with_pepsi(analysed, tmp_path: Path) -> None:
    import pandas as pd

    closes = pd.read_csv(SHARED / "stocks" / "sp500_dataset.csv.gz", index_col=0)
    for name in ("KO", "PEP"):
        closes[name].rename("close").to_csv(tmp_path / f"{name}.csv", index_label="time")
    found = analysed(tmp_path / "KO.csv", tmp_path / "PEP.csv")
    assert found["observations"] == len(closes)
    assert found["tests"]["engle_granger"]["p_value"] == pytest.approx(0.26, abs=0.005)
    assert found["verdict"]["cointegrated"] is not True


def test_pearsons_line_of_1901_is_the_one_of_total_least_squares(capsys, tmp_path: Path) -> None:
    """Pearson (1901), Phil. Mag. 2:559: y = 5.784 - 0.5456 x."""
    x = [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4]
    y = [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5]
    for name, values in (("y", np.array(y)), ("x", np.array(x) + 10)):
        rows = [f"{1_700_000_040_000 + i * 60_000},{v}" for i, v in enumerate(values.tolist())]
        (tmp_path / f"{name}.csv").write_text("\n".join(["time,close", *rows]), encoding="utf-8")
    assert main(["analyze", str(tmp_path / "y.csv"), str(tmp_path / "x.csv"), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)["hedge"]["tls"]
    assert line["beta"] == pytest.approx(-0.5456, abs=5e-5)
    assert line["alpha"] == pytest.approx(5.784 + 0.5456 * 10, abs=1e-3)
