"""Test the frozen hedge line on the bars after its formation window, which it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantdesk.analytics.align import inner_join
from quantdesk.analytics.evidence import FEWEST_TEST_BARS
from quantdesk.analytics.pairs import TEST_BARS, PairEvidence, PairSnapshot, test
from quantdesk.model.frame import Refit


@dataclass(frozen=True, slots=True)
class FrozenTest:
    """Hold the tests of one frozen line: ``bars`` joined bars came after its window.

    ``evidence`` is of the newest of them (``beta_given``); None while they are fewer than ``FEWEST_TEST_BARS``.
    ``method`` names the estimator of the line.
    """

    line: Refit
    bars: int
    evidence: PairEvidence | None
    method: str = ""


def test_frozen(snapshot: PairSnapshot, line: Refit | None, method: str = "") -> FrozenTest | None:
    """Return the tests of y - beta x, its beta given, on the bars opened after the line's window. Slow.

    None without a line. A beta that was not fitted on the tested bars lets the ADF's p mean what it says.
    """
    if line is None:
        return None
    after_y = int(np.searchsorted(snapshot.times_y, line.end_ms, "right"))
    after_x = int(np.searchsorted(snapshot.times_x, line.end_ms, "right"))
    later = replace(
        snapshot,
        times_y=snapshot.times_y[after_y:],
        closes_y=snapshot.closes_y[after_y:],
        times_x=snapshot.times_x[after_x:],
        closes_x=snapshot.closes_x[after_x:],
    )
    bars = len(inner_join(later.times_y, later.times_x)[0])
    evidence = test(later, bars=TEST_BARS, beta=line.beta) if bars >= FEWEST_TEST_BARS else None
    return FrozenTest(line, bars, evidence, method)


test_frozen.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it wherever it is imported
