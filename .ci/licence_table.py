"""List which licence covers what no distribution's own files cover: native libraries inside wheels, Qt's texts."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class NativeLibrary:
    """One project whose compiled library travels inside wheels, or is copied from the system by the packager.

    ``files`` are patterns of file names in lower case; ``texts`` are names in licence_texts/, empty where the
    distribution that carries the library prints the terms in its own licence file.
    """

    project: str
    licence: str
    home: str
    files: tuple[str, ...]
    texts: tuple[str, ...] = ()


#: Texts of licence_texts/ for distributions that ship none of their own, or only a notice that names one.
EXTRA_TEXTS: dict[str, tuple[str, ...]] = {
    # The wheels of Qt for Python hold no licence text; their metadata offer LGPL-3.0, which refers to GPL-3.0.
    "pyside6-essentials": (
        "LGPL-3.0.txt", "GPL-3.0.txt", "Qt-third-party.txt", "Qt-SVG.txt", "Apache-2.0.txt", "MPL-2.0.txt",
    ),
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    # Its LICENSE is a notice that refers to a copy of the LGPL in a folder that the wheel leaves out.
    "psycopg2-binary": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    # OpenSSL is linked into it (its SBOM says so, its LICENSE does not).
    "cryptography": ("Apache-2.0.txt",),
}  # fmt: skip

_GCC = ("GPL-3.0.txt", "GCC-exception-3.1.txt")
_GCC_LICENCE = "GPL-3.0-or-later WITH GCC-exception-3.1"

NATIVE: tuple[NativeLibrary, ...] = (
    NativeLibrary("OpenBLAS and LAPACK", "BSD-3-Clause", "https://www.openblas.net/", ("libscipy_openblas*",)),
    NativeLibrary("GNU Fortran runtime", _GCC_LICENCE, "https://gcc.gnu.org/", ("libgfortran*",), _GCC),
    NativeLibrary(
        "GCC quad-precision library", "LGPL-2.1-or-later", "https://gcc.gnu.org/", ("libquadmath*",), ("LGPL-2.1.txt",)
    ),
    NativeLibrary(
        "GCC runtime", _GCC_LICENCE, "https://gcc.gnu.org/", ("libgcc_s*", "libstdc++*", "libgomp*", "libatomic*"), _GCC
    ),
    NativeLibrary(
        "PostgreSQL libpq", "PostgreSQL", "https://www.postgresql.org/", ("libpq[.-]*",), ("PostgreSQL.txt",)
    ),
    NativeLibrary(
        "OpenSSL", "Apache-2.0", "https://openssl-library.org/", ("libcrypto[.-]*", "libssl[.-]*"), ("Apache-2.0.txt",)
    ),
    NativeLibrary(
        "MIT Kerberos", "MIT-krb5", "https://web.mit.edu/kerberos/",
        ("libkrb5*", "libgssapi_krb5*", "libk5crypto*", "libcom_err*", "libgssrpc*", "libkadm5*"), ("krb5.txt",),
    ),
    NativeLibrary("OpenLDAP", "OLDAP-2.8", "https://www.openldap.org/", ("libldap*", "liblber*"), ("OpenLDAP.txt",)),
    NativeLibrary(
        "Cyrus SASL", "BSD-4-Clause", "https://www.cyrusimap.org/sasl/", ("libsasl2*",), ("Cyrus-SASL.txt",)
    ),
    NativeLibrary(
        "keyutils", "LGPL-2.0-or-later", "https://people.redhat.com/~dhowells/keyutils/", ("libkeyutils*",),
        ("LGPL-2.1.txt",),
    ),
    NativeLibrary(
        "libcrypt", "LGPL-2.1-or-later", "https://www.gnu.org/software/libc/", ("libcrypt[.-]*",), ("LGPL-2.1.txt",)
    ),
    NativeLibrary("PCRE", "BSD-3-Clause", "https://www.pcre.org/", ("libpcre[.-]*",), ("PCRE.txt",)),
    NativeLibrary(
        "libselinux", "public domain", "https://github.com/SELinuxProject", ("libselinux*",), ("libselinux.txt",)
    ),
    NativeLibrary("ICU", "Unicode-3.0", "https://icu.unicode.org/", ("libicu*",), ("ICU.txt",)),
    # Python's own installer for Windows keeps these two beside its modules.
    NativeLibrary("libffi", "MIT", "https://sourceware.org/libffi/", ("libffi[.-]*",), ("libffi.txt",)),
    NativeLibrary("SQLite", "public domain", "https://sqlite.org/", ("sqlite3.dll", "libsqlite3.*"), ("SQLite.txt",)),
    NativeLibrary("Mesa", "MIT", "https://www.mesa3d.org/", ("opengl32sw.dll",), ("Mesa.txt",)),
    NativeLibrary(
        "Microsoft Visual C++ runtime", "Microsoft redistributable", "https://visualstudio.microsoft.com/license-terms/",
        ("msvcp140*", "vcruntime140*", "vccorlib140*", "concrt140*", "vcomp140*", "ucrtbase*", "api-ms-win-*"),
        ("Microsoft-runtime.txt",),
    ),
)  # fmt: skip

#: GPL without an exception: a program under another licence must not carry these.
REFUSED: dict[str, str] = {
    "libreadline*": 'GNU readline is under the GPL alone: exclude the module "readline" from the packaged program',
    "libgdbm*": 'GNU dbm is under the GPL alone: exclude the module "_gdbm" from the packaged program',
}


def native_of(file_name: str) -> NativeLibrary | None:
    """Return the project a library's file belongs to, by its name; None when it is not listed."""
    name = file_name.lower()
    return next((row for row in NATIVE if any(fnmatchcase(name, pattern) for pattern in row.files)), None)


def refusal_of(file_name: str) -> str | None:
    """Say why a library must not be packaged; None when nothing speaks against it."""
    name = file_name.lower()
    return next((reason for pattern, reason in REFUSED.items() if fnmatchcase(name, pattern)), None)
