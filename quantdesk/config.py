"""Hold addresses, limits and folders: every constant of the outside world in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

APP_NAME = "quantdesk"
DEFAULT_WS_URL = "wss://fstream.binance.com"
DEFAULT_REST_URL = "https://fapi.binance.com"
DEFAULT_ARCHIVE_URL = "https://data.binance.vision"
DEFAULT_VENUE = "binance-um"
SIMULATOR_VENUE = "simulator"
DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT")
#: The server store of docker-compose.db.yml, on this machine's loopback address.
COMPOSE_PORT = 55432
COMPOSE_USER = "quantdesk"
COMPOSE_DATABASE = "quantdesk"


class ConfigError(ValueError):
    """Say in one line what is wrong with a setting, a URL or an argument."""


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Bound the feed: seconds, counts and bytes. Injected, so that tests shorten them."""

    ack_timeout: float = 5.0
    first_frame_timeout: float = 10.0
    open_timeout: float = 10.0
    close_timeout: float = 2.0
    market_silence: float = 5.0
    public_silence: float = 28.0
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    first_backoff: float = 0.25
    reconnect_cap: float = 1.5  # with the handshake: back within 2 s
    handshake_cap: float = 30.0
    stable_after: float = 5.0
    verify_every: float = 180.0
    control_per_second: int = 4
    connects_per_5min: int = 250
    streams_per_connection: int = 200
    max_frame_bytes: int = 1 << 20
    max_body_bytes: int = 32 << 20
    max_queue: int = 4_096
    rest_timeout: float = 15.0
    weight_per_minute: int = 2_400
    weight_share: float = 0.5
    refused_pause: float = 60.0
    rest_reach_ms: int = 48 * 3_600_000
    gap_collect: float = 1.0
    seam_minutes: int = 5
    seam_trades: int = 20_000
    lifetime: float = 23 * 3_600.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Name the exchange: bases of websocket and REST, and the venue its rows are stored under.

    ``archive_url`` is the base of its files of past days, empty where it has none.
    """

    ws_url: str = DEFAULT_WS_URL
    rest_url: str = DEFAULT_REST_URL
    venue: str = DEFAULT_VENUE
    archive_url: str = DEFAULT_ARCHIVE_URL

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Endpoints:
        """Read QUANTDESK_WS_URL and QUANTDESK_REST_URL; another base is another venue.

        QUANTDESK_ARCHIVE_URL names its archive.
        """
        ws = check_url(environ.get("QUANTDESK_WS_URL") or DEFAULT_WS_URL, "QUANTDESK_WS_URL", ("ws", "wss"))
        rest = check_url(environ.get("QUANTDESK_REST_URL") or DEFAULT_REST_URL, "QUANTDESK_REST_URL", ("http", "https"))
        archive = environ.get("QUANTDESK_ARCHIVE_URL") or ""
        return cls.of(ws, rest, check_url(archive, "QUANTDESK_ARCHIVE_URL", ("http", "https")) if archive else "")

    @classmethod
    def of(cls, ws_url: str = "", rest_url: str = "", archive_url: str = "") -> Endpoints:
        """Name the exchange at these bases, "" = the exchange's own; another base is another venue.

        Another archive is a mirror: it changes nothing of the venue, and another venue has none unless it is named.
        """
        ws, rest = ws_url or DEFAULT_WS_URL, rest_url or DEFAULT_REST_URL
        venue = DEFAULT_VENUE if (ws, rest) == (DEFAULT_WS_URL, DEFAULT_REST_URL) else venue_of(rest, ws)
        return cls(ws, rest, venue, archive_url or (DEFAULT_ARCHIVE_URL if venue == DEFAULT_VENUE else ""))

    def or_chosen(self, ws_url: str, rest_url: str, archive_url: str) -> Endpoints:
        """Return the exchange that a person chose ("" = the exchange's own); what this one names goes before it."""
        if not self.is_default:
            return self
        named = self.archive_url if self.archive_url != DEFAULT_ARCHIVE_URL else ""
        return Endpoints.of(ws_url, rest_url, named or archive_url)

    @property
    def is_default(self) -> bool:
        """Tell whether it is the exchange's own, whatever mirror its archive is taken from."""
        return (self.ws_url, self.rest_url) == (DEFAULT_WS_URL, DEFAULT_REST_URL)


def check_url(url: str, name: str, schemes: tuple[str, ...]) -> str:
    """Return the URL without a trailing slash, or raise ConfigError naming the setting."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{name} is not a URL: {error}") from error
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ConfigError(f"{name} must start with {' or '.join(s + '://' for s in schemes)} and name a host")
    if "@" in parts.netloc:
        raise ConfigError(f"{name} holds a user or password, which the exchange does not ask for: leave it out")
    return url.rstrip("/")


def venue_of(rest_url: str, ws_url: str) -> str:
    """Name the venue of a base URL that is not the exchange's own, by its host and port."""
    parts = urlsplit(ws_url if rest_url == DEFAULT_REST_URL else rest_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bound the store: bytes, rows and seconds."""

    batch_rows: int = 500
    batch_seconds: float = 0.1
    queue_rows: int = 200_000
    max_tick_bytes: int = 10 * 1_000_000_000
    low_disk_warning: int = 2_000_000_000
    low_disk_stop: int = 500_000_000
    delete_slice: int = 4_000
    retention_check_seconds: float = 60.0
    spill_bytes: int = 2_000_000_000
    spill_rows: int = 20_000
    spill_after: float = 1.0
    first_retry: float = 0.05
    last_retry: float = 2.0
    max_tick_age_days: int = 0  # 0: for ever
    compress_after_days: int = 7  # a server's store only
    lease_seconds: float = 6.0  # who does not renew is taken over; with what a dead line may still lock, within 15 s
    answer_seconds: float = 25.0  # so long a server may take for one answer of the writer's


@dataclass(frozen=True, slots=True)
class Paths:
    """Name the folders the program writes to; nothing is written elsewhere unasked."""

    data: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)))
    config: Path = field(default_factory=lambda: Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)))
    logs: Path = field(default_factory=lambda: Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)))

    @classmethod
    def under(cls, data_dir: Path) -> Paths:
        """Keep data, settings and logs together below one folder (``--data-dir``)."""
        return cls(data_dir, data_dir / "config", data_dir / "logs")

    @property
    def store_file(self) -> Path:
        """Return the embedded store's file."""
        return self.data / "quantdesk.sqlite"


def resource(name: str) -> Path:
    """Return a shipped file below resources/: inside the package when installed, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "resources", here.parent / "resources"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"resource {name} is not installed")
