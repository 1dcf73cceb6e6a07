"""Fill, read and copy stores for the desk's tests, and look at its storage dialog."""

from __future__ import annotations

from pathlib import Path

from quantdesk.app.desk import Desk
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Tick
from quantdesk.ui.storage_dialog import StorageDialog

LEG = Instrument("a market", "BTCUSDT")


def seeded(path: Path, rows: int = 500) -> list[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    store = open_embedded(path)
    ticks = [
        Tick("BTCUSDT", i, 100.0 + i % 7, 0.5, 1_700_000_000_000 + 250 * i, bool(i & 1)) for i in range(1, rows + 1)
    ]
    store.append_ticks(LEG, ticks)
    store.close()
    return [tick.agg_id for tick in ticks]


def ids(path: Path) -> list[int]:
    reader = open_embedded(path, read_only=True)
    try:
        return [i for block in reader.load_ticks(LEG) for i in block.agg_id.tolist()]
    finally:
        reader.close()


def opened(desk: Desk) -> StorageDialog:
    desk.window.registry["data.storage"].trigger()
    dialog = desk.window.storage.dialog
    assert dialog is not None
    return dialog


def said(dialog: StorageDialog) -> str:
    return dialog.store.outcome.text.text()


def over(dialog: StorageDialog) -> bool:
    return dialog.store.bar.isHidden() and bool(said(dialog))
