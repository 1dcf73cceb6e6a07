"""The manual page is what the command line says now, and readers of manual pages accept it."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from quantdesk import cli
from tests.servers import tool

manual = tool("manual")


def parsers() -> list[tuple[str, argparse.ArgumentParser]]:
    return [("", cli.desk_parser()), *manual.command_parsers()]


def test_the_checked_in_page_is_the_one_that_the_parsers_give() -> None:
    assert Path(manual.TARGET).read_text("utf-8") == manual.page(), "run .ci/manual.py"


def test_the_page_has_every_section_command_and_option() -> None:
    page = manual.page()
    sections = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "FILES",
        "ENVIRONMENT",
        "EXIT STATUS",
        "EXAMPLES",
    ]
    assert [line[4:] for line in page.splitlines() if line.startswith(".SH ")] == sections
    for name, parser in parsers():
        assert not name or f".SS {name}\n" in page
        for action in parser._actions:
            for option in action.option_strings:
                assert (option.replace("-", "\\-") in page) == (action.help is not argparse.SUPPRESS), option


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_formats_it_without_a_warning() -> None:
    command = ["groff", "-man", "-Tutf8", "-ww", "-z", str(manual.TARGET)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_mandoc_finds_no_error_in_it() -> None:
    command = ["mandoc", "-T", "lint", "-W", "error", str(manual.TARGET)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize(("name", "parser"), parsers(), ids=lambda part: part if isinstance(part, str) else "")
def test_a_help_text_explains_every_option_with_its_default_and_shows_an_example(
    name: str, parser: argparse.ArgumentParser
) -> None:
    assert parser.description
    assert not parser.allow_abbrev
    assert any(line.startswith(f"quantdesk {name}".strip()) for line in manual._examples(parser)), "an example"
    for action in parser._actions:
        if action.help is argparse.SUPPRESS:
            continue
        assert action.help, action
        value = action.default
        shown = (
            ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)
        )
        if value not in (None, False, argparse.SUPPRESS, []) and action.option_strings:
            assert f"default: {shown}" in action.help, (action.option_strings, "says its default")


@pytest.mark.parametrize(("name", "parser"), parsers(), ids=lambda part: part if isinstance(part, str) else "")
def test_the_examples_are_accepted_by_the_parser(name: str, parser: argparse.ArgumentParser) -> None:
    for line in manual._examples(parser):
        words = line.partition("quantdesk")[2].split("  ")[0].split()
        of = [(n, p) for n, p in parsers() if n and words[: len(n.split())] == n.split()] or [("", cli.desk_parser())]
        command, reader = of[0]
        reader.parse_args(words[len(command.split()) :])
