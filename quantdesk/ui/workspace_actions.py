"""List the actions of the Workspace menu: words, keys and icons."""

from __future__ import annotations

from quantdesk.ui.action_spec import ActionSpec, translate
from quantdesk.ui.window_settings import LINK_GROUPS
from quantdesk.ui.workspaces.store import MOST_WORKSPACES

GO = tuple(f"workspace.go_{number}" for number in range(1, MOST_WORKSPACES + 1))
LINKS = tuple(f"workspace.link_{group.lower() or 'none'}" for group in LINK_GROUPS)
SHARES = ("workspace.share_pair", "workspace.share_interval", "workspace.share_crosshair")
CLOSE = "workspace.close_window"


def workspace_actions() -> tuple[ActionSpec, ...]:
    """Return what is done to workspaces and to the windows in them; every window shares these."""
    return (
        ActionSpec(
            "workspace.new_window",
            translate("actions", "New &window"),
            keys="Ctrl+Shift+N",
            icon="window-new",
            tip=translate("actions", "Open another window of charts, with a pair of its own"),
        ),
        ActionSpec(
            "workspace.reopen",
            translate("actions", "Re&open closed window"),
            keys="Ctrl+Shift+T",
            tip=translate("actions", "Bring back the window that was closed last"),
        ),
        *(_go(name, number) for number, name in enumerate(GO, 1)),
        ActionSpec(
            "workspace.new",
            translate("actions", "&New workspace…"),
            tip=translate("actions", "Start a workspace of one window in its first layout"),
        ),
        ActionSpec(
            "workspace.save_as",
            translate("actions", "&Save workspace as…"),
            tip=translate("actions", "Keep windows, layouts and pairs as they are under another name"),
        ),
        ActionSpec("workspace.rename", translate("actions", "Rena&me workspace…")),
        ActionSpec(
            "workspace.delete",
            translate("actions", "&Delete workspace"),
            tip=translate("actions", "Forget this workspace and show another; it can be undone"),
        ),
        ActionSpec(
            "workspace.reset",
            translate("actions", "&Reset workspace"),
            icon="layout",
            tip=translate("actions", "One window in its first layout; it can be undone"),
        ),
    )


def _go(name: str, number: int) -> ActionSpec:
    text = translate("actions", "Workspace &{0}").format(number)
    return ActionSpec(name, text, keys=f"Ctrl+Alt+{number}", checkable=True, one_of="workspace")


def link_actions() -> tuple[ActionSpec, ...]:
    """Return what links one window to others; each window has its own."""
    words = {
        "": translate("actions", "&Not linked"),
        "A": translate("actions", "Group &A"),
        "B": translate("actions", "Group &B"),
        "C": translate("actions", "Group &C"),
        "D": translate("actions", "Group &D"),
    }
    pair, interval, crosshair = SHARES
    return (
        *(
            ActionSpec(name, words[group], checkable=True, one_of="link")
            for group, name in zip(LINK_GROUPS, LINKS, strict=True)
        ),
        ActionSpec(
            "workspace.link_next",
            translate("actions", "Ne&xt link group"),
            keys="Alt+G",
            tip=translate("actions", "None, A, B, C, D: windows of one group show the same"),
        ),
        ActionSpec(pair, translate("actions", "Share the &pair"), checkable=True),
        ActionSpec(interval, translate("actions", "Share the &interval"), checkable=True),
        ActionSpec(crosshair, translate("actions", "Share the c&rosshair"), checkable=True),
    )


def close_action() -> ActionSpec:
    """Return what closes a window other than the main one."""
    return ActionSpec(
        CLOSE,
        translate("actions", "&Close window"),
        keys="Ctrl+W",
        tip=translate("actions", "Take this window out of the workspace; it can be reopened"),
    )
