"""Keep which rows are visible: zoom, pan, follow the newest bar, and hold still when it is moved."""

from __future__ import annotations

from quantdesk.ui.charts.timeline import TimeLine

MIN_ROWS = 5.0
#: What a fresh view shows, and the room it leaves on the right, in bars.
START_ROWS, MARGIN_ROWS = 150.0, 6.0
#: A young series is not stretched to fat bars.
LEAST_START_ROWS = 60.0


class TimeView:
    """Hold the visible span [left, right] in rows; bar i spans i - 0.5 to i + 0.5."""

    def __init__(self) -> None:
        self.left = -0.5
        self.right = LEAST_START_ROWS
        self._rows = 0
        # Until the user moves it, the view grows with a young series.
        self._untouched = True

    @property
    def span(self) -> float:
        """Return how many rows are visible."""
        return self.right - self.left

    @property
    def follows(self) -> bool:
        """Tell whether the newest bar is in view at the right, so that the view moves with it."""
        return self._untouched or (self.right >= self._rows - 0.75 and self.left < self._rows)

    def reset(self) -> None:
        """Show the newest bars at the first zoom."""
        self._untouched = True
        self._start()

    def latest(self) -> None:
        """Move to the newest bar, keeping the zoom."""
        margin = min(MARGIN_ROWS, self.span * 0.1)
        self._move_to(self._rows - 0.5 + margin - self.span)

    def first(self) -> None:
        """Move to the oldest bar, keeping the zoom."""
        self._untouched = False
        self._move_to(-0.5 - min(2.0, self.span * 0.02))

    def pan(self, rows: float) -> None:
        """Move by rows; positive moves towards the newest."""
        self._untouched = False
        self._move_to(self.left + rows)

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Enlarge bars by ``factor``, keeping x ``at`` in its place (default: the newest bar, else the middle)."""
        if at is None:
            at = self._rows - 0.5 if self.follows else (self.left + self.right) / 2
        self._untouched = False
        span = min(max(self.span / factor, MIN_ROWS), max(self._rows * 1.25, START_ROWS) + 2 * MARGIN_ROWS)
        share = (at - self.left) / self.span
        self.left = at - share * span
        self.right = self.left + span
        self._move_to(self.left)

    def centre(self, x: float) -> None:
        """Bring x to the middle."""
        self._untouched = False
        self._move_to(x - self.span / 2)

    def show(self, left: float, right: float) -> None:
        """Show exactly [left, right]."""
        self._untouched = False
        self.left, self.right = left, max(right, left + MIN_ROWS)
        self._move_to(self.left)

    def on_rows(self, old: TimeLine, new: TimeLine) -> None:
        """Keep following, or keep the visible time range, now that the rows are others."""
        follows, before, self._rows = self.follows, self._rows, len(new)
        if self._untouched or not before:
            self._start()
        elif follows:
            # Inserted rows push the view as new ones do: the newest bar keeps its place on the screen.
            self._move_to(self.left + len(new) - before)
        elif len(old) and len(new):
            left, right = old.time_of(self.left), old.time_of(self.right)
            self.left, self.right = new.x_of(left), new.x_of(right)
            if self.span < MIN_ROWS:
                self.right = self.left + MIN_ROWS
            self._move_to(self.left)

    def _start(self) -> None:
        rows = min(max(float(self._rows), LEAST_START_ROWS), START_ROWS)
        self.right = self._rows - 0.5 + MARGIN_ROWS
        self.left = self.right - rows - MARGIN_ROWS

    def _move_to(self, left: float) -> None:
        # Two bars stay in sight whatever is dragged: nobody gets lost beside the data.
        span = self.span
        keep = min(2.0, span / 2)
        left = min(max(left, keep - 0.5 - span), max(self._rows - 0.5 - keep, keep - 0.5 - span))
        self.left, self.right = left, left + span
