"""Draw the whole desk into a PNG without a screen, once there is something to see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from quantdesk.app.files import save_png
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.app.files import FileOpener
    from quantdesk.model.jobs import JobRunner
    from quantdesk.model.pair import PairModel
    from quantdesk.ui.main_window import MainWindow

WIDTH, HEIGHT = 1600, 950
#: Without ``--after`` the picture waits for the statistics, but no longer than this.
_MOST_SECONDS = 12.0
_SETTLE_SECONDS = 0.4


async def take_picture(
    window: MainWindow,
    pair: PairModel,
    jobs: JobRunner,
    opener: FileOpener,
    feeding: Feeding,
    path: Path,
    after: float | None,
) -> None:
    """Show the window offscreen, wait ``after`` seconds (None = until it stands) and save it.

    Raises ConfigError for a file that did not open or a feed that failed, ExportError for a picture that
    cannot be written.
    """
    window.resize(WIDTH, HEIGHT)
    window.show()
    if after is not None:
        await asyncio.sleep(after)
    await _wait_for(lambda: not opener.busy, _MOST_SECONDS if after is None else 600.0)
    if opener.problem:
        raise ConfigError(opener.problem)
    if after is None:
        await _wait_for(lambda: _stands(pair, jobs) or bool(feeding.problem), _MOST_SECONDS)
    if feeding.problem:
        raise ConfigError(feeding.problem)
    await asyncio.sleep(_SETTLE_SECONDS)
    # A picture for a report shows the desk, not what popped up over it.
    for dialog in window.findChildren(QDialog):
        dialog.close()
    for toast in list(window.toasts.toasts):
        toast.leave()
    # Charts and numbers of one moment.
    window.clock.mark()
    window.clock.flush()
    window.metrics.refresh()
    save_png(path, window.grab().toImage())


async def _wait_for(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:  # noqa: ASYNC110  # several models, one picture: a look is enough
        await asyncio.sleep(0.05)


def _stands(pair: PairModel, jobs: JobRunner) -> bool:
    frame = pair.frame
    if frame is None or not len(frame.times) or jobs.busy():
        return False
    return pair.evidence is not None or not pair.settings.x  # one leg alone has no evidence to wait for
