"""Sum up a running feed in one status, in plain words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from quantdesk.feed.binance import Route
from quantdesk.feed.coverage import coverage
from quantdesk.feed.gaps import MAX_HOLES
from quantdesk.ingest.leg import MAX_BUFFER, MAX_HELD, Leg
from quantdesk.ingest.old_bars import MOST_SPANS
from quantdesk.ingest.tally import KEPT_FRAMES
from quantdesk.types import FeedReport, FeedStatus, Light, Queues, RestReport, SymbolReport

if TYPE_CHECKING:
    from quantdesk.ingest.live import Ingest


def report(ingest: Ingest, now: float) -> FeedStatus:
    """Return how the feed is."""
    legs = ingest.legs.values()
    gaps = [leg.sequencer.gaps for leg in legs]
    open_gaps = sum(len(ledger.active(now)) for ledger in gaps)
    light, text = _light(ingest, open_gaps)
    offset = ingest.rest.clock_offset_ms
    return FeedStatus(
        light=light,
        text=text,
        symbols=tuple(ingest.legs),
        messages_per_second=ingest.tally.rate(),
        lag_ms=ingest.tally.latency(ingest.rest.offset.base_ms).p50,
        clock_offset_ms=offset,
        duplicates=sum(leg.sequencer.duplicates for leg in legs),
        quarantined=ingest.tally.quarantined,
        reconnects=sum(client.reconnects for client in ingest.clients.values()),
        open_gaps=open_gaps,
        missing_ids=sum(ledger.ids for ledger in gaps),
        used_weight=ingest.rest.budget.used(now),
    )


def feed_report(ingest: Ingest, now: float) -> FeedReport:
    """Return everything there is to see of a feed."""
    rest, tally, clients = ingest.rest, ingest.tally, ingest.clients.values()
    legs = list(ingest.legs.values())
    waiting = [leg.waiting for leg in legs]
    holes = [leg.sequencer.gaps for leg in legs]
    return FeedReport(
        at_ms=int(time.time() * 1_000),
        symbols=tuple(_symbol(leg) for leg in legs),
        connections=tuple(client.report() for client in clients),
        latency=tally.latency(rest.offset.base_ms),
        queues=Queues(
            socket=(sum(client.queued for client in clients), ingest.limits.max_queue * len(clients)),
            buffered=(sum(buffered for buffered, _ in waiting), MAX_BUFFER * max(1, len(legs))),
            pending=(sum(pending for _, pending in waiting), MAX_HELD * max(1, len(legs))),
            gaps=(sum(map(len, holes)), MAX_HOLES * max(1, len(legs))),
            gap_ids=sum(ledger.ids for ledger in holes),
            klines=(ingest.old_bars.waiting, MOST_SPANS),
            quarantine=(len(tally.quarantine), KEPT_FRAMES),
        ),
        rest=RestReport(
            used_weight=rest.budget.used(now),
            limit=rest.budget.limit,
            share=int(rest.budget.limit * ingest.limits.weight_share),
            banned_for=rest.banned_for,
            requests=rest.requests,
            trouble=ingest.backfill.trouble or ingest.opening.trouble or ingest.old_bars.trouble,
        ),
        quarantined=tally.quarantined,
        quarantine=tuple(tally.quarantine),
        offset_ms=rest.clock_offset_ms,
        offset_error_ms=rest.offset.error_ms,
    )


def _symbol(leg: Leg) -> SymbolReport:
    gaps, rows = leg.sequencer.gaps, leg.ledger()
    return SymbolReport(
        symbol=leg.symbol,
        coverage=coverage(leg.held, rows),
        gaps=rows,
        taken=leg.taken,
        duplicates=leg.sequencer.duplicates,
        refused=leg.sequencer.refused + leg.refused,
        open_ids=gaps.ids,
        filled_ids=leg.filled_ids,
        expired_ids=gaps.expired_ids,
        missing_ids=gaps.missing_ids,
        calls=gaps.requests,
    )


def _light(ingest: Ingest, open_gaps: int) -> tuple[Light, str]:
    market, public = ingest.clients[Route.MARKET], ingest.clients[Route.PUBLIC]
    rejected = "; ".join(ingest.rejected.values())
    if not ingest.legs:
        return Light.AMBER if rejected else Light.OFF, rejected or "no symbol"
    if ingest.is_stopping:
        return (
            Light.AMBER,
            f"stopped; filling {open_gaps} gap{'s' if open_gaps > 1 else ''}" if open_gaps else "stopped",
        )
    words = market.words() or public.words()
    if words:
        dead = not market.is_live and market.trouble
        return (Light.RED if dead else Light.AMBER), "; ".join(filter(None, (words, rejected)))
    if rejected:
        return Light.AMBER, rejected
    return _live(ingest.backfill.trouble or ingest.opening.trouble or ingest.old_bars.trouble, open_gaps)


def _live(trouble: str, open_gaps: int) -> tuple[Light, str]:
    if trouble:
        return Light.AMBER, f"live; history is not reachable: {trouble}"
    if open_gaps:
        return Light.AMBER, f"live; filling {open_gaps} gap{'s' if open_gaps > 1 else ''}"
    return Light.GREEN, "live"
