"""Keep the drawings of every symbol in one small JSON file beside the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantdesk.config import ConfigError
from quantdesk.types import Origin
from quantdesk.ui.charts.drawings import (
    DRAWABLE,
    MOST_HERE,
    MOST_IN_ALL,
    Anchor,
    Drawing,
    Kind,
    Look,
    Place,
    Stroke,
)
from quantdesk.ui.kept_file import put_aside, write_whole

SCHEMA = 1
MAX_FILE_BYTES = 8 << 20
Held = dict[Place, tuple[Drawing, ...]]


def plain_of(held: Mapping[Place, tuple[Drawing, ...]]) -> dict[str, Any]:
    """Return drawings as plain values."""
    places = [
        {
            "scope": place.scope,
            "panel": place.panel,
            "subject": place.subject,
            "drawings": [_plain(drawing) for drawing in drawings],
        }
        for place, drawings in sorted(held.items())
    ]
    return {"schema": SCHEMA, "places": places}


def _plain(drawing: Drawing) -> dict[str, Any]:
    look = drawing.look
    return {
        "id": drawing.id,
        "kind": drawing.kind.value,
        "anchors": [[anchor.ms, anchor.value] for anchor in drawing.anchors],
        "ink": look.ink,
        "width": look.width,
        "stroke": look.stroke.value,
        "text": drawing.text,
    }


def drawing_of(plain: object) -> Drawing:
    """Return the drawing of plain values. Raises ConfigError in words."""
    try:
        assert isinstance(plain, dict)
        anchors = tuple(Anchor(ms, float(value)) for ms, value in plain["anchors"])
        numbers = [anchor.ms for anchor in anchors] + [plain["width"]]
        texts = [plain["id"], plain["text"], plain["ink"]]
        assert all(type(one) is int for one in numbers) and all(isinstance(one, str) for one in texts)
        look = Look(plain["ink"], plain["width"], Stroke(plain["stroke"]))
        return Drawing(Kind(plain["kind"]), anchors, look, plain["text"], plain["id"])
    except (AssertionError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"it is no drawing: {error}" if str(error) else "it is no drawing") from error


def accepted(read: object) -> tuple[Held, str]:
    """Return the drawings that a file holds, and in words what of them cannot be read. Raises ValueError for none."""
    if not isinstance(read, dict) or not isinstance(read.get("places"), list):
        raise ValueError("it holds no drawings")
    if read.get("schema") != SCHEMA:
        raise ValueError(f"it is of schema {read.get('schema')}, this program reads {SCHEMA}")
    held: Held = {}
    problems: list[str] = []
    for one in read["places"]:
        try:
            place, drawings = _place_of(one)
        except ConfigError as error:
            problems.append(str(error))
            continue
        for plain in drawings:
            try:
                _take(held, place, drawing_of(plain))
            except ConfigError as error:
                problems.append(str(error))
    words = f"{len(problems)} of the drawings cannot be read ({problems[0]})." if problems else ""
    return held, words


def _place_of(plain: object) -> tuple[Place, list[object]]:
    if not isinstance(plain, dict) or not isinstance(plain.get("drawings"), list):
        raise ConfigError("it is no list of drawings")
    place = Place(*(str(plain.get(name, "")) for name in ("scope", "panel", "subject")))
    if place.scope not in tuple(Origin) or place.panel not in DRAWABLE or not place.subject:
        raise ConfigError(f"there is no place {place.scope} {place.panel} {place.subject!r}")
    return place, plain["drawings"]


def _take(held: Held, place: Place, drawing: Drawing) -> None:
    if len(held.get(place, ())) >= MOST_HERE or sum(map(len, held.values())) >= MOST_IN_ALL:
        raise ConfigError(f"there are more than {MOST_HERE} of {place.subject}, or {MOST_IN_ALL} in all")
    if any(drawing.id == one.id for drawings in held.values() for one in drawings):
        drawing = replace(drawing, id=f"{drawing.id[:48]}-{sum(map(len, held.values()))}")
    held[place] = (*held.get(place, ()), drawing)


class DrawingStore:
    """Load and save the drawings below a folder; never raises for a broken or unwritable file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "drawings.json"
        self.problem = ""
        self._saved = ""

    def load(self) -> Held:
        """Return what is kept; ``problem`` says what could not be read, and where it was put."""
        try:
            if not self.path.exists():
                return {}
            if self.path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError("it is far too large")
            held, unread = accepted(json.loads(self.path.read_text(encoding="utf-8")))
        except OSError as error:
            self.problem = f"The drawings at {self.path} cannot be read: {error.strerror or error}."
            return {}
        except (ValueError, RecursionError) as error:
            self._put_aside(f"The file of drawings cannot be used ({str(error).splitlines()[0]}).", copy=False)
            return {}
        if unread:
            self._put_aside(unread, copy=True)
        self._saved = _text_of(held)
        return held

    def save(self, held: Mapping[Place, tuple[Drawing, ...]]) -> bool:
        """Write the drawings if they changed; False and ``problem`` in words if the disk refuses."""
        text = _text_of(held)
        if text == self._saved or (not held and not self.path.exists()):
            return True
        try:
            write_whole(self.path, text)
        except OSError as error:
            self.problem = f"The drawings cannot be saved to {self.path}: {error.strerror or error}"
            return False
        self._saved, self.problem = text, ""
        return True

    def _put_aside(self, words: str, *, copy: bool) -> None:
        try:
            aside = put_aside(self.path, "unread" if copy else "broken", copy=copy)
        except OSError as error:
            self.problem = f"{words} It cannot be put aside: {error.strerror or error}."
            return
        self.problem = f"{words} The file as it was is kept as {aside.name}."


def _text_of(held: Mapping[Place, tuple[Drawing, ...]]) -> str:
    return json.dumps(plain_of(held), indent=1, ensure_ascii=False)
