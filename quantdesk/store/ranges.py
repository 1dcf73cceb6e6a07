"""Keep a set of time ranges, joined where they touch. Pure."""

from __future__ import annotations

from collections.abc import Iterator


class Ranges:
    """Hold disjoint ranges [start, end) of milliseconds, ascending."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def add(self, start: int, end: int) -> None:
        """Take in [start, end)."""
        if start >= end:
            return
        if self._ranges and self._ranges[-1][0] <= start:  # nearly always at the end
            low, high = self._ranges[-1]
            if start <= high:
                self._ranges[-1] = (low, max(high, end))
            else:
                self._ranges.append((start, end))
            return
        kept: list[tuple[int, int]] = []
        for low, high in self._ranges:
            if high < start or low > end:
                kept.append((low, high))
            else:
                start, end = min(start, low), max(end, high)
        self._ranges = sorted([*kept, (start, end)])

    def remove(self, start: int, end: int) -> None:
        """Leave out [start, end)."""
        if start >= end:
            return
        parts: list[tuple[int, int]] = []
        for low, high in self._ranges:
            if low < min(high, start):
                parts.append((low, min(high, start)))
            if max(low, end) < high:
                parts.append((max(low, end), high))
        self._ranges = parts

    def less(self, others: Ranges) -> Ranges:
        """Return what is left without the ``others``."""
        left = Ranges()
        left._ranges = list(self._ranges)
        for start, end in others:
            left.remove(start, end)
        return left

    def within(self, start: int, end: int) -> Ranges:
        """Return the part in [start, end)."""
        part = Ranges()
        for low, high in self._ranges:
            part.add(max(low, start), min(high, end))
        return part

    def aligned(self, ms: int, cut: int) -> list[tuple[int, int]]:
        """Return the ranges widened to whole buckets of ``ms`` before ``cut``, joined; ``cut`` is aligned."""
        whole = Ranges()
        for low, high in self._ranges:
            whole.add(low // ms * ms, min(-(-high // ms) * ms, cut))
        return list(whole)
