"""Fetch files of past days from the exchange's archive, proven by their checksums."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from quantdesk.config import FeedLimits
from quantdesk.feed.certificates import tls_context
from quantdesk.feed.failures import error_words, retry_after, status_words
from quantdesk.feed.proxy import proxy_for

if TYPE_CHECKING:
    import aiohttp

PREFIX = "data/futures/um"
TRADES = "aggTrades"
#: A file of one day is far smaller; more is not taken in.
MOST_BYTES = 2_000_000_000
_MOST_SUM_BYTES = 4_096
_BLOCK = 1 << 18
#: A line that brings nothing for so long (s) is dead.
_SILENCE = 30.0
_SUM = re.compile(r"\s*([0-9a-fA-F]{64})\b")
_TRIES = 3
_PAUSE = 0.5
_LONGEST_WAIT = 60.0


Said = Callable[[int, int], None]


class ArchiveError(Exception):
    """Say in plain words why a file of the archive was not taken; nothing of it was used."""


class ArchiveAbsentError(ArchiveError):
    """The archive has no such file, or not yet."""


class ArchiveDamagedError(ArchiveError):
    """What came is not what the checksum promises."""


class ArchiveUnreachableError(ArchiveError):
    """The network, a proxy or the server is in the way; trying later may help."""


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """Name a file: a symbol's trades (``interval`` empty) or klines of one day, or of the month that it begins."""

    symbol: str
    interval: str
    first: date
    monthly: bool = False

    @property
    def name(self) -> str:
        """Return the file's name with its ending."""
        when = f"{self.first:%Y-%m}" if self.monthly else f"{self.first:%Y-%m-%d}"
        return f"{self.symbol}-{self.interval or TRADES}-{when}.zip"

    @property
    def path(self) -> str:
        """Return the path below the archive's base."""
        folder = f"klines/{self.symbol}/{self.interval}" if self.interval else f"{TRADES}/{self.symbol}"
        return quote(f"{PREFIX}/{'monthly' if self.monthly else 'daily'}/{folder}/{self.name}")


class ArchiveClient:
    """Fetch from one archive, a file at a time; close it with ``close``."""

    def __init__(self, base_url: str, limits: FeedLimits | None = None) -> None:
        if not base_url:
            raise ArchiveUnreachableError(
                "this exchange has no archive: name one by QUANTDESK_ARCHIVE_URL, or take klines by REST"
            )
        self._base = base_url
        self._limits = limits or FeedLimits()
        self._session: aiohttp.ClientSession | None = None
        self.bytes = 0  #: received so far
        self.requests = 0

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, file: ArchiveFile, into: Path, said: Said = lambda size, total: None) -> None:
        """Write a file's zip to ``into`` once its SHA-256 is as promised; ``said`` hears how many bytes came,
        and how many there are (0: not told).

        Asked again where the line broke or the checksum differs. Raises ArchiveAbsentError, ArchiveDamagedError,
        ArchiveUnreachableError; then ``into`` does not exist.
        """
        pause = _PAUSE
        for left in reversed(range(_TRIES)):
            try:
                await self._fetch(file, into, said)
                return
            except ArchiveAbsentError:
                raise
            except ArchiveError as error:
                _remove(into)
                if not left:
                    raise
                pause = max(pause, getattr(error, "wait", 0.0))
            except BaseException:
                _remove(into)
                raise
            await asyncio.sleep(pause)
            pause *= 2

    async def _fetch(self, file: ArchiveFile, into: Path, said: Said) -> None:
        told = (await self._small(f"{self._base}/{file.path}.CHECKSUM", file)).decode("ascii", "replace")
        promised = _SUM.match(told)
        if promised is None:
            raise ArchiveDamagedError(f"{file.name}: its checksum file holds no SHA-256")
        digest, size = hashlib.sha256(), 0

        async def take(answer: aiohttp.ClientResponse) -> None:
            nonlocal size
            out = await asyncio.to_thread(into.open, "wb")
            try:
                async for block in answer.content.iter_chunked(_BLOCK):
                    size += len(block)
                    self.bytes += len(block)
                    if size > MOST_BYTES:
                        raise ArchiveDamagedError(f"{file.name} has more than {MOST_BYTES:,} bytes: not taken")
                    digest.update(block)
                    await asyncio.to_thread(out.write, block)
                    said(len(block), answer.content_length or 0)
            finally:
                await asyncio.to_thread(out.close)

        await self._get(f"{self._base}/{file.path}", file, take)
        if digest.hexdigest() != promised[1].lower():
            raise ArchiveDamagedError(
                f"{file.name}: its SHA-256 is not the one that the archive promises: nothing of it was used"
            )

    async def _small(self, url: str, file: ArchiveFile) -> bytes:
        parts: list[bytes] = []

        async def take(answer: aiohttp.ClientResponse) -> None:
            parts.append(await answer.content.read(_MOST_SUM_BYTES))

        await self._get(url, file, take)
        return b"".join(parts)

    async def _get(self, url: str, file: ArchiveFile, take: Callable[[aiohttp.ClientResponse], object]) -> None:
        import aiohttp

        if self._session is None:
            patience = aiohttp.ClientTimeout(total=None, sock_connect=self._limits.rest_timeout, sock_read=_SILENCE)
            self._session = aiohttp.ClientSession(timeout=patience, connector=aiohttp.TCPConnector(ssl=tls_context()))
        self.requests += 1
        try:
            async with self._session.get(url, allow_redirects=False, proxy=proxy_for(url)) as answer:
                if answer.status == 404:
                    raise ArchiveAbsentError(f"the archive has no {file.name}")
                if answer.status != 200:
                    raise _refusal(answer.status, answer.headers.get("Retry-After"))
                await take(answer)  # type: ignore[misc]  # a coroutine function
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ArchiveUnreachableError(f"{file.name}: {error_words(error)}") from error


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


class _RefusedError(ArchiveUnreachableError):
    def __init__(self, words: str, wait: float) -> None:
        super().__init__(words)
        self.wait = wait


def _refusal(status: int, wait: str | None) -> ArchiveUnreachableError:
    return _RefusedError(status_words(status), min(_LONGEST_WAIT, retry_after(wait, 0.0)))


class Rate:
    """Measure bytes a second over the last seconds; ``clock`` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, window: float = 5.0) -> None:
        self._clock, self._window = clock, window
        self._seen: list[tuple[float, int]] = [(clock(), 0)]
        self._total = 0

    def add(self, size: int) -> None:
        """Count bytes that came now."""
        self._total += size
        now = self._clock()
        if now - self._seen[-1][0] > 0.2:
            self._seen.append((now, self._total))
            while len(self._seen) > 2 and self._seen[1][0] < now - self._window:
                del self._seen[0]

    @property
    def per_second(self) -> float:
        """Return the bytes a second."""
        first, total = self._seen[0]
        return (self._total - total) / max(0.2, self._clock() - first)
