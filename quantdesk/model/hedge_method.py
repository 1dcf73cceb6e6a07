"""Name the ways to estimate the hedge ratio that draws the spread."""

from __future__ import annotations

from enum import StrEnum


class HedgeMethod(StrEnum):
    """Choose an estimator; the value is what settings keep, ``bench_name`` its row in the hedge bench."""

    OLS = "ols"
    ORIGIN = "ols-origin"
    REVERSE = "ols-reverse"
    TLS = "tls"
    JOHANSEN = "johansen"
    ROLLING = "rolling"
    KALMAN = "kalman"

    @property
    def bench_name(self) -> str:
        """Return the name of its row in the hedge bench."""
        return _BENCH_NAMES[self]

    @property
    def moves(self) -> bool:
        """Return whether its ratio moves with every bar instead of being frozen after its window."""
        return self in (HedgeMethod.ROLLING, HedgeMethod.KALMAN)

    @classmethod
    def of_bench(cls, name: str) -> HedgeMethod:
        """Return the method of a row in the hedge bench. Raises ValueError for a name that is none."""
        for method, bench in _BENCH_NAMES.items():
            if bench == name:
                return method
        raise ValueError(f"{name} is no row of the hedge bench")


_BENCH_NAMES = {
    HedgeMethod.OLS: "OLS",
    HedgeMethod.ORIGIN: "OLS, no intercept",
    HedgeMethod.REVERSE: "OLS, x on y",
    HedgeMethod.TLS: "TLS",
    HedgeMethod.JOHANSEN: "Johansen",
    HedgeMethod.ROLLING: "rolling OLS",
    HedgeMethod.KALMAN: "Kalman",
}
