"""The tree keeps its own rules: small files, small functions, words where they belong."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "quantdesk").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAINTING = [path for path in SOURCES if "QPainter(" in path.read_text(encoding="utf-8")]
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


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, "a file of more than 400 lines has two subjects"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PAINTING, ids=name_of)
def test_every_painter_ends_even_when_what_it_draws_raises(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ended = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "QPainter":
            assert id(node) in ended, f"line {node.lineno}: one that outlives its picture crashes where it is let go"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_sources_are_finished_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    assert not re.search(r"# type: ignore\s*$", text, re.M), "an ignore names its code and its reason"
    tree = ast.parse(text)
    assert path.name == "__main__.py" or ast.get_docstring(tree), "a module says in one sentence what it does"
    assert not BANNED_NAMES.search(path.stem)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "no bare except"
            assert "BaseException" not in ast.dump(node.type) or "raise" in ast.unparse(node)


@pytest.mark.parametrize("path", sorted((ROOT / "quantdesk" / "ui").rglob("*.py")), ids=name_of)
def test_no_dialog_spins_a_loop_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ".exec(" not in text and "processEvents" not in text
    assert not re.search(r"QFileDialog\.get|QMessageBox\.(question|warning|information|critical|about)\(", text)
    assert not re.search(r"QInputDialog\.get", text)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_heavy_and_special_libraries_stay_where_they_belong(path: Path) -> None:
    name = name_of(path)
    for module, top in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        library = module.split(".")[0]
        if library == "websockets":
            assert name == "quantdesk/feed/socket.py" or name.startswith("quantdesk/simulator/")
        if library == "qasync":
            assert name == "quantdesk/app/loop.py"
        if library == "PySide6" and name.startswith("quantdesk/model/"):
            assert module == "PySide6.QtCore"
        if library in HEAVY and top:
            assert name in ("quantdesk/feed/rest.py", "quantdesk/feed/webhook.py") or name.startswith(
                "quantdesk/simulator/"
            ), module


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
