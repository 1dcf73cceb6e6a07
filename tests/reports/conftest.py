"""Share analysed pairs among the tests of the report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from quantdesk.analytics.analysis import AnalysisOptions, PairAnalysis, PairInput, analyse

DAY = 86_400_000


@pytest.fixture(scope="session")
def analysed() -> Callable[..., PairAnalysis]:
    """Return a function that analyses a made pair; names, notes, options and the number of bars may be chosen."""

    def make(
        name_y: str = "AAA", name_x: str = "BBB", notes: tuple[str, ...] = (), rows: int = 300, **options: object
    ) -> PairAnalysis:
        rng = np.random.default_rng(1)
        x = 100 + rng.normal(size=rows).cumsum()
        y = 2 * x + rng.normal(size=rows) + 10
        times = np.arange(rows, dtype=np.int64) * DAY
        return analyse(PairInput(name_y, name_x, "1d", times, y, x, notes), AnalysisOptions(**options))  # type: ignore[arg-type]

    return make
