"""Read the addresses of the rules' webhooks from the settings; what is secret of them is in the keyring alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from quantdesk.config import ConfigError
from quantdesk.feed.webhook_address import checked_url, public_url

_MOST = 200


@dataclass(frozen=True, slots=True)
class KeptWebhook:
    """Hold what a settings file may know: the address without its private parts, and what the keyring has.

    ``private``: user, password, path or query; ``signed``: a secret to sign with; both under ``key``.
    """

    url: str
    key: str
    private: bool = False
    signed: bool = False

    @property
    def in_keyring(self) -> bool:
        """Return whether the keyring must be asked before it can be used."""
        return self.private or self.signed


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """Hold what a rule's dialog says of its webhook; None = as it is kept, secret "" = unsigned."""

    rule_id: str
    url: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def accepted(read: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], str]:
    """Return the webhooks by rule as settings hold them, and in words what of them cannot be read."""
    held = read.get("webhooks", {})
    if not isinstance(held, dict):
        return {}, "The addresses of webhooks cannot be read: enter them in the rules again."
    good: dict[str, dict[str, Any]] = {}
    for name, plain in held.items():
        found = kept_of(plain)
        if found is not None and len(good) < _MOST:
            good[name] = asdict(found)
    if len(good) == len(held):
        return good, ""
    lost = len(held) - len(good)
    return good, f"{lost} of {len(held)} addresses of webhooks cannot be read: enter them in the rules again."


def kept_of(plain: object) -> KeptWebhook | None:
    """Return the webhook of plain values, None where they are none."""
    if not isinstance(plain, dict):
        return None
    url, key = plain.get("url"), plain.get("key")
    flags = plain.get("private"), plain.get("signed")
    texts = isinstance(url, str) and isinstance(key, str) and 0 < len(key) <= 64 and key.isalnum()
    if not texts or not all(isinstance(flag, bool) for flag in flags):
        return None
    try:
        if public_url(checked_url(str(url))) != url:
            return None  # its private parts belong in the keyring
    except ConfigError:
        return None
    return KeptWebhook(str(url), str(key), bool(flags[0]), bool(flags[1]))
