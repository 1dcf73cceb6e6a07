"""Run real TimescaleDB servers for tests, from Debian packages unpacked into a folder: the machine stays as it is."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

HERE = Path(__file__).resolve()
SUITE, KEYRING = "trixie", "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    "dash", "postgresql-17", "postgresql-17-timescaledb", "postgresql-client-17", "tzdata", "libc6", "libgcc-s1",
    "libstdc++6", "libaudit1", "libcap-ng0", "libcap2", "libcom-err2", "libgssapi-krb5-2", "libicu76", "libk5crypto3",
    "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap2", "liblz4-1", "liblzma5", "libpam0g", "libpq5",
    "libreadline8t64", "libsasl2-2", "libssl3t64", "libsystemd0", "libtinfo6", "libxml2", "libxxhash0", "libzstd1",
    "zlib1g", "libxslt1.1", "libuuid1", "libcrypt1",
)  # fmt: skip
#: Nobody on the machine has this number: whatever runs under it is a server of ours.
OWNER = 26026
USER = DATABASE = "quantdesk"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "PGHOST": "127.0.0.1", "PGUSER": USER}
#: Shared memory in files of the data folder needs no /dev/shm and goes with the data, even after a crash.
SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "timezone": "UTC", "log_timezone": "UTC",
    "shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": 4, "max_worker_processes": 16, "max_parallel_workers": 2,
    "max_connections": 100, "jit": "off", "shared_buffers": "128MB", "dynamic_shared_memory_type": "mmap",
}  # fmt: skip


class ServerError(Exception):
    """Say in one line why there is no server."""


@dataclass
class Server:
    """Tell where a running server is; restarting changes its pid."""

    url: str = field(repr=False)
    port: int
    data: Path
    root: Path
    log: Path
    pid: int
    process: Popen[bytes] = field(repr=False)
    guard: Popen[bytes] = field(repr=False)


def install() -> Path:
    """Unpack the packages unless they are there already and return the folder they run in."""
    if not (sys.platform == "linux" and shutil.which("apt-get") and os.geteuid() == 0):
        raise ServerError("a TimescaleDB server for tests needs Debian's apt-get and root: this is not such a machine")
    import fcntl  # not there on Windows, where this module must still be importable

    folder = Path(os.environ.get("QUANTDESK_SERVERS") or HERE.parents[1] / ".servers").resolve() / "timescaledb"
    root, stamp, wanted = folder / "root", folder / "stamp", " ".join((SUITE, platform.machine(), *PACKAGES))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "timescaledb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                _unpack(folder / "apt", root)
            except OSError as error:
                raise ServerError(f"TimescaleDB could not be unpacked in {folder}: {error}") from error
            stamp.write_text(wanted)
    return root


def mirror() -> str:
    """Return the address of the Debian mirror that this machine's apt uses."""
    # Without release information apt names its sources even where no list was ever fetched.
    known = _call(["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(COMPONENT) $(RELEASE)"])
    own = [f"main {name}" for name in (platform.freedesktop_os_release().get("VERSION_CODENAME"), "stable", SUITE)]
    mirrors = [uri for uri, _, kind in (line.partition(" ") for line in known.splitlines()) if kind in own]
    if not mirrors:
        raise ServerError("apt-get's sources on this machine name no Debian mirror")
    return mirrors[0]


def _unpack(work: Path, root: Path) -> None:
    source = mirror()
    for path in (work / "lists" / "partial", work / "cache" / "archives" / "partial", root / "usr"):
        path.mkdir(parents=True)
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {source} {SUITE} main\n")
    options = {
        "Dir::Etc::SourceList": work / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null", "APT::Default-Release": "",
        "Dir::State::Lists": work / "lists", "Dir::State::Status": "/dev/null", "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::http::Timeout": 30,
    }  # fmt: skip
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    _call([*apt, "update", "--error-on=any"], tries=3)
    _call([*apt, "download", *PACKAGES], tries=3, cwd=work)
    for name in ("bin", "sbin", "lib", "lib64"):  # the packages only fill usr: Debian's base-files has the links
        (root / name).symlink_to(f"usr/{name}")
    for package in sorted(work.glob("*.deb")):
        _call(["dpkg-deb", "-x", str(package), str(root)], tries=3)
    shutil.rmtree(work)
    for name, mode in {"dev": 0o755, "etc": 0o755, "tmp": 0o1777, "servers": 0o755}.items():
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(mode)
    (root / "etc" / "passwd").write_text(f"{USER}:x:{OWNER}:{OWNER}::/:/bin/sh\n")
    (root / "etc" / "passwd").chmod(0o644)
    for name, minor in {"null": 3, "zero": 5, "random": 8, "urandom": 9}.items():
        os.mknod(root / "dev" / name, stat.S_IFCHR, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)


def _call(command: Sequence[str], tries: int = 1, cwd: Path | None = None, **variables: str) -> str:
    # apt may need the proxy from the environment; the server's programs must not see PGOPTIONS and the like.
    environment = {**({} if command[0] == "chroot" else os.environ), **ENVIRONMENT, **variables}
    for attempt in range(tries):
        time.sleep(5 * attempt)
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
    raise ServerError(f"{command[0]} failed: {' '.join(done.stderr.split())[:500] or done.returncode}")


def start(port: int = 0, settings: Mapping[str, object] | None = None, timeout: float = 60) -> Server:
    """Start a server with a fresh database on a loopback port, on a free one when none is given."""
    root = install()
    for old in (root / "servers").iterdir():  # left when a whole machine was stopped, guards and all
        if not Path("/proc", old.name.partition("-")[0]).exists():
            _discard(old)
    home = root / "servers" / f"{os.getpid()}-{secrets.token_hex(4)}"
    home.mkdir(0o700)
    # Its standard input ends when this process does, however it died. PR_SET_PDEATHSIG would not do: changing the
    # user clears it, it fires when a mere thread ends, and it leaves the data behind.
    command = [sys.executable, "-I", "-S", str(HERE), "guard", "--home", str(home)]
    guard = Popen(command, stdin=PIPE, stdout=DEVNULL, start_new_session=True)
    with contextlib.ExitStack() as undo:
        undo.callback(guard.communicate)
        undo.callback(_discard, home)
        password = secrets.token_urlsafe(18)
        _make_data(root, home, password, {**SETTINGS, "cluster_name": home.name, **(settings or {})})
        while not port:
            # Below the ports of outgoing connections: one of these could take it while the server is down.
            guess = 20000 + secrets.randbelow(12000)
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", guess)):
                port = guess
        process = _boot(root, home, port, timeout)
        url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
        server = Server(url, port, home / "data", root, home / "log", process.pid, process, guard)
        undo.callback(stop, server)
        _call(_inside(root, "createdb", "--maintenance-db=postgres", DATABASE), PGPORT=str(port), PGPASSWORD=password)
        undo.pop_all()
    return server


def _make_data(root: Path, home: Path, password: str, settings: Mapping[str, object]) -> None:
    secret = home / "password"
    secret.write_text(password)
    for path in (home, secret):
        os.chown(path, OWNER, OWNER)
    # Only a power cut would need initdb's own syncing; the server itself syncs as ever.
    options = ["--no-sync", "--no-locale", "-EUTF8", "--auth=scram-sha-256", f"--pwfile=/servers/{home.name}/password"]
    _call(_inside(root, "initdb", *options), PGDATA=f"/servers/{home.name}/data")
    secret.unlink()
    with (home / "data" / "postgresql.conf").open("a") as file:
        for name, value in settings.items():
            file.write(name + " = '" + str(value).replace("'", "''") + "'\n")


def _inside(root: Path, program: str, *arguments: str) -> list[str]:
    enter = ["chroot", f"--userspec=+{OWNER}:+{OWNER}", "--groups=", str(root)]
    return [*enter, f"/usr/lib/postgresql/17/bin/{program}", *arguments]


def _boot(root: Path, home: Path, port: int, timeout: float) -> Popen[bytes]:
    command = _inside(root, "postgres", "-D", f"/servers/{home.name}/data", "-p", str(port))
    probe, local = _inside(root, "pg_isready", "-q"), {**ENVIRONMENT, "PGPORT": str(port)}
    # chroot becomes the postmaster, so the pid is the same; a session of its own keeps the terminal's Ctrl-C off it.
    with (home / "log").open("ab") as log:
        process = Popen(command, env=ENVIRONMENT, stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True)
    status, deadline = home / "data" / "postmaster.pid", time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        # This file tells our server from another one on the port, and from what a crashed one had left.
        with contextlib.suppress(FileNotFoundError):
            if {str(process.pid), "ready"} <= {*status.read_text().split()} and subprocess.call(probe, env=local) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    process.wait()
    told = " | ".join((home / "log").read_text(errors="replace").splitlines()[-5:])
    raise ServerError(f"the server did not start on port {port}: {told or 'it said nothing'}")


def _signal_all(home: Path, number: int) -> int:
    # Each backend is a session of its own, so no process group holds them all; but cluster_name is in every title.
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == OWNER and home.name.encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), number)
                found += 1
    return found


def _kill_all(home: Path) -> None:
    _signal_all(home, signal.SIGSTOP)  # none can tell another or fork while they die
    while _signal_all(home, signal.SIGKILL):
        time.sleep(0.02)


def kill(server: Server) -> None:
    """End the server and all its processes at once, as a crash would; the data stay for restart."""
    _kill_all(server.data.parent)
    server.process.wait()


def pause(server: Server) -> None:
    """Freeze the server and all its processes: connections open but nothing answers."""
    server.process.send_signal(signal.SIGSTOP)  # first, so that it starts no more processes
    _signal_all(server.data.parent, signal.SIGSTOP)


def resume(server: Server) -> None:
    """Let a frozen server go on."""
    _signal_all(server.data.parent, signal.SIGCONT)


def restart(server: Server, timeout: float = 60) -> None:
    """Start the server again on the same data and port, after a crash, a stop that kept the data, or while it runs."""
    stop(server, keep=True)
    server.process = _boot(server.root, server.data.parent, server.port, timeout)
    server.pid = server.process.pid


def stop(server: Server, mode: str = "fast", keep: bool = False) -> None:
    """Shut the server down ('fast' or 'immediate', which needs recovery) and remove its data unless they are kept."""
    resume(server)
    server.process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(30)
    kill(server)
    if not keep:
        _discard(server.data.parent)
        server.guard.communicate()


def _discard(home: Path) -> None:
    _kill_all(home)
    # Killed processes leave System V shared memory, 56 bytes each, that nobody is attached to any more.
    for words in map(str.split, Path("/proc/sysvipc/shm").read_text().splitlines()):
        if words[6:8] == ["0", str(OWNER)]:
            subprocess.run(["ipcrm", "-m", words[1]], capture_output=True, check=False)
    shutil.rmtree(home, ignore_errors=True)


def _run(port: int, settings: Mapping[str, object], until_eof: bool) -> None:
    install()
    asked = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)  # they wait until the server is up, and none cuts its end short
    server = start(port, settings)
    print(server.url, flush=True)
    while (alive := server.process.poll() is None) and not signal.sigtimedwait(asked, 0.5):
        if until_eof and select.select([0], [], [], 0)[0] and not os.read(0, 4096):
            break
    stop(server)
    if not alive:
        raise ServerError("the server ended by itself")


def main() -> None:
    """Install or run a server from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("install", "run", "guard"), help="guard: for this program's own use")
    parser.add_argument("--port", type=int, default=0, help="run: on this port instead of a free one")
    parser.add_argument("--settings", nargs="*", default=[], metavar="NAME=VALUE", help="run: more settings")
    parser.add_argument("--until-eof", action="store_true", help="run: also stop when standard input ends")
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    try:
        if args.command == "install":
            print(install())
        elif args.command == "run":
            _run(args.port, dict(item.partition("=")[::2] for item in args.settings), args.until_eof)
        else:
            sys.stdin.buffer.read()
            if args.home.exists():
                _kill_all(args.home)
                time.sleep(1)  # an initdb leaves a nameless program, which ends by itself
                _discard(args.home)
    except ServerError as error:
        sys.exit(f"timescale_server: {error}")


if __name__ == "__main__":
    main()
