"""Show the evidence on a pair: the verdict in words, a row for every test, and what changed over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from quantdesk.analytics.evidence import FEWEST_TEST_BARS, PairEvidence
from quantdesk.analytics.verdict import Agreement, Verdict
from quantdesk.model.frame import PairFrame
from quantdesk.model.pair import PairModel
from quantdesk.ui import evidence_drawings as drawings
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.evidence_chart import EvidenceChart
from quantdesk.ui.evidence_list import RowList, words_label
from quantdesk.ui.evidence_rows import RowGroup, evidence_groups
from quantdesk.ui.icons import icon, pixmap
from quantdesk.ui.status_bar import DeskMode, mode_text
from quantdesk.ui.theme_tokens import Tokens

_MARKS = {Agreement.AGREE: "check", Agreement.CONFLICT: "warning", Agreement.UNDECIDED: "info"}


class EvidencePanel(QWidget):
    """Pull the newest evidence of a pair when asked to ``refresh``; a hidden panel does nothing."""

    def __init__(self, pair: PairModel, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evidence_panel")
        self.setAccessibleName(self.tr("Evidence"))
        self._pair, self._tokens, self._zone = pair, tokens, UTC_ZONE
        self._shown: tuple[object, ...] = ()
        self._groups: tuple[RowGroup, ...] = ()
        self._failure = ""
        self.empty = words_label(self, dim=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(16)
        self.subject = words_label(self, dim=True)
        self.verdict = VerdictCard(self)
        self.verdict.copy.clicked.connect(self.copy)
        self.rows = RowList(self)
        self.charts = {name: EvidenceChart(name, tokens, self) for name in drawings.titles()}
        self.area = self._make_area()
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.area)
        for chart in self.charts.values():
            chart.pointed.connect(self._share_cursor)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._tokens = tokens
        self.setStyleSheet(
            f'QLabel[tone="for"] {{ color: {tokens.ok}; }} QLabel[tone="against"] {{ color: {tokens.text}; }} '
            f'QLabel[tone="odd"] {{ color: {tokens.warn}; }} '
            f"QScrollArea#evidence_area, QWidget#evidence_page {{ background: {tokens.panel}; }} "
            f"QFrame#verdict_card {{ background: {tokens.raised}; border: 1px solid {tokens.border}; "
            "border-radius: 5px; }"
        )
        self.verdict.set_tokens(tokens)
        for chart in self.charts.values():
            chart.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone, self._shown = zone, ()
        for chart in self.charts.values():
            chart.set_zone(zone)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what the pair's newest tests say, or what is still missing for them."""
        if not self.isVisible():
            return
        pair, frame, evidence = self._pair, self._pair.frame, self._pair.evidence
        if frame is None or evidence is None or evidence.observations < FEWEST_TEST_BARS:
            self._shown = ()
            self.empty.setText(self._missing(frame))
            self._pages.setCurrentWidget(self.empty)
            return
        line = math.nan if frame.fit is None or frame.beta_path is not None else frame.fit.beta
        # A frame comes with every bar, evidence seldom: the same one is not laid out again.
        shown = (evidence, pair.frozen, line, frame.interval_ms)
        if not _same(self._shown, shown):
            self._shown = shown
            self._fill(frame, evidence, line)
        self._pages.setCurrentWidget(self.area)

    @Slot(str)
    def show_failure(self, text: str) -> None:
        """Say why there are no tests, until there are some."""
        self._failure = text
        self.refresh()

    def text(self) -> str:
        """Return everything but the charts as plain text, with the mark of data that are no market's."""
        frame, evidence = self._pair.frame, self._pair.evidence
        if frame is None or evidence is None or self._pages.currentWidget() is not self.area:
            return self.empty.text()
        lines = [f"{mode_text(DeskMode(frame.origin))} · {self.subject.text()}", "", *self.verdict.lines()]
        for group in self._groups:
            lines += ["", group.title, group.note, *(row.text for row in group.rows)]
        drawn = [chart.drawing for chart in self.charts.values() if chart.drawing is not None]
        lines += ["", *(f"{drawing.title}: {drawing.summary}" for drawing in drawn)]
        return "\n".join(lines)

    @Slot()
    def copy(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def sizeHint(self) -> QSize:
        """Ask for a column beside the charts."""
        return QSize(360, 600)

    # -- content ----------------------------------------------------------------------------

    def _make_area(self) -> QScrollArea:
        area, page = QScrollArea(self), QWidget(self)
        area.setObjectName("evidence_area")
        page.setObjectName("evidence_page")
        area.setAccessibleName(self.tr("Verdict, tests and charts"))
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        for part in (self.subject, self.verdict, self.rows, *self.charts.values()):
            column.addWidget(part)
        column.addStretch(1)
        area.setWidget(page)
        return area

    def _missing(self, frame: PairFrame | None) -> str:
        settings = self._pair.settings
        if not (settings.y and settings.x):
            return self.tr("No pair yet.\nChoose two legs in the toolbar: the tests compare Y with X.")
        held = 0 if frame is None else frame.observations
        if held < FEWEST_TEST_BARS:
            words = self.tr("{0} of {1} bars of both legs are there: the first test needs {2} more.")
            return words.format(held, FEWEST_TEST_BARS, FEWEST_TEST_BARS - held)
        return self._failure or self.tr("The tests are being computed…")

    def _fill(self, frame: PairFrame, evidence: PairEvidence, line: float) -> None:
        self._failure = ""
        settings = frame.settings
        unit = self.tr("ln prices") if settings.log else self.tr("prices")
        self.subject.setText(" · ".join((f"{settings.y} / {settings.x}", settings.interval, unit)))
        self.verdict.show_verdict(evidence.verdict)
        span = (evidence.start, evidence.end)
        left_out = 0 if None in span else frame.left_out_between(int(span[0] or 0), int(span[1] or 0))
        self._groups = evidence_groups(
            evidence,
            self._pair.frozen,
            frame.interval_ms,
            left_out=left_out,
            moving=frame.beta_path is not None,
            zone=self._zone,
        )
        self.rows.show_groups(self._groups)
        made = {
            "p": drawings.p_drawing(evidence),
            "cusum": drawings.cusum_drawing(evidence),
            "beta": drawings.beta_drawing(evidence, line),
        }
        for name, title in drawings.titles().items():
            drawing = made[name]
            words = "" if drawing is not None else drawings.empty_words(name, evidence)
            self.charts[name].show_drawing(drawing, title if drawing is None else drawing.title, words)
        axis = max(chart.axis_need() for chart in self.charts.values())
        for chart in self.charts.values():
            chart.set_axis_width(axis)

    @Slot(int)
    def _share_cursor(self, row: int) -> None:
        for chart in self.charts.values():
            if chart is not self.sender():
                chart.set_cursor_row(row)

    # -- events -----------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Show what was missed while hidden."""
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put each row into one line where there is room, else below one another."""
        super().resizeEvent(event)
        self.rows.arrange(self.width())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to copy."""
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Evidence"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy as text")).triggered.connect(self.copy)
        menu.popup(event.globalPos())


def _same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """Compare by identity where arrays are inside, by value for numbers (NaN is like NaN)."""

    def key(part: object) -> object:
        return str(part) if isinstance(part, float | int) else id(part)

    return len(before) == len(now) and all(key(a) == key(b) for a, b in zip(before, now, strict=True))


class VerdictCard(QFrame):
    """Show whether the tests agree: a mark with its word, the headline, and a remark for each comparison."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("verdict_card")
        self._verdict: Verdict | None = None
        self._tokens: Tokens | None = None
        self.mark = QLabel(self)
        self.word = words_label(self, heading=True, wraps=False)
        self.headline = words_label(self, heading=True)
        self.remarks = words_label(self, dim=True)
        self.copy = QToolButton(self)
        self.copy.setToolTip(self.tr("Copy the evidence as text (Ctrl+C)"))
        self.copy.setAccessibleName(self.tr("Copy the evidence as text"))
        self.copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 8, 8, 9)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.mark, 0, 0)
        grid.addWidget(self.word, 0, 1)
        grid.addWidget(self.copy, 0, 2)
        grid.addWidget(self.headline, 1, 0, 1, 3)
        grid.addWidget(self.remarks, 2, 0, 1, 3)
        grid.setColumnStretch(1, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._tokens = tokens
        self.copy.setIcon(icon("copy", tokens))
        self._show_mark()

    def show_verdict(self, verdict: Verdict | None) -> None:
        """Show another verdict."""
        self._verdict = verdict
        self.headline.setText("" if verdict is None else verdict.headline)
        self.remarks.setText("\n".join(self._sentences()))
        self.remarks.setVisible(bool(self.remarks.text()))
        self._show_mark()
        self.setAccessibleName(f"{self.word.text()}: {self.headline.text()}")

    def lines(self) -> Sequence[str]:
        """Return the card as plain text."""
        return [f"{self.word.text()}: {self.headline.text()}", *self._sentences()]

    def _sentences(self) -> list[str]:
        remarks = () if self._verdict is None else self._verdict.remarks
        return [f"• {remark[:1].upper()}{remark[1:]}." for remark in remarks]

    def _show_mark(self) -> None:
        if self._tokens is None or self._verdict is None:
            return
        agreement, tokens = self._verdict.agreement, self._tokens
        words = {
            Agreement.AGREE: self.tr("AGREE"),
            Agreement.CONFLICT: self.tr("CONFLICT"),
            Agreement.UNDECIDED: self.tr("UNDECIDED"),
        }
        colours = {Agreement.AGREE: tokens.ok, Agreement.CONFLICT: tokens.error, Agreement.UNDECIDED: tokens.warn}
        colour = colours[agreement]
        if agreement is Agreement.AGREE and not self._verdict.cointegrated:
            colour = tokens.text  # they agree that there is nothing: no reason for green
        picture = pixmap(_MARKS[agreement], colour, 40)
        picture.setDevicePixelRatio(2)
        self.mark.setPixmap(picture)
        self.mark.setAccessibleName(words[agreement])
        self.word.setText(words[agreement])
        self.word.setStyleSheet(f"color: {colour};")
