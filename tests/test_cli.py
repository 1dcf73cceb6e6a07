"""Errors become exit codes and one line, whatever raised them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from quantdesk import cli
from quantdesk.commands.shared import UsageError
from quantdesk.config import ConfigError
from quantdesk.store.base import StoreBusyError
from quantdesk.store.files import FileError


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("say it so"), 2, "quantdesk: say it so\n"),
        (ConfigError("set it so"), 1, "quantdesk: set it so\n"),
        (StoreBusyError("it is busy"), 1, "quantdesk: it is busy\n"),
        (FileError("a.csv: line 3: no price"), 1, "quantdesk: a.csv: line 3: no price\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "quantdesk: Permission denied (/x)\n"),
        (
            ImportError("libgssapi_krb5.so.2: cannot open shared object file: No such file or directory"),
            1,
            "quantdesk: this system lacks libgssapi_krb5.so.2: install it (the README lists the libraries)\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_a_code_and_a_line(monkeypatch, capsys, error, code, line) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr("quantdesk.commands.simulate.run", fail)
    assert cli.main(["simulate"]) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--version"], 0), (["--help"], 0), (["--nonsense"], 2), (["record", "x"], 2), (["a", "b", "c"], 2)],
)
def test_the_parser_ends_without_an_exception(capsys, words, code) -> None:
    assert cli.main(words) == code
    assert capsys.readouterr()


def test_a_command_tells_its_own_code(monkeypatch) -> None:
    monkeypatch.setattr("quantdesk.commands.simulate.run", lambda args: 3)
    assert cli.main(["simulate"]) == 3


def test_an_abbreviated_option_is_not_guessed() -> None:
    assert cli.main(["--simul"]) == 2


def test_a_windowed_program_without_output_says_it_in_a_box(monkeypatch) -> None:
    shown: list[tuple[object, ...]] = []
    user32 = SimpleNamespace(MessageBoxW=lambda *told: shown.append(told))
    monkeypatch.setattr("ctypes.windll", SimpleNamespace(user32=user32), raising=False)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("sys.stderr", None)
    assert cli.main(["--after", "3"]) == 2
    assert [told[1:3] for told in shown] == [("quantdesk: --after goes with --screenshot", "quantdesk")]
