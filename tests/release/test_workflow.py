"""The workflow that packages for three systems: it cannot run here, but what it calls exists."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from quantdesk.cli import desk_parser
from tests.servers import ROOT

TEXT = (ROOT / ".github/workflows/package.yml").read_text("utf-8")


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    return yaml.safe_load(TEXT)


@pytest.fixture(scope="module")
def job(workflow: dict[Any, Any]) -> dict[str, Any]:
    return workflow["jobs"]["package"]


def test_it_runs_on_tags_and_by_hand_with_the_least_rights(workflow: dict[Any, Any]) -> None:
    started = workflow[True]  # YAML 1.1 reads "on" so
    assert set(started) == {"push", "workflow_dispatch"}
    assert started["push"] == {"tags": ["v*"]}
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in TEXT


def test_it_covers_three_systems_and_one_failure_stops_no_other(job: dict[str, Any]) -> None:
    runners = [row["runner"] for row in job["strategy"]["matrix"]["include"]]
    for system in ("ubuntu", "windows", "macos"):
        assert any(runner.startswith(f"{system}-") for runner in runners)
    assert not any("latest" in runner for runner in runners), "a system changes when we say so"
    assert job["strategy"]["fail-fast"] is False


def test_it_builds_then_tests_the_packaged_program_then_keeps_it(job: dict[str, Any]) -> None:
    steps = [str(step.get("run", step.get("uses"))) for step in job["steps"]]
    build = steps.index("python .ci/package.py")
    test = steps.index("${{ matrix.selftest }}")
    (keep,) = [number for number, step in enumerate(steps) if step.startswith("actions/upload-artifact@")]
    assert build < test < keep
    for row in job["strategy"]["matrix"]["include"]:
        program, *words = row["selftest"].split()
        assert program.startswith("dist/quantdesk")
        assert desk_parser().parse_args(words).selftest
    kept = job["steps"][keep]["with"]
    assert {"dist/*.tar.xz", "dist/*.zip"} <= set(kept["path"].split())
    assert kept["if-no-files-found"] == "error"


def test_every_script_it_calls_exists(job: dict[str, Any]) -> None:
    called = set(re.findall(r"\.ci/\w+\.py", TEXT))
    assert {".ci/package.py", ".ci/identity.py"} <= called
    assert all((ROOT / name).is_file() for name in called)
    for step in job["steps"]:
        if "run" in step:
            script = re.sub(r"\$\{\{.*?\}\}", "true", step["run"])
            subprocess.run(["bash", "-n", "-c", script], check=True)
    text = (ROOT / ".ci/ground.py").read_text("utf-8")
    assert "def install_debian_packages" in text
    assert "QT_PACKAGES" in text


def test_every_action_is_pinned_to_a_major_version(job: dict[str, Any]) -> None:
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used), used


def test_it_builds_with_the_oldest_python_supported(job: dict[str, Any]) -> None:
    (chosen,) = [step["with"]["python-version"] for step in job["steps"] if "setup-python" in str(step.get("uses"))]
    assert f'requires-python = ">={chosen}"' in (ROOT / "pyproject.toml").read_text("utf-8")
