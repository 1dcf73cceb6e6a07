"""Two bars agree at step precision, or it is said what differs."""

from __future__ import annotations

from dataclasses import replace

from quantdesk.bars.agreement import BarSide, KlineCheck, Verdict, compare

OURS = BarSide(100.1, 101.0, 99.9, 100.5, 12.345, 40)


def check(theirs: BarSide, skipped: int = 0) -> KlineCheck:
    return compare("1m", 0, OURS, theirs, price_decimals=1, quantity_decimals=3, skipped=skipped)


def test_equal_bars_match_and_noise_below_a_step_is_none() -> None:
    assert check(OURS).verdict is Verdict.MATCHED
    assert check(replace(OURS, volume=12.345 + 1e-9, open=100.1 + 1e-9)).verdict is Verdict.MATCHED


def test_each_difference_is_found_and_said() -> None:
    for name, value, words in (
        ("open", 100.2, "open 100.1 not 100.2"),
        ("high", 101.1, "high 101.0 not 101.1"),
        ("low", 99.8, "low 99.9 not 99.8"),
        ("close", 100.4, "close 100.5 not 100.4"),
        ("volume", 12.346, "volume 12.345 not 12.346"),
        ("trades", 41, "40 trades not 41"),
    ):
        found = check(replace(OURS, **{name: value}))
        assert (found.verdict, found.words) == (Verdict.DIFFERENT, words)


def test_trades_that_are_not_published_explain_so_many_more_and_nothing_else() -> None:
    more = replace(OURS, trades=42, volume=12.5)
    assert check(more, skipped=2).verdict is Verdict.EXPLAINED
    assert "insurance fund" in check(more, skipped=2).words
    assert check(more, skipped=1).verdict is Verdict.DIFFERENT
    assert check(replace(more, close=100.4), skipped=5).verdict is Verdict.DIFFERENT
    assert check(replace(more, trades=38), skipped=5).verdict is Verdict.DIFFERENT
    assert check(replace(more, volume=12.0), skipped=5).verdict is Verdict.DIFFERENT
