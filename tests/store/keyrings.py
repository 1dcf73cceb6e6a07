"""Real backends of the keyring library for the tests: one in memory, and two that do harm."""

from __future__ import annotations

import keyring.backend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keep passwords as long as the object lives."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError("no such password")
        del self.held[service, username]


class LockedKeyring(MemoryKeyring):
    """Stay locked, as when the user cancels the prompt."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class TalkativeKeyring(MemoryKeyring):
    """Repeat the password in the error, as a careless backend would."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"cannot keep {password} of {username}\nsecond line with {password}")


class ForgetfulKeyring(MemoryKeyring):
    """Take everything and keep nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass
