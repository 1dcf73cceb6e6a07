"""A proxy is the system's, none, or the one chosen; its password shows nowhere but in the connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.config import ConfigError
from quantdesk.feed.proxy import NO_PROXY, SYSTEM_PROXY, ProxyChoice, ProxyVariables, parse_proxy

SECRET = "pa:ss@/wörd"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example:3128/", "http://proxy.example:3128"),
        ("https://[2001:db8::1]:8080", "https://[2001:db8::1]:8080"),
        (" http://joe@proxy.example:80 ", "http://joe@proxy.example:80"),
        ("http://joe:secret@proxy.example:80", "http://joe@proxy.example:80"),
    ],
)
def test_an_http_proxy_is_read_and_its_password_leaves_the_url(text: str, url: str) -> None:
    found = parse_proxy(text)
    assert found.url == found.without_password == url
    assert found.password == ("secret" if "secret" in text else None)
    assert "secret" not in repr(found)
    assert parse_proxy(found.without_password).url == url


@pytest.mark.parametrize(
    "text", ["socks5://a:1", "http://a", "http://:80", "http://a:80/x", "http://a:99999", "a b:80"]
)
def test_what_is_no_http_proxy_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigError, match="proxy") as refused:
        parse_proxy(text)
    assert "host:port" in str(refused.value) or "character" in str(refused.value)


@pytest.mark.parametrize("text", ["", SYSTEM_PROXY, NO_PROXY])
def test_the_two_words_are_kept_as_they_are(text: str) -> None:
    assert parse_proxy(text).without_password == (text or SYSTEM_PROXY)


@given(user=st.text(min_size=1), password=st.text(min_size=1))
def test_any_user_and_password_come_back_out_of_the_full_url(user: str, password: str) -> None:
    try:
        user.encode(), password.encode()
    except UnicodeEncodeError:  # half of a character is no name
        return
    choice = parse_proxy("http://a:80").with_user(user).with_password(password)
    again = parse_proxy(choice.full_url())
    assert (again.user, again.password, again.url) == (user, password, choice.url)


def test_a_choice_rules_every_connection_and_the_systems_own_comes_back() -> None:
    environ = {"https_proxy": "http://old:1", "NO_PROXY": "intern"}
    before = dict(environ)
    variables = ProxyVariables(environ)
    variables.use(parse_proxy("http://joe@new:2").with_password(SECRET))
    assert {environ[name] for name in ("http_proxy", "https_proxy", "HTTPS_PROXY")} == {
        "http://joe:pa%3Ass%40%2Fw%C3%B6rd@new:2"
    }
    assert "localhost" in environ["no_proxy"]
    variables.use(ProxyChoice(NO_PROXY))
    assert environ == {"no_proxy": "*", "NO_PROXY": "*"}
    variables.use(ProxyChoice())
    assert environ == before


def test_a_proxy_can_be_asked_about_before_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    variables = ProxyVariables()
    wanted = parse_proxy("http://new:2")
    assert variables.proxy_by(wanted, "https://exchange.test/x") == "http://new:2"
    assert variables.proxy_by(wanted, "wss://exchange.test/x") == "http://new:2"
    assert variables.proxy_by(wanted, "http://127.0.0.1:9/x") is None
    assert variables.proxy_by(ProxyChoice(), "https://exchange.test/x") is None
    variables.use(wanted)
    assert variables.proxy_by(ProxyChoice(NO_PROXY), "https://exchange.test/x") is None
    assert variables.proxy_by(wanted, "https://exchange.test/x") == "http://new:2"
    variables.use(ProxyChoice())
