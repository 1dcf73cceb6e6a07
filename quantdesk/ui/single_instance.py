"""Let a second start hand its files to the running desk of the same data folder."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_CONNECT_MS = 700
_ANSWER_MS = 2_500
_MAX_BYTES = 1 << 20
_MAX_FILES = 50
_LONGEST_SOCKET_NAME = 100  # Unix allows 107 bytes for a socket's path
_DONE = b"ok\n"


def socket_name(folder: Path) -> str:
    """Return the socket of a data folder: a file in it, or a hashed name where that cannot be."""
    inside = folder / "desk.sock"
    if sys.platform != "win32" and len(os.fsencode(inside)) <= _LONGEST_SOCKET_NAME:
        return str(inside)
    user = os.environ.get("USERNAME") or str(getattr(os, "getuid", lambda: "")())
    return "quantdesk-" + hashlib.sha256(f"{user}|{folder}".encode()).hexdigest()[:24]


class SingleInstance(QObject):
    """Be the one desk of a data folder, or speak to the one that runs.

    First ``hand_over(files)``: True means that the running desk took them and this process may leave.
    Else ``listen()``: then ``files_received(list[Path])`` tells of every later start.
    """

    files_received = Signal(list)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder.absolute()
        self._name = socket_name(self._folder)
        self._lock = QLockFile(str(self._folder / "desk.lock"))
        # The holder's process decides whether the lock is stale, not its age.
        self._lock.setStaleLockTime(0)
        self._server: QLocalServer | None = None
        self._heard: dict[QLocalSocket, bytes] = {}

    def hand_over(self, files: Sequence[Path]) -> bool:
        """Give files (maybe none) to the running desk; it comes to the front. False = none answers."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_CONNECT_MS):
            return False
        message = {"files": [str(path.absolute()) for path in files][:_MAX_FILES]}
        socket.write(json.dumps(message).encode() + b"\n")
        answer = b""
        while socket.waitForReadyRead(_ANSWER_MS):
            answer += bytes(socket.readAll().data())
            if answer.startswith(_DONE):
                break
        socket.disconnectFromServer()
        return answer.startswith(_DONE)

    def listen(self) -> bool:
        """Become the desk that later starts speak to; False where another is, or no socket can be made."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        if not self._lock.tryLock(0):
            return False
        # Only the lock's holder may remove a socket: it is left from a crash.
        QLocalServer.removeServer(self._name)
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._on_connection)
        if not server.listen(self._name):
            self._lock.unlock()
            return False
        self._server = server
        return True

    def close(self) -> None:
        """Stop listening and let the next start be the one."""
        for socket in list(self._heard):
            self._drop(socket)
        if self._server is not None:
            self._server.close()
            self._server = None
            self._lock.unlock()

    @Slot()
    def _on_connection(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._heard[socket] = b""
            socket.readyRead.connect(lambda s=socket: self._on_bytes(s))
            socket.disconnected.connect(lambda s=socket: self._drop(s))
            QTimer.singleShot(_ANSWER_MS, socket, socket.abort)
            self._on_bytes(socket)

    def _on_bytes(self, socket: QLocalSocket) -> None:
        if socket not in self._heard:
            return
        self._heard[socket] += bytes(socket.readAll().data())
        line, end, _ = self._heard[socket].partition(b"\n")
        if len(line) > _MAX_BYTES:
            socket.abort()
            return
        if not end:
            return
        files = _files_of(line)
        if files is None:
            socket.abort()
            return
        self._heard[socket] = b""
        socket.write(_DONE)
        socket.flush()
        self.files_received.emit(files)

    def _drop(self, socket: QLocalSocket) -> None:
        if self._heard.pop(socket, None) is not None:
            socket.deleteLater()


def _files_of(line: bytes) -> list[Path] | None:
    """Return the files a message names, or None if it is no message of ours."""
    try:
        files = json.loads(line)["files"]
        good = isinstance(files, list) and all(isinstance(f, str) and Path(f).is_absolute() for f in files)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return [Path(f) for f in files[:_MAX_FILES]] if good else None
