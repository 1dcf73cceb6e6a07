"""Draw for each symbol which stretches of time are held, and which are not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from quantdesk.types import Gap, GapState, SymbolReport
from quantdesk.ui.alert_rows import clock_text
from quantdesk.ui.bar_words import count_text, gap_text, state_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme import mix
from quantdesk.ui.theme_tokens import Tokens

_NAME, _ROW, _BAR, _TOP, _FOOT = 92, 22, 12, 22, 18
_LEAST = 3.0
#: Painted in this order: what is worst comes last and stays visible.
_STATES = (
    GapState.FILLED, GapState.MISSING, GapState.DROPPED, GapState.EXPIRED, GapState.FILLING, GapState.OPEN,
)  # fmt: skip


class CoverageStrip(QWidget):
    """Show held stretches, and gaps in the colour and pattern of their state; hover a gap for its words."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("coverage_strip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tokens, self._zone = tokens, UTC_ZONE
        self._symbols: tuple[SymbolReport, ...] = ()
        self._now = 0
        self.show_symbols((), 0)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the strip for the theme."""
        self._tokens = tokens
        self.update()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.update()

    def show_symbols(self, symbols: Sequence[SymbolReport], now: int) -> None:
        """Show the accounts of these symbols up to ``now`` (ms)."""
        if len(symbols) != len(self._symbols):
            self.updateGeometry()
        self._symbols, self._now = tuple(symbols), now
        words = "; ".join(
            self.tr("{0}: {1} open").format(s.symbol, count_text(s.open_ids, self.tr("trade"), self.tr("trades")))
            for s in symbols
        )
        self.setAccessibleName(self.tr("Coverage over time. {0}").format(words))
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a row for each symbol."""
        return QSize(320, _TOP + _ROW * max(1, len(self._symbols)) + _FOOT)

    def minimumSizeHint(self) -> QSize:
        """Keep every row visible."""
        return QSize(200, self.sizeHint().height())

    def span(self) -> tuple[int, int] | None:
        """Return the stretch of time (ms) that is drawn."""
        starts = [c.start_ts for s in self._symbols for c in s.coverage if c.start_ts > 0]
        starts += [g.start_ts for s in self._symbols for g in s.gaps if g.start_ts > 0]
        ends = [c.end_ts for s in self._symbols for c in s.coverage]
        if not starts:
            return None
        start = min(starts)
        return start, max([*ends, start + 1_000])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw legend, rows and the ends of the time axis."""
        with QPainter(self) as painter:
            self._legend(painter)
            span = self.span()
            for place, symbol in enumerate(self._symbols):
                self._row(painter, symbol, _TOP + _ROW * place, span)
            if span is not None:
                painter.setPen(QColor(self._tokens.text_dim))
                foot = QRectF(_NAME, self.height() - _FOOT, self.width() - _NAME - 10, _FOOT)
                middle = Qt.AlignmentFlag.AlignVCenter
                painter.drawText(foot, int(middle | Qt.AlignmentFlag.AlignLeft), self._clock(span[0]))
                painter.drawText(foot, int(middle | Qt.AlignmentFlag.AlignRight), self._clock(span[1]))

    def _clock(self, ms: int) -> str:
        return f"{clock_text(ms, '1s', self._zone)} {self._zone.name(ms)}"

    def _brush(self, state: GapState | None) -> QBrush:
        tokens, style = self._tokens, Qt.BrushStyle
        looks = {
            None: (tokens.ok, style.SolidPattern),
            GapState.FILLED: (mix(tokens.ok, tokens.panel, 0.45), style.SolidPattern),
            GapState.MISSING: (tokens.text_dim, style.Dense4Pattern),
            GapState.DROPPED: (tokens.text_dim, style.Dense7Pattern),
            GapState.EXPIRED: (tokens.text_dim, style.BDiagPattern),
            GapState.FILLING: (tokens.warn, style.BDiagPattern),
            GapState.OPEN: (tokens.error, style.BDiagPattern),
        }
        color, pattern = looks[state]
        return QBrush(QColor(color), pattern)

    def _fill(self, painter: QPainter, place: QRectF, state: GapState | None) -> None:
        """Fill a place; the tint below a pattern shows where it is too small for lines."""
        brush = self._brush(state)
        painter.fillRect(place, QColor(mix(self._tokens.panel, brush.color().name(), 0.5)))
        painter.fillRect(place, brush)

    def _legend(self, painter: QPainter) -> None:
        names: dict[GapState | None, str] = {None: self.tr("held")}
        names |= {state: state_text(state) for state in reversed(_STATES)}
        names[GapState.EXPIRED] = self.tr("expired: klines stand in")
        x = float(_NAME)
        for state, text in names.items():
            box = QRectF(x, 5, 14, 10)
            self._fill(painter, box, state)
            painter.setPen(QColor(self._tokens.border))
            painter.drawRect(box)
            painter.setPen(QColor(self._tokens.text_dim))
            wide = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRectF(x + 19, 0, wide + 4, 20), int(Qt.AlignmentFlag.AlignVCenter), text)
            x += wide + 36

    def _row(self, painter: QPainter, symbol: SymbolReport, top: int, span: tuple[int, int] | None) -> None:
        painter.setPen(QColor(self._tokens.text))
        name = painter.fontMetrics().elidedText(symbol.symbol, Qt.TextElideMode.ElideRight, _NAME - 14)
        painter.drawText(QRectF(10, top, _NAME - 14, _ROW), int(Qt.AlignmentFlag.AlignVCenter), name)
        track = QRectF(_NAME, top + (_ROW - _BAR) / 2, self.width() - _NAME - 10, _BAR)
        painter.fillRect(track, QColor(self._tokens.grid))
        if span is None:
            return
        for held in symbol.coverage:
            painter.fillRect(self._place(track, span, held.start_ts, held.end_ts), self._brush(None))
        for state in _STATES:
            for gap in symbol.gaps:
                if gap.state is state and gap.size > 0:
                    place = self._place(track, span, gap.start_ts, gap.end_ts)
                    self._fill(painter, place, state)
        painter.setPen(QColor(self._tokens.border))
        painter.drawRect(track)

    def _place(self, track: QRectF, span: tuple[int, int], start: int, end: int) -> QRectF:
        scale = track.width() / max(1, span[1] - span[0])
        left = track.left() + max(0, start - span[0]) * scale
        wide = max(_LEAST, (end - max(start, span[0])) * scale)
        return QRectF(min(left, track.right() - _LEAST), track.top(), wide, track.height()).intersected(track)

    def gap_at(self, x: float, y: float) -> Gap | None:
        """Return the gap under a place, the worst if there are several."""
        row, span = int((y - _TOP) // _ROW), self.span()
        if span is None or not 0 <= row < len(self._symbols):
            return None
        track = QRectF(_NAME, 0, self.width() - _NAME - 10, _ROW)
        found = [
            gap
            for state in _STATES
            for gap in self._symbols[row].gaps
            if gap.state is state and self._place(track, span, gap.start_ts, gap.end_ts).contains(x, _ROW / 2)
        ]
        return found[-1] if found else None

    def event(self, event: QEvent) -> bool:
        """Tell what the gap under the pointer is."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            gap = self.gap_at(event.pos().x(), event.pos().y())
            if gap is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), f"{state_text(gap.state)}: {gap_text(gap, self._zone)}", self)
            return True
        return super().event(event)
