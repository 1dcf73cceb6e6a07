"""Judge a pair's further bars by every kind of z that is asked for: the same work whatever came before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from quantdesk.analytics.held_z import FormingZ, PairMoments, carried, judged_by_fit
from quantdesk.analytics.online import Fit, OnlineFit, OnlineMoments
from quantdesk.analytics.rolling import RollingFit
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import FloatArray


class OnlineScores:
    """Hold what ``walk_forward_z``, ``regression_z`` and ``held_z`` need to go on after n rows, finite ones.

    ``judges`` are what the batch left for the forming bar (``forming``), one for each kind beside
    walk-forward. "full-sample" changes every value with every bar and cannot be carried on: ValueError.
    """

    def __init__(self, window: int, y: FloatArray, x: FloatArray, judges: Iterable[FormingZ]) -> None:
        self._window = window
        last = [leg[-window:].tolist() for leg in (y, x)]
        self._line = OnlineFit.filled(window, *last)
        self._moments: dict[ZKind, PairMoments] = {}
        self._own: tuple[OnlineMoments, OnlineMoments] | None = None
        self._kinds = tuple(judge.kind for judge in judges)
        for judge in judges:
            if judge.kind.look_ahead:
                raise ValueError(f"the {judge.kind} z cannot be carried on: each bar changes all values")
            if judge.moments is not None:
                self._moments[judge.kind] = judge.moments
        if ZKind.ROLLING in self._kinds:
            self._own = (OnlineMoments.filled(window, last[0]), OnlineMoments.filled(window, last[1]))

    @property
    def line(self) -> Fit:
        """Return the line of the newest window, which judges the bar that still forms."""
        return self._line.fit

    def append(self, y: FloatArray, x: FloatArray, beta: FloatArray) -> Mapping[ZKind, FloatArray]:
        """Take k further rows, finite, with the ratio in force at each; return z (k) by kind, walk-forward always."""
        fits: list[Fit] = []
        walk, own = np.full(len(y), np.nan), np.full((2, 2, len(y)), np.nan)
        for row, (one_y, one_x) in enumerate(zip(y.tolist(), x.tolist(), strict=True)):
            walk[row] = self._line.fit.z_of(one_y, one_x)
            fits.append(self._line.append(one_y, one_x))
            if self._own is not None:
                own[0, :, row], own[1, :, row] = self._own[0].append(one_y), self._own[1].append(one_x)
        found = {ZKind.WALK_FORWARD: walk}
        for kind in self._kinds:
            if kind is ZKind.REGRESSION:
                pairs = zip(fits, y.tolist(), x.tolist(), strict=True)
                found[kind] = np.array([fit.z_of(one_y, one_x) for fit, one_y, one_x in pairs], np.float64)
            elif kind is ZKind.ROLLING:
                found[kind] = judged_by_fit(
                    _rolling(fits), ((own[0, 0], own[0, 1]), (own[1, 0], own[1, 1])), y, x, beta, self._window
                )
            else:
                found[kind], self._moments[kind] = carried(kind, self._window, self._moments[kind], y, x, beta)
        return found

    def judge(self, kind: ZKind, y: FloatArray, x: FloatArray) -> FormingZ:
        """Return what judges the forming bar by a kind; ``y`` and ``x`` are all rows so far, read-only."""
        if kind in self._moments:
            return FormingZ(kind, self._window, np.empty(0), np.empty(0), self._moments[kind])
        last = slice(max(0, len(y) - self._window + 1), None)
        return FormingZ(kind, self._window, y[last], x[last])


def _rolling(fits: list[Fit]) -> RollingFit:
    columns = np.array(fits, np.float64).reshape(-1, len(Fit._fields)).T
    by_name = dict(zip(Fit._fields, columns, strict=True))
    return RollingFit(*(by_name[name] for name in ("y_mean", "x_mean", "beta", "sxx", "rss")))
