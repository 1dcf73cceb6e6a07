"""Let the user choose how fast a Kalman hedge ratio may move: the most likely δ, or a stated one."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QWidget

#: What the box offers first to whoever states a δ: slow enough to hedge with.
USUAL_DELTA = 1e-4


class KalmanChoice(QWidget):
    """Offer the noise by likelihood or a stated δ; the words below say what it does or what is wrong with it."""

    def __init__(self, delta: float, parent: QWidget) -> None:
        super().__init__(parent)
        self.how = QComboBox(self)
        self.how.setAccessibleName(self.tr("Noise of the Kalman filter"))
        self.how.view().setAccessibleName(self.how.accessibleName())
        self.how.addItems([self.tr("by likelihood"), self.tr("stated δ")])
        self.how.setCurrentIndex(1 if delta else 0)
        self.delta = QLineEdit(f"{delta or USUAL_DELTA:g}", self)
        self.delta.setAccessibleName(self.tr("δ of the Kalman filter, above 0 and below 1"))
        self.delta.setTextMargins(4, 0, 0, 0)
        self.delta.setMaximumWidth(110)
        self.words = QLabel(parent)
        self.words.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.how, 1)
        row.addWidget(self.delta)
        self.how.currentIndexChanged.connect(self._say)
        self.delta.textChanged.connect(self._say)
        self._say()

    def set_asked(self, asked: bool) -> None:
        """Let it be chosen where the method is a Kalman filter."""
        self.setEnabled(asked)
        self.words.setVisible(asked)

    def value(self) -> float | None:
        """Return the stated δ, 0 for the most likely one, None where what stands there is no δ."""
        if self.how.currentIndex() == 0:
            return 0.0
        try:
            value = float(self.delta.text().strip().replace(",", "."))
        except ValueError:
            return None
        return value if 0 < value < 1 else None

    @Slot()
    def _say(self) -> None:
        stated = self.how.currentIndex() == 1
        self.delta.setEnabled(stated)
        if self.value() is None:
            words = self.tr("δ takes a number above 0 and below 1, such as 0.0001 or 1e-5.")
        elif stated:
            words = self.tr(
                "Every bar adds δ/(1 − δ) to the variance of β and α, legs in units of their own deviation: "
                "the smaller δ, the slower they move. The other noise stays the most likely one."
            )
        else:
            words = self.tr("How fast β moves is what was most likely on the formation window.")
        self.words.setText(words)
        wrong = self.value() is None
        self.words.setProperty("fault", wrong)
        self.words.setProperty("dim", not wrong)
        self.words.style().unpolish(self.words)
        self.words.style().polish(self.words)
