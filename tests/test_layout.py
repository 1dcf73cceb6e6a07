"""The tree keeps its own rules: small files, small functions, words where they belong."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "quantdesk").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
HEAVY = ("statsmodels", "scipy", "pandas", "aiohttp", "desktop_notifier")
BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?|engines?)(_|$)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(tree: ast.AST) -> list[tuple[str, bool]]:
    """Return (module, at top level) of every import that runs (TYPE_CHECKING blocks do not)."""
    found: list[tuple[str, bool]] = []

    def walk(node: ast.AST, top: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                found.extend((alias.name, top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.append((child.module or "", top))
            inner = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            walk(child, top and not inner)

    walk(tree, True)
    return found


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(text_of(path))))


def test_files_and_functions_stay_small() -> None:
    problems = []
    for path in SOURCES + TESTS:
        if len(text_of(path).splitlines()) > 400:
            problems.append(f"{name_of(path)}: a file of more than 400 lines has two subjects")
        for node in nodes_of(path):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 60:
                    problems.append(f"{name_of(path)}: {node.name} has {length} lines")
    assert not problems


def test_every_painter_ends_even_when_what_it_draws_raises() -> None:
    problems = []
    for path in SOURCES:
        if "QPainter(" not in text_of(path):
            continue
        ended = {id(item.context_expr) for node in nodes_of(path) if isinstance(node, ast.With) for item in node.items}
        for node in nodes_of(path):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "QPainter"
            if made and id(node) not in ended:
                problems.append(f"{name_of(path)}:{node.lineno}: outliving its picture it crashes where it is let go")
    assert not problems


def test_sources_are_finished_and_say_what_they_are() -> None:
    problems = [f"{name_of(path)}: {found}" for path in SOURCES for found in unfinished(path)]
    assert not problems


def unfinished(path: Path) -> Iterator[str]:
    text = text_of(path)
    if re.search(r"\b(TODO|FIXME|XXX)\b", text):
        yield "something is left to do"
    if re.search(r"# type: ignore\s*$", text, re.M):
        yield "an ignore names its code and its reason"
    if path.name != "__main__.py" and not ast.get_docstring(nodes_of(path)[0]):  # type: ignore[arg-type]  # a module
        yield "a module says in one sentence what it does"
    if BANNED_NAMES.search(path.stem):
        yield "a name that says nothing"
    for node in nodes_of(path):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield f"line {node.lineno}: a bare except"
            elif "BaseException" in ast.dump(node.type) and "raise" not in ast.unparse(node):
                yield f"line {node.lineno}: what ends the program is caught"


def test_no_dialog_spins_a_loop_of_its_own() -> None:
    spins = re.compile(
        r"\.exec\(|processEvents|QFileDialog\.get|QInputDialog\.get"
        r"|QMessageBox\.(question|warning|information|critical|about)\("
    )
    assert not [name_of(path) for path in SOURCES if "ui" in path.parts and spins.search(text_of(path))]


def test_heavy_and_special_libraries_stay_where_they_belong() -> None:
    problems = []
    for path in SOURCES:
        name = name_of(path)
        simulates = name.startswith("quantdesk/simulator/")
        for module, top in imports_of(nodes_of(path)[0]):
            library = module.split(".")[0]
            fine = {
                "websockets": name == "quantdesk/feed/socket.py" or simulates,
                "qasync": name == "quantdesk/app/loop.py",
                "PySide6": module == "PySide6.QtCore" or not name.startswith("quantdesk/model/"),
            }.get(library, True)
            if library in HEAVY and top:
                fine = fine and (name in ("quantdesk/feed/rest.py", "quantdesk/feed/webhook.py") or simulates)
            if not fine:
                problems.append(f"{name} imports {module}")
    assert not problems


def test_tests_mirror_the_source() -> None:
    for path in TESTS:
        relative = path.relative_to(ROOT / "tests")
        if len(relative.parts) > 1 and relative.parts[0] not in (
            "benchmarks",
            "goldens",
            "faults",
            "program",
            "release",
            "packaged",
        ):
            assert (ROOT / "quantdesk").joinpath(*relative.parts[:-1]).is_dir(), relative


def test_the_window_is_built_without_the_heavy_libraries() -> None:
    code = (
        "import sys, quantdesk.cli, quantdesk.app, quantdesk.ui.main_window\n"
        "print([m for m in ('statsmodels', 'scipy', 'pandas') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_repository_speaks_of_quantdesk_alone() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".svg", "") and path.is_file() and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(work|root|home)/\w", text), f"{name} names a machine's path"
