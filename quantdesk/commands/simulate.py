"""Serve the simulated exchange until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.commands.shared import HelpFormatter

if TYPE_CHECKING:
    from quantdesk.simulator.server import SimulatorServer


_EPILOG = """examples:
  quantdesk simulate --port 9001 --rest-port 9002 --seed 7
  QUANTDESK_WS_URL=ws://127.0.0.1:9001 QUANTDESK_REST_URL=http://127.0.0.1:9002 quantdesk

exit codes: 0 stopped, 1 failed, 2 wrong use"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``simulate`` to the command line."""
    parser = subparsers.add_parser(
        "simulate",
        help="serve a simulated exchange on this computer",
        description="Serve a simulated exchange on this computer, to develop and test against. Prints one JSON line "
        "with its URLs and the market's true parameters, then serves until Ctrl+C. To see the desk on a simulated "
        "exchange, quantdesk --simulate is enough.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="websocket port, 0 to 65535 (default: 0, any free one)"
    )
    parser.add_argument(
        "--rest-port", type=_port, default=0, metavar="N", help="REST port, 0 to 65535 (default: 0, any free one)"
    )
    parser.add_argument("--seed", type=_seed, default=1, metavar="S", help="seed of the synthetic market (default: 1)")
    parser.add_argument(
        "--source",
        default="synthetic",
        metavar="FILE",
        help="trade what this file of recorded frames holds (default: synthetic, a market of a known law)",
    )
    parser.add_argument(
        "--speed",
        type=_positive,
        default=1.0,
        metavar="N",
        help="run the exchange's clock N times as fast (default: 1)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=20.0,
        metavar="N",
        help="synthetic aggregate trades per second of each leg (default: 20)",
    )
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="append every trade to this file, one JSON object a line"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; raises ConfigError for what the user can put right."""
    return asyncio.run(_serve(args))


async def _serve(args: argparse.Namespace) -> int:
    from quantdesk.simulator.clock import WallClock
    from quantdesk.simulator.server import SimulatorServer, make_exchange

    stop = asyncio.Event()
    _stop_on_signals(stop)
    exchange = make_exchange(args.source, seed=args.seed, rate=args.rate, clock=WallClock(args.speed))
    server = SimulatorServer(exchange, port=args.port, rest_port=args.rest_port, log=args.log)
    await server.start()
    try:
        print(json.dumps(_announcement(server, args)), flush=True)
        stopped, ended = asyncio.create_task(stop.wait()), asyncio.create_task(server.wait())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        ended.cancel()
        await asyncio.wait({stopped, ended})
    finally:
        await server.stop()
    return 0


def _announcement(server: SimulatorServer, args: argparse.Namespace) -> dict[str, object]:
    exchange = server.exchange
    return {
        "ws_url": server.ws_url,
        "rest_url": server.rest_url,
        "archive_url": server.rest_url,
        "symbols": list(exchange.symbols),
        "source": args.source,
        "seed": args.seed,
        "rate": args.rate,
        "speed": args.speed,
        "started_ms": exchange.started_ms,
        "first_trade_ms": exchange.first_minute * 60_000,
        "truth": dict(exchange.source.truth),
    }


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows' loop has none
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return port


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 1 << 63:
        raise argparse.ArgumentTypeError("a seed is 0 or a whole number above it")
    return seed


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _rate(text: str) -> float:
    number = _positive(text)
    if number > 100_000:
        raise argparse.ArgumentTypeError(f"{text} is too many: at most 100000 trades a second")
    return number
