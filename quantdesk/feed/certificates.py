"""Trust for TLS what the system trusts: a packaged Python knows no place of certificates."""

from __future__ import annotations

import ssl


def tls_context() -> ssl.SSLContext:
    """Return a new client context that verifies by the system's own store of certificates.

    On Windows and macOS by the system itself; on Linux by OpenSSL's places (``SSL_CERT_FILE``
    before them) and, where it was built for another distribution, by that of the one it runs on.
    """
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
