"""Name every colour once; Qt's palette, the stylesheet and the charts all read these tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hold the colours of one theme as #rrggbb strings."""

    dark: bool
    window: str
    panel: str
    raised: str
    border: str
    grid: str
    text: str
    text_dim: str
    accent: str
    up: str
    down: str
    leg_y: str
    leg_x: str
    spread: str
    band: str
    z: str
    level: str
    correlation: str
    refit: str
    crosshair: str
    ok: str
    warn: str
    error: str


DARK = Tokens(
    dark=True,
    window="#0f131a",
    panel="#131722",
    raised="#1c2230",
    border="#2a3142",
    grid="#232a3a",
    text="#d6dae3",
    text_dim="#8a93a6",
    accent="#4c8dff",
    up="#26a69a",
    down="#ef5350",
    leg_y="#f2a33a",
    leg_x="#7aa2f7",
    spread="#d0b3ff",
    band="#6b5b95",
    z="#4fc3f7",
    level="#ef9a5a",
    correlation="#9ccc65",
    refit="#ffd54f",
    crosshair="#7d879c",
    ok="#26a69a",
    warn="#f2a33a",
    error="#ef5350",
)

LIGHT = Tokens(
    dark=False,
    window="#eef1f6",
    panel="#ffffff",
    raised="#f5f7fb",
    border="#d3d9e4",
    grid="#e8ecf3",
    text="#1b2130",
    text_dim="#647087",
    accent="#2962ff",
    up="#0f8f83",
    down="#d93a3a",
    leg_y="#b86b00",
    leg_x="#2f5fd0",
    spread="#6a3fb5",
    band="#b7a4dc",
    z="#0277bd",
    level="#c25e00",
    correlation="#4b7f1f",
    refit="#a07800",
    crosshair="#8490a8",
    ok="#0f8f83",
    warn="#b86b00",
    error="#d93a3a",
)

#: Blue and orange instead of green and red, and legs apart from both: told apart by people who see two colours.
#: The hues are those of Okabe and Ito, Color Universal Design (2008), lightened or darkened for the background.
DARK_SAFE = replace(
    DARK,
    up="#56b4e9",
    down="#e69f00",
    leg_y="#f0e442",
    leg_x="#cc79a7",
    ok="#56b4e9",
    warn="#f0e442",
    error="#ff7f2a",
)
LIGHT_SAFE = replace(
    LIGHT,
    up="#0072b2",
    down="#d55e00",
    leg_y="#8a6d00",
    leg_x="#a8407f",
    ok="#0072b2",
    warn="#8a6d00",
    error="#c44a00",
)


def tokens_of(*, dark: bool, safe: bool) -> Tokens:
    """Return a theme's colours; ``safe`` = the pair that colour-blind people tell apart."""
    if safe:
        return DARK_SAFE if dark else LIGHT_SAFE
    return DARK if dark else LIGHT
