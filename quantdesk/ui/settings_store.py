"""Keep the user's choices in one small JSON file, written atomically; a broken file is set aside."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from quantdesk.analytics.alerts.rule import Rule
from quantdesk.analytics.kalman import FEWEST_FORMATION
from quantdesk.analytics.zscore import ZKind
from quantdesk.config import DEFAULT_SYMBOLS, ConfigError, StoreLimits, check_url
from quantdesk.feed.proxy import SYSTEM_PROXY, parse_proxy
from quantdesk.model.frame import LATEST_END, LEAST_REFIT_EVERY, LONGEST_WINDOW, SHORTEST_WINDOW
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.tick_order import AGES_MS, MINUTES, TickSettings
from quantdesk.store.address import StoreAddress, parse_address
from quantdesk.store.base import Retention
from quantdesk.ui import kept_indicators, kept_keys, kept_rules, kept_webhooks
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.kept_file import KeptFile
from quantdesk.ui.window_settings import LINK_GROUPS, WINDOW_FIELDS, WindowSettings

MAX_RECENT = 10
MAX_SYMBOLS = MAX_UNPOSTED = 200
#: What the limits of the store may be: days, GB, days; 0 = no limit.
KEEP_DAYS = (0, 36_500)
KEEP_GB = (0.0, 100_000.0)
COMPRESS_DAYS = (0, 3_650)
_GB = 1_000_000_000


@dataclass(slots=True)
class Settings(WindowSettings):
    """Hold every choice that outlives a session, the main window's among them; changed in place, saved by the store."""

    theme: str = "system"
    safe_colours: bool = False  # rising and falling in blue and orange
    magnet: bool = False  # of the drawing tools
    symbols: list[str] = field(default_factory=lambda: list(DEFAULT_SYMBOLS))
    alert_rules: dict[str, Any] = field(default_factory=dict)  # empty = never chosen: the desk's own rule
    webhooks: dict[str, Any] = field(default_factory=dict)  # addresses by rule; what is secret is in the keyring
    unposted: list[str] = field(default_factory=list)  # keys of alerts that no webhook has taken, oldest first
    indicators: dict[str, Any] = field(default_factory=dict)  # over the candles of every symbol
    muted: bool = False
    recent: list[str] = field(default_factory=list)
    last_folder: str = ""
    keys: dict[str, Any] = field(default_factory=dict)  # portable keys by action, where they are not the first ones
    palette_used: list[str] = field(default_factory=list)  # ids of what the command palette ran, newest first
    ask_on_close: bool = True
    close_to_tray: bool = False
    database: str = ""  # URL of the store without a password; empty = the file in the data folder
    keep_ticks_days: int = 0  # 0 = for ever
    keep_ticks_gb: float = 10.0  # 0 = as many as there are
    compress_after_days: int = 7  # 0 = never
    server_offer_declined: bool = False
    ws_url: str = ""  # empty = the exchange's own
    rest_url: str = ""
    archive_url: str = ""
    proxy: str = SYSTEM_PROXY  # or NO_PROXY, or the URL of one without its password
    replay_speed: float = 1.0  # 0 = as fast as it goes
    replay_y: str = ""  # what was replayed last of the store
    replay_x: str = ""
    replay_start: int = 0  # ms; 0 = nothing yet
    replay_end: int = 0
    tick_minutes: int = 15
    tick_max_age_ms: int = 10_000

    def remember_file(self, path: Path) -> None:
        """Put a file on top of the recent ones."""
        name = str(path)
        self.recent = [name, *(r for r in self.recent if r != name)][:MAX_RECENT]
        self.last_folder = str(path.parent)

    def remember_command(self, command: str) -> None:
        """Put a command on top of those that the palette ran."""
        self.palette_used = [command, *(c for c in self.palette_used if c != command)][:MAX_RECENT]

    def note_post(self, alert: str, *, taken: bool) -> None:
        """Remember an alert until its webhook has taken it; of too many the oldest are forgotten."""
        self.unposted = [*(one for one in self.unposted if one != alert), *(() if taken else (alert,))][-MAX_UNPOSTED:]

    def take_replay_speed(self, speed: float) -> None:
        """Keep the speed of a replay; infinity is as fast as it goes."""
        self.replay_speed = speed if math.isfinite(speed) else 0.0

    def rules(self) -> tuple[Rule, ...]:
        """Return the alert rules."""
        return kept_rules.rules_of(self.alert_rules)

    def tick_settings(self) -> TickSettings:
        """Return the window of trades and the largest age of a price."""
        return TickSettings(self.tick_minutes, self.tick_max_age_ms)

    def take_ticks(self, chosen: TickSettings) -> None:
        """Keep the window of trades and the largest age of a price."""
        self.tick_minutes, self.tick_max_age_ms = chosen.minutes, chosen.max_age_ms

    def store_address(self, folder: Path) -> StoreAddress | None:
        """Return the store that was chosen, or None for the one in the data folder; ``folder`` keeps its spill."""
        return parse_address(self.database, folder) if self.database else None

    def take_store(self, address: StoreAddress | None) -> None:
        """Keep the choice of a store, never its password."""
        self.database = "" if address is None else address.url

    def retention(self) -> Retention:
        """Return how long the embedded store keeps trades; a server has settings of its own."""
        return Retention(self.keep_ticks_days, round(self.keep_ticks_gb * _GB), self.compress_after_days)

    def store_limits(self) -> StoreLimits:
        """Return the bounds to open the embedded store with: its first act may be to delete beyond them."""
        kept = self.retention()
        return StoreLimits(max_tick_bytes=kept.keep_bytes, max_tick_age_days=kept.keep_days)

    def take_retention(self, retention: Retention) -> None:
        """Keep how long the embedded store keeps trades."""
        self.keep_ticks_days, self.compress_after_days = retention.keep_days, retention.compress_days
        self.keep_ticks_gb = retention.keep_bytes / _GB

    def take_rules(self, rules: Sequence[Rule]) -> None:
        """Keep the alert rules."""
        self.alert_rules = kept_rules.plain_of(rules)


#: Values outside these bounds fall back to the default instead of reaching a model.
_BOUNDS: dict[str, tuple[float, float]] = {
    "window": (SHORTEST_WINDOW, LONGEST_WINDOW),
    "correlation_window": (SHORTEST_WINDOW, LONGEST_WINDOW),
    "formation_bars": (SHORTEST_WINDOW, LONGEST_WINDOW),
    "refit_every": (0, 1_000_000),
    "formation_end": (0, LATEST_END),
    "kalman_delta": (0.0, math.nextafter(1.0, 0.0)),
    "keep_ticks_days": KEEP_DAYS,
    "keep_ticks_gb": KEEP_GB,
    "compress_after_days": COMPRESS_DAYS,
    "replay_speed": (0.0, 1e6),
    "replay_start": (0, LATEST_END),
    "replay_end": (0, LATEST_END),
}
_CHOICES: dict[str, tuple[object, ...]] = {
    "theme": ("dark", "light", "system"),
    "time_zone": ("utc", "local"),
    "price_scale": tuple(PriceScale),
    "spread_style": ("candles", "line"),
    "spread_formula": ("hedged", "ratio"),
    "z_kind": tuple(kind.value for kind in ZKind),
    "hedge": tuple(HedgeMethod),
    "link_group": LINK_GROUPS,
    "tick_minutes": MINUTES,
    "tick_max_age_ms": AGES_MS,
}


def _accepted(name: str, value: object, default: object) -> object:
    """Return the value if it has the default's type and lies within bounds, else the default."""
    if isinstance(default, list):
        bound = MAX_RECENT if name in ("recent", "palette_used") else MAX_SYMBOLS
        return [v for v in value if isinstance(v, str) and v][:bound] if isinstance(value, list) else default
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        return default
    if isinstance(value, int | float) and name in _BOUNDS:
        low, high = _BOUNDS[name]
        return value if low <= value <= high else default
    if name in _READERS and isinstance(value, str):
        return _READERS[name](name, value)
    return value if value in _CHOICES.get(name, (value,)) else default


def _interval(_name: str, value: str) -> str:
    try:
        return value if interval_ms_of(value) > 0 else Settings().interval
    except ConfigError:
        return Settings().interval


_SCHEMES = {"ws_url": ("ws", "wss"), "rest_url": ("http", "https"), "archive_url": ("http", "https")}


def _feed_text(name: str, value: str) -> str:
    """Return an address of the feed as it can be used; the default where it cannot."""
    try:
        if name == "proxy":
            return parse_proxy(value).without_password
        return check_url(value, name, _SCHEMES[name]) if value else ""
    except ConfigError:
        return SYSTEM_PROXY if name == "proxy" else ""


def _without_password(_name: str, url: str) -> str:
    """Return a store's URL without a password; nothing where it names no store."""
    try:
        return parse_address(url, Path()).url if url else ""
    except (ConfigError, RuntimeError):  # the latter for the home of a user that does not exist
        return ""


#: Texts that must mean something; they fall back to the default where they do not.
_READERS: dict[str, Callable[[str, str], str]] = {
    "interval": _interval,
    "database": _without_password,
    "ws_url": _feed_text,
    "rest_url": _feed_text,
    "archive_url": _feed_text,
    "proxy": _feed_text,
}


def window_settings_of(read: Mapping[str, object]) -> WindowSettings:
    """Return the choices of a window as a file holds them; what makes no sense is the default."""
    found = WindowSettings()
    for name in read.keys() & set(WINDOW_FIELDS):
        setattr(found, name, _accepted(name, read[name], getattr(found, name)))
    _agree(found)
    return found


def _agree(chosen: WindowSettings) -> None:
    """Mend choices of which each makes sense, but not beside the others."""
    if 0 < chosen.refit_every < LEAST_REFIT_EVERY:
        chosen.refit_every = 0
    if chosen.hedge == HedgeMethod.KALMAN and chosen.formation_bars < FEWEST_FORMATION:
        chosen.hedge = HedgeMethod.OLS.value
    if chosen.y == chosen.x:
        chosen.y, chosen.x = DEFAULT_SYMBOLS


class SettingsStore:
    """Load and save the settings below a folder; never raises for a broken or unwritable file."""

    def __init__(self, folder: Path) -> None:
        self._file = KeptFile(folder / "settings.json", "settings", "the defaults")
        self.settings = Settings()
        self._unknown: dict[str, Any] = {}
        read = self._file.read()
        if read is not None:
            self._take(read)

    @property
    def path(self) -> Path:
        """Return where the settings are."""
        return self._file.path

    @property
    def problem(self) -> str:
        """Return in words what kept the file from being read or written."""
        return self._file.problem

    def save(self) -> bool:
        """Write the settings if they changed; False and ``problem`` in words if the disk refuses."""
        return self._file.write({**self._unknown, **asdict(self.settings)})

    def _take(self, read: dict[str, Any]) -> None:
        known = {f.name for f in fields(Settings)}
        # A newer version's settings survive a start of this one.
        self._unknown = {k: v for k, v in read.items() if k not in known and k not in kept_rules.OLD_KEYS}
        for name in known & read.keys():
            default = getattr(self.settings, name)
            setattr(self.settings, name, _accepted(name, read[name], default))
        self._take_tables(read)
        _agree(self.settings)
        if not self.settings.symbols:
            self.settings.symbols = list(DEFAULT_SYMBOLS)

    def _take_tables(self, read: dict[str, Any]) -> None:
        """Take rules, keys and the like one by one; what cannot be read is said, and the file is kept as it is."""
        unread = {}
        self.settings.alert_rules, unread["rules"] = kept_rules.accepted(read)
        self.settings.keys, unread["keys"] = kept_keys.accepted(read)
        self.settings.webhooks, unread["webhooks"] = kept_webhooks.accepted(read)
        self.settings.indicators, unread["indicators"] = kept_indicators.accepted(read)
        kinds = [kind for kind, words in unread.items() if words]
        if kinds:
            self._file.copy_aside(" ".join(unread[kind] for kind in kinds), kinds[0])
