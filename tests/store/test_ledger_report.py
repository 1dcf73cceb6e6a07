"""Every absent id is in one gap of the account, whatever the ledger's rows claim; see test_store_ledger.py, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_report import reconciled
from quantdesk.types import Gap, GapState
from tests.store.samples import START

STATES = st.sampled_from(list(GapState))


def runs_of(ids: Sequence[int]) -> list[IdRun]:
    runs: list[IdRun] = []
    for ident in sorted(set(ids)):
        if runs and ident == runs[-1].last_id + 1:
            runs[-1] = replace(runs[-1], last_id=ident, last_ts=ident)
        else:
            runs.append(IdRun(ident, ident, ident, ident))
    return runs


def hole(first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    return Gap("BTCUSDT", first, last, START, START + 10, START, state, 2)


@given(
    st.sets(st.integers(1, 60), min_size=1),
    st.lists(st.tuples(st.integers(0, 6), STATES), max_size=14),
)
def test_every_absent_id_is_in_one_gap_and_no_stored_one_is(ids: set[int], rows: list[tuple[int, GapState]]) -> None:
    at, ledger = 1, []
    for size, state in rows:  # rows do not overlap, some have no id at all
        ledger.append(hole(at, at + size - 1, state))
        at += size + 1
    gaps = [g for g in reconciled("BTCUSDT", ledger, runs_of(sorted(ids))) if g.state is not GapState.FILLED]
    named = [i for g in gaps for i in range(g.first_id, g.last_id + 1)]
    assert len(named) == len(set(named))
    assert not set(named) & ids
    claimed = {i: g.state for g in ledger for i in range(g.first_id, g.last_id + 1) if g.state is not GapState.FILLED}
    absent = set(range(min(ids), max(ids) + 1)) - ids
    assert set(named) == absent | (claimed.keys() - ids)
    for gap in gaps:
        for ident in range(gap.first_id, gap.last_id + 1):
            assert gap.state is claimed.get(ident, GapState.OPEN)
