"""An address names a store, keeps its password to itself and refuses in words what it cannot mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.config import ConfigError
from quantdesk.store.address import OPTIONS, file_address, has_password, parse_address

SECRET = "s3cret:/?#[]@ü"
ENCODED = "s3cret%3A%2F%3F%23%5B%5D%40%C3%BC"


def test_a_sqlite_url_names_a_file_and_its_spill(tmp_path: Path) -> None:
    address = parse_address(f"  sqlite:///{tmp_path}/a folder/store.sqlite ", Path("elsewhere"))
    assert address == file_address(tmp_path / "a folder" / "store.sqlite")
    assert not address.is_server
    assert address.path == tmp_path / "a folder" / "store.sqlite"
    assert address.spill == tmp_path / "a folder" / "store.sqlite.spill"
    assert address.words == str(address.path) and address.url == f"sqlite:///{address.path}"


def test_a_file_is_named_from_the_root_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_address("sqlite:///store.sqlite", tmp_path).path == tmp_path / "store.sqlite"
    assert file_address(Path("~/store.sqlite")).path == Path.home() / "store.sqlite"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "timescaledb"])
def test_a_server_url_is_taken_apart(scheme: str, tmp_path: Path) -> None:
    address = parse_address(f"{scheme}://trader@DB.example.org/desk", tmp_path)
    assert address.is_server and address.path is None
    parts = (address.host, address.port, address.database, address.user, address.password)
    assert parts == ("db.example.org", 5432, "desk", "trader", None)
    assert address.words == "trader@db.example.org:5432/desk"
    assert address.url == "postgresql://trader@db.example.org:5432/desk"
    assert address.spill is not None and address.spill.parent == tmp_path


def test_no_secret_is_in_words_url_or_repr(tmp_path: Path) -> None:
    text = f"postgresql://trader:{ENCODED}@db/desk?sslmode=verify-full&sslpassword={ENCODED}"
    address = parse_address(text, tmp_path)
    assert address.password == SECRET and dict(address.options)["sslpassword"] == SECRET
    assert address.url == "postgresql://trader@db:5432/desk?sslmode=verify-full"
    for shown in (address.words, address.url, str(address.spill), repr(address), f"{[address]}"):
        assert "s3cret" not in shown


def test_another_password_makes_no_other_store(tmp_path: Path) -> None:
    address = parse_address(f"postgresql://trader:{ENCODED}@db/desk", tmp_path)
    assert address == address.with_password("0ther") == address.with_password(None)
    assert "0ther" not in repr(address.with_password("0ther"))


def test_ipv6_hosts_keep_their_brackets(tmp_path: Path) -> None:
    address = parse_address("postgresql://trader@[2001:DB8::7]:5433/desk", tmp_path)
    assert (address.host, address.port) == ("2001:db8::7", 5433)
    assert address.words == "trader@[2001:db8::7]:5433/desk"
    assert parse_address(address.url, tmp_path) == address


def test_encoded_names_are_decoded_once(tmp_path: Path) -> None:
    address = parse_address("postgresql://a%40b%2525:p%2525@db/my%20desk", tmp_path)
    assert (address.user, address.password, address.database) == ("a@b%25", "p%25", "my desk")
    assert parse_address(address.url, tmp_path) == address


def test_tls_options_are_kept_in_order(tmp_path: Path) -> None:
    query = "sslmode=verify-full&sslrootcert=/etc/my%20ca.pem&connect_timeout=3"
    address = parse_address(f"postgresql://trader@db/desk?{query}", tmp_path)
    assert address.options == (
        ("sslmode", "verify-full"),
        ("sslrootcert", "/etc/my ca.pem"),
        ("connect_timeout", "3"),
    )
    assert address.url.endswith(f"?{query}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite:///",
        "quantdesk.sqlite",
        "mysql://trader:s3cret@db/desk",
        "postgresql://trader:s3cret@db",
        "postgresql://trader:s3cret@db/",
        "postgresql://trader:s3cret@/desk",
        "postgresql://:s3cret@db/desk",
        "postgresql://db/desk",
        "postgresql://trader:s3cret@db:0/desk",
        "postgresql://trader:s3cret@db:99999/desk",
        "postgresql://trader:s3cret@db:port/desk",
        "postgresql://trader:s3cret@db/desk#here",
        "postgresql://trader:s3cret@db/desk/table",
        "postgresql://trader:s3cret@db/de%2Fsk",
        "postgresql://trader:s3cret@db/de%0Ask",
        "postgresql://tra%00der:s3cret@db/desk",
        "postgresql://trader:s3cret@[db/desk",
        "postgresql://trader:s3cret@db/desk?password=s3cret",
        "postgresql://trader:s3cret@db/desk?options=-csearch_path%3Ds3cret",
        "postgresql://trader:pa?s3cret@db/desk",
        "postgresql://trader:p@db/desk?s3cret@db/desk",
    ],
)
def test_what_names_no_store_is_refused_without_repeating_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_address(text, tmp_path)
    words = str(refused.value)
    assert words and "\n" not in words and "s3cret" not in words
    assert "sqlite:///FILE" in words or "not known" in words


def test_servers_are_told_apart_by_their_spill_and_users_share_it(tmp_path: Path) -> None:
    def spill(url: str) -> str:
        address = parse_address(url, tmp_path)
        assert address.spill is not None
        return address.spill.name

    first = spill("postgresql://a@db/desk")
    assert first == spill("postgresql://b:pw@db:5432/desk?sslmode=require")
    others = {spill(f"postgresql://a@{rest}") for rest in ("db/other", "db:5433/desk", "dc/desk")}
    assert len(others | {first}) == 4
    assert "desk" not in first


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("postgresql://u:pw@db/desk", True),
        ("postgresql://u@db/desk?sslpassword=pw", True),
        ("postgresql://u@db/desk?sslmode=require", False),
        ("postgresql://u:@db/desk", False),
        ("sqlite:///a:b@c", False),
        ("postgresql://u:pw@[db/desk", False),
    ],
)
def test_a_url_with_a_password_is_recognised(text: str, holds: bool) -> None:
    assert has_password(text) is holds


_NAME = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(lambda n: "/" not in n)
_HOST = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5})?", fullmatch=True) | st.ip_addresses().map(
    lambda ip: f"[{ip}]" if ip.version == 6 else str(ip)
)
_VALUE = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)


@given(
    user=_NAME,
    password=st.none() | st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=20),
    host=_HOST,
    port=st.none() | st.integers(1, 65_535),
    database=_NAME,
    options=st.dictionaries(st.sampled_from(sorted(OPTIONS - {"sslpassword"})), _VALUE, max_size=4),
)
def test_an_address_survives_its_own_url(
    user: str, password: str | None, host: str, port: int | None, database: str, options: dict[str, str]
) -> None:
    from urllib.parse import quote

    folder = Path("data")
    account = quote(user, safe="") + ("" if password is None else ":" + quote(password, safe=""))
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    place = host if port is None else f"{host}:{port}"
    address = parse_address(
        f"postgresql://{account}@{place}/{quote(database, safe='')}{'?' + query if query else ''}", folder
    )
    assert (address.user, address.password, address.database) == (user, password, database)
    assert dict(address.options) == options
    again = parse_address(address.url, folder)
    assert again == address and again.url == address.url and again.words == address.words
    assert again.password is None and not has_password(address.url)
