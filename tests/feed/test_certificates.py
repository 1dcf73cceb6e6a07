"""The exchange's certificate is verified by the system's store, on the socket and on REST alike."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.failures import Remedy
from quantdesk.feed.rest import RestClient, RestUnreachableError
from quantdesk.feed.socket import OpenError, open_socket

x509 = pytest.importorskip("cryptography.x509", reason="no library to make certificates with")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a certificate for 127.0.0.1 and its key, signed by nobody."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an exchange of tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
async def socket_url(certificate: Path) -> AsyncIterator[str]:
    async def greet(connection: ServerConnection) -> None:
        await connection.send("{}")
        await connection.wait_closed()

    async with serve(greet, "127.0.0.1", 0, ssl=server_context(certificate)) as server:
        yield f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def rest_url(certificate: Path) -> AsyncIterator[str]:
    async def time_of_day(_: web.Request) -> web.Response:
        return web.json_response({"serverTime": 1_700_000_000_000})

    application = web.Application()
    application.router.add_get("/fapi/v1/time", time_of_day)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(certificate))
    await site.start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_certificate_that_nobody_vouches_for_is_refused_on_the_socket(socket_url: str) -> None:
    with pytest.raises(OpenError) as refused:
        await open_socket(socket_url, FeedLimits(), 5)
    assert "certificate" in refused.value.words or "TLS" in refused.value.words
    assert refused.value.remedy is Remedy.TELL


async def test_a_certificate_of_the_systems_store_is_accepted_on_the_socket(
    socket_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    socket = await open_socket(socket_url, FeedLimits(), 5)
    assert await socket.receive() == b"{}"
    await socket.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused_by_rest(rest_url: str) -> None:
    client = RestClient(Endpoints(rest_url=rest_url), FeedLimits())
    with pytest.raises(RestUnreachableError, match=r"the certificate is not accepted \(self"):
        await client.time()
    await client.close()


async def test_a_certificate_of_the_systems_store_is_accepted_by_rest(
    rest_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client = RestClient(Endpoints(rest_url=rest_url), FeedLimits())
    assert await client.time() == 1_700_000_000_000
    await client.close()
