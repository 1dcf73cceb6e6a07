"""The table of what is held counts rows, spans, coverage and bytes of every instrument, in every kind of store."""

from __future__ import annotations

import pytest

from quantdesk.store.base import Store
from quantdesk.store.files import Cancelled
from quantdesk.store.holdings import Holding, Kind, interval_ms, read_holdings
from quantdesk.types import GapState, Instrument
from tests.store.kinds import gap
from tests.store.samples import START, source, trades


def rows_of(store: Store, instrument: Instrument) -> dict[str, Holding]:
    found = read_holdings(store)
    assert found.basis.startswith("sizes:")
    return {row.title: row for row in found.rows if row.instrument.venue == instrument.venue}


def test_trades_bars_source_bars_and_gaps_have_their_rows(store: Store, btc: Instrument) -> None:
    ticks = trades(1_000)
    store.append_ticks(btc, [t for t in ticks if not 200 < t.agg_id <= 300])
    store.save_gaps(btc, [gap(ticks, 201, 280, GapState.EXPIRED), gap(ticks, 281, 300, GapState.MISSING)])
    store.append_source_bars(btc, "1h", source([START, START + 3_600_000, START + 3 * 3_600_000]), "kline")
    store.append_source_bars(btc, "1M", source([START]), "file:x")
    rows = rows_of(store, btc)
    assert list(rows) == ["trades", "bars 1s", "bars 1m", "bars 5m", "source bars 1h", "source bars 1M", "gaps"]
    held = rows["trades"]
    assert (held.rows, held.first_ts, held.last_ts) == (900, ticks[0].ts, ticks[-1].ts)
    assert held.coverage == pytest.approx(900 / 980), "what the exchange does not have is not asked for"
    assert held.note == "80 ids missing"
    minutes = store.load_bars(btc, "1m").bars.open_time
    shown = rows["bars 1m"]
    assert (shown.rows, shown.first_ts, shown.last_ts) == (len(minutes), minutes[0], minutes[-1])
    assert shown.coverage == pytest.approx(len(minutes) / ((minutes[-1] - minutes[0]) // 60_000 + 1))
    assert (rows["source bars 1h"].coverage, rows["source bars 1M"].coverage) == (0.75, None)
    assert rows["gaps"].note == "1 expired (80 ids), 1 missing (20 ids)"
    assert all(row.size_bytes > 0 for row in rows.values())


def test_ids_that_no_row_explains_are_said(store: Store, btc: Instrument) -> None:
    ticks = trades(100)
    store.append_ticks(btc, ticks[:40] + ticks[60:])
    held = rows_of(store, btc)["trades"]
    assert held.coverage == 0.8 and held.note == "20 ids absent that no row of the ledger explains"


def test_the_sizes_are_shares_of_the_tables(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, trades(500))
    found, sizes = read_holdings(store), store.facts().sizes
    if not sizes:
        pytest.skip("this SQLite does not tell bytes by table")
    told = sum(row.size_bytes for row in found.rows if row.kind is Kind.TRADES)
    assert told == pytest.approx(sizes["ticks"], rel=0.01)


def test_progress_rises_and_cancel_is_heard(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, trades(50))
    seen: list[float] = []
    read_holdings(store, lambda done, words: seen.append(done))
    assert seen == sorted(seen) and seen[-1] == 1.0
    with pytest.raises(Cancelled):
        read_holdings(store, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("name", "ms"), [("1s", 1_000), ("5m", 300_000), ("4h", 14_400_000), ("1w", 604_800_000), ("1M", None), ("x", None)]
)
def test_intervals_have_a_length_by_their_name(name: str, ms: int | None) -> None:
    assert interval_ms(name) == ms
