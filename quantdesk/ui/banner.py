"""Say below the toolbar what stands in the way, and offer what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from quantdesk.ui.actions import plain
from quantdesk.ui.icons import icon, pixmap
from quantdesk.ui.theme_tokens import Tokens

_ORDER = ("error", "warning", "info")
_MOST = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """Describe a button that only this notice has; ``act`` is called by a click."""

    text: str
    tip: str
    act: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Notice:
    """Describe a standing problem: ``level`` is error, warning or info; ``actions`` become buttons."""

    key: str
    level: str
    text: str
    actions: tuple[QAction | Offer, ...] = ()


class _Row(QFrame):
    """Show one notice; its words may change while it stands."""

    def __init__(self, notice: Notice, tokens: Tokens, parent: Banner) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.notice = notice
        self._tipped: list[tuple[QPushButton, QAction]] = []
        self._mark = QLabel(self)
        self._mark.setAccessibleName(self.tr("Kind of notice"))
        self.text = QLabel(self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A long path may not widen the window.
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.text.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 8, 5)
        row.setSpacing(8)
        row.addWidget(self._mark)
        row.addWidget(self.text, 1)
        for action in notice.actions:
            row.addWidget(self._button(action))
        self._close = QToolButton(self)
        self._close.setIconSize(QSize(14, 14))
        self._close.setAccessibleName(self.tr("Hide this notice"))
        self._close.setToolTip(self.tr("Hide until it changes"))
        self._close.clicked.connect(lambda: parent.dismiss(notice.key))
        row.addWidget(self._close)
        self.show_notice(notice, tokens)

    def _button(self, action: QAction | Offer) -> QPushButton:
        act: Callable[[], object]
        if isinstance(action, QAction):
            text, tip, act = action.text(), action.toolTip(), action.trigger
            action.changed.connect(self._write_tips)
        else:
            text, tip, act = action.text, action.tip, action.act
        button = QPushButton(text.replace("&", ""), self)
        button.setToolTip(tip)
        button.setAccessibleName(plain(text))
        button.clicked.connect(lambda _checked=False: act())
        if isinstance(action, QAction):
            self._tipped.append((button, action))
        return button

    @Slot()
    def _write_tips(self) -> None:
        """Follow the actions: their keys may change while the notice stands."""
        for button, action in self._tipped:
            button.setToolTip(action.toolTip())

    def show_notice(self, notice: Notice, tokens: Tokens) -> None:
        """Take new words or a new level for the same key."""
        self.notice = notice
        self.text.setText(notice.text)
        self.setAccessibleName(notice.text)
        self.setProperty("level", notice.level)
        self.style().unpolish(self)
        self.style().polish(self)
        colour = {"error": tokens.error, "warning": tokens.warn}.get(notice.level, tokens.accent)
        picture = pixmap("info" if notice.level == "info" else "warning", colour, 32)
        picture.setDevicePixelRatio(2)
        self._mark.setPixmap(picture)
        self._close.setIcon(icon("close", tokens))


class Banner(QWidget):
    """Stack the standing notices, the worst on top; one row for each key."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Notices"))
        self._tokens = tokens
        self._rows: dict[str, _Row] = {}
        self._dismissed: dict[str, str] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.hide()

    def show_notice(self, key: str, level: str, text: str, actions: Sequence[QAction | Offer] = ()) -> None:
        """Show or update a notice; one that the user hid stays hidden until its level changes."""
        notice = Notice(key, level, text, tuple(actions))
        if self._dismissed.get(key) == level:
            return
        self._dismissed.pop(key, None)
        row = self._rows.get(key)
        if row is not None and row.notice.actions == notice.actions:
            if row.notice != notice:
                row.show_notice(notice, self._tokens)
        else:
            self._drop(key)
            self._rows[key] = _Row(notice, self._tokens, self)
        self._arrange()

    def clear_notice(self, key: str) -> None:
        """Remove a notice whose reason is gone."""
        self._dismissed.pop(key, None)
        if key in self._rows:
            self._drop(key)
            self._arrange()

    def dismiss(self, key: str) -> None:
        """Hide a notice until it changes its level or its reason comes again."""
        if key in self._rows:
            self._dismissed[key] = self._rows[key].notice.level
            self._drop(key)
            self._arrange()

    def notices(self) -> list[Notice]:
        """Return what is shown, the worst first."""
        return sorted((r.notice for r in self._rows.values()), key=lambda n: _ORDER.index(n.level))

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour marks and buttons for the theme."""
        self._tokens = tokens
        for row in self._rows.values():
            row.show_notice(row.notice, tokens)

    def _drop(self, key: str) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()

    def _arrange(self) -> None:
        for place, notice in enumerate(self.notices()):
            row = self._rows[notice.key]
            self._column.insertWidget(place, row)
            row.setVisible(place < _MOST)
        self.setVisible(bool(self._rows))
