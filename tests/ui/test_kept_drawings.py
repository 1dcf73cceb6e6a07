"""Drawings outlive a restart; what of their file cannot be read is said and kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.charts.drawings import MOST_HERE, Anchor, Drawing, Kind, Look, Place, Stroke
from quantdesk.ui.charts.inks import INKS
from quantdesk.ui.kept_drawings import DrawingStore, accepted, drawing_of, plain_of

PRICE, ZED = Place("live", "price", "BTCUSDT"), Place("simulated", "z", "BTCUSDT / ETHUSDT")
looks = st.builds(Look, st.sampled_from(list(INKS)), st.integers(1, 4), st.sampled_from(Stroke))
anchors = st.builds(Anchor, st.integers(0, 4_000_000_000_000), st.floats(-1e9, 1e9))
drawings = st.one_of(
    st.builds(Drawing, st.just(Kind.LEVEL), st.tuples(anchors), looks, st.text(max_size=80)),
    st.builds(Drawing, st.just(Kind.TREND), st.tuples(anchors, anchors), looks, st.text(max_size=80)),
)


def one(value: float = 1.0, **changes: object) -> Drawing:
    return Drawing(Kind.LEVEL, (Anchor(1_000, value),), **changes)  # type: ignore[arg-type]


@given(st.lists(drawings, max_size=5))
def test_every_drawing_comes_back_from_its_plain_values(made: list[Drawing]) -> None:
    held = {place: tuple(part) for place, part in ((PRICE, made[::2]), (ZED, made[1::2])) if part}
    assert accepted(json.loads(json.dumps(plain_of(held)))) == (held, "")


def test_a_restart_brings_them_back(tmp_path: Path) -> None:
    held = {PRICE: (one(), one(2.0, text="Ω “here”"))}
    assert DrawingStore(tmp_path).load() == {}
    assert DrawingStore(tmp_path).save(held)
    store = DrawingStore(tmp_path)
    assert store.load() == held and not store.problem
    written = store.path.stat().st_mtime_ns
    assert store.save(held) and store.path.stat().st_mtime_ns == written, "nothing changed, nothing is written"
    assert store.save({}) and DrawingStore(tmp_path).load() == {}


def test_without_a_drawing_there_is_no_file(tmp_path: Path) -> None:
    assert DrawingStore(tmp_path).save({})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2, "places": []}', '{"schema": 1}', "\x00"])
def test_a_file_that_cannot_be_used_is_put_aside_with_a_word(tmp_path: Path, text: str) -> None:
    (tmp_path / "drawings.json").write_text(text, encoding="utf-8")
    store = DrawingStore(tmp_path)
    assert store.load() == {}
    (aside,) = tmp_path.glob("drawings.broken-*.json")
    assert aside.read_text(encoding="utf-8") == text
    assert aside.name in store.problem


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "circle"},
        {"anchors": []},
        {"anchors": [[1, float("nan")]]},
        {"anchors": [[-5, 1.0]]},
        {"anchors": [["x", 1.0]]},
        {"anchors": 3},
        {"ink": "mud"},
        {"width": 9},
        {"width": True},
        {"stroke": "wavy"},
        {"text": "x" * 81},
        {"text": 4},
        {"id": ""},
    ],
)
def test_one_bad_drawing_costs_no_other_and_the_file_is_copied_aside(tmp_path: Path, change: dict[str, object]) -> None:
    plain = plain_of({PRICE: (one(), one(2.0))})
    plain["places"][0]["drawings"][0].update(change)
    text = json.dumps(plain)
    (tmp_path / "drawings.json").write_text(text, encoding="utf-8")
    store = DrawingStore(tmp_path)
    (kept,) = store.load()[PRICE]
    assert kept.anchors[0].value == 2.0
    assert "1 of the drawings cannot be read" in store.problem
    (aside,) = tmp_path.glob("drawings.unread-*.json")
    assert aside.read_text(encoding="utf-8") == text


def test_more_than_the_bound_is_left_out_and_said() -> None:
    held, words = accepted(plain_of({PRICE: tuple(one(float(i)) for i in range(MOST_HERE + 3))}))
    assert len(held[PRICE]) == MOST_HERE
    assert "3 of the drawings" in words


def test_two_drawings_of_one_id_become_two() -> None:
    held, words = accepted(plain_of({PRICE: (one(id="a"), one(2.0, id="a"))}))
    assert not words and len({drawing.id for drawing in held[PRICE]}) == 2


def test_a_disk_that_refuses_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    store = DrawingStore(blocked)
    assert not store.save({PRICE: (one(),)})
    assert "cannot be saved" in store.problem


def test_numbers_of_the_right_kind_are_asked_for() -> None:
    plain = plain_of({PRICE: (one(3),)})["places"][0]["drawings"][0]
    assert drawing_of(plain).anchors[0].value == 3.0
