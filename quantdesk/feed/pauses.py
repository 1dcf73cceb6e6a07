"""Notice that this program stood still or the computer slept: two clocks tell what one cannot. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: So much (s) must the wall clock run ahead of the monotonic one before a sleep is suspected.
SLEPT = 5.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Tell what passed since the last look: monotonic seconds, and by how much the wall clock left them behind."""

    passed: float
    slept: float

    @property
    def is_sleep(self) -> bool:
        """Tell whether the computer may have slept: the monotonic clock stops in it, the wall clock does not.

        A wall clock that was set forward looks the same; what follows must do no harm then.
        """
        return self.slept > SLEPT


class PauseWatch:
    """Compare the monotonic with the wall clock from look to look."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock, self._wall = clock, wall
        self._last, self._last_wall = clock(), wall()

    def look(self) -> Pause:
        """Return what passed since the last look."""
        now, wall = self._clock(), self._wall()
        passed, walled = now - self._last, wall - self._last_wall
        self._last, self._last_wall = now, wall
        return Pause(passed, walled - passed)
