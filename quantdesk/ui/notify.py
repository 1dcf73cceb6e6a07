"""Ask the desktop itself for a popup where there is no tray."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from quantdesk.config import resource

log = logging.getLogger(__name__)


class DesktopPopups:
    """Send popups through the desktop's notification service; run ``send`` as a task, never in a widget."""

    def __init__(self, clicked: Callable[[], None] = lambda: None) -> None:
        self._clicked = clicked
        self._notifier: Any = None
        self.problem = ""

    async def send(self, title: str, text: str) -> bool:
        """Show a popup; False, with ``problem`` in words, where the desktop offers none."""
        sent: list[bool] = []
        self.problem = ""
        try:
            if self._notifier is None:
                self._notifier = self._connect()
            await self._notifier.send(
                title=title, message=text, on_clicked=self._clicked, on_dispatched=lambda: sent.append(True)
            )
        except Exception as error:  # noqa: BLE001  # every desktop fails in its own way; toast and row stand anyway
            return self._fail(str(error) or type(error).__name__)
        # The library logs a failure and returns as if all were well: only the call back tells.
        return True if sent else self._fail("the desktop did not take it")

    def _connect(self) -> Any:
        # Imported here: it costs start-up time and most desks have a tray.
        from desktop_notifier import DesktopNotifier, Icon

        logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
        return DesktopNotifier(app_name="quantdesk", app_icon=Icon(path=resource("icons/quantdesk.svg")))

    def _fail(self, reason: str) -> bool:
        self.problem = f"no desktop popup: {reason.splitlines()[0]}"
        log.warning(self.problem)
        return False
