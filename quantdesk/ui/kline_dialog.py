"""List the bars that differ from the exchange's own klines, or needed an explanation."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialogButtonBox, QWidget

from quantdesk.bars.agreement import KlineCheck, Verdict
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.fact_table import FactTable

_MOST = 500


class KlineDialog(DeskDialog):
    """Show one row for each value that differs, the newest first."""

    def __init__(
        self, counts: tuple[int, int, int], checks: Sequence[tuple[str, KlineCheck]], parent: QWidget | None
    ) -> None:
        super().__init__(self.tr("Comparison with the exchange's klines"), parent, width=660)
        matched, explained, compared = counts
        self.add_heading(self.tr("{0} of {1} bars match").format(f"{matched:,}", f"{compared:,}"))
        words = self.tr("Every closed 1m bar built from trades is compared with the exchange's own.")
        if explained:
            words += " " + self.tr("{0} differ by trades that the exchange counts but does not publish.").format(
                f"{explained:,}"
            )
        self.add_text(words, dim=True)
        sides = (self.tr("Ours"), self.tr("Exchange's"), self.tr("Explained?"))
        heads = (self.tr("Bar (UTC)"), self.tr("Symbol"), self.tr("Value"), *sides)
        self.table = FactTable(self.tr("Differences"), heads, self, numbers=(3, 4))
        self.table.setProperty("framed", True)
        self.table.setMinimumHeight(200)
        self.table.show_rows([row for symbol, check in checks for row in self._rows(symbol, check)][:_MOST])
        self.body.addWidget(self.table, 1)
        if not checks:
            self.table.hide()
            none = self.tr("No difference was found.") if compared else self.tr("No bar has been compared yet.")
            self.add_text(none)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()

    def _rows(self, symbol: str, check: KlineCheck) -> list[tuple[str, ...]]:
        explained = check.verdict is Verdict.EXPLAINED
        why = self.tr("yes: {0}").format(check.words) if explained else self.tr("no")
        time = clock_text(check.open_time)
        names = {
            "open": self.tr("Open"),
            "high": self.tr("High"),
            "low": self.tr("Low"),
            "close": self.tr("Close"),
            "volume": self.tr("Volume"),
            "trades": self.tr("Trades"),
        }
        return [
            (time, symbol, words, f"{ours:.12g}", f"{theirs:.12g}", why)
            for name, words in names.items()
            if (ours := getattr(check.ours, name)) != (theirs := getattr(check.theirs, name))
        ]
