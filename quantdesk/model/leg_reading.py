"""Copy the closed bars of one leg out of a source, all of them or the newest."""

from __future__ import annotations

from dataclasses import replace

from quantdesk.model.building import UNTOLD, LegCopy
from quantdesk.model.source import SeriesSource


def leg_copy(source: SeriesSource, symbol: str, interval: str, rows: int | None, after: int | None = None) -> LegCopy:
    """Return a leg as it stands: the closed ones of its newest ``rows`` bars (None = all).

    With ``after`` (open time, ms) the closed bars later than it, and no ``rows`` are asked for.
    """
    series = source.series(symbol, interval) if symbol else None
    if series is None:
        return LegCopy.empty()
    if after is not None:
        rows = series.count_since(after + 1)
    shut = series.closed(rows)
    bars = series.arrays(rows)
    own = source.statistic_closes(symbol, interval)
    closes = bars.close if own is None else own[-len(shut) :] if len(shut) else own[:0]
    quality = source.qualities(symbol, interval, rows)
    if not shut.all():
        bars, closes = bars[shut], closes[shut]
        quality = quality[shut] if quality is not None else None
    copied = LegCopy(
        bars,
        closes,
        source.partial_times(symbol, interval),
        quality=quality,
        missing=source.missing_times(symbol, interval),
        standing=series.standing if own is None else UNTOLD,
    )
    instrument = source.instrument(symbol)
    if instrument is None:
        return copied
    decimals = (instrument.price_decimals, instrument.quantity_decimals)
    return replace(copied, price_decimals=decimals[0], quantity_decimals=decimals[1])
