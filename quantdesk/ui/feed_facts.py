"""Put a feed's report and a store's state into words for the Data panel."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from quantdesk.types import FeedReport, Gap, Latency, StoreStatus, SymbolReport
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.bar_words import state_text, time_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

_CLIPPED = 120


def _tr(text: str) -> str:
    return QCoreApplication.translate("feed_facts", text)


def _of(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,} / {pair[1]:,}"


def latency_text(latency: Latency) -> str:
    """Return the percentiles in ms, a dash where there are none."""
    values = (latency.p50, latency.p95, latency.p99)
    if any(v is None for v in values):
        return "–"
    digits = 1 if all(v is not None and v < 20 for v in values) else 0
    return " / ".join(f"{v:.{digits}f}" for v in values if v is not None) + " ms"


def facts(report: FeedReport, store: StoreStatus, paint: Latency) -> dict[str, str]:
    """Return the numbers of the feed by name, in the order they are shown."""
    queues, rest = report.queues, report.rest
    offset = _tr("unknown")
    if report.offset_ms is not None:
        offset = f"{round(report.offset_ms):+d} ms".replace("-", "−")
        offset += "" if report.offset_error_ms is None else f" ± {report.offset_error_ms:.0f}"
    weight = _tr("{0}, own share {1}").format(_of((rest.used_weight, rest.limit)), f"{rest.share:,}")
    if rest.banned_for > 0:
        weight += _tr("; to wait {0} s").format(f"{rest.banned_for:.0f}")
    return {
        _tr("Exchange to receipt, p50 / p95 / p99"): latency_text(report.latency),
        _tr("Receipt to paint, p50 / p95 / p99"): latency_text(paint),
        _tr("Exchange's clock minus ours"): offset,
        _tr("REST weight this minute"): weight,
        _tr("REST requests"): f"{rest.requests:,}" + (f"; {rest.trouble}" if rest.trouble else ""),
        _tr("Socket queue"): _of(queues.socket),
        _tr("Waiting for the store's answer"): _of(queues.buffered),
        _tr("Waiting for the next flush"): _of(queues.pending),
        _tr("Store queue"): f"{store.queued:,}",
        _tr("In the spill file"): f"{store.spilled:,}",
        _tr("Gaps open"): _tr("{0} with {1} ids").format(_of(queues.gaps), f"{queues.gap_ids:,}"),
        _tr("Stretches awaiting klines"): _of(queues.klines),
        _tr("Bad frames"): f"{report.quarantined:,}",
    }


def symbol_rows(report: FeedReport) -> list[tuple[str, ...]]:
    """Return one row for each symbol: new trades, duplicates, refused, open, filled, expired, missing, requests."""
    return [
        (s.symbol, *(f"{n:,}" for n in (s.taken, s.duplicates, s.refused, s.open_ids)), *_ended(s))
        for s in report.symbols
    ]


def _ended(symbol: SymbolReport) -> tuple[str, ...]:
    return tuple(f"{n:,}" for n in (symbol.filled_ids, symbol.expired_ids, symbol.missing_ids, symbol.calls))


def gap_rows(report: FeedReport, zone: Zone = UTC_ZONE) -> list[tuple[str, ...]]:
    """Return one row for each gap, the newest first: symbol, state, from, to, ids, count, requests."""
    gaps: list[Gap] = sorted((g for s in report.symbols for g in s.gaps if g.size > 0), key=lambda g: -g.start_ts)
    return [
        (
            gap.symbol,
            state_text(gap.state),
            clock_text(gap.start_ts, "1s", zone),
            time_text(max(gap.start_ts, gap.end_ts), zone),
            f"{gap.size:,}",
            f"{gap.calls:,}",
            f"{gap.first_id} – {gap.last_id}",
        )
        for gap in gaps
    ]


def cut_rows(report: FeedReport, zone: Zone = UTC_ZONE) -> list[tuple[str, ...]]:
    """Return one row for each connection that ended, the newest first: time, route, how long it lasted, why."""
    cuts = [(cut, c.route) for c in report.connections for cut in c.cuts]
    cuts.sort(key=lambda pair: -pair[0].at_ms)
    rows: list[tuple[str, ...]] = []
    for cut, route in cuts:
        lasted = _tr("{0} s").format(f"{cut.lasted:,.0f}")
        lasted = lasted if cut.delivered else _tr("no data")
        rows.append((clock_text(cut.at_ms, "1s", zone), route, lasted, cut.reason))
    return rows


def connection_text(report: FeedReport) -> str:
    """Return a line for each connection: how long it stands, or what is wrong."""
    lines = []
    for each in report.connections:
        since = each.connected_seconds
        state = each.words or (
            _tr("up for {0} s").format(f"{since:,.0f}") if since is not None else _tr("not connected")
        )
        line = _tr("{0}: {1}, {2} reconnects, {3} frames/s").format(
            each.route, state, each.reconnects, f"{each.frames_per_second:.0f}"
        )
        lines.append(f"{line}. {each.remedy}" if each.remedy else line)
    return "\n".join(lines)


def frame_rows(report: FeedReport, zone: Zone = UTC_ZONE) -> list[tuple[str, ...]]:
    """Return one row for each bad frame kept, the newest first: time, reason, length, its first bytes escaped."""
    return [
        (
            time_text(int(bad.at * 1_000), zone),
            bad.reason,
            f"{len(bad.frame):,}",
            escaped(bad.frame),
        )
        for bad in reversed(report.quarantine)
    ]


def escaped(frame: bytes) -> str:
    """Return the first bytes as printable ASCII; what is not printable is escaped."""
    shown = "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02x}" for b in frame[:_CLIPPED])
    return shown + ("…" if len(frame) > _CLIPPED else "")
