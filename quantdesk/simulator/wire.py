"""Carry market data frames to the sockets, spoiled as the faults in force say."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence

from websockets.asyncio.server import ServerConnection, broadcast

from quantdesk.simulator.faults import Faults

_REMEMBERED = 1_000

_Frame = tuple[str, ServerConnection, str | bytes]


class Wire:
    """Send frames; ``dropped`` and ``doubled`` count by stream what a client did not get, or got again."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311  # faults are drawn, nothing is secret
        self._drop_left = faults.drop_next
        self._held: list[_Frame] = []
        self._recent: deque[_Frame] = deque(maxlen=_REMEMBERED)
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.doubled: Counter[str] = Counter()

    def set_faults(self, faults: Faults) -> None:
        """Put other faults in force: what was stalled goes out, what is to be replayed or injected, too."""
        self._faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311  # faults are drawn, nothing is secret
        self._drop_left = faults.drop_next
        if not faults.stall:
            held, self._held = self._held, []
            for frame in held:
                self._put(*frame)
        if faults.replay:
            for stream, socket, data in list(self._recent)[-faults.replay :]:
                self.doubled[stream] += 1
                self._put(stream, socket, data, again=True)

    def inject(self, sockets: Sequence[ServerConnection]) -> None:
        """Send the frames that the faults want injected."""
        for frame in self._faults.inject:
            broadcast(sockets, frame)

    def send(self, stream: str, sockets: Sequence[ServerConnection], frame: str | bytes) -> None:
        """Send one frame of a stream to its listeners."""
        faults = self._faults
        if not faults.spoils_frames:
            self.sent += len(sockets)
            self._recent.extend((stream, socket, frame) for socket in sockets)
            broadcast(sockets, frame)
            return
        for socket in sockets:
            if self._drop_left > 0 or self._random.random() < faults.drop:
                self._drop_left -= self._drop_left > 0
                self.dropped[stream] += 1
                continue
            copies = 2 if self._random.random() < faults.duplicate else 1
            self.doubled[stream] += copies - 1
            for _ in range(copies):
                self._later(stream, socket, frame)

    def _later(self, stream: str, socket: ServerConnection, frame: str | bytes) -> None:
        faults = self._faults
        if faults.stall:
            self._held.append((stream, socket, frame))
        elif faults.delay or faults.reorder:
            wait = faults.delay + self._random.random() * faults.reorder
            asyncio.get_running_loop().call_later(wait, self._put, stream, socket, frame)
        else:
            self._put(stream, socket, frame)

    def _put(self, stream: str, socket: ServerConnection, frame: str | bytes, *, again: bool = False) -> None:
        self.sent += 1
        if not again:
            self._recent.append((stream, socket, frame))
        broadcast([socket], frame)
