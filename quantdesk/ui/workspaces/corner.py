"""Show beside the menus which workspace is open and which group the window is linked to."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from quantdesk.ui.charts.state import ink_on
from quantdesk.ui.theme_tokens import Tokens

_SIDE = 17
_LONGEST = 22


def link_colour(group: str, tokens: Tokens) -> str:
    """Return the colour of a link group; its letter always stands beside it."""
    colours = {"A": tokens.leg_x, "B": tokens.leg_y, "C": tokens.correlation, "D": tokens.spread}
    return colours.get(group, tokens.text_dim)


def link_icon(group: str, tokens: Tokens) -> QIcon:
    """Draw the letter of a group on its colour; a ring where there is none."""
    made = QIcon()
    for scale in (1, 2):
        picture = QPixmap(QSize(_SIDE, _SIDE) * scale)
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            colour = QColor(link_colour(group, tokens))
            place = QRectF(1, 1, _SIDE - 2, _SIDE - 2)
            painter.setPen(colour)
            if group:
                painter.setBrush(colour)
                painter.drawRoundedRect(place, 4, 4)
                font = QFont()
                font.setPixelSize(12)
                font.setBold(True)
                painter.setFont(font)
                painter.setPen(ink_on(colour.name()))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, group)
            else:
                painter.drawEllipse(place.adjusted(3, 3, -3, -3))
        made.addPixmap(picture)
    return made


class WorkspaceCorner(QWidget):
    """Hold two buttons that open the menus of link groups and workspaces."""

    def __init__(self, link_menu: QMenu, workspace_menu: QMenu, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._group = ""
        self.setObjectName("workspace_corner")
        self.link = self._button(link_menu)
        self.link.setIconSize(QSize(_SIDE, _SIDE))
        self.workspace = self._button(workspace_menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(4)
        row.addWidget(self.link)
        row.addWidget(self.workspace)
        self.show_link("")

    def show_link(self, group: str) -> None:
        """Show the group's letter on its colour."""
        self._group = group
        self.link.setIcon(link_icon(group, self._tokens))
        self.link.setText(self.tr("Link"))
        # The letter says all; without one a word has to.
        self.link.setToolButtonStyle(
            Qt.ToolButtonStyle.ToolButtonIconOnly if group else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        words = self.tr("Linked to group {0}").format(group) if group else self.tr("Not linked to other windows")
        self.link.setAccessibleName(words)
        self.link.setToolTip(words)

    def show_workspace(self, name: str) -> None:
        """Show the workspace's name, cut where it is long."""
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        self.workspace.setText(short.replace("&", "&&"))
        self.workspace.setAccessibleName(self.tr("Workspace: {0}").format(name))
        self.workspace.setToolTip(self.tr("Workspace: {0}").format(name))

    @Slot(object)
    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the letter for the theme."""
        self._tokens = tokens
        self.show_link(self._group)

    def _button(self, menu: QMenu) -> QToolButton:
        button = QToolButton(self)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAutoRaise(True)
        return button
