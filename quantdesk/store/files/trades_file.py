"""Make a leg of the columns of a trades table: ticks, and the bars built from them."""

from __future__ import annotations

import numpy as np

from quantdesk.bars.arrays import BarArrays, IntArray, bars_from_trades
from quantdesk.store.base import TickArrays
from quantdesk.store.files.columns import Columns
from quantdesk.store.files.layout import Layout
from quantdesk.store.files.order import in_order
from quantdesk.store.files.report import LoadedFile, LoadedLeg, LoadReport, interval_name

_MINUTE, _SECOND = 60_000, 1_000
#: Fewer minutes than this are shown as 1s bars: a window of 60 bars would not fill otherwise.
_FEW_BARS = 60


def build_trades(
    report: LoadReport, name: str, layout: Layout, columns: Columns, bar_interval_ms: int | None
) -> LoadedFile:
    """Return one leg with ticks ascending in (ts, id) and its bars, and the report completed.

    ``bar_interval_ms`` None chooses 1m, or 1s if the trades span less than an hour.
    """
    ids, ts, maker = columns.ints("id"), columns.ints("time"), columns.ints("maker")
    price, quantity = columns.floats("price"), columns.floats("quantity")
    assert ids is not None and ts is not None and maker is not None and price is not None and quantity is not None
    trades = _trade_counts(columns, len(ids))
    order = in_order(ids, (ts, price, quantity, maker, trades))
    keep = order.keep
    ids, ts, price, quantity, maker, trades = (
        ids[keep], ts[keep], price[keep], quantity[keep], maker[keep], trades[keep],
    )  # fmt: skip
    steps = np.diff(ids) - 1
    holes, missing = int((steps > 0).sum()), int(steps.sum())
    interval = bar_interval_ms or _chosen(ts)
    price_decimals = columns.price_decimals("price")
    quantity_decimals = columns.amount_decimals("quantity")
    bars = bars_from_trades(
        ts, ids, price, quantity, trades,
        interval_ms=interval, price_decimals=price_decimals, quantity_decimals=quantity_decimals,
    )  # fmt: skip
    by_time = np.lexsort((ids, ts))
    ticks = TickArrays(ids[by_time], ts[by_time], price[by_time], quantity[by_time], maker[by_time], trades[by_time])
    notes = [f"{len(bars):,} bars of {interval_name(interval)}", *report.notes]
    if order.differing:
        notes.append(f"{order.differing:,} duplicates differed: the last row of an id counts")
    if missing:
        notes.append(f"{missing:,} trade ids missing in {holes:,} places")
    done = LoadReport(
        report.path, layout.kind, len(ids), report.bad_rows, report.rejected,
        order.duplicates, order.out_of_order, missing, tuple(notes),
    )  # fmt: skip
    return LoadedFile((_leg(name, layout, bars, interval, price_decimals, quantity_decimals, ticks),), done)


def _leg(
    name: str, layout: Layout, bars: BarArrays, interval: int, price_decimals: int, decimals: int, ticks: TickArrays
) -> LoadedLeg:
    title = layout.symbol or name
    return LoadedLeg(title, bars, interval, price_decimals, decimals, bars.close.copy(), layout.kind, ticks)


def _trade_counts(columns: Columns, size: int) -> IntArray:
    """Return how many underlying trades each row stands for."""
    first, last = columns.ints("first_id"), columns.ints("last_id")
    if first is not None and last is not None:
        return np.asarray(last - first + 1, np.int64)
    given = columns.ints("trades")
    return np.maximum(given, 1) if given is not None else np.ones(size, np.int64)


def _chosen(ts: IntArray) -> int:
    return _SECOND if int(ts.max() - ts.min()) < _FEW_BARS * _MINUTE else _MINUTE
