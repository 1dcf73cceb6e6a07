"""Say in words what the trades of two legs tell: who leads, how they correlate, or why nothing is known."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication

from quantdesk.model.tick_findings import TickFindings
from quantdesk.model.tick_statistics import Standing, TickState
from quantdesk.ui.bar_words import time_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

_SECOND, _MINUTE = 1_000, 60_000
_ERRORS = 2.0


def _tr(text: str) -> str:
    return QCoreApplication.translate("tick_words", text)


def span_text(ms: int) -> str:
    """Write a length of time, short: 1s, 2.8s, 15s, 1m, 107s, 5m."""
    if ms % _MINUTE == 0:
        return f"{ms // _MINUTE}m"
    seconds = ms / _SECOND
    return f"{seconds:.1f}s" if seconds < 10 and ms % _SECOND else f"{seconds:.0f}s"


def with_error(value: float, error: float, decimals: int = 2) -> str:
    """Write a number ± two standard errors, with a true minus sign."""
    text = f"{value:.{decimals}f}".replace("-", "−")
    return f"{text} ± {_ERRORS * error:.{decimals}f}" if math.isfinite(error) else text


def state_text(state: TickState) -> str:
    """Say why there is nothing to show, and what to do."""
    legs = _tr(" and ").join(state.legs)
    words = {
        Standing.NO_PAIR: _tr("Choose two legs to correlate their trades."),
        Standing.BARS_ONLY: _tr(
            "There are only bars of {0}, no trades. Open a trades or aggTrades file of each leg "
            "(a ticks export, say), or go back to the market."
        ).format(legs),
        Standing.NO_TRADES: _tr(
            "No trade of {0} has been seen yet. This fills while trades come in; bars alone do not tell."
        ).format(legs),
        Standing.COMPUTING: _tr("The trades are being counted…"),
        Standing.FAILED: _tr("The trades could not be evaluated: {0}").format(state.error),
        Standing.READY: "",
    }
    return words[state.standing]


def reason_text(found: TickFindings) -> str:
    """Say why findings have no value; empty where they have one."""
    if not found.reason:
        return ""
    return _tr("No value: {0} (y is {1}, x is {2}). Wait for more trades, or choose a longer window.").format(
        found.reason, found.name_y, found.name_x
    )


def leader_text(found: TickFindings) -> str:
    """Say which leg leads and by how much, or why none does clearly."""
    lead = found.lead_lag
    if not found.leader or lead.lag_ms is None:
        reason = lead.reason or found.reason
        return reason[:1].upper() + reason[1:]
    follower = found.name_x if found.leader == found.name_y else found.name_y
    return _tr("{0} leads {1} by {2} ms (peak {3})").format(
        found.leader, follower, abs(lead.lag_ms), with_error(lead.peak, lead.peak_stderr)
    )


def correlation_text(found: TickFindings) -> str:
    """Say the correlation without sampling and from how many ticks it is."""
    value = found.hayashi_yoshida
    if found.reason:
        return ""
    return _tr("Hayashi-Yoshida correlation {0} (2 se)").format(with_error(value.correlation, value.stderr))


def facts(found: TickFindings, zone: Zone = UTC_ZONE) -> list[tuple[str, str]]:
    """Return the smaller numbers, each with its name; times are the zone's."""
    value = found.hayashi_yoshida
    refreshes = _tr("{0}, {1} % of the ticks; correlation {2}").format(
        f"{found.refreshes:,}", f"{100 * found.refresh_kept:.0f}", _number(found.refresh_correlation)
    )
    return [
        (_tr("Returns of ticks"), _both(found, f"{value.returns_y:,}", f"{value.returns_x:,}")),
        (_tr("Trades a second"), _both(found, f"{found.rate_y:.2f}", f"{found.rate_x:.2f}")),
        (_tr("Refresh times"), refreshes),
        (_tr("Lead-lag ratio"), _ratio_text(found, found.lead_lag.ratio)),
        (_tr("Time"), f"{time_text(found.start, zone)} – {time_text(found.end, zone)} {zone.name(found.end)}"),
    ]


def notes(found: TickFindings) -> list[str]:
    """Return what a reader must know to trust the numbers."""
    out = []
    if found.cut:
        legs = _tr(" and ").join(found.cut)
        out.append(
            _tr("Of {0} only the newest 300,000 trades count: the window is shorter than asked for.").format(legs)
        )
    if abs(found.hayashi_yoshida.correlation) > 1:
        out.append(
            _tr(
                "A value beyond ±1 says that these prices move smoothly from trade to trade, "
                "not by chance as the estimator supposes: it is too large."
            )
        )
    out.append(_tr("The bounce between bid and ask pulls every correlation of ticks towards 0."))
    return out


def report_text(found: TickFindings, zone: Zone = UTC_ZONE) -> str:
    """Return everything as plain text, the curves as tables with tabs."""
    lines = [
        f"{found.name_y} / {found.name_x}",
        leader_text(found),
        correlation_text(found) or reason_text(found),
        *(f"{name}: {value}" for name, value in facts(found, zone)),
        _tr("Largest age of a sampled price: {0}").format(span_text(found.settings.max_age_ms)),
        *notes(found),
        "",
        "\t".join((_tr("interval"), _tr("correlation"), _tr("se"), _tr("returns"), _tr("asynchrony alone"))),
    ]
    curve = found.epps
    columns = (curve.intervals_ms, curve.correlation, curve.stderr, curve.independent, curve.by_asynchrony)
    for ms, value, error, count, alone in zip(*(column.tolist() for column in columns), strict=True):
        lines.append(f"{span_text(ms)}\t{_plain(value)}\t{_plain(error)}\t{count}\t{_plain(alone)}")
    lines += ["", "\t".join((_tr("lag, ms"), _tr("correlation")))]
    lead = found.lead_lag
    lines += [f"{ms}\t{_plain(v)}" for ms, v in zip(lead.lags_ms.tolist(), lead.correlation.tolist(), strict=True)]
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else ""


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "—"


def _both(found: TickFindings, y: str, x: str) -> str:
    return f"{found.name_y} {y}, {found.name_x} {x}"


def _ratio_text(found: TickFindings, ratio: float) -> str:
    if not math.isfinite(ratio):
        return "—"
    return _tr("{0} (above 1: {1} first)").format(f"{ratio:.2f}", found.name_y)
