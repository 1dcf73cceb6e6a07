"""A post is signed, tried again within bounds, follows nobody elsewhere, and no word of it holds a secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import traceback
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.config import ConfigError
from quantdesk.feed.webhook import DELIVERY, SIGNATURE, TIMESTAMP, Webhook, WebhookClient, WebhookError, signature
from quantdesk.feed.webhook_address import LONGEST_URL, checked_url, host_of, private_parts, public_url, shown_url

from .receivers import Receiver, garbage, hangs, receiving, resets, ten_megabytes
from .test_certificates import certificate, server_context

__all__ = ["certificate"]
SECRET, TOKEN = "a s3cret of ours", "t0ken-of-ours"
BODY = json.dumps({"text": "z −2.1 σ"}, ensure_ascii=False).encode()


async def sent(receiver: Receiver, url: str = "", *, once: bool = False, secret: str = SECRET) -> object:
    client = WebhookClient(try_seconds=0.4, pauses=(0.01, 0.02, 0.03))
    try:
        return await client.send(Webhook(url or receiver.url, secret), BODY, "the id", once=once)
    except WebhookError as error:
        assert SECRET not in "".join(traceback.format_exception(error))
        assert TOKEN not in "".join(traceback.format_exception(error))
        return str(error)
    finally:
        await client.close()


async def test_a_post_is_json_signed_over_time_and_body() -> None:
    async with receiving(200) as receiver:
        receipt = await sent(receiver, receiver.url + f"?token={TOKEN}")
    ((path, headers, body),) = receiver.posts
    assert (receipt.status, receipt.tries) == (200, 1)
    assert path == f"/alerts?token={TOKEN}" and body == BODY
    assert headers["Content-Type"] == "application/json" and headers[DELIVERY] == "the id"
    expected = hmac.new(SECRET.encode(), headers[TIMESTAMP].encode() + b"." + BODY, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"v1={expected}" == signature(SECRET, int(headers[TIMESTAMP]), BODY)
    assert SECRET not in str(headers)


async def test_without_a_secret_nothing_is_signed_and_a_user_of_the_address_logs_in() -> None:
    async with receiving(204) as receiver:
        await sent(receiver, receiver.url.replace("//", f"//me:{TOKEN}@"), secret="")
    ((_, headers, _),) = receiver.posts
    assert SIGNATURE not in headers and headers["Authorization"].startswith("Basic ")


async def test_a_fault_of_the_receiver_is_tried_again_and_named_the_same() -> None:
    async with receiving(500, 429, 200) as receiver:
        receipt = await sent(receiver)
    assert (receipt.status, receipt.tries, len(receiver.posts)) == (200, 3, 3)
    assert {headers[DELIVERY] for _, headers, _ in receiver.posts} == {"the id"}


@pytest.mark.parametrize(
    ("step", "words", "posts"),
    [
        (500, "the receiver has a fault (500); tried 4 times", 4),
        (hangs, "no answer; tried 4 times", 4),
        (resets, "; tried 4 times", 4),
        (garbage, "its answer is no HTTP; tried 4 times", 4),
        (404, "there is nothing at this address (404)", 1),
        (401, "access refused (401)", 1),
        (418, "it refuses the post (418)", 1),
    ],
)
async def test_a_failure_is_said_in_words_after_bounded_tries(step, words: str, posts: int) -> None:
    async with receiving(step) as receiver:
        found = await sent(receiver)
    assert isinstance(found, str) and found.endswith(words), found
    assert len(receiver.posts) == posts


async def test_a_test_is_tried_once() -> None:
    async with receiving(500, 200) as receiver:
        assert await sent(receiver, once=True) == "the receiver has a fault (500)"
    assert len(receiver.posts) == 1


async def test_an_answer_of_ten_megabytes_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unread(*_: object) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr("aiohttp.ClientResponse.read", unread)
    monkeypatch.setattr("aiohttp.StreamReader.read", unread)
    async with receiving(ten_megabytes) as receiver:
        assert (await sent(receiver)).status == 200


async def test_nothing_listens_is_said() -> None:
    async with receiving(200) as receiver:
        pass
    assert await sent(receiver, once=True) == "connection refused"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_to_another_host_nor_on_this_one(status: int) -> None:
    async with receiving(200) as other:

        async def away(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{other.url}?token={TOKEN}"})

        async with receiving(away) as receiver:
            found = await sent(receiver)
    assert other.posts == [] and len(receiver.posts) == 1
    assert found == (
        f"it redirects to {host_of(other.url)} ({status}), which is not followed: enter the address that it leads to"
    )


async def test_a_certificate_that_the_system_does_not_trust_stops_it_at_once(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(200, tls=server_context(certificate)) as receiver:
        found = await sent(receiver)
        assert isinstance(found, str) and found.startswith("the certificate is not accepted") and "tried" not in found
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await sent(receiver)).status == 200
    assert len(receiver.posts) == 1


async def test_the_systems_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(204) as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/alerts"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert (await sent(proxy, "http://receiver.invalid/alerts")).status == 204
    assert proxy.posts[0][1]["Host"] == "receiver.invalid"


async def test_no_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving(500, resets, 404) as receiver:
        url = receiver.url.replace("//", f"//me:{TOKEN}@") + f"?token={TOKEN}"
        found = [await sent(receiver, url), await sent(receiver, "http://nobody.invalid/?token=" + TOKEN, once=True)]
    hook = Webhook(url, SECRET)
    assert not any(word in text for word in (TOKEN, SECRET) for text in (caplog.text, repr(hook), str(found)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs an address"),
        ("ftp://example.org/a", "must begin with https:// or http://"),
        ("javascript:alert(1)", "must begin with"),
        ("example.org/alerts", "must begin with"),
        ("file:///etc/passwd", "must begin with"),
        ("https://", "names no host"),
        ("https:///alerts", "names no host"),
        ("https://exa mple.org", "a blank or another character"),
        ("https://example.org\\@evil.org/", "a blank or another character"),
        ("https://example.org/\r\nHost: evil", "a blank or another character"),
        ("https://example.org:99999/", "host or port makes no sense"),
        ("https://example.org:0/", "port 0"),
        ("https://[::1/", "host or port makes no sense"),
        ("https://example..org/", "names no host"),
        ("https://999.1.1.1/", "names no host"),
        ("https://2130706433/", "names no host"),
        ("https://example.org/#top", "a part after #"),
        ("https://example.org/" + "a" * LONGEST_URL, "longer than 2,000"),
    ],
)
def test_an_odd_address_is_refused_in_words_without_repeating_it(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        checked_url(text)
    assert len(text) < 10 or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["https://hooks.example.org/T0/B0", "http://127.0.0.1:8080/", "http://[::1]:9/x", "https://bücher.example/é"],
)
def test_a_plain_address_is_taken_as_it_is(text: str) -> None:
    assert checked_url(f" {text} ") == text


def test_an_address_without_anything_private_is_shown_whole() -> None:
    for text in ("https://hooks.example.org", "http://[::1]:9"):
        assert public_url(text) == shown_url(text) == text and not private_parts(text)
    assert shown_url("http://127.0.0.1:8080/") == "http://127.0.0.1:8080"


def test_what_is_private_of_an_address_is_shown_nowhere() -> None:
    url = f"https://me:{TOKEN}@example.org:8443/alerts?key={TOKEN}"
    assert public_url(url) == "https://example.org:8443"
    assert shown_url(url) == "https://example.org:8443/•••"
    assert host_of(url) == "example.org:8443"
    assert {TOKEN, f"key={TOKEN}", "alerts"} <= set(private_parts(url))


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_text_is_more_than_refused(head: str, tail: str) -> None:
    for text in (head + tail, f"https://{head}/{tail}", f"http://{head}@example.org/?{tail}"):
        try:
            found = checked_url(text)
        except ConfigError:
            continue
        assert checked_url(public_url(found)) == public_url(found) and shown_url(found)
