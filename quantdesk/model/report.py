"""Analyse what is on screen for a report: the bars, the settings and where the data come from."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.analysis import AnalysisOptions, PairAnalysis, analyse, input_of
from quantdesk.model.building import FrameOrder, left_out_bars
from quantdesk.types import Origin

_ORIGINS = {
    Origin.LIVE: "LIVE: closed bars of the market, as the desk held them",
    Origin.HISTORY: "LIVE: closed bars of the market, as the desk held them",
    Origin.SIMULATED: "SIMULATED: the prices are made up by the simulated exchange; this is no market data",
    Origin.REPLAY: "REPLAY: the bars were built from recorded frames that are played back",
    Origin.FILE: "FILE: the bars come from opened files",
}


def origin_word(origin: Origin) -> str:
    """Return the word that marks where data come from, as the desk's badge does."""
    return _ORIGINS[origin].partition(":")[0]


def report_notes(order: FrameOrder) -> tuple[str, ...]:
    """Say where the bars come from and which were left out: partial ones, and those without a partner."""
    notes = [_ORIGINS[order.origin]]
    partial = len(left_out_bars(order))
    notes.append(
        f"{partial:,} partial bars (trades are missing in a leg) are left out"
        if partial
        else "no partial bar had to be left out"
    )
    legs = (order.settings.y, order.y), (order.settings.x, order.x)
    shared = len(np.intersect1d(order.y.bars.open_time, order.x.bars.open_time))
    for name, leg in legs:
        alone = len(leg.bars) - shared
        if alone:
            notes.append(f"{alone:,} of {len(leg.bars):,} bars of {name} have no partner")
    if order.most_rows is not None and max(len(order.y.bars), len(order.x.bars)) >= order.most_rows:
        notes.append(f"only the newest {order.most_rows:,} bars are analysed")
    return tuple(notes)


def pair_analysis(order: FrameOrder) -> PairAnalysis:
    """Return the analysis of an order's legs with the desk's own choice of windows, unit and z. Slow."""
    settings = order.settings
    pair = input_of(order.snapshot(), settings.y, settings.x, settings.interval, report_notes(order))
    return analyse(pair, AnalysisOptions(log=settings.log, window=settings.window, z_kind=settings.z_kind))
