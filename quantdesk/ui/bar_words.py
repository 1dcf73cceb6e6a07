"""Say in words how far a bar can be trusted, and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from quantdesk.bars.quality import LACKING, BarQuality
from quantdesk.types import Gap, GapState
from quantdesk.ui.charts.ticks import moment_of
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

#: So many gaps of one bar are told one by one.
_MOST_TOLD = 3


def _tr(text: str) -> str:
    return QCoreApplication.translate("bar_words", text)


def time_text(ms: int, zone: Zone = UTC_ZONE) -> str:
    """Return a moment as the zone's time of the day."""
    return f"{moment_of(zone.shift(ms)):%H:%M:%S}"


def count_text(count: int, one: str, many: str) -> str:
    """Return a count with the word that fits it."""
    return f"{count:,} {one if count == 1 else many}"


def state_text(state: GapState) -> str:
    """Return the word for a gap's state."""
    words = {
        GapState.OPEN: _tr("open"),
        GapState.FILLING: _tr("filling"),
        GapState.FILLED: _tr("filled"),
        GapState.EXPIRED: _tr("expired"),
        GapState.MISSING: _tr("missing at the exchange"),
        GapState.DROPPED: _tr("deleted"),
    }
    return words[state]


def quality_text(quality: BarQuality) -> str:
    """Return the word for a bar's quality."""
    words = {
        BarQuality.COMPLETE: _tr("Complete"),
        BarQuality.REPAIRED: _tr("Repaired"),
        BarQuality.KLINES: _tr("From klines"),
        BarQuality.PARTIAL: _tr("Partial"),
        BarQuality.MISSING: _tr("Missing"),
    }
    return words[quality]


def gap_text(gap: Gap, zone: Zone = UTC_ZONE) -> str:
    """Say which trades are missing, by the zone's clock, and what is done about it."""
    end = max(gap.start_ts, gap.end_ts)
    if gap.size <= 0:
        return _tr("the record begins at {0}, amid this bar").format(time_text(end, zone))
    trades = count_text(gap.size, _tr("trade"), _tr("trades"))
    lacks = _tr("is missing") if gap.size == 1 else _tr("are missing")
    first, last = time_text(gap.start_ts, zone), time_text(end, zone)
    when = _tr("at {0}").format(first) if first == last else _tr("between {0} and {1}").format(first, last)
    words = _tr("{0} {1} {2}").format(trades, when, lacks)
    asked = count_text(gap.calls, _tr("request"), _tr("requests"))
    fate = {
        GapState.OPEN: _tr("to be fetched ({0} so far)").format(asked) if gap.calls else _tr("about to be fetched"),
        GapState.FILLING: _tr("being fetched ({0})").format(asked),
        GapState.EXPIRED: _tr("the exchange no longer has them"),
    }
    return f"{words}; {fate[gap.state]}" if gap.state in fate else words


def why_text(quality: BarQuality | None, gaps: Sequence[Gap], zone: Zone = UTC_ZONE) -> str:
    """Return why a bar is of its quality; ``gaps`` are those that overlap it, told by the zone's clock."""
    lacking = [gap for gap in gaps if gap.state in LACKING]
    plain = {
        None: _tr("Nothing is known of the trades behind this bar."),
        BarQuality.COMPLETE: _tr("Every trade is held, and all came in time."),
        BarQuality.REPAIRED: _tr("Every trade is held; some came after the bar had closed, and it was mended."),
        BarQuality.KLINES: _tr("This is the exchange's own bar: the trades behind it are not held."),
    }
    if quality in plain:
        return plain[quality]
    if not lacking:
        return _tr("Some of its trades came before the record began, or are not in the store.")
    told = [gap_text(gap, zone) for gap in lacking[:_MOST_TOLD]]
    if len(lacking) > _MOST_TOLD:
        told.append(_tr("And {0}").format(count_text(len(lacking) - _MOST_TOLD, _tr("more gap"), _tr("more gaps"))))
    words = ".\n".join(line[:1].upper() + line[1:] for line in told)
    return words + ". " + _tr("Statistics and alerts leave this bar out.")
