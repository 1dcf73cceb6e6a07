"""Do to two legs what can happen to them: bars late, missing, partial, revised, flat or bad; settings, refits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from quantdesk.analytics.zscore import ZKind
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.pair import PairModel
from tests.model.conftest import START
from tests.model.live_legs import SECOND, Legs, rest

OTHERS = (ZKind.REGRESSION, ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM)
CARRIED = [kind for kind in ZKind if not kind.look_ahead]
HEDGES = [HedgeMethod.OLS, HedgeMethod.ROLLING, HedgeMethod.KALMAN, HedgeMethod.ORIGIN]
USUAL = ("both", "split", "one_leg", "behind", "many", "bad", "flat", "forming")
SELDOM = ("partial", "revision", "swap", "refit", "kinds")


class Acts:
    """Choose by chance; every act tells the pair what it did, and no act waits for the last frame."""

    def __init__(self, pair: PairModel, legs: Legs, rng: random.Random) -> None:
        self.pair, self.legs, self.rng = pair, legs, rng

    def some(self, count: int) -> Iterator[tuple[str, Callable[[], None]]]:
        for _ in range(count):
            name = self.rng.choice(USUAL if self.rng.random() < 0.85 else SELDOM)
            yield name, getattr(self, name)

    def both(self) -> None:
        self.legs.both()

    def one_leg(self, symbol: str = "") -> None:
        self.legs.walk()
        self.close(symbol or self.rng.choice("AB"))

    def close(self, symbols: str = "AB", row: int | None = None) -> None:
        for symbol in symbols:
            self.legs.bar(symbol, self.legs.row if row is None else row, self.legs.close[symbol])

    def split(self) -> None:
        self.one_leg("B")
        rest(self.pair)
        self.close("A")

    def behind(self) -> None:
        for _ in range(self.rng.randint(2, 5)):
            self.one_leg("B")
            rest(self.pair)
        for back in sorted(self.rng.sample(range(3), 2), reverse=True):
            self.close("A", self.legs.row - back)
            rest(self.pair)

    def many(self) -> None:
        for _ in range(self.rng.randint(2, 30)):
            self.legs.both()

    def bad(self) -> None:
        self.legs.walk()
        for symbol in "AB":
            self.legs.bar(symbol, self.legs.row, self.rng.choice([1e9, self.legs.close[symbol]]))

    def flat(self) -> None:
        symbol = self.rng.choice("AB")
        for _ in range(self.rng.randint(5, 30)):
            held = self.legs.close[symbol]
            self.legs.walk()
            self.legs.close[symbol] = held
            self.close()
            rest(self.pair)

    def forming(self) -> None:
        self.legs.walk()
        for symbol in "AB":
            self.legs.bar(symbol, self.legs.row, self.legs.close[symbol] - self.legs.move, closed=False)
        rest(self.pair)
        self.close()

    def partial(self) -> None:
        self.legs.walk()
        self.legs.partial.setdefault("A", []).append(START + (self.legs.row - 1) * SECOND)
        self.close()

    def revision(self) -> None:
        row = self.legs.row - self.rng.randint(0, 9)
        self.legs.bar("A", row, self.legs.close["A"] + self.legs.move, revision=1)

    def refit(self) -> None:
        self.pair.refit()

    def kinds(self) -> None:
        self.pair.watch_kinds(self.rng.sample(OTHERS, 2))
        self.pair.refresh()

    def swap(self) -> None:
        self.pair.set_settings(
            replace(
                self.pair.settings,
                window=self.rng.choice([20, 33]),
                z_kind=self.rng.choice(CARRIED),
                hedge=self.rng.choice(HEDGES),
                refit_every=self.rng.choice([0, 15]),
            )
        )
