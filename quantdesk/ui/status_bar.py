"""Tell at the bottom of the window how feed and store are doing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStatusBar, QToolButton, QWidget

from quantdesk.types import FeedStatus, Light, Origin, StoreStatus
from quantdesk.ui.theme_tokens import Tokens

_NONE = "–"


@dataclass(frozen=True, slots=True)
class DeskMode:
    """Say what the desk shows: the origin of the data, its venue or file, and whether it may write.

    ``behind`` = the market goes on being recorded behind a file.
    """

    origin: Origin = Origin.LIVE
    venue: str = ""
    read_only: bool = False
    behind: bool = False

    @property
    def recording(self) -> bool:
        """Say whether closing the window would end a recording of the market."""
        return (self.origin is Origin.LIVE and not self.read_only) or self.behind


def age_text(ms: float | None) -> str:
    """Return an age in the shortest words: 0.4 s, 12 s, 3 min, 2 h."""
    if ms is None:
        return _NONE
    seconds = max(0.0, ms / 1000)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


def size_text(count: int) -> str:
    """Return bytes in the unit one reads."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1_000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.2f} GB"


class StatusLight(QWidget):
    """Show a dot whose shape tells as much as its colour: full, half, empty, crossed."""

    def __init__(self, name: str, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = name
        self._tokens = tokens
        self.light = Light.OFF
        self.setFixedSize(QSize(14, 14))
        self.show_light(Light.OFF)

    def show_light(self, light: Light) -> None:
        """Take a new state."""
        self.light = light
        words = {
            Light.OFF: self.tr("off"),
            Light.GREEN: self.tr("good"),
            Light.AMBER: self.tr("attention"),
            Light.RED: self.tr("failed"),
        }
        self.setAccessibleName(f"{self._name}: {words[light]}")
        self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the dot for the theme."""
        self._tokens = tokens
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot."""
        tokens = self._tokens
        colours = {Light.GREEN: tokens.ok, Light.AMBER: tokens.warn, Light.RED: tokens.error}
        colour = QColor(colours.get(self.light, tokens.text_dim))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            pen = painter.pen()
            pen.setColor(colour)
            pen.setWidthF(1.6)
            painter.setPen(pen)
            place = QRectF(3, 3, 8, 8)
            if self.light is Light.GREEN:
                painter.setBrush(colour)
                painter.drawEllipse(place)
            elif self.light is Light.AMBER:
                painter.drawEllipse(place)
                painter.setBrush(colour)
                painter.drawPie(place, 90 * 16, 180 * 16)
            elif self.light is Light.RED:
                painter.drawLine(place.topLeft(), place.bottomRight())
                painter.drawLine(place.topRight(), place.bottomLeft())
            else:
                painter.drawEllipse(place)


class DeskStatusBar(QStatusBar):
    """Show connection, mode, lag, ages, rate, kline checks, store and gaps; every word has a tooltip."""

    checks_clicked = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Status bar"))
        self.setSizeGripEnabled(False)
        self.feed_light = StatusLight(self.tr("Connection"), tokens, self)
        self.store_light = StatusLight(self.tr("Store"), tokens, self)
        self.mode = self._label(self.tr("Mode"), "", "")
        self.read_only = self._label(self.tr("Read-only"), "", "")
        for badge in (self.mode, self.read_only):
            badge.setProperty("badge", True)
        self.read_only.setProperty("mode", "read-only")
        self.read_only.setText(self.tr("READ-ONLY"))
        self.read_only.setToolTip(self.tr("Another program writes to this store; the desk shows, but keeps nothing"))
        self.muted = self._label(self.tr("Muted"), self.tr("MUTED"), self.tr("Alerts make no sound and no popup"))
        self.muted.setProperty("badge", True)
        self.muted.setProperty("mode", "muted")
        self.connection = self._label(self.tr("Connection"), "", "")
        # A long reason is cut, never the window widened.
        self.connection.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.venue = self._label(self.tr("Venue"), "", self.tr("Where the data come from"))
        self.lag = self._label(
            self.tr("Lag"), "", self.tr("From the exchange's event to this desk, clocks aligned"), 76
        )
        self.age = self._label(self.tr("Last trade"), "", self.tr("Age of the last trade of Y and of X"), 112)
        self.rate = self._label(self.tr("Rate"), "", self.tr("Messages received per second"), 58)
        self.gaps = self._label(self.tr("Gaps"), "", "", 52)
        self.store_kind = self._label(self.tr("Kind of store"), "", "")
        self.store = self._label(self.tr("Store"), "", "", 128)
        self.checks = QToolButton(self)
        self.checks.setObjectName("kline_checks")
        self.checks.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.checks.clicked.connect(self.checks_clicked)
        self._lay_out()
        self.read_only.hide()
        self.muted.hide()
        self.show_mode(DeskMode())
        self.show_feed(FeedStatus())
        self.show_store(StoreStatus())
        self.show_checks(0, 0, 0)
        self.show_ages("", None, "", None)

    def show_mode(self, mode: DeskMode) -> None:
        """Show the badge of the mode."""
        self.mode.setText(mode_text(mode))
        self.mode.setProperty("mode", "live" if mode.origin is Origin.HISTORY else mode.origin.value)
        self.mode.style().unpolish(self.mode)
        self.mode.style().polish(self.mode)
        tips = {
            Origin.SIMULATED: self.tr("Made-up prices of the simulated exchange: no market data"),
            Origin.REPLAY: self.tr("Recorded frames are being played back: no live market"),
            Origin.FILE: self.tr("An opened file is shown; File > Back to live market returns"),
        }
        self.mode.setToolTip(tips.get(mode.origin, self.tr("The live market")))
        self.venue.setText(mode.venue)
        self.venue.setVisible(bool(mode.venue))
        self.read_only.setVisible(mode.read_only)

    def show_feed(self, status: FeedStatus) -> None:
        """Show the state of the connections."""
        self.feed_light.show_light(status.light)
        words = {Light.OFF: self.tr("Not connected"), Light.GREEN: self.tr("Connected")}
        text = status.text or words.get(status.light, self.tr("No connection"))
        self.connection.setText(text)
        self.connection.setToolTip(
            self.tr("{0}\n{1} reconnects, {2} duplicates dropped, {3} frames quarantined, REST weight {4}").format(
                text, status.reconnects, status.duplicates, status.quarantined, status.used_weight
            )
        )
        lag = _NONE if status.lag_ms is None else f"{status.lag_ms:.0f} ms"
        self.lag.setText(self.tr("lag {0}").format(lag))
        self.rate.setText(self.tr("{0} msg/s").format(f"{status.messages_per_second:.0f}"))
        self.gaps.setText(self.tr("{0} gaps").format(status.open_gaps) if status.open_gaps != 1 else self.tr("1 gap"))
        self.gaps.setToolTip(
            self.tr("{0} holes in the trade ids are being filled; {1} ids are gone for good").format(
                status.open_gaps, status.missing_ids
            )
        )

    def show_store(self, status: StoreStatus) -> None:
        """Show the state of the store."""
        self.store_light.show_light(status.light)
        words = self.tr("queue {0} · {1}").format(status.queued, size_text(status.size_bytes))
        if status.spilled:
            words = self.tr("SPILLED {0} · {1}").format(f"{status.spilled:,}", words)
        self.store.setText(words)
        self.show_store_kind(status.place)
        self.store.setToolTip(
            self.tr("{0}\n{1} trades wait to be written, {2} written, {3} held already; {4} on disk").format(
                status.text or self.tr("Store"),
                status.queued,
                status.written,
                status.duplicates,
                size_text(status.size_bytes),
            )
        )

    def show_store_kind(self, words: str) -> None:
        """Show what the store is and how it keeps bars: in short in the bar, all of it in the tip."""
        kind, _, mode = words.partition(", ")
        short = f"{kind.partition(' ')[0]} · {mode.rpartition(' ')[2]}" if mode else words
        self.store_kind.setText(short)
        self.store_kind.setToolTip(words)
        self.store_kind.setAccessibleName(self.tr("Kind of store: {0}").format(words or _NONE))
        self.store_kind.setVisible(bool(words))

    def show_checks(self, matched: int, explained: int, compared: int) -> None:
        """Show how many bars agree with the exchange's klines."""
        differ = compared - matched
        text = (
            self.tr("{0}/{1} match").format(f"{matched:,}", f"{compared:,}") if compared else self.tr("no checks yet")
        )
        if text != self.checks.text():
            self.checks.setText(text)
            self.checks.setAccessibleName(self.tr("Kline checks: {0}").format(text))
        tip = self.tr("Closed 1m bars built from trades against the exchange's klines: {0} differ, {1} explained.")
        self.checks.setToolTip(tip.format(differ, explained) + "\n" + self.tr("A click lists the differences"))
        if self.checks.property("fault") != (differ > 0):
            self.checks.setProperty("fault", differ > 0)
            self.checks.style().unpolish(self.checks)
            self.checks.style().polish(self.checks)

    def show_ages(self, y: str, y_ms: float | None, x: str, x_ms: float | None) -> None:
        """Show how long ago each leg traded."""
        self.age.setText(self.tr("trade {0} / {1}").format(age_text(y_ms), age_text(x_ms)))
        if y and x:
            words = self.tr("Last trade of {0}: {1} ago, of {2}: {3} ago")
            self.age.setToolTip(words.format(y, age_text(y_ms), x, age_text(x_ms)))

    def show_muted(self, muted: bool) -> None:
        """Show or hide the badge of muted alerts."""
        self.muted.setVisible(muted)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the lights for the theme."""
        self.feed_light.set_tokens(tokens)
        self.store_light.set_tokens(tokens)

    def _lay_out(self) -> None:
        left = QWidget(self)
        row = QHBoxLayout(left)
        row.setContentsMargins(8, 2, 0, 2)
        row.setSpacing(5)
        for badge in (self.mode, self.read_only, self.muted, self.venue, self.feed_light):
            row.addWidget(badge)
        row.addWidget(self.connection, 1)
        self.addWidget(left, 1)
        store = QWidget(self)
        row = QHBoxLayout(store)
        row.setContentsMargins(2, 0, 6, 0)
        row.setSpacing(2)
        row.addWidget(self.store_light)
        row.addWidget(self.store_kind)
        row.addWidget(self.store)
        for part in (self.lag, self.age, self.rate, self.gaps, self.checks, store):
            self.addPermanentWidget(part)

    def _label(self, name: str, text: str, tip: str, width: int = 0) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAccessibleName(name)
        label.setToolTip(tip)
        # A steady width keeps the neighbours from dancing with each digit.
        label.setMinimumWidth(width)
        return label


def mode_text(mode: DeskMode) -> str:
    """Return the badge's word, also for the window's title."""
    words = {
        Origin.LIVE: QCoreApplication.translate("mode", "LIVE"),
        Origin.HISTORY: QCoreApplication.translate("mode", "LIVE"),
        Origin.SIMULATED: QCoreApplication.translate("mode", "SIMULATED"),
        Origin.REPLAY: QCoreApplication.translate("mode", "REPLAY"),
        Origin.FILE: QCoreApplication.translate("mode", "FILE"),
    }
    return words[mode.origin]
