from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quantdesk.analytics.analysis import PairAnalysis
from quantdesk.analytics.zscore import ZKind
from quantdesk.reports.page import report_page, write_report
from quantdesk.reports.words import figure, probability
from quantdesk.store.csv_out import ExportError

MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
NASTY = "<img src=x onerror=alert(1)>"


class _Page(HTMLParser):
    """Collect the tags, attributes and text of a page; know whether every element was closed."""

    VOID = frozenset({"meta", "br", "hr", "img", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone(analysed: Callable[..., PairAnalysis]) -> None:
    raw = report_page(analysed(), MADE)
    page = _Page(raw)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "a", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]
    assert "url(" not in raw and "@import" not in raw and "http" not in raw.replace("http-equiv", "")
    assert page.tags.count("svg") == 6
    assert "prefers-color-scheme:dark" in raw


def test_names_notes_and_quotes_are_escaped(analysed: Callable[..., PairAnalysis]) -> None:
    found = analysed(NASTY, "\"'><script>alert(2)</script>", (f"{NASTY}.csv: 3 rows",))
    raw = report_page(found, MADE)
    page = _Page(raw)
    assert page.open == []
    assert not {"img", "script"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert NASTY not in raw
    assert page.text.count(NASTY) >= 3


def test_every_number_stands_with_lag_method_and_sample(analysed: Callable[..., PairAnalysis]) -> None:
    found = analysed(notes=("a.csv: 7 rows, 2 rejected",))
    page = _Page(report_page(found, MADE)).text
    evidence = found.evidence
    for test in (evidence.engle_granger, evidence.engle_granger_reverse, evidence.adf):
        assert test is not None
        assert test.label in page
        assert figure(test.statistic, 5) in page and probability(test.p_value) in page
    assert evidence.kpss is not None and evidence.kpss.label in page and evidence.kpss.p_text in page
    assert evidence.johansen is not None and evidence.johansen.label in page
    assert evidence.hurst is not None and evidence.hurst.label in page
    assert evidence.effective is not None and evidence.effective.label in page
    assert evidence.p_over_time is not None and evidence.p_over_time.label in page
    assert evidence.verdict is not None and evidence.verdict.headline in page
    for ratio in found.hedges.values():
        assert figure(ratio.beta) in page
    assert "A.csv: 7 rows, 2 rejected." in page
    assert "300 common bars, 1970-01-01 to 1970-10-27 UTC" in page
    assert "on 2026-03-01 12:30:00 UTC" in page


def test_the_key_figures_name_both_lags_and_an_impossible_exponent(analysed: Callable[..., PairAnalysis]) -> None:
    found = analysed()
    evidence = found.evidence
    assert evidence.engle_granger is not None and evidence.hurst is not None
    other = replace(evidence.engle_granger, lags=evidence.engle_granger.lags + 3)
    changed = replace(evidence, engle_granger_reverse=other, hurst=replace(evidence.hurst, exponent=-0.02))
    page = _Page(report_page(replace(found, evidence=changed), MADE)).text
    lags = (evidence.engle_granger.lags, other.lags)
    assert "Engle-Granger both ways, lag {} (BIC) and lag {} (BIC)".format(*lags) in page
    assert "Hurst exponentnot valid" in page


def test_only_a_z_that_knows_the_future_bears_the_badge(analysed: Callable[..., PairAnalysis]) -> None:
    assert "LOOK-AHEAD" not in report_page(analysed(), MADE)
    page = _Page(report_page(analysed(z_kind=ZKind.FULL_SAMPLE), MADE)).text
    assert page.count("LOOK-AHEAD") == 3  # the head, the chart's title, the words beneath it


@pytest.mark.parametrize("rows", [3, 13, 61, 120])
def test_short_pairs_have_a_page_that_says_what_is_missing(analysed: Callable[..., PairAnalysis], rows: int) -> None:
    page = _Page(report_page(analysed(rows=rows), MADE))
    assert page.open == []
    assert "none" in page.text
    assert "nan" not in page.text.lower().replace("nano", "")


def test_a_report_appears_whole_or_not_at_all(tmp_path: Path, analysed: Callable[..., PairAnalysis]) -> None:
    target = tmp_path / "report.html"
    target.write_text("before", encoding="utf-8")
    write_report(target, analysed(), MADE)
    assert target.read_text(encoding="utf-8") == report_page(analysed(), MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(ExportError, match="is a folder"):
        write_report(tmp_path, analysed(), MADE)
    with pytest.raises(ExportError, match="cannot write"):
        write_report(tmp_path / "nowhere" / "r.html", analysed(), MADE)


def test_a_name_that_no_text_can_hold_is_still_written(tmp_path: Path, analysed: Callable[..., PairAnalysis]) -> None:
    write_report(tmp_path / "r.html", analysed("bad\udcff"), MADE)
    assert "bad?" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_origin_is_a_badge_and_escaped(analysed) -> None:
    page = report_page(analysed(), datetime(2024, 7, 18, tzinfo=UTC), origin="SIMULATED <b>")
    assert '<span class="badge">SIMULATED &lt;b&gt;</span>' in page
