"""Check what the system lends: certificates, time zones, a keyring."""

from __future__ import annotations

import re
import ssl
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok, warning
from quantdesk.feed.certificates import tls_context

#: Where Linux distributions keep their certificates, for a Python that was built on another one.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)
_HASHED = re.compile(r"[0-9a-fA-F]{8}\.[0-9]")


def check_certificates(_: Ground) -> Finding:
    """Begin a secure connection as the feed does, and count the authorities it can be checked by."""
    begun = tls_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):  # it has said hello and waits for an answer
        begun.do_handshake()
    if sys.platform == "darwin":
        return ok(f"{ssl.OPENSSL_VERSION}; macOS itself checks certificates")
    count, place = _windows_authorities() if sys.platform == "win32" else _authorities()
    if not count:
        return failed(f"no certificate authority is found ({place}): no secure connection can be checked")
    return ok(f"{count} authorities ({place}), {ssl.OPENSSL_VERSION}")


def _authorities() -> tuple[int, str]:
    """Return (how many, where) of OpenSSL's own places, else of those of a distribution."""
    known = ssl.get_default_verify_paths()
    if known.cafile:
        return _in_file(known.cafile), known.cafile
    if known.capath and (hashed := sum(bool(_HASHED.fullmatch(path.name)) for path in Path(known.capath).iterdir())):
        return hashed, known.capath
    bundle = next((place for place in _BUNDLES if Path(place).is_file()), "")
    return (_in_file(bundle), bundle) if bundle else (0, "in no place of this system")


def _windows_authorities() -> tuple[int, str]:
    listed = getattr(ssl, "enum_certificates")("ROOT")  # noqa: B009  # there is none elsewhere
    return len(listed), "the store of Windows"


def _in_file(path: str) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return 0
    return context.cert_store_stats()["x509_ca"]


def check_time_zones(_: Ground) -> Finding:
    """Look up a summer time that is known."""
    local = datetime.now(UTC).astimezone()
    here = f"here it is {local:%H:%M} ({local.tzname()})"
    try:
        offset = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")).utcoffset()
    except ZoneInfoNotFoundError:
        return warning(f"no time zone data: a file with named zones is not read; the desk itself keeps UTC, {here}")
    if offset != timedelta(hours=2):
        return failed(f"Berlin in July 2024 is {offset} ahead of UTC by the time zone data, not 2 hours")
    return ok(f"zones are known; {here}")


def check_keyring(_: Ground) -> Finding:
    """Name the keyring that would keep a server's password; nothing is read from or written to it."""
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring | null.Keyring):
        return warning("there is none: a database's password can be kept in ~/.pgpass")
    return ok(f"{backend.name}")
