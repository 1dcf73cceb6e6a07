"""Find a symbol of the exchange by typing part of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialogButtonBox, QLineEdit, QListWidget, QListWidgetItem, QWidget

from quantdesk.types import SymbolInfo
from quantdesk.ui.dialogs import DeskDialog

_MOST_SHOWN = 400
_MAX_LENGTH = 40


def matching(infos: Sequence[SymbolInfo], typed: str) -> list[SymbolInfo]:
    """Return the symbols that contain what was typed: exact, then by prefix, then the rest; TRADING first."""
    wanted = typed.strip().casefold().replace("/", "")

    def rank(info: SymbolInfo) -> tuple[int, bool, int, str]:
        name, base = info.symbol.casefold(), info.base.casefold()
        order = 0 if wanted in (name, base) else 1 if name.startswith(wanted) else 2
        return order, info.status != "TRADING", len(name), name

    if not wanted:
        return sorted(infos, key=lambda i: i.status != "TRADING")
    return sorted((i for i in infos if wanted in i.symbol.casefold() or wanted in i.base.casefold()), key=rank)


class SymbolSearchDialog(DeskDialog):
    """Choose a symbol to stream; ``symbol_chosen(str)`` on OK."""

    symbol_chosen = Signal(str)

    def __init__(self, held: Sequence[str], parent: QWidget | None) -> None:
        super().__init__(self.tr("Add symbol"), parent, width=440)
        self._infos: Sequence[SymbolInfo] = ()
        self._held = frozenset(held)
        self.typed = QLineEdit(self)
        self.typed.setPlaceholderText(self.tr("Type part of a symbol, such as SOL"))
        self.typed.setAccessibleName(self.tr("Part of a symbol"))
        self.typed.setClearButtonEnabled(True)
        self.typed.setMaxLength(_MAX_LENGTH)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Matching symbols"))
        self.list.setProperty("framed", True)
        self.list.setMinimumHeight(300)
        self.list.setUniformItemSizes(True)
        self.body.addWidget(self.typed)
        self.body.addWidget(self.list, 1)
        self.state = self.add_text(self.tr("Asking the exchange for its symbols…"), dim=True)
        self.add_button = self.buttons.addButton(self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.add_button.setDefault(True)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.typed.textChanged.connect(self._show)
        self.typed.installEventFilter(self)
        self.list.itemDoubleClicked.connect(lambda _item: self.accept())
        self.list.currentRowChanged.connect(lambda _row: self._enable())
        self.accepted.connect(self._choose)
        self._show()
        self.typed.setFocus()

    def set_symbols_info(self, infos: Sequence[SymbolInfo]) -> None:
        """Fill the list with what the exchange announces."""
        self._infos = infos
        trading = sum(info.status == "TRADING" for info in infos)
        self.state.setText(self.tr("{0} symbols, {1} of them trading").format(len(infos), trading))
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there is no list; a symbol can still be typed whole."""
        self.state.setText(self.tr("{0}\nA symbol typed in full can be added all the same.").format(text))
        self._enable()

    def chosen(self) -> str:
        """Return the symbol that OK would add, or nothing."""
        item = self.list.currentItem()
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return str(item.data(Qt.ItemDataRole.UserRole))
        typed = self.typed.text().strip().upper()
        return typed if not self._infos and typed and typed not in self._held else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let up and down walk the list while the cursor stays in the text."""
        if watched is self.typed and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
            if event.key() in step:
                row = self.list.currentRow() + step[Qt.Key(event.key())]
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                return True
        return False

    def _show(self) -> None:
        self.list.clear()
        for info in matching(self._infos, self.typed.text())[:_MOST_SHOWN]:
            status = "" if info.status == "TRADING" else f"   {info.status.lower()}"
            held = self.tr("   streaming already") if info.symbol in self._held else ""
            kind = info.contract_type.replace("_", " ").lower()
            item = QListWidgetItem(f"{info.symbol}   ·   {info.base} / {info.quote}   ·   {kind}{status}{held}")
            item.setData(Qt.ItemDataRole.UserRole, info.symbol)
            if held or info.status != "TRADING":
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
        rows = (r for r in range(self.list.count()) if self.list.item(r).flags() & Qt.ItemFlag.ItemIsEnabled)
        self.list.setCurrentRow(next(rows, -1))
        self._enable()

    def _enable(self) -> None:
        self.add_button.setEnabled(bool(self.chosen()))

    def _choose(self) -> None:
        symbol = self.chosen()
        if symbol:
            self.symbol_chosen.emit(symbol)
