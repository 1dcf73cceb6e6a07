"""Run the whole desk in this process and look into what it holds."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from quantdesk.app.desk import Desk
from quantdesk.cli import desk_parser
from quantdesk.commands.shared import paths_of
from quantdesk.config import Endpoints
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Light
from quantdesk.ui.single_instance import SingleInstance

PATIENCE = 30.0
Act = Callable[[Desk], Awaitable[None]]


def drive(app: QApplication, endpoints: Endpoints, act: Act, *words: str | Path, quits: bool = True) -> Desk:
    """Run a desk, let ``act`` use it, quit; fail for an error of either."""
    app.setQuitOnLastWindowClosed(False)
    args: argparse.Namespace = desk_parser().parse_args([str(word) for word in words])
    paths = paths_of(args)
    alone = SingleInstance(paths.data)
    failures: list[BaseException] = []
    desk = Desk(app, args, paths, endpoints, alone)
    crashes: list[str] = []
    desk.crashes.report_crash = crashes.append  # type: ignore[method-assign]

    async def use() -> None:
        try:
            await act(desk)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # told outside of the loop
            failures.append(error)
        finally:
            if quits or failures:
                desk.window.quit_requested.emit()

    tasks: list[asyncio.Task[None]] = []
    QTimer.singleShot(0, lambda: tasks.append(asyncio.get_running_loop().create_task(use())))
    try:
        assert desk.run([Path(path) for path in args.files]) == 0
    finally:
        alone.close()
    if failures:
        raise failures[0]
    assert not crashes, crashes[0]
    return desk


async def reached(look: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain: {what}")
        await asyncio.sleep(0.02)


def bars(desk: Desk) -> int:
    frame = desk.pair.frame
    return 0 if frame is None else len(frame.times)


def is_live(desk: Desk) -> bool:
    return desk.feeding.market.feed_status.light is Light.GREEN


def notices(desk: Desk) -> str:
    return " ".join(notice.text for notice in desk.window.banner.notices())


def held(data: Path) -> dict[tuple[str, str], list[int]]:
    """Return the stored ids by venue and symbol, in order of their time."""
    reader = open_embedded(data / "quantdesk.sqlite", read_only=True)
    try:
        return {
            (one.instrument.venue, one.instrument.symbol): sorted(
                i for block in reader.load_ticks(one.instrument) for i in block.agg_id.tolist()
            )
            for one in reader.instruments()
        }
    finally:
        reader.close()


def is_whole(ids: list[int]) -> bool:
    return bool(ids) and ids == list(range(ids[0], ids[0] + len(ids)))


def all_whole(data: Path) -> bool:
    """Say whether no id is missing between the first and the last of each symbol."""
    return all(is_whole(ids) for ids in held(data).values())


def settings_of(data: Path) -> dict[str, object]:
    return json.loads((data / "config" / "settings.json").read_text("utf-8"))
