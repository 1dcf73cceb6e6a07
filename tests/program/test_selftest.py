"""The self-test of the real program: what it says of a machine that is well, and of one that is not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from quantdesk.app.selftest.plan import CHECKS
from tests.program.day import tray_double
from tests.program.desks import ROOT, Screen, command, dead_port, quantdesk

ROW = re.compile(r"^(ok|warning|FAILED) +(\S+(?: \S+)*?)  +(\S.*)$", re.MULTILINE)


def rows_of(text: str) -> dict[str, tuple[str, str]]:
    """Return (result, words) by check, the words of a row joined again."""
    joined = re.sub(r"\n {20,}", " ", text)
    return {check: (result, words) for result, check, words in ROW.findall(joined)}


def test_without_a_screen_everything_but_the_window_is_there(env, folder) -> None:
    closely = {**env, "PYTHONDEVMODE": "1"}
    done = quantdesk(closely, "--selftest", "--data-dir", folder / "data", "--report", folder / "report.txt")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    rows = rows_of(done.stdout)
    assert list(rows) == [check.name for check in CHECKS]
    assert rows["window platform"][0] == "warning"
    assert "neither DISPLAY nor WAYLAND_DISPLAY" in rows["window platform"][1]
    for name in ("program", "libraries", "store", "statistics", "fonts", "picture"):
        assert rows[name][0] == "ok"
    assert str(folder / "data") in rows["data folder"][1]
    assert done.stdout.splitlines()[-1].endswith(" warnings, 0 failures")
    assert (folder / "report.txt").read_text("utf-8") == done.stdout
    assert not (folder / "data").exists()
    assert list(Path(env["TMPDIR"]).iterdir()) == []


def test_what_is_broken_is_named_and_exits_with_one(env, folder) -> None:
    blocked, none = folder / "a file", folder / "none.pem"
    blocked.write_text("in the way", "utf-8")
    none.touch()
    with dead_port() as port:
        broken = {**env, "SSL_CERT_FILE": str(none), "DISPLAY": ":987",
                  "QUANTDESK_DATABASE_URL": f"postgresql://me:geheim@127.0.0.1:{port}/base"}  # fmt: skip
        done = quantdesk(broken, "--selftest", "--data-dir", blocked)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    rows = rows_of(done.stdout)
    failures = [name for name, (result, _) in rows.items() if result == "FAILED"]
    folders = ["data folder", "settings folder", "log folder"]
    assert failures == [*folders, "certificates", "database", "window platform"]
    assert "nothing listens there" in rows["database"][1]
    assert "':987'" in rows["window platform"][1]
    assert rows["picture"][0] == "ok"
    assert done.stdout.splitlines()[-1].endswith(f", {len(failures)} failures")
    assert "geheim" not in done.stdout


def test_a_program_that_lost_its_files_says_so(env, folder) -> None:
    for name in ("quantdesk", "resources"):
        shutil.copytree(ROOT / name, folder / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(folder / "copy" / "resources" / "icons")
    (folder / "copy" / "quantdesk" / "commands" / "ledger.py").unlink()
    done = subprocess.run(
        command("--selftest"), env=env, cwd=folder / "copy", capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 1, done.stdout
    rows = rows_of(done.stdout)
    assert rows["resources"][0] == "FAILED"
    assert "icons" in rows["resources"][1]
    assert "docker-compose.db.yml" in rows["resources"][1]
    assert rows["program"][0] == "FAILED"
    assert "quantdesk.commands.ledger" in rows["program"][1]
    assert rows["store"][0] == "ok"


def test_a_windowed_program_without_output_writes_into_the_log_folder(env, folder) -> None:
    windowed = (
        "import sys; sys.stdout = sys.stderr = None; from quantdesk.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", windowed, "--selftest", "--data-dir", str(folder / "data")]
    done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (folder / "data" / "logs" / "selftest.txt").read_text("utf-8")
    assert list(rows_of(text)) == [check.name for check in CHECKS]
    assert text.endswith(" 0 failures\n")


def test_on_a_desktop_tray_and_notifications_are_found(folder, desktop, screen: Screen) -> None:
    with tray_double(folder) as popups:
        done = quantdesk({**desktop, "DBUS_SESSION_BUS_ADDRESS": popups.address}, "--selftest")
        told = popups.path.read_text("utf-8").splitlines()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    rows = rows_of(done.stdout)
    assert rows["window platform"][0] == "ok"
    assert rows["window platform"][1].startswith("xcb, Qt ")
    for name in ("fonts", "picture", "tray", "notifications"):
        assert rows[name][0] == "ok", rows[name]
    assert len(told) == 1
    assert "quantdesk self-test" in told[0]
