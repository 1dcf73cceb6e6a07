"""List the checks in the order they run, each with its part and its limit of time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantdesk.app.selftest.findings import Finding, Ground

#: The check that tells whether windows can open: what comes behind it draws offscreen if not.
PLATFORM = "window platform"
_HERE = "quantdesk.app.selftest"


@dataclass(frozen=True, slots=True)
class Check:
    """Name a check, the part (one process) it runs in, and so long (s) it may take.

    ``place`` is module:function below this folder, imported when the check runs.
    """

    name: str
    part: str
    place: str
    limit: float = 30.0

    def act(self, ground: Ground) -> Finding:
        """Run the check; whatever it raises is a failure of it."""
        module, _, function = self.place.partition(":")
        found: Finding = getattr(import_module(f"{_HERE}.{module}"), function)(ground)
        return found


#: Qt comes last: what it cannot do ends the process.
CHECKS = (
    Check("program", "ground", "program:check_program", 90.0),
    Check("libraries", "ground", "program:check_libraries", 90.0),
    Check("resources", "ground", "program:check_resources"),
    Check("data folder", "ground", "folders:check_data"),
    Check("settings folder", "ground", "folders:check_settings"),
    Check("log folder", "ground", "folders:check_logs"),
    Check("free disk", "ground", "folders:check_disk"),
    Check("certificates", "ground", "system:check_certificates"),
    Check("time zones", "ground", "system:check_time_zones"),
    Check("keyring", "ground", "system:check_keyring"),
    Check("store", "ground", "stores:check_store", 60.0),
    Check("statistics", "ground", "known_answers:check_statistics", 90.0),
    Check("database", "ground", "database:check_database", 60.0),
    Check(PLATFORM, "platform", "screens:check_platform"),
    Check("fonts", "screen", "screens:check_fonts"),
    Check("picture", "screen", "picture:check_picture", 90.0),
    Check("tray", "screen", "desktop:check_tray"),
    Check("notifications", "screen", "desktop:check_notifications"),
)


def checks_from(name: str) -> tuple[Check, ...]:
    """Return the checks of one part from the named one on. Raises ValueError for a name that is none."""
    names = [check.name for check in CHECKS]
    first = names.index(name)
    part = CHECKS[first].part
    return tuple(check for check in CHECKS[first:] if check.part == part)
