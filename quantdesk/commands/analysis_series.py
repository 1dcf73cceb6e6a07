"""Write what was known of a pair at each bar as CSV, causal: no cell knows a later bar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from quantdesk.analytics.analysis import PairAnalysis
from quantdesk.analytics.spread import spread_of
from quantdesk.store.csv_out import Cell, Column, write_table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_series(path: Path | str, analysis: PairAnalysis) -> int:
    """Write time, y, x, beta, alpha, spread and z of each bar; return the number of rows.

    ``spread`` is y - beta x and ``z`` its distance from ``alpha``, by the line or mean of the kind of z chosen:
    for walk-forward that of the window before the bar. y and x are logs where logs were analysed. No
    value is an empty cell. A file appears, or replaces the one there, only when it is whole. Raises
    ExportError, and ValueError where the z looks ahead.
    """
    if analysis.looks_ahead:
        raise ValueError("a z that looks ahead was not known at any bar")
    beta, alpha = analysis.scores.beta, analysis.scores.centre
    spread = spread_of(analysis.y, analysis.x, beta)
    columns = [Column("time", Cell.TEXT), *(Column(name) for name in ("y", "x", "beta", "alpha", "spread", "z"))]
    times = [_iso(ms) for ms in analysis.times.tolist()]
    block = (times, analysis.y, analysis.x, beta, alpha, spread, analysis.z)
    return write_table(path, columns, [block])


def _iso(ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1_000 else "seconds").replace("+00:00", "Z")
