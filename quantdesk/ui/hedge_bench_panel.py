"""Show the hedge bench: a table with a row a method, their paths, and what adopts one."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QHideEvent, QIcon, QKeyEvent, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QGridLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from quantdesk.model.hedge_bench import Bench, HedgeBenchModel
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.pair import PairModel
from quantdesk.ui.charts.ticks import span_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.fact_table import FactTable
from quantdesk.ui.hedge_bench_chart import BetaChart, BetaLine, BetaPaths
from quantdesk.ui.hedge_bench_rows import bench_cells, bench_text, heads, window_words
from quantdesk.ui.hedge_words import hedge_name
from quantdesk.ui.pair_control import pair_text
from quantdesk.ui.theme_tokens import Tokens

_COLORS = {
    HedgeMethod.OLS: "accent",
    HedgeMethod.ORIGIN: "leg_y",
    HedgeMethod.REVERSE: "correlation",
    HedgeMethod.TLS: "spread",
    HedgeMethod.JOHANSEN: "down",
    HedgeMethod.ROLLING: "z",
    HedgeMethod.KALMAN: "refit",
}
_SWATCH, _ROOM = 10, 12


class BenchTable(FactTable):
    """List the methods; ``adopt_wanted`` on Enter or a double click."""

    adopt_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", [head.text for head in heads()], parent, numbers=range(1, 9))
        self.setAccessibleName(self.tr("Hedge bench"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(QSize(_SWATCH, _SWATCH))
        for column, head in enumerate(heads()):
            item = self.horizontalHeaderItem(column)
            if item is not None:
                item.setToolTip(head.tip)
        self.doubleClicked.connect(lambda _index: self.adopt_wanted.emit())

    def fit_columns(self) -> None:
        """Make each column as wide as its words, with room between numbers."""
        self.resizeColumnsToContents()
        for column in range(self.columnCount() - 1):
            self.setColumnWidth(column, self.columnWidth(column) + _ROOM)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Adopt on Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.adopt_wanted.emit()
        else:
            super().keyPressEvent(event)


class HedgeBenchPanel(QWidget):
    """Show the newest comparison; ``adopt_wanted(HedgeMethod, log)`` when the user adopts a row."""

    adopt_wanted = Signal(object, bool)

    def __init__(self, pair: PairModel, model: HedgeBenchModel, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hedge_bench")
        self.setAccessibleName(self.tr("Hedge bench"))
        self._pair, self._model, self._tokens, self._zone = pair, model, tokens, UTC_ZONE
        self._method = pair.settings.hedge
        self.table = BenchTable(self)
        self.chart = BetaChart(tokens, self)
        self.words = self._label()
        self.warning = self._label(
            self.tr(
                "The best-looking of {count} rows is a choice made after seeing the results: expect it to do worse "
                "on the bars to come than it did here."
            ).format(count=len(HedgeMethod))
        )
        self.prices, self.logs = self._unit(self.tr("Prices")), self._unit(self.tr("Logs"))
        self.prices.setToolTip(self.tr("Compare hedge ratios of prices"))
        self.logs.setToolTip(self.tr("Compare hedge ratios of log prices"))
        self.adopt = QPushButton(self.tr("Adopt"), self)
        self.copy = QPushButton(self.tr("Copy table"), self)
        for button in (self.adopt, self.copy):
            button.setAccessibleName(button.text())
        self.copy.setToolTip(self.tr("Copy all rows as text, the tests named in full"))
        self.empty = self._label()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._compose()
        self._connect()
        self._show()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour chart and swatches for the theme."""
        self._tokens = tokens
        self.chart.set_tokens(tokens)
        self._paint_swatches()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.chart.set_zone(zone)
        self._show()

    def chosen(self) -> HedgeMethod:
        """Return the method of the selected row."""
        return self._method

    def text(self) -> str:
        """Return the table as text, "" while there is none."""
        bench = self._model.bench
        if bench is None or not bench.rows:
            return ""
        title = f"{self.tr('Hedge bench')}, {pair_text(bench.settings)}, {bench.settings.interval}"
        return bench_text(bench, title, self.words.text(), self._adopted(bench))

    def sizeHint(self) -> QSize:
        """Ask for seven rows below the charts."""
        return QSize(1_000, 270)

    def showEvent(self, event: QShowEvent) -> None:
        """Compare while somebody looks."""
        super().showEvent(event)
        self._model.set_wanted(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._model.set_wanted(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the chart beside the table and the words beside the buttons where there is room, else below."""
        super().resizeEvent(event)
        wide = Qt.Orientation.Horizontal if self.width() > 1.4 * self.height() else Qt.Orientation.Vertical
        if wide == self._split.orientation():
            return
        self._split.setOrientation(wide)
        self._top.removeWidget(self.words)
        place = (0, 2, 1, 1) if wide == Qt.Orientation.Horizontal else (1, 0, 1, 5)
        self._top.addWidget(self.words, *place)

    # -- composition ------------------------------------------------------------------------

    def _compose(self) -> None:
        self._split = QSplitter(Qt.Orientation.Horizontal, self)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.table)
        self._split.addWidget(self.chart)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        self._split.setSizes([900, 500])
        page = QWidget(self)
        stack = QVBoxLayout(page)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.addWidget(self._split)
        holder = QWidget(self)
        self._pages = QStackedLayout(holder)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)
        self._top = top = QGridLayout()
        top.setContentsMargins(8, 4, 8, 2)
        top.setSpacing(4)
        top.setColumnStretch(2, 1)
        parts = (self.prices, self.logs, self.words, self.adopt, self.copy)
        for place, part in enumerate(parts):
            top.addWidget(part, 0, place)
        self.words.setContentsMargins(6, 0, 6, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(holder, 1)
        self.warning.setContentsMargins(8, 0, 8, 3)
        column.addWidget(self.warning)

    def _connect(self) -> None:
        self._model.changed.connect(self._show)
        self._pair.settings_changed.connect(self._show)
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.table.adopt_wanted.connect(self._adopt)
        self.adopt.clicked.connect(self._adopt)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        self.prices.clicked.connect(lambda: self._choose_unit(False))
        self.logs.clicked.connect(lambda: self._choose_unit(True))

    def _label(self, text: str = "") -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setProperty("dim", True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _unit(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAccessibleName(text)
        button.setCheckable(True)
        button.setProperty("segment", True)
        group = self.findChild(QButtonGroup) or QButtonGroup(self)
        group.addButton(button)
        return button

    # -- showing ----------------------------------------------------------------------------

    def _choose_unit(self, log: bool) -> None:
        self._model.set_log(log if log != self._pair.settings.log else None)
        self._show()

    @Slot()
    def _show(self) -> None:
        bench = self._model.bench
        (self.logs if self._model.log else self.prices).setChecked(True)
        shown = bench is not None and bool(bench.rows)
        self._pages.setCurrentIndex(1 if shown else 0)
        self.copy.setEnabled(shown)
        self.warning.setVisible(shown)
        if bench is None or not shown:
            self.words.setText("")
            self.empty.setText(self._lacking(bench))
            self.table.show_rows([])
            self.chart.show_paths(None)
            self._offer(None)
            return
        first, last = int(bench.times[0]), int(bench.times[bench.formation - 1])
        self.words.setText(
            window_words(bench, span_text(first, last, self._zone.of_bars(interval_ms_of(bench.settings.interval))))
        )
        self._fill(bench)
        self._on_selected()

    def _lacking(self, bench: Bench | None) -> str:
        settings = self._pair.settings
        if not (settings.y and settings.x):
            return self.tr("Choose two legs: a hedge ratio needs both.")
        if bench is None:
            return self.tr("The ways to estimate the hedge ratio are being compared…")
        return bench.reason[:1].upper() + bench.reason[1:] + "."

    def _fill(self, bench: Bench) -> None:
        grown = len(bench.rows) > self.table.rowCount()
        adopted = self._adopted(bench)
        cells = [bench_cells(bench, row, adopted) for row in bench.rows]
        self.table.blockSignals(True)
        self.table.show_rows([tuple(cell.text for cell in row) for row in cells])
        for place, row in enumerate(cells):
            for column, cell in enumerate(row):
                item = self.table.item(place, column)
                if item is not None:
                    item.setToolTip(cell.tip or cell.text)
            name = self.table.item(place, 0)
            if name is not None:
                font = name.font()
                font.setBold(HedgeMethod.of_bench(bench.rows[place].method) is adopted)
                name.setFont(font)
        places = [HedgeMethod.of_bench(row.method) for row in bench.rows]
        self.table.selectRow(places.index(self._method))
        self.table.blockSignals(False)
        self._paint_swatches()
        if grown:
            self.table.fit_columns()

    def _paint_swatches(self) -> None:
        bench = self._model.bench
        for place in range(self.table.rowCount() if bench is not None else 0):
            item = self.table.item(place, 0)
            if item is not None and bench is not None:
                picture = QPixmap(_SWATCH, _SWATCH)
                color = _COLORS[HedgeMethod.of_bench(bench.rows[place].method)]
                picture.fill(QColor(getattr(self._tokens, color)))
                swatch = QIcon(picture)
                swatch.addPixmap(picture, QIcon.Mode.Selected)
                item.setIcon(swatch)

    def _adopted(self, bench: Bench) -> HedgeMethod | None:
        """Return the method that draws the spread, None where the bench compares in the other unit."""
        settings = self._pair.settings
        return settings.hedge if settings.log == bench.log else None

    @Slot()
    def _on_selected(self) -> None:
        bench = self._model.bench
        if bench is None or not bench.rows:
            return
        rows = self.table.selectionModel().selectedRows()
        place = rows[0].row() if rows else 0
        self._method = HedgeMethod.of_bench(bench.rows[place].method)
        adopted = self._adopted(bench)
        lines = []
        for row in bench.rows:
            method = HedgeMethod.of_bench(row.method)
            name, color = hedge_name(method), _COLORS[method]
            lines.append(BetaLine(name, row.path, row.lower, row.upper, color, adopted=method is adopted))
        self.chart.show_paths(BetaPaths(bench.times, bench.formation, tuple(lines), place))
        self._offer(bench)

    def _offer(self, bench: Bench | None) -> None:
        """Say what the button would do, or why it does nothing."""
        name, reason = hedge_name(self._method), ""
        if bench is not None:
            row = next(row for row in bench.rows if row.method == self._method.bench_name)
            reason = row.reasons.get("beta", "")
        is_on = bench is not None and self._adopted(bench) is self._method
        self.adopt.setEnabled(bench is not None and not reason and not is_on)
        if is_on:
            tip = self.tr("{0} draws the spread now.").format(name)
        elif reason:
            tip = self.tr("{0} has no ratio here: {1}.").format(name, reason)
        else:
            tip = self.tr("Draw the spread with β by {0} (Enter or a double click in its row)").format(name)
        self.adopt.setToolTip(tip)

    @Slot()
    def _adopt(self) -> None:
        bench = self._model.bench
        if bench is not None and self.adopt.isEnabled():
            self.adopt_wanted.emit(self._method, bench.log)
