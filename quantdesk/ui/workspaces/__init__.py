"""Keep named sets of windows, and what the windows of a set share.

`ui/chart_window.py` is one pair in a window: the main window builds on it, and so do those beside
it (`ui/workspaces/second_window.py`), each with a `PairModel` of its own whose jobs run in a lane
of the one runner (`model/jobs.py`). `WindowSettings` are the choices of one window; a workspace is
a name and a list of them, the main window's first (`ui/workspaces/store.py`). `LinkGroups` passes
pair, interval and crosshair from the window that was used to the others of its group, once and
never back.
"""
