"""What goes wrong in a handshake is sorted: try again, wait, or tell the user."""

from __future__ import annotations

import socket
import ssl

import pytest

from quantdesk.feed.failures import Remedy, error_remedy, status_remedy


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (403, Remedy.TELL),
        (407, Remedy.TELL),
        (418, Remedy.WAIT),
        (429, Remedy.WAIT),
        (451, Remedy.TELL),
        (404, Remedy.TELL),
        (500, Remedy.RETRY),
        (503, Remedy.RETRY),
    ],
)
def test_each_status_has_its_remedy(status: int, remedy: Remedy) -> None:
    assert status_remedy(status) is remedy


def test_a_network_comes_back_by_itself_but_a_certificate_does_not() -> None:
    for error in (ConnectionRefusedError(), TimeoutError(), socket.gaierror(), ssl.SSLError()):
        assert error_remedy(error) is Remedy.RETRY
    wrapped = OSError("cannot connect")
    wrapped.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert error_remedy(wrapped) is Remedy.TELL
    assert error_remedy(ImportError("python-socks")) is Remedy.TELL
