"""Write what the exchange sends: stream payloads and REST bodies, as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from quantdesk.bars.arrays import IntArray
from quantdesk.simulator import market
from quantdesk.simulator.exchange import INTERVALS, Exchange, Mark
from quantdesk.simulator.market import BookColumns, Listing, TradeColumns

FUNDING_RATE = "0.00010000"


def _numbers(units: IntArray, digits: int) -> list[float]:
    numbers: list[float] = (units / 10**digits).tolist()
    return numbers


def agg_trades(listing: Listing, trades: TradeColumns) -> Iterator[str]:
    """Write aggTrade events."""
    d, q = listing.price_digits, listing.quantity_digits
    rows = zip(
        trades.event.tolist(),
        trades.ids.tolist(),
        _numbers(trades.price, d),
        _numbers(trades.quantity, q),
        trades.first.tolist(),
        trades.last.tolist(),
        trades.ts.tolist(),
        trades.maker.tolist(),
        strict=True,
    )
    for event, number, price, size, first, last, ts, maker in rows:
        yield (
            f'{{"e":"aggTrade","E":{event},"s":"{listing.symbol}","a":{number},"p":"{price:.{d}f}","q":"{size:.{q}f}",'
            f'"nq":"{size:.{q}f}","f":{first},"l":{last},"T":{ts},"m":{"true" if maker else "false"},"st":1}}'
        )


def rest_agg_trades(listing: Listing, trades: TradeColumns) -> str:
    """Write the body of /fapi/v1/aggTrades."""
    d, q = listing.price_digits, listing.quantity_digits
    rows = zip(
        trades.ids.tolist(),
        _numbers(trades.price, d),
        _numbers(trades.quantity, q),
        trades.first.tolist(),
        trades.last.tolist(),
        trades.ts.tolist(),
        trades.maker.tolist(),
        strict=True,
    )
    body = ",".join(
        f'{{"a":{number},"p":"{price:.{d}f}","q":"{size:.{q}f}","nq":"{size:.{q}f}","f":{first},"l":{last},'
        f'"T":{ts},"m":{"true" if maker else "false"}}}'
        for number, price, size, first, last, ts, maker in rows
    )
    return f"[{body}]"


def archive_agg_trades(listing: Listing, trades: TradeColumns, shift: tuple[int, int] = (0, 0)) -> str:
    """Write trades as rows of the archive; ``shift`` falsifies ids and times (ms)."""
    d, q = listing.price_digits, listing.quantity_digits
    rows = zip(
        (trades.ids + shift[0]).tolist(),
        _numbers(trades.price, d),
        _numbers(trades.quantity, q),
        trades.first.tolist(),
        trades.last.tolist(),
        (trades.ts + shift[1]).tolist(),
        trades.maker.tolist(),
        strict=True,
    )
    return "".join(
        f"{number},{price:.{d}f},{size:.{q}f},{first},{last},{ts},{'true' if maker else 'false'}\n"
        for number, price, size, first, last, ts, maker in rows
    )


def archive_klines(listing: Listing, interval: str, bars: IntArray) -> str:
    """Write bars as rows of the archive."""
    rows = []
    for bar in bars:
        start = int(bar[market.OPEN_TIME])
        o, h, lo, c, v, q, n, taker, taker_quote = _bar_texts(listing, bar)
        rows.append(f"{start},{o},{h},{lo},{c},{v},{start + INTERVALS[interval] - 1},{q},{n},{taker},{taker_quote},0\n")
    return "".join(rows)


def log_rows(listing: Listing, trades: TradeColumns) -> str:
    """Write trades as lines of the log of what was generated."""
    d, q = listing.price_digits, listing.quantity_digits
    rows = zip(
        trades.ids.tolist(),
        _numbers(trades.price, d),
        _numbers(trades.quantity, q),
        trades.ts.tolist(),
        trades.event.tolist(),
        trades.maker.tolist(),
        (trades.last - trades.first + 1).tolist(),
        strict=True,
    )
    return "".join(
        f'{{"symbol":"{listing.symbol}","agg_id":{number},"price":"{price:.{d}f}","quantity":"{size:.{q}f}",'
        f'"trade_time_ms":{ts},"event_time_ms":{event},"is_buyer_maker":{"true" if maker else "false"},'
        f'"trades":{fills}}}\n'
        for number, price, size, ts, event, maker, fills in rows
    )


def book_tickers(listing: Listing, books: BookColumns) -> Iterator[str]:
    """Write bookTicker events."""
    d, q = listing.price_digits, listing.quantity_digits
    columns = (
        _numbers(books.bid, d),
        _numbers(books.bid_quantity, q),
        _numbers(books.ask, d),
        _numbers(books.ask_quantity, q),
    )
    times = (books.update.tolist(), books.event.tolist(), books.ts.tolist())
    for update, event, ts, bid, bid_size, ask, ask_size in zip(*times, *columns, strict=True):
        yield (
            f'{{"e":"bookTicker","u":{update},"s":"{listing.symbol}","ps":"{listing.symbol}","b":"{bid:.{d}f}",'
            f'"B":"{bid_size:.{q}f}","a":"{ask:.{d}f}","A":"{ask_size:.{q}f}","T":{ts},"E":{event},"st":1}}'
        )


def kline(listing: Listing, interval: str, bar: IntArray, event: int, closed: bool) -> str:
    """Write a kline event of one bar (12 columns)."""
    start, *_, first, last = bar.tolist()
    o, h, lo, c, v, q, n, taker, taker_quote = _bar_texts(listing, bar)
    return (
        f'{{"e":"kline","E":{event},"s":"{listing.symbol}","k":{{"t":{start},"T":{start + INTERVALS[interval] - 1},'
        f'"s":"{listing.symbol}","i":"{interval}","f":{first},"L":{last},"o":"{o}","c":"{c}","h":"{h}","l":"{lo}",'
        f'"v":"{v}","n":{n},"x":{"true" if closed else "false"},"q":"{q}","V":"{taker}","Q":"{taker_quote}",'
        f'"B":"0"}},"st":1}}'
    )


def rest_klines(listing: Listing, interval: str, bars: IntArray) -> str:
    """Write the body of /fapi/v1/klines."""
    rows = []
    for bar in bars:
        start = int(bar[market.OPEN_TIME])
        o, h, lo, c, v, q, n, taker, taker_quote = _bar_texts(listing, bar)
        end = start + INTERVALS[interval] - 1
        rows.append(f'[{start},"{o}","{h}","{lo}","{c}","{v}",{end},"{q}",{n},"{taker}","{taker_quote}","0"]')
    return f"[{','.join(rows)}]"


def _bar_texts(listing: Listing, bar: IntArray) -> tuple[str, ...]:
    _, o, h, lo, c, volume, quote, trades, taker, taker_quote, _, _ = bar.tolist()
    prices = (listing.price(units) for units in (o, h, lo, c))
    sums = (listing.quantity(volume), listing.quote_volume(quote), str(trades))
    return (*prices, *sums, listing.quantity(taker), listing.quote_volume(taker_quote))


def mark_price(symbol: str, mark: Mark, event: int) -> str:
    """Write a markPriceUpdate event."""
    return (
        f'{{"e":"markPriceUpdate","E":{event},"s":"{symbol}","p":"{mark.price:.8f}","ap":"{mark.price:.8f}",'
        f'"P":"{mark.price:.8f}","i":"{mark.index:.8f}","r":"{FUNDING_RATE}","T":{mark.funding_ts},"st":1}}'
    )


def premium_index(symbol: str, mark: Mark, now: int) -> str:
    """Write one object of /fapi/v1/premiumIndex."""
    return (
        f'{{"symbol":"{symbol}","markPrice":"{mark.price:.8f}","indexPrice":"{mark.index:.8f}",'
        f'"estimatedSettlePrice":"{mark.price:.8f}","lastFundingRate":"{FUNDING_RATE}",'
        f'"interestRate":"0.00010000","nextFundingTime":{mark.funding_ts},"time":{now}}}'
    )


def funding_rate(symbol: str, time: int) -> str:
    """Write one object of /fapi/v1/fundingRate."""
    return f'{{"symbol":"{symbol}","fundingTime":{time},"fundingRate":"{FUNDING_RATE}"}}'


def price_ticker(symbol: str, price: str, time: int) -> str:
    """Write one object of /fapi/v1/ticker/price."""
    return f'{{"symbol":"{symbol}","price":"{price}","time":{time}}}'


def book_ticker(listing: Listing, books: BookColumns) -> str:
    """Write one object of /fapi/v1/ticker/bookTicker."""
    row = [int(column[-1]) for column in (books.bid, books.bid_quantity, books.ask, books.ask_quantity)]
    bid, bid_size, ask, ask_size = row
    return (
        f'{{"symbol":"{listing.symbol}","bidPrice":"{listing.price(bid)}","bidQty":"{listing.quantity(bid_size)}",'
        f'"askPrice":"{listing.price(ask)}","askQty":"{listing.quantity(ask_size)}",'
        f'"time":{int(books.ts[-1])},"lastUpdateId":{int(books.update[-1])}}}'
    )


def exchange_info(exchange: Exchange, weight_per_minute: int) -> str:
    """Write the body of /fapi/v1/exchangeInfo."""
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight_per_minute}
    return json.dumps(
        {
            "timezone": "UTC",
            "serverTime": exchange.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [limit],
            "exchangeFilters": [],
            "assets": [],
            "symbols": [_symbol(listing, exchange.listed_ms) for listing in exchange.symbols.values()],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _symbol(listing: Listing, listed_ms: int) -> dict[str, object]:
    lots = {"stepSize": listing.step, "minQty": listing.step, "maxQty": "1000"}
    prices = {"tickSize": listing.tick, "minPrice": listing.tick, "maxPrice": "4529764"}
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": listed_ms,
        "status": "TRADING",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.quote,
        "pricePrecision": listing.price_digits,
        "quantityPrecision": listing.quantity_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "filters": [
            {"filterType": "PRICE_FILTER", **prices},
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK"],
    }
