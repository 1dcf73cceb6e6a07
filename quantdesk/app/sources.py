"""Let PySide read no source: it would keep every line of every module that is imported after it."""

from __future__ import annotations

from importlib import import_module

#: What looks; there is no switch to turn it off.
_LOOK = "_mod_uses_pyside"


def leave_unread() -> None:
    """Tell PySide, once, that no module asks for its alternative names (``from __feature__ import snake_case``).

    It looks for such modules by their source, read with ``inspect`` and kept in ``linecache``: some 80 MB of the
    desk's memory and a tenth of its imports. Where there is no source, in the packaged program, it finds none either.
    """
    import PySide6.QtCore  # noqa: F401  # brings what is changed here

    feature = import_module("shibokensupport.feature")
    if hasattr(feature, _LOOK):
        setattr(feature, _LOOK, _uses_none)


def _uses_none(_module: object) -> bool:
    return False
