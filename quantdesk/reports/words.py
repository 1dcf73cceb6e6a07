"""Write numbers and text as the report shows them; every text that came from outside is escaped here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape


def text(value: object) -> str:
    """Return text that is safe in an element and in an attribute."""
    return escape(str(value), quote=True)


def figure(value: float | None, digits: int = 6) -> str:
    """Return a number with so many significant digits and a true minus; "none" where there is no value."""
    if value is None or not math.isfinite(value):
        return "none"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}".replace("-", "−")
    size = math.floor(math.log10(abs(value)))
    if -5 <= size < 9:
        return f"{value:,.{max(0, digits - 1 - size)}f}".replace("-", "−")
    return f"{value:.{digits - 1}e}".replace("-", "−")


def probability(value: float | None) -> str:
    """Return a p-value with three decimals, "<0.001" below that."""
    if value is None or not math.isfinite(value):
        return "none"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def row(name: str, cells: Iterable[tuple[str, str]]) -> str:
    """Return a table row; each cell is (class, content that is HTML already)."""
    return (
        f'<tr><th scope="row">{name}</th>' + "".join(f'<td class="{css}">{cell}</td>' for css, cell in cells) + "</tr>"
    )


def table(caption: str, heads: Iterable[tuple[str, str]], rows: Iterable[str]) -> str:
    """Return a section with a table; heads are (class, content), rows HTML."""
    head = "".join(f'<th scope="col" class="{css}">{cell}</th>' for css, cell in heads)
    body = "".join(rows)
    return (
        f'<section><h2>{caption}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )
