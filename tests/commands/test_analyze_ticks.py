"""``quantdesk analyze`` correlates the trades of two ticks exports, and the bars built from them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk.analytics.hayashi_yoshida import HayashiYoshida, hayashi_yoshida
from quantdesk.analytics.ticks import collapse
from quantdesk.cli import main
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument

NOON = 29_720_000  # minutes since 1970
MINUTES = 70


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], HayashiYoshida]:
    """Return the ticks exports of the simulated pair, and what its trades say themselves."""
    folder = tmp_path_factory.mktemp("ticks")
    source, legs, paths = SyntheticSource(seed=11, rate=2.0), [], []
    store = open_embedded(folder / "quantdesk.sqlite")
    for listing in source.listings[:2]:
        ticks = [t for minute in range(MINUTES) for t in source.trades(listing.symbol, NOON + minute).ticks(listing)]
        instrument = Instrument("binance-um", listing.symbol, Decimal(listing.tick), Decimal(listing.step))
        store.append_ticks(instrument, ticks)
        legs.append(collapse([t.ts for t in ticks], [t.price for t in ticks]))
    store.close()
    for listing in source.listings[:2]:
        paths.append(str(folder / f"{listing.symbol}.csv"))
        options = ["--symbol", listing.symbol, "--data-dir", str(folder), "--output", paths[-1]]
        assert main(["export", "ticks", *options]) == 0
    return paths, hayashi_yoshida(*legs)


def test_the_trades_of_two_exports_have_the_correlation_of_hayashi_and_yoshida(
    capsys: pytest.CaptureFixture[str], exported: tuple[list[str], HayashiYoshida]
) -> None:
    paths, want = exported
    assert main(["analyze", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["y"], found["x"], found["interval"]) == ("BTCUSDT", "ETHUSDT", "1m")
    assert found["correlation"]["hayashi_yoshida"] == want.correlation
    assert want.correlation == pytest.approx(0.845, abs=3 * want.stderr + 0.05)


def test_the_table_says_of_how_many_trades_it_is(
    capsys: pytest.CaptureFixture[str], exported: tuple[list[str], HayashiYoshida]
) -> None:
    paths, want = exported
    assert main(["analyze", *paths]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "Hayashi-Yoshida" in line)
    assert f"log returns of trades, {want.returns_y:,} and {want.returns_x:,}" in line


def test_trades_against_bars_have_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exported: tuple[list[str], HayashiYoshida]
) -> None:
    paths, _ = exported
    folder = Path(paths[0]).parent
    bars = str(tmp_path / "bars.csv")
    assert main(["export", "bars", "--symbol", "ETHUSDT", "--data-dir", str(folder), "--output", bars]) == 0
    assert main(["analyze", paths[0], bars, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["correlation"]["hayashi_yoshida"] is None
    assert found["correlation"]["returns"] > 0.5
