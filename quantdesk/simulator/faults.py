"""State what the exchange does wrong on purpose, and decide by a seed when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RestFault(StrEnum):
    """Name ways in which a REST answer goes wrong besides its status."""

    TIMEOUT = "timeout"  #: the answer never comes
    HALF = "half"  #: the connection ends in the middle of the body
    WRONG = "wrong"  #: 200 with JSON of another shape
    NONSENSE = "nonsense"  #: 200 with rows that look right and carry impossible numbers


class ArchiveFault(StrEnum):
    """Name ways in which a file of the archive goes wrong."""

    ABSENT = "absent"  #: 404, as for a day that is not there yet
    CHECKSUM = "checksum"  #: the checksum is of another file
    CUT = "cut"  #: the zip is cut short, and its checksum is of that
    HALF = "half"  #: the connection ends in the middle of the zip
    BOMB = "bomb"  #: the zip unpacks to hundreds of times its size
    IDS = "ids"  #: half of the day carries ids of another numbering
    DAY = "day"  #: the trades are of another day


@dataclass(frozen=True, slots=True)
class Faults:
    """Choose faults; the default is none. Set anew on a running server to change them.

    Frames: ``drop`` and ``duplicate`` are probabilities for each market data frame on each connection;
    ``drop_next`` loses that many frames from now on. ``delay`` (s) holds every frame back, ``reorder`` (s)
    each one by a random time of its own up to it. ``stall`` holds all frames until it is lifted, then sends
    them at once. ``replay`` sends that many of the last frames (1,000 at most) once more, ``inject`` sends
    frames of any content to every connection; both happen when the faults are set.

    Connections: ``close_every`` cuts all of them each so many seconds with ``close_code`` (1006: reset, no
    close frame). ``hang`` leaves sockets open, reading and sending nothing. ``shutdown_in`` announces a
    shutdown and cuts the connections open now so many seconds later. ``handshake_status`` refuses websocket
    handshakes (with ``retry_after`` seconds where it is set), ``handshake_delay`` (s) answers them late.

    Subscriptions: ``silent`` names streams that are acknowledged but never sent; with ``renewable`` a new
    SUBSCRIBE brings such a stream back. ``no_ack`` loses acknowledgements, ``ack_delay`` (s) sends them
    late, ``ack_error`` refuses every SUBSCRIBE with that code.

    REST: ``rest_status`` answers every request (with ``retry_after``), ``rest_fault`` spoils the answers,
    ``reach_ms`` shortens how far back aggregate trades are served, ``time_offset_ms`` falsifies /time.
    ``archive_fault`` spoils every file of the archive.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    drop_next: int = 0
    delay: float = 0.0
    reorder: float = 0.0
    stall: bool = False
    replay: int = 0
    inject: tuple[str | bytes, ...] = ()
    close_every: float | None = None
    close_code: int = 1001
    hang: bool = False
    shutdown_in: float | None = None
    handshake_status: int | None = None
    handshake_delay: float = 0.0
    silent: frozenset[str] = frozenset()
    renewable: bool = False
    no_ack: bool = False
    ack_delay: float = 0.0
    ack_error: int | None = None
    rest_status: int | None = None
    rest_fault: RestFault | None = None
    retry_after: int | None = None
    reach_ms: int | None = None
    time_offset_ms: int = 0
    archive_fault: ArchiveFault | None = None
    seed: int = 0

    @property
    def spoils_frames(self) -> bool:
        """Say whether each frame's fate must be drawn."""
        return (
            self.drop > 0 or self.duplicate > 0 or self.delay > 0 or self.reorder > 0 or self.drop_next > 0
        ) or self.stall


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what a client may do, as the exchange does; tests shorten them."""

    messages_per_second: int = 10
    streams: int = 1_024
    connects: int = 300
    connects_seconds: int = 300
    lifetime: float = 86_400.0
    ping_interval: float = 180.0
    ping_timeout: float = 600.0
    weight_per_minute: int = 2_400
    refusals_before_ban: int = 10
    ban_seconds: int = 120
    send_buffer: int = 32 << 20
