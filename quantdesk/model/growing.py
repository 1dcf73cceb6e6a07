"""Let a column grow at its end while what was handed out of it stays as it is."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from quantdesk.bars.arrays import FloatArray, IntArray

_Array = TypeVar("_Array", FloatArray, IntArray)
#: Room for further rows, as a share of those there are and at the least.
_ROOM, _LEAST_ROOM = 4, 256


class Growing(Generic[_Array]):
    """Hold n values in memory with room behind them; ``view`` is read-only and never changes once returned."""

    __slots__ = ("_memory", "_size", "view")

    def __init__(self, values: _Array) -> None:
        self.view: _Array
        self._size = 0
        self._memory: _Array = _with_room(values[:0], len(values))
        self.write(0, values)

    def __len__(self) -> int:
        return self._size

    def write(self, row: int, values: _Array) -> _Array:
        """Put values at ``row`` and after it, end there and return the view; rows shown before are copied first.

        Costs the values alone, unless ``row`` is before the end or there is no more room: then a copy of all.
        """
        end = row + len(values)
        if row < self._size or end > len(self._memory):
            self._memory = _with_room(self._memory[:row], max(end, self._size))
        self._memory[row:end] = values
        self._size = end
        self.view = self._memory[:end]
        self.view.setflags(write=False)
        return self.view


def _with_room(values: _Array, size: int) -> _Array:
    memory = np.empty(size + size // _ROOM + _LEAST_ROOM, values.dtype)
    memory[: len(values)] = values
    return memory
