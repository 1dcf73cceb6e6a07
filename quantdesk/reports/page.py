"""Assemble the report of a pair: one page that stands alone, without script, link or picture file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from quantdesk import __version__
from quantdesk.analytics.analysis import PairAnalysis
from quantdesk.analytics.utc_text import utc_text
from quantdesk.reports import charts, tables
from quantdesk.reports.style import CSS
from quantdesk.reports.words import figure, probability, text
from quantdesk.store.csv_out import whole_file


def write_report(
    path: Path | str, analysis: PairAnalysis, made_at: datetime | None = None, *, origin: str = ""
) -> None:
    """Write the report; a file appears, or replaces the one there, only when it is whole.

    ``made_at`` (default: now) is the moment that it names, ``origin`` a word on where the data come from.
    Raises ExportError, in words.
    """
    page = report_page(analysis, made_at or datetime.now(UTC), origin=origin)
    with whole_file(Path(path)) as out:
        out.write(page.encode("utf-8", "replace"))


def report_page(analysis: PairAnalysis, made_at: datetime, *, origin: str = "") -> str:
    """Return the report as HTML. Every name and cell is escaped; nothing is loaded from anywhere."""
    pair = analysis.pair
    title = f"{text(pair.name_y)} on {text(pair.name_x)}"
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}: quantdesk pair report</title><style>{CSS}</style></head><body><main>",
        _header(analysis, title, origin),
        _verdict(analysis),
        _key_figures(analysis),
        charts.legs_chart(analysis),
        charts.spread_chart(analysis),
        charts.z_chart(analysis),
        charts.p_ribbon(analysis),
        tables.test_table(analysis),
        charts.stability_charts(analysis),
        tables.hedge_table(analysis),
        tables.reversion_table(analysis),
        tables.correlation_table(analysis),
        _notes(analysis),
        _footer(made_at),
        "</main></body></html>\n",
    ]
    return "".join(parts)


def _header(analysis: PairAnalysis, title: str, origin: str) -> str:
    pair, times = analysis.pair, analysis.times
    span = f"{utc_text(int(times[0]))} to {utc_text(int(times[-1]))} UTC" if len(times) else "no bars"
    badges = [f'<span class="badge">{text(word)}</span>' for word in (pair.interval, analysis.unit, "whole sample")]
    if origin:
        badges.insert(0, f'<span class="badge">{text(origin)}</span>')
    if analysis.looks_ahead:
        badges.append('<span class="badge bad">LOOK-AHEAD</span>')
    return (
        f'<header><p class="eyebrow">Pair report</p><h1>{title}</h1>'
        f"<p>{len(times):,} common bars, {span}</p>{''.join(badges)}</header>"
    )


def _verdict(analysis: PairAnalysis) -> str:
    verdict = analysis.evidence.verdict
    if verdict is None:
        return ""
    tone = verdict.agreement.value
    if verdict.cointegrated is not None:
        tone += " found" if verdict.cointegrated else " none"
    remarks = "".join(f"<li>{text(_sentence(remark))}</li>" for remark in verdict.remarks)
    return f'<section class="verdict {tone}"><h2>{text(verdict.headline)}</h2><ul>{remarks}</ul></section>'


def _sentence(remark: str) -> str:
    return remark[:1].upper() + remark[1:] + "."


def _key_figures(analysis: PairAnalysis) -> str:
    found = analysis.evidence
    fit, z = found.fit, analysis.z
    ways = [test for test in (found.engle_granger, found.engle_granger_reverse) if test is not None]
    lags = dict.fromkeys(f"lag {test.lags} ({test.lag_method})" for test in ways)
    lag = f"Engle-Granger both ways, {' and '.join(lags)}" if len(ways) == 2 else found.reasons.get("combined_p", "")
    life = "none" if found.half_life is None else f"{figure(found.half_life, 4)} bars"
    share = found.reasons.get("half_life", "")
    if found.half_life is not None:
        share = f"{100 * found.half_life / max(1, found.observations):.1f} % of the sample"
    hurst = "none" if found.hurst is None else "not valid" if found.hurst.value is None else found.hurst.text
    cells = (
        ("hedge ratio β", figure(fit.beta, 5), f"OLS, ± {figure(fit.stderr_beta, 2)}"),
        ("cointegration p", probability(found.combined_p), lag),
        ("half-life", life, share),
        (
            "last z",
            figure(float(z[-1]) if len(z) else None, 4),
            f"{analysis.options.z_kind.value}, {analysis.z_window}",
        ),
        ("Hurst exponent", hurst, "τ = 2..20"),
        ("correlation", figure(analysis.returns_correlation, 3), "of log returns"),
    )
    boxes = "".join(f"<div><dt>{name}</dt><dd>{text(v)}<small>{text(how)}</small></dd></div>" for name, v, how in cells)
    return f'<dl class="key">{boxes}</dl>'


def _notes(analysis: PairAnalysis) -> str:
    entries = [f"<li>{text(_sentence(note.rstrip('.')))}</li>" for note in analysis.notes]
    return (
        "<section><h2>What was read, and what was left out</h2>"
        f'<ul class="notes">{"".join(entries) or "<li>Nothing was left out.</li>"}</ul>'
        '<p class="note">Bars are joined on their open time; a bar that either leg lacks is dropped, never carried '
        "forward.</p></section>"
    )


def _footer(made_at: datetime) -> str:
    moment = f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (
        "<footer>Critical values and p: MacKinnon (1994, 2010) for Engle-Granger and ADF, Kwiatkowski et al. (1992) "
        "and Shin (1994) for KPSS, Johansen (1988, 1991), Ploberger and Krämer (1992) for the CUSUM. An ADF on a "
        "spread whose β was fitted on the same data rejects 15 % of independent walks at 5 %: Engle-Granger is the "
        f"test then. Written by quantdesk {text(__version__)} on {moment}.</footer>"
    )
