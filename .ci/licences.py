"""Collect the licence texts of everything the packaged program carries; run with the build environment's Python."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.metadata import Distribution
from pathlib import Path

import ground
from licence_table import EXTRA_TEXTS, NativeLibrary, native_of, refusal_of

TEXTS = Path(__file__).resolve().parent / "licence_texts"
#: Their start code is inside every packaged program, though nothing of ours imports them.
PACKAGERS = ("pyinstaller", "pyinstaller-hooks-contrib")
_A_TEXT = re.compile(r"(licen[cs]e|copying|copyright|notice|authors)", re.IGNORECASE)
_A_LIBRARY = re.compile(r"(^lib.*\.so(\.\d+)*$)|(\.dylib$)|(\.dll$)", re.IGNORECASE)
_OWN_LIBRARY = re.compile(r"^(lib)?(qt6|pyside6|shiboken6)", re.IGNORECASE)  # of Qt for Python itself
_PYTHON_LIBRARY = re.compile(r"^(lib)?python3", re.IGNORECASE)

NOTICE = """quantdesk is under the MIT License (quantdesk-{version}/). It is packed together with other people's work.
index.txt lists each part with its licence; its texts are in the folder it names.

Parts under the GNU Lesser General Public License (LGPL)

- Qt and Qt for Python (PySide6, Shiboken), version 3 of the licence. Source: https://download.qt.io/official_releases/
  (QtForPython and qt), or https://code.qt.io/
- psycopg2, version 3 or later. Source: https://github.com/psycopg/psycopg2
- libquadmath (GCC), libcrypt and keyutils where index.txt names them, version 2.1 or later.

quantdesk uses them unmodified, as separate shared libraries. You may replace each by a version of your own: they lie
as ordinary files in the program's folder, below _internal/ (macOS: quantdesk.app/Contents/Frameworks/). Put a library
with the same file name and a compatible interface in its place; nothing checks signatures or versions. On macOS sign
the bundle again afterwards: codesign --force --deep --sign - quantdesk.app. You may also run quantdesk, which is open
source, from its own sources with any versions you like: pip install quantdesk's wheel beside your own PySide6 or
psycopg2. Taking the program apart to debug such changes is allowed.
"""


class LicenceError(Exception):
    """Say in words which part of the program has no licence text, or must not be shipped."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the index: a distribution, Python, or a native library; ``folder`` holds its texts."""

    name: str
    version: str
    licence: str
    home: str
    folder: str


def canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def run_time_distributions(root: str = "quantdesk") -> list[Distribution]:
    """Return ``root`` and all that it needs here, by name; LicenceError where one is not installed."""
    from packaging.requirements import Requirement

    found: dict[str, Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (canonical(name), extras) in seen:
            continue
        seen.add((canonical(name), extras))
        try:
            found[canonical(name)] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise LicenceError(f"{name} is needed but not installed here: install the project first") from None
        # What is installed of the project itself may be older than the checkout.
        project = tomllib.loads((ground.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        own = canonical(name) == project["name"]
        for line in (project["dependencies"] if own else found[canonical(name)].requires) or ():
            need = Requirement(line)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if wanted:
                waiting.append((need.name, frozenset(need.extras)))
    return [found[name] for name in sorted(found)]


def licence_files(dist: Distribution) -> list[Path]:
    """Return the licence files and lists of parts (SBOM) that a distribution installed.

    Named by its metadata, lying in a licenses folder, or called like one; never its program code.
    """
    named = {str(name) for name in dist.metadata.get_all("License-File") or ()}
    chosen = []
    for file in dist.files or ():
        parts = file.parts
        inside = parts[0].endswith(".dist-info")
        kept = inside and (
            "licenses" in parts or "sboms" in parts or "/".join(parts[1:]) in named or _A_TEXT.search(file.name)
        )
        outside = not inside and "tests" not in parts and _A_TEXT.search(file.name) and _is_prose(file.name)
        if (kept or outside) and (path := Path(str(dist.locate_file(file)))).is_file():
            chosen.append(path)
    return sorted(chosen)


def _is_prose(name: str) -> bool:
    return Path(name).suffix.lower() in ("", ".txt", ".md", ".rst")


def write(folder: Path, frozen: Path | None = None) -> list[Part]:
    """Write index.txt, NOTICE.txt and a folder of texts for each part; return the parts.

    ``frozen`` is the packaged program: each native library in it must then belong to one of the parts.
    Raises LicenceError for a part without a text, before anything of the old folder is touched.
    """
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        needed = run_time_distributions()
        parts = [_distribution(dist, new) for dist in needed]
        parts.append(_python(new))
        if frozen is not None:
            parts += [_distribution(_packager(name), new) for name in PACKAGERS]
        natives = {row.project: row for dist in needed for row in _natives_in(dist)}
        if frozen is not None:
            parts += _system_libraries(frozen, needed, natives, new)
        parts += [_native(row, new) for row in natives.values()]
        parts.sort(key=lambda part: (part.name.lower(), part.version))
        _write_index(parts, new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return parts


def _distribution(dist: Distribution, target: Path) -> Part:
    folder = target / f"{dist.name}-{dist.version}"
    shipped = licence_files(dist)
    base = Path(str(dist.locate_file("")))
    for path in shipped:
        _copy(path, folder / _short(path.relative_to(base)))
    extra = EXTRA_TEXTS.get(canonical(dist.name), ())
    _copy_texts(extra, folder)
    if not extra and not any("sboms" not in path.parts for path in shipped):
        raise LicenceError(
            f"{dist.name} {dist.version} ships no licence text: add one to EXTRA_TEXTS in .ci/licence_table.py"
        )
    return Part(dist.name, dist.version, licence_of(dist), home_of(dist), folder.name)


def _short(path: Path) -> Path:
    """Leave out the folders that only metadata need."""
    parts = list(path.parts)
    if parts[0].endswith(".dist-info"):
        parts = parts[2:] if len(parts) > 2 and parts[1] == "licenses" else parts[1:]
    return Path(*parts)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_texts(names: Iterable[str], folder: Path) -> None:
    for name in names:
        if not (TEXTS / name).is_file():
            raise LicenceError(f"the licence table names {name}, which is not in {TEXTS.name}/")
        _copy(TEXTS / name, folder / name)


def licence_of(dist: Distribution) -> str:
    """Return a distribution's licence as its metadata say it: the expression, a short name, or the classifiers."""
    head = dist.metadata
    expression = head.get("License-Expression") or ""
    named = (head.get("License") or "").strip()
    classes = [c.rpartition(" :: ")[2] for c in head.get_all("Classifier") or () if c.startswith("License ::")]
    short = named if named and "\n" not in named and len(named) < 80 else ""
    return expression or short or " and ".join(classes) or "see its texts"


def home_of(dist: Distribution) -> str:
    """Return a distribution's home page; empty when its metadata name none."""
    head = dist.metadata
    pages = dict(re.split(r"\s*,\s*", line, maxsplit=1) for line in head.get_all("Project-URL") or () if "," in line)
    by_label = {label.lower(): page for label, page in pages.items()}
    for label in ("homepage", "home", "source", "source code", "repository", "github"):
        if label in by_label:
            return by_label[label]
    return head.get("Home-page") or next(iter(pages.values()), "")


def _python(target: Path) -> Part:
    version = ".".join(map(str, sys.version_info[:3]))
    short = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = [
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE",
        Path("/usr/share/doc") / short / "copyright",
    ]
    text = next((place for place in places if place.is_file()), None)
    if text is None:
        raise LicenceError(f"Python's own licence was not found: looked for {', '.join(map(str, places))}")
    _copy(text, target / f"Python-{version}" / "LICENSE.txt")
    return Part("Python", version, "PSF-2.0", "https://www.python.org/", f"Python-{version}")


def _packager(name: str) -> Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise LicenceError(f"{name} is not installed here: run this with the build environment's Python") from None


def _natives_in(dist: Distribution) -> Iterator[NativeLibrary]:
    """Yield the projects of the libraries that a wheel carries beside its own; LicenceError for an unknown one."""
    for file in dist.files or ():
        if not _A_LIBRARY.search(file.name) or _OWN_LIBRARY.match(file.name):
            continue
        beside = any(part.endswith((".libs", ".dylibs")) for part in file.parts[:-1])
        if not beside and not canonical(dist.name).startswith(("pyside6", "shiboken6")):
            continue
        row = native_of(file.name)
        if row is None:
            if "plugins" in file.parts or "qml" in file.parts or "lib" not in file.name:
                continue  # Qt's own plugins
            raise LicenceError(f"{dist.name} carries {file}, which .ci/licence_table.py does not know")
        yield row


def _native(row: NativeLibrary, target: Path) -> Part:
    folder = target / f"native-{canonical(row.project.replace(' ', '-'))}"
    _copy_texts(row.texts, folder)
    inside = "" if row.texts else "in the texts of the distribution that carries it"
    return Part(row.project, "", row.licence, row.home, folder.name if row.texts else inside)


def _system_libraries(
    frozen: Path, needed: Iterable[Distribution], natives: dict[str, NativeLibrary], target: Path
) -> list[Part]:
    """Account for the libraries that come from the build machine: add to ``natives``, or copy the system's text."""
    known = {file.name for dist in needed for file in dist.files or ()}
    parts: dict[str, Part] = {}
    for path in sorted(frozen.rglob("*")):
        name = path.name
        if not path.is_file() or not _A_LIBRARY.search(name):
            continue
        if reason := refusal_of(name):
            raise LicenceError(f"{name} is in the program: {reason}")
        if name in known or _OWN_LIBRARY.match(name) or _PYTHON_LIBRARY.match(name):
            continue
        if part := _debian_part(name, target):
            parts[part.name] = part
        elif row := native_of(name):
            natives[row.project] = row
        else:
            raise LicenceError(f"{name} is in the program, but nothing says whose it is: see .ci/licence_table.py")
    return list(parts.values())


def _debian_part(library: str, target: Path) -> Part | None:
    """Return the Debian package that owns a library, its copyright file copied; None where there is none."""
    query = shutil.which("dpkg-query")
    if query is None:
        return None
    command = [query, "-S", f"*/{library}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in told.splitlines():
        owner, _, place = line.partition(": ")
        text = Path("/usr/share/doc", owner.partition(":")[0], "copyright")
        if Path(place).name != library or not text.is_file():
            continue
        asked = [query, "-W", "-f", "${Version}\t${Homepage}", owner.partition(",")[0]]
        version, _, home = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.partition("\t")
        name = owner.partition(":")[0]
        folder = target / f"debian-{name}-{version.replace(':', '_')}"
        _copy(text, folder / "copyright")
        return Part(name, version, "see its text", home, folder.name)
    return None


def _write_index(parts: list[Part], target: Path) -> None:
    own = next(part for part in parts if canonical(part.name) == "quantdesk")
    (target / "NOTICE.txt").write_text(NOTICE.format(version=own.version), encoding="utf-8")
    lines = ["What quantdesk is packed with: name and version, licence, home page, folder of the texts.", ""]
    for part in parts:
        lines += [
            f"{part.name} {part.version}".strip(),
            f"    {part.licence}",
            f"    {part.home}",
            f"    {part.folder}",
        ]
    text = "\n".join(line for line in lines if line.strip() or line == "") + "\n"
    (target / "index.txt").write_text(text, encoding="utf-8")


def main() -> int:
    """Collect into the folder given; 1 in words when a part has no text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="written anew: index.txt, NOTICE.txt, a folder for each part")
    parser.add_argument("--frozen", type=Path, help="the packaged program, whose libraries must all be accounted for")
    args = parser.parse_args()
    try:
        parts = write(args.folder, args.frozen)
    except (LicenceError, OSError) as error:
        print(f"licences: {error}", file=sys.stderr)
        return 1
    print(f"licences: {len(parts)} parts in {args.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
