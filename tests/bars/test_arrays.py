from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays, bars_from_trades, fold, quote_decimals

FIELDS = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")

decimals = st.tuples(st.integers(0, 4), st.integers(0, 4))
rows = st.lists(
    st.tuples(st.integers(0, 400_000), st.integers(1, 10**8), st.integers(1, 10**7), st.integers(1, 9)),
    min_size=1,
    max_size=60,
)


def trades_of(rows: list[tuple[int, int, int, int]], digits: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return columns of trades; ids follow the order of time, as the exchange's do."""
    rows = sorted(rows, key=lambda r: r[0])
    return {
        "ts": np.array([r[0] for r in rows], np.int64),
        "ids": np.arange(1, len(rows) + 1, dtype=np.int64),
        "price": np.array([float(Decimal(r[1]).scaleb(-digits[0])) for r in rows]),
        "quantity": np.array([float(Decimal(r[2]).scaleb(-digits[1])) for r in rows]),
        "trades": np.array([r[3] for r in rows], np.int64),
    }


def reference(rows: list[tuple[int, int, int, int]], digits: tuple[int, int], interval: int) -> list[tuple]:
    """Build bars in whole numbers, twenty lines that share nothing with the program."""
    bars: dict[int, list] = {}
    for ts, price, quantity, count in sorted(rows, key=lambda r: r[0]):
        bar = bars.setdefault(ts // interval * interval, [price, price, price, price, 0, 0, 0])
        bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
        bar[4] += quantity
        bar[5] += price * quantity
        bar[6] += count
    scales = [digits[0]] * 4 + [digits[1], sum(digits)]
    return [
        (t, *(float(Decimal(v).scaleb(-d)) for v, d in zip(bar[:6], scales, strict=True)), bar[6])
        for t, bar in sorted(bars.items())
    ]


def as_rows(bars: BarArrays) -> list[tuple]:
    return list(zip(*(getattr(bars, name).tolist() for name in FIELDS), strict=True))


def build(rows: list[tuple[int, int, int, int]], digits: tuple[int, int], interval: int) -> BarArrays:
    columns = trades_of(rows, digits)
    return bars_from_trades(**columns, interval_ms=interval, price_decimals=digits[0], quantity_decimals=digits[1])


@settings(deadline=None)
@given(rows, decimals, st.sampled_from([1_000, 60_000, 300_000]))
def test_bars_from_trades_are_exact_at_tick_and_step(rows: list, digits: tuple[int, int], interval: int) -> None:
    assert as_rows(build(rows, digits, interval)) == reference(rows, digits, interval)


@settings(deadline=None)
@given(rows, decimals)
def test_five_minutes_are_the_fold_of_one_minute_and_of_seconds(rows: list, digits: tuple[int, int]) -> None:
    seconds = build(rows, digits, 1_000)
    minutes = fold(seconds, 60_000, *digits)
    assert as_rows(minutes) == reference(rows, digits, 60_000)
    assert as_rows(fold(minutes, 300_000, *digits)) == reference(rows, digits, 300_000)
    assert as_rows(fold(seconds, 300_000, *digits)) == reference(rows, digits, 300_000)


@settings(deadline=None)
@given(rows, decimals, st.randoms(use_true_random=False))
def test_the_order_of_the_trades_does_not_matter(rows: list, digits: tuple[int, int], random) -> None:
    columns = trades_of(rows, digits)
    order = list(range(len(rows)))
    random.shuffle(order)
    mixed = {name: column[order] for name, column in columns.items()}
    options = {"interval_ms": 60_000, "price_decimals": digits[0], "quantity_decimals": digits[1]}
    assert as_rows(bars_from_trades(**mixed, **options)) == as_rows(bars_from_trades(**columns, **options))


def test_large_sums_stay_exact_where_doubles_would_drift() -> None:
    rng = np.random.default_rng(8)
    count = 40_000
    rows = [
        (int(t), int(p), int(q), 1)
        for t, p, q in zip(
            rng.integers(0, 300_000, count),
            rng.integers(6_000_000, 6_100_000, count),
            rng.integers(1, 10**7, count),
            strict=True,
        )
    ]
    digits = (2, 3)
    assert as_rows(build(rows, digits, 300_000)) == reference(rows, digits, 300_000)
    seconds = build(rows, digits, 1_000)
    assert as_rows(fold(fold(seconds, 60_000, *digits), 300_000, *digits)) == reference(rows, digits, 300_000)


def test_sums_too_large_for_whole_numbers_stay_near() -> None:
    rows = [(0, 10**8, 10**7, 1)] * 3
    columns = trades_of(rows, (0, 0))
    columns["quantity"] = np.full(3, 1e12)
    bars = bars_from_trades(**columns, interval_ms=1_000, price_decimals=8, quantity_decimals=8)
    assert bars.volume[0] == pytest.approx(3e12)
    assert bars.quote_volume[0] == pytest.approx(3e20)
    assert fold(bars, 60_000, 8, 8).volume[0] == pytest.approx(3e12)


def test_nothing_makes_no_bars() -> None:
    none = bars_from_trades(
        *(np.empty(0, np.int64),) * 2,
        *(np.empty(0),) * 2,
        np.empty(0, np.int64),
        interval_ms=1_000,
        price_decimals=1,
        quantity_decimals=1,
    )
    assert len(none) == len(fold(none, 60_000, 1, 1)) == len(BarArrays.from_rows([])) == 0


def test_bars_are_read_only_and_can_be_cut() -> None:
    bars = BarArrays.from_rows([(0, 1.0, 2.0, 0.5, 1.5, 3.0, 4.0, 5), (60_000, 1.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1)])
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0] = 9.0
    assert as_rows(bars[1:]) == [(60_000, 1.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1)]


def test_quote_volume_keeps_at_most_eight_decimals() -> None:
    assert quote_decimals(1, 3) == 4
    assert quote_decimals(8, 8) == 8
