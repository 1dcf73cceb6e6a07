"""Measure the rolling statistics and the unit root test against pandas and statsmodels, as Markdown tables."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.stattools import adfuller

from quantdesk.analytics.correlation import rolling_correlation
from quantdesk.analytics.dickey_fuller import dickey_fuller
from quantdesk.analytics.online import ExponentialMoments, OnlineFit, OnlineMoments
from quantdesk.analytics.rolling import rolling_fit
from quantdesk.analytics.spread import spread_of
from quantdesk.analytics.zscore import z_series

Pair = tuple[np.ndarray, np.ndarray]
Function = Callable[[], object]

BETA = 0.05
SIZES = (10_000, 100_000, 1_000_000)
WINDOWS = (100, 1_000)
#: RollingOLS takes 12 to 50 µs a point: above this many points it is not run.
ROLLING_OLS_POINTS = 100_000
#: Windows whose numbers are compared with long doubles.
CHECKED = 400
#: Seconds that a single run of statsmodels' test may take.
PATIENCE = 120.0


def pair(count: int) -> Pair:
    """Make closes near 3,000 and 1e5 whose spread reverts, on a tick of 0.01 and 0.1."""
    random = np.random.default_rng(1)
    x = np.round(1e5 + np.cumsum(random.normal(0, 8, count)), 1)
    return np.round(BETA * x + random.normal(0, 0.5, count) + 40, 2), x


def best(runs: int, *functions: Function) -> list[float]:
    """Return the shortest seconds of each function, taken in turn so that all meet the same machine."""
    shortest = [float("inf")] * len(functions)
    for _ in range(runs):
        for place, function in enumerate(functions):
            start = time.perf_counter()
            function()
            shortest[place] = min(shortest[place], time.perf_counter() - start)
    return shortest


def pandas_beta(y: pd.Series, x: pd.Series, window: int) -> pd.Series:
    """Return the slope as most programs compute it."""
    return y.rolling(window).cov(x) / x.rolling(window).var()


def pandas_z(spread: pd.Series, window: int) -> pd.Series:
    """Return the z of a spread as most programs compute it."""
    rolling = spread.rolling(window)
    return (spread - rolling.mean()) / rolling.std()


def pandas_correlation(y: pd.Series, x: pd.Series, window: int) -> pd.Series:
    """Return the correlation of log returns as most programs compute it."""
    return np.log(y).diff().rolling(window).corr(np.log(x).diff())


def errors(y: np.ndarray, x: np.ndarray, window: int, found: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the largest relative error of each column against long doubles, in some windows."""
    worst = dict.fromkeys(found, 0.0)
    for row in np.linspace(window, len(y) - 1, CHECKED).astype(int):
        wide_y, wide_x = (leg[row - window + 1 : row + 1].astype(np.longdouble) for leg in (y, x))
        dy, dx = wide_y - wide_y.mean(), wide_x - wide_x.mean()
        spread = spread_of(y, x, BETA)[row - window + 1 : row + 1].astype(np.longdouble)
        returns = (np.diff(np.log(leg[row - window : row + 1])).astype(np.longdouble) for leg in (y, x))
        exact = {
            "beta": (dx * dy).sum() / (dx * dx).sum(),
            "z": (spread[-1] - spread.mean()) / spread.std(ddof=1),
            "correlation": _correlation(*returns),
        }
        for name, column in found.items():
            value = exact[name.split()[0]]
            worst[name] = max(worst[name], float(abs(column[row] - value) / max(abs(value), np.longdouble(1e-3))))
    return worst


def _correlation(y: np.ndarray, x: np.ndarray) -> np.longdouble:
    dy, dx = y - y.mean(), x - x.mean()
    return np.longdouble((dy * dx).sum() / np.sqrt((dy * dy).sum() * (dx * dx).sum()))


def contenders(y: np.ndarray, x: np.ndarray, window: int) -> tuple[dict[str, Function], dict[str, Function]]:
    """Return what is compared: here, and by pandas."""
    series_y, series_x, spread = pd.Series(y), pd.Series(x), pd.Series(spread_of(y, x, BETA))
    ours: dict[str, Function] = {
        "beta": lambda: rolling_fit(y, x, window),
        "z": lambda: z_series("rolling", y, x, window, beta=BETA),
        "correlation": lambda: rolling_correlation(y, x, window),
    }
    theirs: dict[str, Function] = {
        "beta": lambda: pandas_beta(series_y, series_x, window),
        "z": lambda: pandas_z(spread, window),
        "correlation": lambda: pandas_correlation(series_y, series_x, window),
    }
    return ours, theirs


def rolling_table(runs: int) -> None:
    """Print nanoseconds a point and the errors of both."""
    print("\n| n × window | statistic | here | pandas | RollingOLS | largest relative error here | of pandas |")
    print("|---|---|---|---|---|---|---|")
    for count in SIZES:
        y, x = pair(count)
        for window in WINDOWS:
            ours, theirs = contenders(y, x, window)
            seconds = best(runs, *ours.values(), *theirs.values())
            worst = errors(y, x, window, _columns(y, x, window, theirs))
            for place, name in enumerate(ours):
                here, there = (1e9 * taken / count for taken in seconds[place :: len(ours)])
                slow = rolling_ols(y, x, window) if name == "beta" and count <= ROLLING_OLS_POINTS else None
                regression = "" if slow is None else f"{slow:,.0f} ns, {slow / here:,.0f} ×"
                print(
                    f"| {count:,} × {window:,} | {name} | {here:.0f} ns | {there:.0f} ns, {there / here:.1f} × |"
                    f" {regression} | {worst[name]:.0e} | {worst[name + ' pandas']:.0e} |",
                    flush=True,
                )
    y = pair(SIZES[-1])[0]
    target = np.empty_like(y)
    (taken,) = best(runs, lambda: np.copyto(target, y))
    print(
        f"\nTimes are a point, best of {runs} runs taken in turn. One pass over memory: {1e9 * taken / len(y):.1f} ns. "
        "Beta comes with both means, the residual's deviation and the correlation of levels from the same pass; the "
        "spread of z is made within it here and before it with pandas; correlation is of log returns, from closes. "
        f"RollingOLS (params_only) takes minutes above {ROLLING_OLS_POINTS:,} points and was not run there. "
        f"Errors against long doubles in {CHECKED} windows, of the same spread and returns in doubles."
    )


def _columns(y: np.ndarray, x: np.ndarray, window: int, theirs: dict[str, Function]) -> dict[str, np.ndarray]:
    """Return what both say, a value a row."""
    lead = np.full(window - 1, np.nan)
    columns = {
        "beta": np.r_[lead, rolling_fit(y, x, window).beta],
        "z": z_series("rolling", y, x, window, beta=BETA).z,
        "correlation": rolling_correlation(y, x, window),
    }
    return columns | {f"{name} pandas": np.asarray(function()) for name, function in theirs.items()}


def rolling_ols(y: np.ndarray, x: np.ndarray, window: int) -> float:
    """Return the nanoseconds a point that statsmodels takes for nothing but the parameters."""
    part = len(y)
    regressors = add_constant(x[:part])
    (seconds,) = best(1, lambda: RollingOLS(y[:part], regressors, window).fit(params_only=True))
    return 1e9 * seconds / part


def unit_root_table(runs: int) -> None:
    """Print milliseconds of the augmented Dickey-Fuller test with the lag by AIC."""
    print("\n| ADF, constant, lag by AIC | here | statsmodels | ratio | same lag | statistics differ by |")
    print("|---|---|---|---|---|---|")
    per_point = 0.0
    for count in (1_000, 10_000, 100_000):
        series = pair(count)[1]
        (ours,) = best(runs, lambda s=series: dickey_fuller(s, "c", None, "AIC"))
        found = dickey_fuller(series, "c", None, "AIC")
        if per_point * count * (count / 10_000) ** 0.5 > PATIENCE:
            print(f"| n = {count:,} | {1e3 * ours:.2f} ms | not run: over {PATIENCE:.0f} s | | | |", flush=True)
            continue
        start = time.perf_counter()
        expected = adfuller(series, regression="c", autolag="AIC", result_object=False)
        theirs = time.perf_counter() - start
        per_point = theirs / count
        same = f"{'yes' if found.lag == expected[2] else 'NO'} ({found.lag})"
        cells = [f"{1e3 * ours:.2f} ms", f"{1e3 * theirs:,.0f} ms", f"{theirs / ours:,.0f} ×", same]
        print(f"| n = {count:,} | " + " | ".join(cells) + f" | {abs(found.statistic - expected[0]):.0e} |", flush=True)


def live_table(runs: int) -> None:
    """Print microseconds a bar of the live forms."""
    y, x = (leg.tolist() for leg in pair(50_000))
    print("\n| live, a bar | window 60 | window 1,000 |\n|---|---|---|")

    def regression(window: int) -> None:
        append = OnlineFit(window).append
        for bar in zip(y, x, strict=True):
            append(*bar)

    def moments(window: int) -> None:
        append = OnlineMoments(window).append
        for value in y:
            append(value)

    def weighted(window: int) -> None:
        append = ExponentialMoments(window).append
        for value in y:
            append(value)

    for name, run in (
        ("means, beta, alpha, rss, correlation, sigma", regression),
        ("mean and deviation", moments),
        ("weighted mean and deviation", weighted),
    ):
        short, long = best(runs, lambda r=run: r(60), lambda r=run: r(1_000))
        print(f"| {name} | {1e6 * short / len(y):.2f} µs | {1e6 * long / len(y):.2f} µs |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_known_args()[0].runs
    warnings.simplefilter("ignore")
    rolling_table(runs)
    unit_root_table(runs)
    live_table(runs)


if __name__ == "__main__":
    main()
