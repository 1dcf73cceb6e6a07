"""Ask what to replay: a stored span, the opened file or a recorded file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QDateTime, QTimeZone, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDateTimeEdit,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QRadioButton,
    QWidget,
)

from quantdesk.ingest.merged_tape import Held, Span
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.transport_track import replay_time_text

_UTC = QTimeZone(QTimeZone.Initialization.UTC)
_HOUR = 3_600_000
#: The first bar of trades opens this much (ms) before the first of them at most.
_BAR = 300_000
#: Trades of less than this (ms) are played with bars before them: a few bars show nothing.
_SHORT = 900_000


@dataclass(frozen=True, slots=True)
class LastSpan:
    """Remember what was replayed last: the legs' symbols, from and to (ms); 0 = never."""

    y: str = ""
    x: str = ""
    start: int = 0
    end: int = 0


class ReplayDialog(DeskDialog):
    """Offer the three sources; each has its own signal, and choosing closes the dialog."""

    span_chosen = Signal(object)  # Span
    files_chosen = Signal()
    recording_wanted = Signal()

    def __init__(self, last: LastSpan, opened: str, zone: Zone, parent: QWidget | None) -> None:
        super().__init__(self.tr("Replay"), parent, width=620)
        self._last, self._zone = last, zone
        self._held: Sequence[Held] = ()
        self.add_text(
            self.tr(
                "What was recorded plays through the same bars, statistics and alert rules as the live market, "
                "which goes on being recorded meanwhile. Replayed alerts stay in the window."
            ),
            dim=True,
        )
        self.stored = self._choice(self.tr("A &stored span"))
        self.body.addWidget(self.stored)
        self.body.addLayout(self._span_fields())
        self.file = self._choice(self.tr("The opened &file: {0}").format(opened or self.tr("none is open")))
        self.file.setEnabled(bool(opened))
        self.body.addWidget(self.file)
        self.recording = self._choice(self.tr("A &recording: frames, NDJSON ticks or a ticks export…"))
        self.body.addWidget(self.recording)
        self._group = QButtonGroup(self)
        for choice in (self.stored, self.file, self.recording):
            self._group.addButton(choice)
        self.problem = self.words("")
        self.problem.setProperty("fault", True)
        self.problem.setMinimumHeight(self.fontMetrics().lineSpacing())
        self.body.addWidget(self.problem)
        self.body.addStretch(1)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.replay = self.buttons.addButton(self.tr("Re&play"), QDialogButtonBox.ButtonRole.ActionRole)
        self.replay.setDefault(True)
        self.replay.clicked.connect(self._choose)
        self.add_buttons()
        (self.file if opened else self.stored).setChecked(True)
        self._group.buttonToggled.connect(self._on_choice)
        self.show_held((), self.tr("Looking at what the store holds…"))

    def show_held(self, held: Sequence[Held], problem: str = "") -> None:
        """Fill in what the store holds, or say why nothing can be chosen."""
        self._held = held
        for box, chosen in ((self.leg_y, self._last.y), (self.leg_x, self._last.x)):
            box.blockSignals(True)
            box.clear()
            if box is self.leg_x:
                box.addItem(self.tr("none: one leg alone"), None)
            for one in held:
                box.addItem(f"{one.instrument.symbol} · {one.instrument.venue}", one)
            names = [one.instrument.symbol for one in held]
            # The pair that was replayed last, or the first two.
            other = (1 if len(held) > 1 else -1) if box is self.leg_x else 0
            row = names.index(chosen) if chosen in names else other
            box.setCurrentIndex(row + (box is self.leg_x))
            box.blockSignals(False)
        self.said.setText(problem or ("" if held else self.tr("The store holds nothing yet: record or import first.")))
        if held:
            self._on_legs()
        self._on_choice()

    def times(self) -> tuple[int, int]:
        """Return from and to (ms) as they are written."""
        return self._ms(self.start), self._ms(self.end)

    def set_times(self, start: int, end: int) -> None:
        """Write from and to (ms)."""
        for field, ms in ((self.start, start), (self.end, end)):
            field.setDateTime(QDateTime.fromMSecsSinceEpoch(self._zone.shift(ms), _UTC))

    def _span_fields(self) -> QGridLayout:
        self.leg_y, self.leg_x = QComboBox(self), QComboBox(self)
        self.start, self.end = QDateTimeEdit(self), QDateTimeEdit(self)
        grid = QGridLayout()
        grid.setContentsMargins(22, 0, 0, 4)
        grid.setHorizontalSpacing(10)
        for field in (self.start, self.end):
            field.setTimeZone(_UTC)
            field.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
            field.setCalendarPopup(True)
        rows = (
            (self.tr("&Y"), self.leg_y, self.tr("Dependent leg of the replay")),
            (self.tr("&X"), self.leg_x, self.tr("Other leg of the replay")),
            (self.tr("F&rom"), self.start, self.tr("Replay from")),
            (self.tr("&To"), self.end, self.tr("Replay to")),
        )
        for place, (text, what, name) in enumerate(rows):
            label = QLabel(text, self)
            label.setBuddy(what)
            label.setMinimumWidth(label.sizeHint().width() + 4)
            what.setAccessibleName(name)
            row, side = divmod(place, 2)
            grid.addWidget(label, row, 2 * side)
            grid.addWidget(what, row, 2 * side + 1)
        for box in (self.leg_y, self.leg_x):
            box.view().setAccessibleName(box.accessibleName())
            box.currentIndexChanged.connect(self._on_legs)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.said = self.words("")
        self.said.setProperty("dim", True)
        grid.addWidget(self.said, 2, 0, 1, 4)
        return grid

    def _choice(self, text: str) -> QRadioButton:
        button = QRadioButton(text, self)
        button.setAccessibleName(text.replace("&", ""))
        return button

    def _legs(self) -> list[Held]:
        return [one for one in (self.leg_y.currentData(), self.leg_x.currentData()) if isinstance(one, Held)]

    def _on_legs(self) -> None:
        legs = self._legs()
        self.problem.setText("")
        if not legs:
            return
        lines = []
        for leg in legs:
            what = self.tr("bars only") if leg.traded is None else self.tr("{0:,} trades").format(leg.ticks)
            first, last_ms = leg.traded or (leg.start, leg.end)
            span = f"{replay_time_text(first, self._zone)} – {replay_time_text(last_ms, self._zone)}"
            words = f"{leg.instrument.symbol}: {what}, {span} {self._zone.name(last_ms)}"
            if leg.start < first - _BAR:  # they came as klines
                words = self.tr("{0}; bars before").format(words)
            lines.append(words)
        self.said.setText("\n".join(lines))
        self.said.setMinimumHeight(self.said.heightForWidth(self.said.width()))  # the dialog was there before it
        start, end = max(leg.start for leg in legs), min(leg.end for leg in legs)
        last, proposed = self._last, _proposed(legs)
        if start <= last.start < last.end <= end and [one.instrument.symbol for one in legs] == [last.y, last.x]:
            self.set_times(last.start, last.end)
        elif proposed is not None:
            self.set_times(*proposed)

    def _on_choice(self) -> None:
        on = self.stored.isChecked()
        for field in (self.leg_y, self.leg_x, self.start, self.end):
            field.setEnabled(on and bool(self._held))
        self.problem.setText("")
        self.replay.setEnabled(not on or bool(self._held))

    def _choose(self) -> None:
        if self.stored.isChecked():
            span = self._span()
            if span is None:
                return
            self.accept()
            self.span_chosen.emit(span)
            return
        self.accept()
        if self.file.isChecked():
            self.files_chosen.emit()
        else:
            self.recording_wanted.emit()

    def _span(self) -> Span | None:
        legs, (start, end) = self._legs(), self.times()
        if len({leg.instrument for leg in legs}) < len(legs):
            self.problem.setText(self.tr("That is one leg twice: choose another one for X, or none."))
        elif start >= end:
            self.problem.setText(self.tr("The end must come after the start."))
        elif all(end <= leg.start or start >= leg.end for leg in legs):
            self.problem.setText(self.tr("Nothing is held between these times: choose times within what is held."))
        else:
            return Span(tuple(leg.instrument for leg in legs), start, end)
        return None

    def _ms(self, field: QDateTimeEdit) -> int:
        """Return the moment at which the zone's clock shows what is written."""
        shown = QDateTime(field.date(), field.time(), _UTC).toMSecsSinceEpoch()
        guess = shown - (self._zone.shift(shown) - shown)
        return guess + shown - self._zone.shift(guess)


def _proposed(legs: Sequence[Held]) -> tuple[int, int] | None:
    """Return the newest hour (ms, on whole seconds) of which all legs have trades, with bars before too few of them."""
    held = _shared([(leg.start, leg.end) for leg in legs])
    traded = _shared([leg.traded for leg in legs if leg.traded is not None])
    if held is None:
        return None
    start, end = held if traded is None or any(leg.traded is None for leg in legs) else traded
    end += -end % 1_000
    start = max(start, end - _HOUR)
    if end - start < _SHORT:
        start = max(held[0], end - _HOUR)
    return start - start % 1_000, end


def _shared(spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    start, end = max((span[0] for span in spans), default=0), min((span[1] for span in spans), default=0)
    return (start, end) if start < end else None
