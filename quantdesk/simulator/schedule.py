"""Set faults at stated times, so that a run of faults can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from quantdesk.simulator.faults import Faults


@dataclass(frozen=True, slots=True)
class Step:
    """Put ``faults`` in force ``at`` seconds after the start, in the exchange's time."""

    at: float
    faults: Faults


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hold steps in the order of their times."""

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if any(b.at < a.at for a, b in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("the steps of a schedule must ascend in time")

    @property
    def seconds(self) -> float:
        """Return when the last step comes."""
        return self.steps[-1].at if self.steps else 0.0

    @classmethod
    def drawn(
        cls, seed: int, seconds: float, choices: Iterable[Faults], *, each: float = 1.0, rest: float = 1.0
    ) -> Schedule:
        """Draw a schedule: a fault for about ``each`` seconds, then none for about ``rest``, until the end."""
        draw = random.Random(seed)  # noqa: S311  # faults are drawn, nothing is secret
        kinds, steps, at = list(choices), [], rest
        while at < seconds:
            faults = replace(draw.choice(kinds), seed=draw.randrange(1 << 31))
            end = min(seconds, at + each * draw.uniform(0.5, 1.5))
            steps += [Step(at, faults), Step(end, Faults())]
            at = end + rest * draw.uniform(0.5, 1.5)
        return cls(tuple(steps))


class Player:
    """Tell which faults are due as time passes."""

    def __init__(self, schedule: Schedule) -> None:
        self._left = list(schedule.steps)

    def due(self, seconds: float) -> list[Faults]:
        """Return the faults whose time has come since the last call, in order."""
        found = []
        while self._left and self._left[0].at <= seconds:
            found.append(self._left.pop(0).faults)
        return found
