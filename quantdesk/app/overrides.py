"""Keep an error in what overrides a method of Qt from ending the process on Python 3.11."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType

from PySide6.QtCore import QObject


def keep_errors_whole() -> None:
    """Let each class derived from Qt's from now on raise whole errors out of what it overrides.

    PySide reads the arguments of an error that leaves an override. Before Python 3.12 an error that C code raised (of
    an index out of range, of a zip that is strict) has none until something catches it, and the process is gone.
    Where every error is whole from the start nothing is done.
    """
    if sys.version_info < (3, 12):
        base = next(each for each in QObject.__mro__ if each.__name__ == "Object")
        base.__init_subclass__ = classmethod(functools.partial(_take, base))  # type: ignore[assignment]  # a hook


def _take(base: type, cls: type, **options: object) -> None:
    """Wrap what a new class overrides."""
    super(base, cls).__init_subclass__(**options)  # type: ignore[arg-type]  # Qt's root is found at run time
    ours = [each for each in cls.__mro__[1:] if each.__module__.startswith("PySide6.")]
    for name, method in list(vars(cls).items()):
        inherited = not name.startswith("_") and any(name in vars(each) for each in ours)
        if inherited and isinstance(method, FunctionType):
            setattr(cls, name, _whole(method))


def _whole(method: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(method)
    def call(*args: object, **options: object) -> object:
        try:
            return method(*args, **options)
        except BaseException:
            raise  # one that was caught is whole

    return call
