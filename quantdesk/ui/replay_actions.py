"""List the actions of a replay: words, keys and icons."""

from __future__ import annotations

from quantdesk.ui.action_spec import ActionSpec, translate

#: What makes sense while something is replayed only.
STEERING = (
    "replay.toggle",
    "replay.step",
    "replay.next_alert",
    "replay.slower",
    "replay.faster",
)


def replay_actions() -> tuple[ActionSpec, ...]:
    """Return the actions that begin and steer a replay."""
    return (
        ActionSpec(
            "replay.choose",
            translate("actions", "Rep&lay…"),
            keys="Ctrl+Shift+O",
            icon="replay",
            tip=translate("actions", "Play a stored span, the opened file or a recording"),
        ),
        ActionSpec(
            "replay.toggle",
            translate("actions", "&Play or pause"),
            keys="Space",
            icon="play",
            tip=translate("actions", "Play the replay, or pause it"),
        ),
        ActionSpec(
            "replay.step",
            translate("actions", "&Next bar"),
            keys=".",
            icon="step",
            tip=translate("actions", "Play on to the next closed bar"),
        ),
        ActionSpec(
            "replay.next_alert",
            translate("actions", "Next &alert"),
            keys="Ctrl+.",
            icon="next-alert",
            tip=translate("actions", "Play on to the next alert"),
        ),
        ActionSpec("replay.slower", translate("actions", "&Slower"), keys="["),
        ActionSpec("replay.faster", translate("actions", "&Faster"), keys="]"),
    )
