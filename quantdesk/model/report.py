"""Analyse what is on screen for a report: the bars, the settings and where the data come from."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.analysis import AnalysisOptions, DeskLine, PairAnalysis, analyse, input_of
from quantdesk.analytics.utc_text import utc_text
from quantdesk.model.building import Evaluated, FrameOrder, evaluated, left_out_bars
from quantdesk.model.frame import NAN, PairSettings
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


def desk_line(found: Evaluated, settings: PairSettings) -> DeskLine:
    """Return the hedge line on screen, with how and on which bars it was estimated."""
    line, method = found.lines.newest, settings.hedge.bench_name
    if settings.stated_delta is not None:
        method += f" with δ = {settings.stated_delta:g} as stated"
    if line is None:
        label = found.lines.reason or "the desk has no hedge ratio yet"
    elif found.lines.path is not None:
        label = f"{method}, moving with every bar, after the last one"
    else:
        refits = f", refit {len(found.lines.refits):,} times, last" if found.lines.refits else ", frozen"
        label = f"{method}{refits} on {line.n:,} bars from {utc_text(line.start_ms)} to {utc_text(line.end_ms)} UTC"
    alpha, beta = (line.alpha, line.beta) if line is not None else (NAN, NAN)
    return DeskLine(label, beta, alpha, found.legs.beta, found.scores.z)


def pair_analysis(order: FrameOrder) -> PairAnalysis:
    """Return the analysis of an order's legs with the desk's own choice of windows, unit, z and hedge ratio. Slow.

    Tests and spread are of the whole sample's own line, which the notes say beside the desk's.
    """
    settings, found = order.settings, evaluated(order)
    desk = desk_line(found, settings)
    notes = report_notes(order)
    if np.isfinite(desk.beta):
        words = f"the desk draws its spread with β = {desk.beta:.6g} ({desk.label})"
        notes += (f"{words}; spread and tests here are of the whole sample's own OLS line",)
    pair = input_of(found.snapshot, settings.y, settings.x, settings.interval, notes)
    options = AnalysisOptions(
        log=settings.log, window=settings.window, z_kind=settings.z_kind, kalman_delta=settings.kalman_delta or None
    )
    return analyse(pair, options, desk)
