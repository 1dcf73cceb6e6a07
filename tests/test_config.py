"""The environment names an exchange, and an archive that is really its own."""

from __future__ import annotations

import pytest

from quantdesk.config import DEFAULT_ARCHIVE_URL, DEFAULT_VENUE, ConfigError, Endpoints

OTHER = {"QUANTDESK_WS_URL": "ws://127.0.0.1:1", "QUANTDESK_REST_URL": "http://127.0.0.1:2"}
MIRROR = {"QUANTDESK_ARCHIVE_URL": "http://mirror.example/"}


def test_the_exchange_has_its_archive_and_another_one_none() -> None:
    assert Endpoints.from_environment({}) == Endpoints()
    assert Endpoints().archive_url == DEFAULT_ARCHIVE_URL
    assert Endpoints.from_environment(OTHER).archive_url == "", "real trades may not mix with another venue's"


def test_a_mirror_changes_nothing_but_the_archive() -> None:
    mirrored = Endpoints.from_environment(MIRROR)
    assert (mirrored.venue, mirrored.archive_url) == (DEFAULT_VENUE, "http://mirror.example") and mirrored.is_default
    other = Endpoints.from_environment({**OTHER, **MIRROR})
    assert other.archive_url == "http://mirror.example" and not other.is_default


def test_an_archive_that_is_no_address_is_said() -> None:
    with pytest.raises(ConfigError, match="QUANTDESK_ARCHIVE_URL"):
        Endpoints.from_environment({"QUANTDESK_ARCHIVE_URL": "ftp://x"})


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="user or password") as refused:
        Endpoints.from_environment({"QUANTDESK_REST_URL": "https://me:t0ken@example.org"})
    assert "t0ken" not in str(refused.value)
