"""Look at, take and copy stores: what blocks, to be called beside the screen's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quantdesk.config import ConfigError, StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import StoreError, StoreFacts

if TYPE_CHECKING:
    from quantdesk.store.moving import CopyProgress, CopyReport


@dataclass(frozen=True, slots=True)
class Taken:
    """Tell what was found at a store that is to be used (None = it will be made), and why its password is not kept."""

    facts: StoreFacts | None
    unkept: str = ""


def look_at(address: StoreAddress) -> StoreFacts | None:
    """Try a store; None where its file is still to be made. Raises StoreError in words.

    A database that holds no store yet is as good: the first use makes one.
    """
    if address.path is None:
        from quantdesk.store.server.reader import PooledReader

        reader = PooledReader(address)
        try:
            return reader.facts()
        finally:
            reader.close()
    if address.path.exists():
        return facts_of(address)
    folder = next((place for place in address.path.parents if place.exists()), None)
    if folder is None or not folder.is_dir():
        raise StoreError(f"no file can be made at {address.path}: {folder} is no folder, name another place")
    return None


def facts_of(address: StoreAddress) -> StoreFacts:
    """Look at a store beside whoever writes to it. Raises StoreError in words."""
    from quantdesk.store.opening import try_address

    return try_address(address)


def take(address: StoreAddress, password: str) -> Taken:
    """Try a store that is to be used, and keep the password that was typed. Raises StoreError in words."""
    from quantdesk.store.passwords import keep_password

    facts = look_at(address)
    if not password:
        return Taken(facts)
    try:
        keep_password(address, password)
    except ConfigError as error:
        return Taken(facts, str(error))
    return Taken(facts)


def copy(
    source: StoreAddress,
    target: StoreAddress,
    progress: Callable[[CopyProgress], None],
    cancelled: Callable[[], bool],
) -> CopyReport:
    """Copy a store into another one in this thread. Raises Cancelled, and StoreError in words."""
    from quantdesk.store.moving import copy_store
    from quantdesk.store.opening import open_reader, open_store

    reader = open_reader(source)
    try:
        if target.path is not None:
            try:
                target.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                words = f"{target.path.parent} cannot be made: {error.strerror or error}; name another place"
                raise StoreError(words) from error
        # The target keeps what it is given: its own limits would delete in the middle of the copy.
        store = open_store(target, StoreLimits())
        try:
            return copy_store(reader, store, progress=progress, cancelled=cancelled)
        finally:
            store.close()
    finally:
        reader.close()
