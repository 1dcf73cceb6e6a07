"""Show what the store is, how much it holds and how it is doing."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from quantdesk.store.base import StoreFacts
from quantdesk.ui.fact_table import FactTable
from quantdesk.ui.status_bar import size_text

AGGREGATES = "continuous aggregates"
_NONE = "–"


def _tr(text: str) -> str:
    return QCoreApplication.translate("storage", text)


def kind_words(facts: StoreFacts) -> str:
    """Return kind and bar mode in one line."""
    if not facts.bar_mode:
        return facts.kind
    words = {
        AGGREGATES: _tr("{0}, bars by continuous aggregates"),
        "tables": _tr("{0}, bars in tables"),
    }
    return words.get(facts.bar_mode, "{0}").format(facts.kind)


def fact_words(facts: StoreFacts) -> dict[str, str]:
    """Return what is known of the store by its name, in the order to read it."""
    lag = facts.refresh_lag
    found = {
        _tr("Place"): facts.place,
        _tr("Size"): _NONE if facts.size_bytes is None else size_text(facts.size_bytes),
        _tr("Compressed"): _compressed_words(facts),
    }
    if lag is not None:
        found[_tr("Bars are behind by")] = _tr("nothing") if lag <= 0 else _tr("{0} s").format(f"{lag:.1f}")
    if facts.bar_mode == AGGREGATES:
        found[_tr("Jobs of the database")] = "\n".join(facts.jobs) or _tr("well")
    elif facts.jobs:
        found[_tr("Jobs of the database")] = "\n".join(facts.jobs)
    if facts.trouble:
        found[_tr("Trouble")] = facts.trouble
    if facts.notes:
        found[_tr("Good to know")] = "\n".join(facts.notes)
    return found


def _compressed_words(facts: StoreFacts) -> str:
    if not facts.compressed_bytes or facts.uncompressed_bytes is None:
        return _tr("nothing yet") if facts.bar_mode == AGGREGATES else _NONE
    before, after = facts.uncompressed_bytes, facts.compressed_bytes
    words = _tr("{0} became {1}, {2} times less")
    return words.format(size_text(before), size_text(after), f"{before / after:.1f}")


def table_rows(facts: StoreFacts) -> list[tuple[str, ...]]:
    """Return (table, rows, size) of every table that is known."""
    names = {
        "ticks": _tr("Trades"),
        "bars": _tr("Bars from trades"),
        "kept_bars": _tr("Bars whose trades are gone"),
        "source_bars": _tr("Klines and bars of files"),
        "gaps": _tr("Ledger of gaps"),
        "instruments": _tr("Instruments"),
    }
    known = [*names, *(name for name in {**facts.rows, **facts.sizes} if name not in names)]
    rows: list[tuple[str, ...]] = []
    for name in known:
        if name in facts.rows or name in facts.sizes:
            count, size = facts.rows.get(name), facts.sizes.get(name)
            shown = (_NONE if count is None else f"{count:,}", _NONE if size is None else size_text(size))
            rows.append((names.get(name, name), *shown))
    return rows


class FactsPage(QWidget):
    """Show a store's facts, or why they are not known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("This store"))
        self.head = self._words("")
        self.head.setProperty("heading", True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._values: dict[str, QLabel] = {}
        heads = (self.tr("What"), self.tr("Rows"), self.tr("On disk"))
        self.tables = FactTable(self.tr("What the store holds"), heads, self, numbers=(1, 2))
        self.leases = FactTable(self.tr("Who writes"), (self.tr("Symbol"), self.tr("Written by")), self)
        for table in (self.tables, self.leases):
            table.setProperty("framed", True)
        self.tables.horizontalHeader().setStretchLastSection(False)
        self.tables.horizontalHeader().setSectionResizeMode(0, self.tables.horizontalHeader().ResizeMode.Stretch)
        self._lay_out()
        self.show_words(self.tr("Looking at the store…"))

    def fact(self, name: str) -> str:
        """Return a fact by its name; empty where it is not shown."""
        return self._values[name].text() if name in self._values else ""

    def show_words(self, words: str, *, fault: bool = False) -> None:
        """Say something in place of facts, or above those of before."""
        self.head.setText(words)
        self.head.setProperty("fault", fault)
        self.head.style().unpolish(self.head)
        self.head.style().polish(self.head)
        self._body.setVisible(bool(self._values) and not fault)

    def show_facts(self, facts: StoreFacts) -> None:
        """Show these facts."""
        self.show_words(kind_words(facts))
        self._clear()
        for row, (name, value) in enumerate(fact_words(facts).items()):
            head, label = self._words(name), self._words(value)
            head.setWordWrap(False)
            head.setProperty("dim", True)
            label.setAccessibleName(f"{name}: {value}")
            label.setProperty("fault", name == _tr("Trouble"))
            self._grid.addWidget(head, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label, row, 1)
            self._values[name] = label
        self.tables.show_rows(table_rows(facts))
        self.tables.setVisible(bool(facts.rows or facts.sizes))
        self.leases.show_rows([(symbol, holder) for symbol, holder in facts.leases])
        self.leases.setVisible(bool(facts.leases))
        for table in (self.tables, self.leases):
            _fit(table)
        self._body.show()

    def _clear(self) -> None:
        self._values.clear()
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _lay_out(self) -> None:
        self._body = QWidget(self)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(0, 0, 8, 0)
        inner.setSpacing(12)
        inner.addLayout(self._grid)
        inner.addWidget(self.tables)
        inner.addWidget(self.leases)
        inner.addStretch(1)
        area = QScrollArea(self)
        area.setAccessibleName(self.tr("Facts of the store"))
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._body)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 12, 2, 2)
        column.setSpacing(10)
        row = QHBoxLayout()
        row.addWidget(self.head, 1)
        column.addLayout(row)
        column.addWidget(area, 1)

    def _words(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label


def _fit(table: FactTable) -> None:
    """Give a table the height of its rows, up to ten."""
    rows = min(len(table.rows()), 10)
    frame = 2 * table.frameWidth() + 2
    height = table.horizontalHeader().sizeHint().height() + rows * table.verticalHeader().defaultSectionSize()
    table.setFixedHeight(height + frame)
