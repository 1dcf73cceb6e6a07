"""Compare a bar built from trades with the exchange's own bar, at step precision. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Say whether two bars agree."""

    MATCHED = "matched"
    EXPLAINED = "explained"  #: only by trades that the exchange counts but does not publish as aggregates
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class BarSide:
    """Hold one side of a comparison: prices, volume in base units, number of trades."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


@dataclass(frozen=True, slots=True)
class KlineCheck:
    """Hold one comparison: ``skipped`` trade ids that no aggregate trade covers, and in words what differs."""

    interval: str
    open_time: int
    verdict: Verdict
    ours: BarSide
    theirs: BarSide
    skipped: int = 0
    words: str = ""


def compare(
    interval: str,
    open_time: int,
    ours: BarSide,
    theirs: BarSide,
    *,
    price_decimals: int,
    quantity_decimals: int,
    skipped: int = 0,
) -> KlineCheck:
    """Compare two bars of one time.

    ``skipped``: how many trade ids inside the bar or at its edges belong to no aggregate trade: trades of
    the insurance fund and of automatic deleveraging. The exchange may count so many more than we do, and
    their volume; prices must agree all the same.
    """
    names = ("open", "high", "low", "close")
    differing = [
        n for n in names if round(getattr(ours, n), price_decimals) != round(getattr(theirs, n), price_decimals)
    ]
    volume = round(round(theirs.volume, quantity_decimals) - round(ours.volume, quantity_decimals), quantity_decimals)
    trades = theirs.trades - ours.trades
    if not differing and volume == 0 and trades == 0:
        return KlineCheck(interval, open_time, Verdict.MATCHED, ours, theirs, skipped)
    if not differing and volume >= 0 and 0 < trades <= skipped:
        words = f"{trades} of the exchange's trades are of the insurance fund or deleveraging and not published"
        return KlineCheck(interval, open_time, Verdict.EXPLAINED, ours, theirs, skipped, words)
    said = [f"{n} {getattr(ours, n):.{price_decimals}f} not {getattr(theirs, n):.{price_decimals}f}" for n in differing]
    if volume:
        said.append(f"volume {ours.volume:.{quantity_decimals}f} not {theirs.volume:.{quantity_decimals}f}")
    if trades:
        said.append(f"{ours.trades} trades not {theirs.trades}")
    return KlineCheck(interval, open_time, Verdict.DIFFERENT, ours, theirs, skipped, ", ".join(said))
