"""Silence warnings of libraries whose results say themselves what the warning says."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

#: Warning filters belong to the whole process: of the pool's threads one at a time changes and restores them.
_FILTERS = threading.Lock()


@contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category, and NumPy's of floating point, for as long as it lasts; one thread at a time."""
    with _FILTERS, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", category)
        yield
