"""Check that every part of the program, every library and every shipped file is there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree

import quantdesk
from quantdesk.app.selftest.findings import Finding, Ground, is_packaged, verdict
from quantdesk.config import resource

#: Runs the program when it is imported.
_NOT_IMPORTED = "quantdesk.__main__"


def check_program(ground: Ground) -> Finding:
    """Import every module of the program."""
    found = {module.name for module in pkgutil.walk_packages(quantdesk.__path__, "quantdesk.")}
    # The sub-commands are imported by name: a package may have lost them without any list that tells.
    names = sorted({*found, *ground.args.modules} - {_NOT_IMPORTED})
    failures = [f"{name}: {why}" for name in names if (why := _import_problem(name))]
    return verdict(f"{len(names)} modules are imported", failures)


def check_libraries(_: Ground) -> Finding:
    """Import every library and look up its version, which Help > About shows."""
    from quantdesk.ui.libraries import LIBRARIES

    versions: list[str] = []
    failures: list[str] = []
    warnings: list[str] = []
    for library in LIBRARIES:
        failures += [f"{name}: {why}" for name in library.modules if (why := _import_problem(name))]
        try:
            versions.append(f"{library.distribution} {version(library.distribution)}")
        except PackageNotFoundError:
            (failures if is_packaged() else warnings).append(f"{library.distribution} has no record of its version")
    return verdict(", ".join(versions), failures, warnings)


def check_resources(_: Ground) -> Finding:
    """Read every shipped file that is used when the program runs."""
    from quantdesk.app.local_database import compose_text
    from quantdesk.ui.action_table import desk_actions

    failures: list[str] = []
    icons = 0
    try:
        style = resource("desk.qss").read_text(encoding="utf-8")
        wanted = {part.partition('"')[0] for part in style.split("@icons/")[1:]} | {"quantdesk.svg"}
        wanted |= {f"{name}.svg" for action in desk_actions() for name in action.icon.split("/") if name}
        folder = resource("icons")
        here = {path.name for path in folder.glob("*.svg")}
        failures += [f"icon {name} is missing" for name in sorted(wanted - here)]
        failures += [f"icon {name}: {why}" for name in sorted(here) if (why := _picture_problem(folder / name))]
        icons = len(here)
    except (OSError, UnicodeDecodeError) as error:
        failures.append(str(error))
    try:
        if "services:" not in compose_text():
            failures.append("the compose file of the database is empty")
    except (OSError, UnicodeDecodeError) as error:
        failures.append(f"the compose file of the database: {error}")
    return verdict(f"{icons} icons, the style sheet and the database's compose file are read", failures)


def _import_problem(name: str) -> str:
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001  # a broken library may raise anything
        return " ".join(f"{type(error).__name__} {error}".split())[:200]
    return ""


def _picture_problem(path: Path) -> str:
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  # our own file
    except (OSError, UnicodeDecodeError, ElementTree.ParseError) as error:
        return str(error)
    return "" if root.tag.endswith("svg") and len(root) else "it draws nothing"
