"""The packaged program in a bare Debian tree, used by somebody who has no Python and owns nothing of it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
from pathlib import Path

import pytest

from quantdesk import __version__
from quantdesk.ui.theme_tokens import DARK
from tests.packaged.trees import HOME, USER, BareTree
from tests.program.desks import Screen, dead_port, pixels_of, quantdesk, until, write_pair
from tests.servers import DatabaseServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

COMMANDS = ("record", "simulate", "analyze", "export", "import", "ledger", "store")
#: Libraries of the desktop that built it; beside the user's own they break drivers, themes and fonts.
FOREIGN = re.compile(
    r"lib(gtk|gdk|glib|gio|gobject|gmodule|gthread|cairo|pango|atk|X11|Xext|xcb|xkbcommon|wayland|stdc\+\+|gcc_s|"
    r"fontconfig|freetype|GL|EGL|GLX|dbus-1|systemd|harfbuzz)[-.0-9_]"
)


def test_the_folder_carries_its_licences_and_resources_and_nothing_of_the_building_desktop(folder_built: Path) -> None:
    inside = folder_built / "_internal"
    assert (inside / "quantdesk" / "resources" / "docker-compose.db.yml").is_file()
    index = (folder_built / "licences" / "index.txt").read_text("utf-8")
    for name in ("PySide6", "numpy", "scipy", "pandas", "statsmodels", "psycopg2", "Python"):
        assert name.lower() in index.lower(), name
    for name in ("install.sh", "uninstall.sh", "share/applications/quantdesk.desktop", "share/man/man1/quantdesk.1"):
        assert (folder_built / name).is_file(), name
    assert [path.name for path in inside.iterdir() if FOREIGN.match(path.name)] == []
    tools = {path.name.partition("-")[0].lower() for path in inside.glob("*.dist-info")}
    assert not tools & {"pytest", "mypy", "ruff", "hypothesis", "pyinstaller", "pip", "setuptools"}


def test_the_archive_has_its_checksum_beside_it(archive: Path) -> None:
    told = Path(f"{archive}.sha256").read_text("utf-8")
    assert told == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n"
    assert __version__ in archive.name


def test_version_and_every_help_text_need_no_screen(tree: BareTree, program: Path) -> None:
    assert tree.run(program, "--version").stdout == f"quantdesk {__version__}\n"
    assert "--selftest" in tree.run(program, "--help").stdout
    for name in COMMANDS:
        told = tree.run(program, name, "--help")
        assert (told.returncode, told.stderr) == (0, ""), name
        assert told.stdout.startswith(f"usage: quantdesk {name}"), name


def test_without_a_screen_it_says_so_in_one_line(tree: BareTree, program: Path) -> None:
    told = tree.run(program)
    assert told.returncode == 1
    assert told.stderr.startswith("quantdesk: there is no screen here")
    assert told.stderr.count("\n") == 1


def test_the_self_test_passes_where_only_the_documented_libraries_are(tree: BareTree, program: Path) -> None:
    told = tree.run(program, "--selftest")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "FAILED" not in told.stdout
    assert "0 failures" in told.stdout


def test_the_self_test_fails_when_a_resource_is_gone(tree: BareTree, unpacked: Path) -> None:
    broken = Path("/opt/broken")
    shutil.copytree(tree.inside(unpacked), tree.inside(broken), symlinks=True)
    try:
        shutil.rmtree(tree.inside(broken) / "_internal" / "quantdesk" / "resources" / "icons")
        told = tree.run(broken / "quantdesk", "--selftest")
        assert told.returncode == 1
        assert "FAILED" in told.stdout
    finally:
        shutil.rmtree(tree.inside(broken))


def test_it_records_from_an_exchange_and_accounts_for_every_trade(
    tree: BareTree, program: Path, tmp_path: Path
) -> None:
    data = HOME / "recorded data"
    with tree.running(tmp_path, program, "simulate", "--seed", "5") as exchange:
        until(lambda: exchange.out.read_text("utf-8").endswith("\n"), f"the exchange: {exchange.errors}")
        told = json.loads(exchange.out.read_text("utf-8"))
        where = {"QUANTDESK_WS_URL": told["ws_url"], "QUANTDESK_REST_URL": told["rest_url"]}
        words = ["record", "--symbols", "BTCUSDT,ETHUSDT", "--seconds", "8", "--data-dir", data]
        recorded = tree.run(program, *words, **where)
        assert recorded.returncode == 0, recorded.stderr
        ledger = tree.run(program, "ledger", "--json", "--data-dir", data, **where)
        assert ledger.returncode == 0, ledger.stdout + ledger.stderr
        out = HOME / "bars.csv"
        words = ["export", "bars", "--symbol", "BTCUSDT", "--interval", "1s", "--output", out, "--data-dir", data]
        exported = tree.run(program, *words, **where)
        assert exported.returncode == 0, exported.stderr
        exchange.process.send_signal(signal.SIGTERM)
        assert exchange.ended() == (0, "")
    assert tree.inside(out).read_text("utf-8").count("\n") > 3


def test_it_draws_a_picture_without_a_screen(tree: BareTree, program: Path) -> None:
    picture = HOME / "a picture.png"
    told = tree.run(program, "--simulate", "--screenshot", picture, "--after", "4", "--theme", "dark")
    assert (told.returncode, told.stderr) == (0, "")
    assert pixels_of(tree.inside(picture), DARK.up, DARK.down) > 2_000


def test_its_statistics_are_those_of_the_source(tree: BareTree, program: Path, tmp_path: Path, env) -> None:
    first, second = write_pair(tmp_path)
    inside = [tree.give(HOME / "files" / path.name, path.read_text("utf-8")) for path in (first, second)]
    told = tree.run(program, "analyze", *inside, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    packaged, source = json.loads(told.stdout), json.loads(quantdesk(env, "analyze", first, second, "--json").stdout)
    assert packaged["tests"] == source["tests"]
    assert packaged["hedge"] == source["hedge"]


def test_a_file_opens_in_a_window_a_second_start_joins_it_and_closing_is_clean(
    tree: BareTree, program: Path, screen: Screen, tmp_path: Path
) -> None:
    first, second = write_pair(tmp_path)
    legs = [tree.give(HOME / "my pair" / path.name, path.read_text("utf-8")) for path in (first, second)]
    with dead_port() as port:
        where = {"QUANTDESK_WS_URL": f"ws://127.0.0.1:{port}", "QUANTDESK_REST_URL": f"http://127.0.0.1:{port}"}
        surroundings = {"DISPLAY": screen.display, **where}
        with tree.running(tmp_path, program, legs[0], **surroundings) as desk:
            screen.wait("^first leg ·.*FILE.* – quantdesk$", desk)
            again = tree.run(program, legs[1], **surroundings)
            assert (again.returncode, again.stderr) == (0, "")
            screen.wait("^first leg / zweites Bein.*FILE.* – quantdesk$", desk)
            picture = tmp_path / "screen.png"
            until(lambda: screen.picture(picture) or pixels_of(picture, DARK.up, DARK.down) > 2_000, "candles")
            screen.front("quantdesk$", desk)
            screen.key("ctrl+q")
            assert desk.ended() == (0, "")
    assert (tree.inside(HOME) / ".local" / "share" / "quantdesk").is_dir()
    assert (tree.inside(HOME) / ".config" / "quantdesk").is_dir()


def test_it_reaches_a_database_server(tree: BareTree, program: Path, timescale: DatabaseServer, tmp_path: Path) -> None:
    address = timescale.fresh(Path("/"))
    bars = tree.give(HOME / "bars of a leg.csv", write_pair(tmp_path)[0].read_text("utf-8"))
    url = f"{timescale.url.rpartition('/')[0]}/{address.database}"
    try:
        told = tree.run(program, "import", bars, "--symbol", "LEG", QUANTDESK_DATABASE_URL=url)
        assert told.returncode == 0, told.stderr
        told = tree.run(program, "store", "info", "--json", QUANTDESK_DATABASE_URL=url)
        assert told.returncode == 0, told.stderr
        assert "PostgreSQL" in json.loads(told.stdout)["kind"]
        out = HOME / "from the server.csv"
        words = ["export", "bars", "--symbol", "LEG", "--interval", "1d", "--output", out]
        told = tree.run(program, *words, QUANTDESK_DATABASE_URL=url)
        assert told.returncode == 0, told.stderr
        assert tree.inside(out).read_text("utf-8").count("\n") == 301
        tested = tree.run(program, "--selftest", QUANTDESK_DATABASE_URL=url)
        assert tested.returncode == 0, tested.stdout + tested.stderr
        with dead_port() as port:
            broken = re.sub(r":\d+/", f":{port}/", url)
            assert tree.run(program, "--selftest", QUANTDESK_DATABASE_URL=broken).returncode == 1
    finally:
        timescale.drop(address)


def test_it_is_installed_and_removed_without_root(tree: BareTree, unpacked: Path) -> None:
    told = tree.run("/bin/sh", unpacked / "install.sh")
    assert told.returncode == 0, told.stdout + told.stderr
    command = HOME / ".local" / "bin" / "quantdesk"
    assert tree.run(command, "--version").stdout == f"quantdesk {__version__}\n"
    entry = tree.inside(HOME / ".local" / "share" / "applications" / "quantdesk.desktop").read_text("utf-8")
    assert "MimeType=" in entry
    assert "text/csv" in entry
    again = tree.run("/bin/sh", unpacked / "install.sh")
    assert again.returncode == 0, again.stderr
    data = tree.give(HOME / ".local" / "share" / "quantdesk" / "mine.txt", "kept")
    removed = tree.run("/bin/sh", unpacked / "uninstall.sh")
    assert removed.returncode == 0, removed.stderr
    assert not tree.inside(command).is_symlink()
    assert not tree.inside(HOME / ".local" / "share" / "applications" / "quantdesk.desktop").exists()
    assert tree.inside(data).read_text("utf-8") == "kept"


def test_it_wrote_nothing_beside_itself(tree: BareTree, unpacked: Path, folder_built: Path) -> None:
    """Last of all: whatever ran before had the right to write only below its home and the system's /tmp."""
    here = {path.relative_to(folder_built) for path in folder_built.rglob("*")}
    there = {path.relative_to(tree.inside(unpacked)) for path in tree.inside(unpacked).rglob("*")}
    assert there == here
    skipped = {tree.inside(HOME), tree.root / "proc", tree.root / "dev", tree.root / "tmp"}
    written = [
        path
        for top in tree.root.iterdir()
        if top not in skipped
        for path in top.rglob("*")
        if path.lstat().st_uid == USER and tree.inside(HOME) not in (path, *path.parents)
    ]
    assert written == []
