"""Append every generated trade to a file, one JSON object a line: the oracle of tests."""

from __future__ import annotations

from pathlib import Path

from quantdesk.config import ConfigError
from quantdesk.simulator.market import Listing, TradeColumns
from quantdesk.simulator.payloads import log_rows


class TruthLog:
    """Write trades as they are generated, whether or not anybody receives them."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: cannot write the log: {error.strerror}") from error

    def append(self, listing: Listing, trades: TradeColumns) -> None:
        """Append trades of one symbol."""
        self._file.write(log_rows(listing, trades))

    def flush(self) -> None:
        """Hand what is buffered to the system, so that a reader sees whole lines."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left and close."""
        self._file.close()
