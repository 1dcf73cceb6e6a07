"""Stand between a client and a server and do to their bytes what networks do."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Toxics:
    """Say what happens to what comes from the server.

    ``black_hole`` keeps the connections and lets nothing through, in either direction; ``latency`` is
    seconds, ``rate`` bytes a second of each connection, ``slices`` cuts into 1 to 7 bytes.
    """

    black_hole: bool = False
    latency: float = 0.0
    rate: float | None = None
    slices: bool = False


class Proxy:
    """Forward one loopback port; ``toxics`` may be set at any time."""

    def __init__(self, url: str, seed: int = 0) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._scheme = parts.scheme
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._transports: set[asyncio.WriteTransport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._through = asyncio.Event()
        self._through.set()
        self._toxics = Toxics()
        self._frozen = 0
        self._trap: re.Pattern[bytes] | None = None
        self.connects = self.resets = 0

    @property
    def url(self) -> str:
        """Return the address to use instead of the server's."""
        return f"{self._scheme}://127.0.0.1:{self._port}"

    @property
    def toxics(self) -> Toxics:
        """Return what is done to the bytes now."""
        return self._toxics

    @toxics.setter
    def toxics(self, toxics: Toxics) -> None:
        self._toxics = toxics
        if toxics.black_hole:
            self._through.clear()
        else:
            self._through.set()

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=CHUNK)
        self._port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Reset every connection and refuse new ones, until started again."""
        if self._server is not None:
            self._server.close()
        self._server = None
        self.reset()

    def reset(self) -> None:
        """Reset every connection (RST, no goodbye)."""
        for transport in [each for each in self._transports if not each.is_closing()]:
            self.resets += 1
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def freeze(self) -> None:
        """Let the connections open now never bring anything again; new ones work."""
        self._frozen = self.connects

    def trap(self, pattern: bytes) -> None:
        """Reset every connection amid the next bytes of a client that match, once; what lies before goes through."""
        self._trap = re.compile(pattern, re.DOTALL)

    @property
    def is_set(self) -> bool:
        """Tell whether the trap waits."""
        return self._trap is not None

    async def stop(self) -> None:
        """Let go of everything."""
        self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        serial = self.connects
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        writers = [writer]
        self._transports.add(writer.transport)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target, limit=CHUNK)
            writers.append(far_writer)
            self._transports.add(far_writer.transport)
            pipes = {
                asyncio.create_task(self._pipe(reader, far_writer, serial, spoiled=False)),
                asyncio.create_task(self._pipe(far_reader, writer, serial, spoiled=True)),
            }
            try:
                await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                return  # the proxy stops; the streams' own callback would report a cancellation as a fault
            finally:
                for pipe in pipes:
                    pipe.cancel()
                await asyncio.gather(*pipes, return_exceptions=True)
        except OSError:
            pass  # the server is not there: the client is cut off below
        finally:
            for each in writers:
                self._transports.discard(each.transport)
                each.close()

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, serial: int, *, spoiled: bool
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._through.wait()
                if serial <= self._frozen:
                    continue
                found = self._trap.search(data) if self._trap is not None and not spoiled else None
                if found is not None:
                    self._trap = None
                    writer.write(data[: found.end()])
                    await writer.drain()
                    await asyncio.sleep(0.05)  # so that it has really arrived
                    self.reset()
                    return
                toxics = self._toxics
                if spoiled and toxics.latency:
                    await asyncio.sleep(toxics.latency)
                await self._write(writer, data, toxics if spoiled else Toxics())
            await writer.drain()
        except OSError:
            return  # one side is gone: so is the other, soon

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, toxics: Toxics) -> None:
        if toxics.rate is not None:
            step = max(1, int(toxics.rate / 20))
            for start in range(0, len(data), step):
                writer.write(data[start : start + step])
                await writer.drain()
                if self._toxics.rate is not None:
                    await asyncio.sleep(len(data[start : start + step]) / self._toxics.rate)
            return
        if toxics.slices:
            start = 0
            while start < len(data):
                size = self._random.randint(1, 7)
                writer.write(data[start : start + size])
                start += size
                await asyncio.sleep(0)
                await self._through.wait()
        else:
            writer.write(data)
        await writer.drain()
