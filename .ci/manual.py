"""Write the manual page from the command line's own parsers; run by hand when an option or a help text changes.

Not argparse-manpage: it takes one parser that holds everything, ours make the sub-commands' when they are asked for,
and it prints argparse's own usage lines, which differ from one Python to the next.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import ground

sys.path.insert(0, str(ground.ROOT))

from quantdesk import cli

TARGET = ground.ROOT / "resources" / "desktop" / "quantdesk.1"

FILES = (
    ("~/.local/share/quantdesk/quantdesk.sqlite", "the store: trades, bars and the ledger of gaps"),
    ("~/.config/quantdesk/settings.json", "what was chosen in the desk"),
    ("~/.local/state/quantdesk/log/", "logs and crash reports"),
    (
        "macOS: ~/Library/Application Support/quantdesk, ~/Library/Logs/quantdesk; Windows: %LOCALAPPDATA%\\quantdesk",
        "the same on other systems; --data-dir keeps all of it in one folder, XDG_DATA_HOME, XDG_CONFIG_HOME and "
        "XDG_STATE_HOME move it on Linux",
    ),
    ("~/.pgpass", "passwords of database servers, where the keyring has none (PGPASSFILE names another file)"),
)
ENVIRONMENT = (
    ("QUANTDESK_DATABASE_URL", "the store, as --database names it; may hold a password, which --database may not"),
    ("QUANTDESK_WS_URL, QUANTDESK_REST_URL", "another exchange of the same interface; its data are a venue apart"),
    ("QUANTDESK_ARCHIVE_URL", "its archive of files of past days, or a mirror of Binance's"),
    ("QT_QPA_PLATFORM, QT_SCALE_FACTOR", "Qt's platform (offscreen draws without a screen) and size of everything"),
    ("HTTPS_PROXY, NO_PROXY", "the proxy on the way to the exchange"),
)
EXIT_STATUS = (
    ("0", "success"),
    ("1", "a failure, with one line on standard error"),
    ("2", "wrong use of the command line"),
    ("3", "done, but trades are missing (record, ledger) or days (download)"),
    ("130", "stopped by Ctrl+C"),
)


def page() -> str:
    """Return the manual page, without a version: the packaged program's copy gets it from quantdesk/__init__.py."""
    desk = cli.desk_parser()
    commands = list(command_parsers())
    examples = [line for parser in (desk, *(made for _, made in commands)) for line in _examples(parser)]
    lines = ['.TH QUANTDESK 1 "" "quantdesk" "User Commands"', ".SH NAME", f"quantdesk \\- {_plain(_brief())}"]
    lines += [".SH SYNOPSIS", *_synopsis(desk)]
    for _, parser in commands:
        lines += [".br", *_synopsis(parser)]
    lines += [".SH DESCRIPTION", _plain(str(desk.description)), ".SH OPTIONS", *_arguments(desk), ".SH COMMANDS"]
    for name, parser in commands:
        lines += [f".SS {_plain(name)}", _plain(str(parser.description)), *_arguments(parser)]
    for title, rows in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXIT_STATUS)):
        lines.append(f".SH {title}")
        for term, meaning in rows:
            lines += [".TP", f".B {_plain(term)}", _plain(meaning)]
    lines += [".SH EXAMPLES", ".nf", *(_plain(line) for line in examples), ".fi"]
    return "\n".join(lines) + "\n"


def command_parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each sub-command's name and parser, those of ``store`` one by one."""
    for name, module in cli.COMMANDS.items():
        holder = argparse.ArgumentParser(prog="quantdesk")
        importlib.import_module(module).add_parser(holder.add_subparsers())
        yield from _leaves(name, _children(holder)[name])


def _leaves(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    children = _children(parser)
    if not children:
        yield name, parser
    for word, child in children.items():
        yield from _leaves(f"{name} {word}", child)


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def _brief() -> str:
    text = (ground.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^description = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1][0].lower() + found[1][1:]


def _shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.help is not argparse.SUPPRESS]


def _synopsis(parser: argparse.ArgumentParser) -> list[str]:
    words = [f"\\fB{_plain(parser.prog)}\\fR"]
    for action in sorted(_shown(parser), key=lambda action: not action.option_strings):
        if "--help" in action.option_strings:
            continue
        value = _value(action)
        if action.option_strings:
            word = f"\\fB{_plain(action.option_strings[-1])}\\fR{' ' + value if value else ''}"
            words.append(word if action.required else f"[{word}]")
        else:
            words.append({"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}.get(str(action.nargs), value))
    return [" ".join(words)]


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.metavar is None and action.choices:
        return "|".join(f"\\fI{_plain(str(choice))}\\fR" for choice in action.choices)
    return f"\\fI{_plain(str(action.metavar or action.dest.upper()))}\\fR"


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    lines = []
    for action in _shown(parser):
        if "--help" in action.option_strings and parser.prog != "quantdesk":
            continue  # said once, for all
        value = _value(action)
        names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in action.option_strings)
        lines += [".TP", f"{names} {value}".strip(), _plain((action.help or "") % vars(action))]
    return lines


def _examples(parser: argparse.ArgumentParser) -> list[str]:
    """Return the lines of an epilog's examples."""
    text = parser.epilog or ""
    if text.startswith("example: "):
        return [text.removeprefix("example: ")]
    block = re.search(r"^examples:\n((?:  .+\n)+)", text, re.MULTILINE)
    return [line.strip() for line in block[1].splitlines()] if block else []


def _plain(text: str) -> str:
    """Escape what roff would read as its own."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    )
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"{Path(TARGET).relative_to(ground.ROOT)} written")
