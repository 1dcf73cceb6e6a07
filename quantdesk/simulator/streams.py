"""Serve the websocket side: routes, subscriptions, acknowledgements, limits and cuts."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from quantdesk.simulator.clock import Clock
from quantdesk.simulator.faults import Faults, Limits
from quantdesk.simulator.wire import Wire

PUBLIC, MARKET, NOWHERE = "public", "market", ""

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")
_INVALID_REQUEST, _INVALID_JSON = 2, 3
_MAX_MESSAGE = 1 << 16
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """Remember a control message: when it came (ms), on which connection, and what it asked for."""

    at_ms: int
    connection: int
    method: str
    params: tuple[str, ...]


class Connection:
    """Hold one client's route, form (raw or combined) and subscriptions, in order of arrival."""

    def __init__(self, socket: ServerConnection, opened_ms: int, number: int = 0) -> None:
        self.socket = socket
        self.number = number
        self.opened_ms = opened_ms
        self.route, self.combined, names = read_path(socket.request.path if socket.request else "/")
        self.streams: dict[str, None] = dict.fromkeys(names)
        self.incoming: deque[int] = deque()


def read_path(path: str) -> tuple[str, bool, list[str]]:
    """Return the route, whether payloads are wrapped, and the streams named in a request path.

    A legacy or unknown path has the route NOWHERE: it is accepted, and no data ever come.
    """
    parts = urlsplit(path)
    segments = [unquote(part) for part in parts.path.split("/") if part]
    route = segments.pop(0) if segments and segments[0] in (PUBLIC, MARKET) else NOWHERE
    if segments[:1] == ["ws"]:
        return route, False, segments[1:]
    if segments == ["stream"]:
        listed = parse_qs(parts.query).get("streams", [""])[0]
        return route, True, [name for name in listed.split("/") if name]
    return NOWHERE, False, []


class StreamServer:
    """Keep the connections of one listening port and send them what they subscribed to."""

    def __init__(self, clock: Clock, limits: Limits, faults: Faults) -> None:
        self._clock = clock
        self._limits = limits
        self._connections: set[Connection] = set()
        self._subscribers: dict[tuple[str, str], set[Connection]] = {}
        self._connects: deque[int] = deque()
        self._closing: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._faults = faults
        self._last_cut_ms = clock.now_ms()
        self._doomed: list[tuple[int, Connection]] = []
        self._revived: set[str] = set()
        self.wire = Wire(faults)
        self.opened = self.handshakes = 0
        self.controls: deque[ControlSeen] = deque(maxlen=_REMEMBERED)
        self.slow = 0

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; raises OSError if it is taken."""
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._admit,
            compression=None,
            max_size=_MAX_MESSAGE,
            max_queue=64,
            ping_interval=self._limits.ping_interval,
            ping_timeout=self._limits.ping_timeout,
            close_timeout=1,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Close every connection with 1001 and stop listening."""
        self.set_faults(Faults())
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._closing:
            await asyncio.wait(self._closing)

    @property
    def sent(self) -> int:
        """Return how many market data frames went out."""
        return self.wire.sent

    @property
    def faults(self) -> Faults:
        """Return the faults in force."""
        return self._faults

    def set_faults(self, faults: Faults) -> None:
        """Put other faults in force, for open connections too."""
        self._faults = faults
        self._last_cut_ms = self._clock.now_ms()
        self._revived.clear()
        for connection in self._connections:
            self._hold(connection)
        self.wire.set_faults(faults)
        self.wire.inject([connection.socket for connection in self._connections])
        if faults.shutdown_in is not None:
            self.announce_shutdown()
            end = self._last_cut_ms + round(faults.shutdown_in * 1_000)
            self._doomed += [(end, connection) for connection in self._connections]

    def wanted(self, route: str, stream: str) -> bool:
        """Say whether anybody listens to a stream."""
        return bool(self._subscribers.get((route, stream)))

    def streams_wanted(self, route: str) -> list[str]:
        """Return the names that anybody subscribed to on a route, known or not."""
        return [stream for where, stream in self._subscribers if where == route]

    def publish(self, route: str, stream: str, payload: str | bytes) -> None:
        """Send a payload to the subscribers of a stream, bare or wrapped as each of them reads it."""
        faults = self._faults
        listeners = self._subscribers.get((route, stream))
        if not listeners or faults.hang or (stream in faults.silent and stream not in self._revived):
            return
        bare = [c.socket for c in listeners if not c.combined]
        wrapped = [c.socket for c in listeners if c.combined]
        if bare:
            self.wire.send(stream, bare, payload)
        if wrapped:
            whole = f'{{"stream":"{stream}","data":{payload}}}' if isinstance(payload, str) else payload
            self.wire.send(stream, wrapped, whole)

    def announce_shutdown(self) -> None:
        """Tell every client that its connection will be cut soon."""
        event = f'{{"e":"serverShutdown","E":{self._clock.now_ms()}}}'
        self.wire.send("", [connection.socket for connection in self._connections], event)

    def cut_all(self, code: int = 1001) -> None:
        """Close every connection with a code; 1006 resets it without a close frame."""
        for connection in list(self._connections):
            self._cut(connection, code, "cut by a fault")

    def check(self) -> None:
        """Cut what has lived too long or reads too slowly, and what a fault wants cut."""
        now = self._clock.now_ms()
        for connection in list(self._connections):
            if now - connection.opened_ms >= self._limits.lifetime * 1_000:
                self._cut(connection, 1001, "24 hours are over")
            elif connection.socket.transport.get_write_buffer_size() > self._limits.send_buffer:
                self.slow += 1
                self._cut(connection, 1008, "reading too slowly")
        due = [connection for end, connection in self._doomed if end <= now]
        self._doomed = [(end, connection) for end, connection in self._doomed if end > now]
        for connection in due:
            if connection in self._connections:
                self._cut(connection, 1012, "shut down as announced")
        every = self._faults.close_every
        if every is not None and now - self._last_cut_ms >= every * 1_000:
            self._last_cut_ms = now
            self.cut_all(self._faults.close_code)

    def _cut(self, connection: Connection, code: int, reason: str) -> None:
        self._leave(connection)
        if code == 1006:
            connection.socket.transport.abort()
            return
        task = asyncio.ensure_future(connection.socket.close(code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _hold(self, connection: Connection) -> None:
        transport = connection.socket.transport
        if not isinstance(transport, asyncio.ReadTransport) or transport.is_closing():
            return
        if self._faults.hang:
            transport.pause_reading()
        else:
            transport.resume_reading()

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        self.handshakes += 1
        if self._faults.handshake_delay:
            await asyncio.sleep(self._faults.handshake_delay)
        now = self._clock.now_ms()
        self._connects.append(now)
        while self._connects and now - self._connects[0] > self._limits.connects_seconds * 1_000:
            self._connects.popleft()
        status, wait = self._faults.handshake_status, self._faults.retry_after
        if status is None and len(self._connects) > self._limits.connects:
            status, wait = 429, self._limits.connects_seconds
        if status is None:
            return None
        known = status in HTTPStatus.__members__.values()
        response = socket.respond(HTTPStatus(status if known else 503), "refused\n")
        response.status_code = status
        if wait is not None:
            response.headers["Retry-After"] = str(wait)
        return response

    async def _serve(self, socket: ServerConnection) -> None:
        self.opened += 1
        connection = Connection(socket, self._clock.now_ms(), self.opened)
        self._connections.add(connection)
        for stream in connection.streams:
            self._subscribers.setdefault((connection.route, stream), set()).add(connection)
        self._hold(connection)
        try:
            async for message in socket:
                if self._floods(connection):
                    self._leave(connection)
                    await socket.close(1008, "Too many requests")
                    return
                answer = self._answer(connection, message)
                if not (self._faults.no_ack or self._faults.hang):
                    await self._acknowledge(socket, answer)
        except ConnectionClosed:
            pass  # the client went away; what it had is given up below
        finally:
            self._leave(connection)

    async def _acknowledge(self, socket: ServerConnection, answer: str) -> None:
        if self._faults.ack_delay:
            asyncio.get_running_loop().call_later(self._faults.ack_delay, broadcast, [socket], answer)
        else:
            await socket.send(answer)

    def _floods(self, connection: Connection) -> bool:
        now = self._clock.now_ms()
        connection.incoming.append(now)
        while now - connection.incoming[0] >= 1_000:
            connection.incoming.popleft()
        return len(connection.incoming) > self._limits.messages_per_second

    def _leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for stream in connection.streams:
            self._unsubscribe(connection, stream)

    def _unsubscribe(self, connection: Connection, stream: str) -> None:
        listeners = self._subscribers.get((connection.route, stream), set())
        listeners.discard(connection)
        if not listeners:
            self._subscribers.pop((connection.route, stream), None)

    def _answer(self, connection: Connection, message: str | bytes) -> str:
        try:
            request = json.loads(message)
        except ValueError:
            return _error(_INVALID_JSON, "Invalid JSON: expected value at line 1 column 1")
        if not isinstance(request, dict):
            return _error(_INVALID_REQUEST, "Invalid request: an object is expected")
        number, method, params = request.get("id"), request.get("method"), request.get("params", [])
        if not isinstance(number, int | str) or isinstance(number, bool):
            return _error(_INVALID_REQUEST, "Invalid request: request ID must be an unsigned integer")
        if method not in _METHODS:
            words = f"Invalid request: unknown variant {method}, expected one of {', '.join(_METHODS)}"
            return _error(_INVALID_REQUEST, words, number)
        if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
            return _error(_INVALID_REQUEST, "Invalid request: params must be a list of texts", number)
        return self._obey(connection, method, params, number)

    def _obey(self, connection: Connection, method: str, params: list[str], number: int | str) -> str:
        self.controls.append(ControlSeen(self._clock.now_ms(), connection.number, method, tuple(params)))
        result: list[str] | None = None
        if method == "LIST_SUBSCRIPTIONS":
            result = list(connection.streams)
        elif not params:
            return _error(_INVALID_REQUEST, "Invalid request: params must not be empty", number)
        elif method == "UNSUBSCRIBE":
            for stream in params:
                connection.streams.pop(stream, None)
                self._unsubscribe(connection, stream)
        elif self._faults.ack_error is not None:
            return _error(self._faults.ack_error, "refused by a fault", number)
        elif len(connection.streams.keys() | set(params)) > self._limits.streams:
            return _error(_INVALID_REQUEST, f"Invalid request: more than {self._limits.streams} streams", number)
        else:
            if self._faults.renewable:
                self._revived.update(params)
            for stream in params:
                connection.streams[stream] = None
                self._subscribers.setdefault((connection.route, stream), set()).add(connection)
        return json.dumps({"result": result, "id": number}, ensure_ascii=False, separators=(",", ":"))


def _error(code: int, words: str, number: int | str | None = None) -> str:
    """Write an error in the form with an id where the request had one, else in the bare form."""
    error: dict[str, Any] = {"code": code, "msg": words}
    return json.dumps(
        error if number is None else {"error": error, "id": number}, ensure_ascii=False, separators=(",", ":")
    )
