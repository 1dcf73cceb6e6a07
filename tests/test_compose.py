"""The compose file starts the community edition on loopback, with one's own password, green only when it serves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantdesk.config import COMPOSE_DATABASE, COMPOSE_PORT, COMPOSE_USER

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.db.yml"


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    services = yaml.safe_load(FILE.read_text("utf-8"))["services"]
    assert list(services) == ["database"]
    return services["database"]


def test_the_image_is_the_community_edition_at_an_exact_tag(service: dict[str, Any]) -> None:
    name, _, tag = service["image"].partition(":")
    assert name == "timescale/timescaledb"
    assert re.fullmatch(r"\d+\.\d+\.\d+-pg17", tag), "neither latest nor the Apache edition (-oss)"


def test_it_listens_on_loopback_at_the_port_the_program_looks_at(service: dict[str, Any]) -> None:
    assert service["ports"] == [f"127.0.0.1:{COMPOSE_PORT}:5432"]
    assert "network_mode" not in service and "expose" not in service


def test_account_and_database_are_the_programs_and_the_password_is_asked_for(service: dict[str, Any]) -> None:
    environment = service["environment"]
    assert (environment["POSTGRES_USER"], environment["POSTGRES_DB"]) == (COMPOSE_USER, COMPOSE_DATABASE)
    assert re.fullmatch(r"\$\{QUANTDESK_DB_PASSWORD:\?[^}]+\}", environment["POSTGRES_PASSWORD"])
    assert "POSTGRES_HOST_AUTH_METHOD" not in environment
    assert environment["TIMESCALEDB_TELEMETRY"] == "off", "quoted: bare, off would be false"


def test_health_is_asked_over_tcp(service: dict[str, Any]) -> None:
    words = service["healthcheck"]["test"]
    assert words[:2] == ["CMD", "pg_isready"]
    assert words[words.index("-h") + 1] == "127.0.0.1", "on the socket the temporary first server would answer"
    assert (words[words.index("-U") + 1], words[words.index("-d") + 1]) == (COMPOSE_USER, COMPOSE_DATABASE)


def test_the_data_outlive_the_container(service: dict[str, Any]) -> None:
    (volume,) = service["volumes"]
    name, _, place = volume.partition(":")
    assert place == "/var/lib/postgresql/data"
    assert name in yaml.safe_load(FILE.read_text("utf-8"))["volumes"]
    assert service["restart"] == "unless-stopped"
    assert int(service["shm_size"].removesuffix("mb")) >= 128
    assert int(service["stop_grace_period"].removesuffix("s")) >= 30


def test_the_example_names_every_variable_and_gives_none_a_value() -> None:
    asked = set(re.findall(r"\$\{(\w+)", FILE.read_text("utf-8")))
    lines = [line for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert sorted(lines) == sorted(f"{name}=" for name in asked)


def test_a_file_with_the_password_is_not_for_git() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_words_of_the_file_name_the_address_that_is_served() -> None:
    text = FILE.read_text("utf-8")
    assert f"postgresql://{COMPOSE_USER}@127.0.0.1:{COMPOSE_PORT}/{COMPOSE_DATABASE}" in text


def test_the_packaged_program_carries_the_file_it_starts() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["force-include"][FILE.name] == f"quantdesk/resources/{FILE.name}"
    assert {FILE.name, ".env.example"} <= set(build["sdist"]["include"])
