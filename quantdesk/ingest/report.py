"""Sum up a running feed in one status, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantdesk.feed.binance import Route
from quantdesk.types import FeedStatus, Light

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
        lag_ms=ingest.tally.lag_ms(offset),
        clock_offset_ms=offset,
        duplicates=sum(leg.sequencer.duplicates for leg in legs),
        quarantined=ingest.tally.quarantined,
        reconnects=sum(client.reconnects for client in ingest.clients.values()),
        open_gaps=open_gaps,
        missing_ids=sum(ledger.ids for ledger in gaps),
        used_weight=ingest.rest.budget.used(now),
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
    return _live(ingest.backfill.trouble or ingest.opening.trouble, open_gaps)


def _live(trouble: str, open_gaps: int) -> tuple[Light, str]:
    if trouble:
        return Light.AMBER, f"live; history is not reachable: {trouble}"
    if open_gaps:
        return Light.AMBER, f"live; filling {open_gaps} gap{'s' if open_gaps > 1 else ''}"
    return Light.GREEN, "live"
