"""State what the exchange does wrong on purpose, and decide by a seed when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Choose faults; the default is none. Set anew on a running server to change them.

    ``drop`` and ``duplicate`` are probabilities for each market data frame on each connection.
    ``close_every`` cuts all connections each so many seconds with ``close_code`` (1006: reset, no
    close frame). ``hang`` leaves sockets open, reading and sending nothing. ``silent`` names streams
    that are acknowledged but never sent. ``handshake_status`` refuses websocket handshakes,
    ``rest_status`` answers every REST request; both with ``retry_after`` seconds where it is set.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    close_every: float | None = None
    close_code: int = 1001
    hang: bool = False
    no_ack: bool = False
    silent: frozenset[str] = frozenset()
    handshake_status: int | None = None
    rest_status: int | None = None
    retry_after: int | None = None
    seed: int = 0

    @property
    def spoils_frames(self) -> bool:
        """Say whether each frame's fate must be drawn."""
        return self.drop > 0 or self.duplicate > 0


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
