"""Read the keys that the user chose from the settings; what makes no sense falls back, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantdesk.ui.key_words import canonical, why_fixed

_MOST = 500
_LONGEST_NAME = 80


def accepted(read: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return keys by action as settings hold them, and in words what of them cannot be read.

    Keys are portable ("Ctrl+K"); "" = the action has none. Actions of a newer version stay in.
    """
    held = read.get("keys", {})
    if not isinstance(held, dict):
        return {}, "The chosen keys cannot be read: they are no table of actions. The first keys are used."
    good: dict[str, str] = {}
    problems: list[str] = []
    for name, text in held.items():
        keys = canonical(text) if isinstance(text, str) else None
        if keys is None or len(name) > _LONGEST_NAME or len(good) == _MOST:
            problems.append(f"{str(text)[:40]!r} for {name[:40]!r} is no key")
        elif why_fixed(keys):
            problems.append(f"{keys} cannot be given to {name[:40]!r}")
        else:
            good[name] = keys
    if not problems:
        return good, ""
    return good, f"{len(problems)} of {len(held)} chosen keys cannot be used ({problems[0]}). The first keys are used."


def without_clashes(first: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the chosen keys less those that would make two actions share one.

    ``first`` are the keys the actions came with, which share none. Of two choices the earlier stays; a choice
    never takes a first key away from an action that was given no other.
    """
    kept = {name: keys for name, keys in chosen.items() if name in first}
    while True:
        holders: dict[str, list[str]] = {}
        for name, keys in {**first, **kept}.items():
            if keys:
                holders.setdefault(keys, []).append(name)
        clash = next((names for names in holders.values() if len(names) > 1), None)
        if clash is None:
            return kept
        by_choice = [name for name in kept if name in clash]
        for name in by_choice if len(by_choice) < len(clash) else by_choice[1:]:
            del kept[name]
