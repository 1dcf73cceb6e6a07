"""A playback remembers where alerts were raised, the newest of very many."""

from __future__ import annotations

import pytest

from quantdesk.ingest.transport import Transport
from quantdesk.model.playback import Playback


def test_of_very_many_alerts_the_newest_places_are_remembered(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.model.playback.MOST_FOUND", 3)
    playback = Playback("a replay", Transport())
    for time in (10, 20, 20, 15, 30, 40):
        playback.note_alert(time)
    assert playback.found == (15, 30, 40)
    playback.forget_alerts()
    assert playback.found == ()
