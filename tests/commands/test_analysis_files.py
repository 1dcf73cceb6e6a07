"""``quantdesk analyze`` writes each bar as it was known, and a report, or says in one line why not."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from quantdesk.analytics.hayashi_yoshida import hayashi_yoshida
from quantdesk.analytics.spread import walk_forward_z
from quantdesk.analytics.ticks import collapse
from quantdesk.cli import main
from quantdesk.store.files import read_file

MINUTE = 60_000
START = 1_700_000_040_000
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NAMES = ["time", "y", "x", "beta", "alpha", "spread", "z"]


@pytest.fixture
def closes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = np.round(200 + rng.normal(0, 0.3, 300).cumsum(), 2)
    return np.round(1.5 * x + 10 + rng.normal(0, 0.5, 300), 2), x


def _write(path: Path, values: np.ndarray) -> str:
    rows = [f"{START + i * MINUTE},{value!r}" for i, value in enumerate(values.tolist())]
    path.write_text("\n".join(["time,close", *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path, closes) -> tuple[str, str]:
    return _write(tmp_path / "AAA.csv", closes[0]), _write(tmp_path / "BBB.csv", closes[1])


def _series(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def test_each_bar_shows_what_was_known_before_it(capsys, tmp_path: Path, files, closes) -> None:
    y, x = closes
    out = tmp_path / "bars.csv"
    assert main(["analyze", *files, "--series", str(out)]) == 0
    assert "300 bars written" in capsys.readouterr().err
    names, rows = _series(out)
    assert names == NAMES
    assert len(rows) == 300
    assert rows[0] == ["2023-11-14T22:14:00Z", repr(y.tolist()[0]), repr(x.tolist()[0]), "", "", "", ""]
    walk = walk_forward_z(y, x, 60)
    values = np.array([[float(cell) for cell in row[1:]] for row in rows[60:]])
    np.testing.assert_array_equal(values[:, 2], walk.beta[60:])
    np.testing.assert_array_equal(values[:, 3], walk.alpha[60:])
    np.testing.assert_allclose(values[:, 4], y[60:] - walk.beta[60:] * x[60:], rtol=1e-12)
    np.testing.assert_array_equal(values[:, 5], walk.z[60:])


@pytest.mark.parametrize("kind", ["walk-forward", "regression", "rolling", "expanding", "ewm"])
def test_no_cell_of_the_series_depends_on_a_later_bar(tmp_path: Path, closes, kind: str) -> None:
    written = []
    for rows in (270, 300):
        folder = tmp_path / str(rows)
        folder.mkdir()
        files = [_write(folder / f"{n}.csv", leg[:rows]) for n, leg in zip(("A", "B"), closes, strict=True)]
        assert main(["analyze", *files, "--log", "--z-kind", kind, "--series", str(folder / "out.csv")]) == 0
        written.append((folder / "out.csv").read_text(encoding="utf-8").splitlines())
    assert written[1][:271] == written[0]
    assert written[0][-1].split(",")[-1] != ""


def test_a_z_that_knows_the_future_is_no_series(capsys, tmp_path: Path, files) -> None:
    out = tmp_path / "bars.csv"
    assert main(["analyze", *files, "--z-kind", "full-sample", "--series", str(out)]) == 2
    assert "known at each bar" in capsys.readouterr().err
    assert not out.exists()


def test_the_kind_of_the_z_stands_in_every_form(capsys, tmp_path: Path, files) -> None:
    seen = {}
    for kind in ("walk-forward", "regression", "rolling", "expanding", "ewm", "full-sample"):
        report = tmp_path / f"{kind}.html"
        assert main(["analyze", *files, "--z-kind", kind, "--json", "--report", str(report)]) == 0
        found = json.loads(capsys.readouterr().out)["z"]
        assert found["kind"].startswith(kind)
        assert found["look_ahead"] is (kind == "full-sample")
        assert found["base_rate"] is None or 0 < found["base_rate"] < 1
        assert ("LOOK-AHEAD" in report.read_text(encoding="utf-8")) is (kind == "full-sample")
        seen[kind] = found["last"]
    assert len(set(seen.values())) == 6
    assert main(["analyze", *files, "--z-kind", "full-sample"]) == 0
    assert "LOOK-AHEAD" in capsys.readouterr().out
    assert main(["analyze", *files, "--z-kind", "none"]) == 2


def test_a_file_named_to_run_something_is_only_a_name_in_the_report(tmp_path: Path, closes) -> None:
    names = ("<img src=x onerror=alert(1)>", "\"'>&")
    nasty = [_write(tmp_path / f"{name}.csv", leg) for name, leg in zip(names, closes, strict=True)]
    report = tmp_path / "report.html"
    assert main(["analyze", *nasty, "--report", str(report)]) == 0
    page = report.read_text(encoding="utf-8")
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "&quot;&#x27;&gt;&amp;" in page


def test_a_file_that_is_there_is_replaced_only_by_a_whole_one(capsys, tmp_path: Path, files) -> None:
    for option, name in (("--series", "bars.csv"), ("--report", "r.html")):
        target = tmp_path / name
        target.write_text("before", encoding="utf-8")
        assert main(["analyze", *files, option, str(target)]) == 0
        assert target.read_text(encoding="utf-8") != "before"
        assert main(["analyze", *files, option, str(tmp_path / "nowhere" / name)]) == 1
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert "cannot write" in error
    assert not list(tmp_path.glob(".*.part"))


def test_a_file_that_is_read_or_written_already_is_not_written_over(capsys, tmp_path: Path, files) -> None:
    before = Path(files[0]).read_bytes()
    out = str(tmp_path / "one")
    for arguments in (["--series", files[0]], ["--report", files[1]], ["--series", out, "--report", out]):
        assert main(["analyze", *files, *arguments]) == 2
        assert "would replace" in capsys.readouterr().err
    assert main(["analyze", *files, "--report", "-"]) == 2
    assert Path(files[0]).read_bytes() == before and not Path(out).exists()


def test_trades_have_a_correlation_of_their_own(capsys) -> None:
    folder = SHARED / "usdm_20240718"
    if not folder.is_dir():
        pytest.skip("shared data folder is absent")
    paths = [next(folder.glob(f"{name}-aggTrades-*.zip")) for name in ("ETHUSDT", "BTCUSDT")]
    assert main(["analyze", *map(str, paths), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    legs = []
    for path in paths:
        ticks = read_file(path).legs[0].ticks
        assert ticks is not None
        legs.append(collapse(ticks.ts, ticks.price))
    assert found["correlation"]["hayashi_yoshida"] == hayashi_yoshida(*legs).correlation
    assert 0 < found["correlation"]["hayashi_yoshida"] <= 1


def test_bars_have_no_correlation_of_trades(capsys, files) -> None:
    assert main(["analyze", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["correlation"]["hayashi_yoshida"] is None
