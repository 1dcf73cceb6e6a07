"""Open the store that an address names, whichever kind it is."""

from __future__ import annotations

from collections.abc import Callable

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Reader, Store, StoreFacts


def open_store(
    address: StoreAddress,
    limits: StoreLimits | None = None,
    *,
    said: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Store:
    """Open a store for writing, from the thread that will write; a file that is new is made.

    A file of an older version is backed up and updated: ``said`` hears how far that is, ``cancelled``
    ends it. A server's store is updated in place, its backups are its administrator's; one that cannot be
    reached now does not fail here: every use says so until it answers. Raises StoreBusyError,
    StoreRefusedError and StoreError in words.
    """
    if address.path is not None:
        from quantdesk.store.embedded import open_embedded

        return open_embedded(address.path, limits, said=said, cancelled=cancelled)
    from quantdesk.store.server.store import open_server

    return open_server(address, limits)


def open_reader(address: StoreAddress) -> Reader:
    """Open a store for reading, from any thread; it must exist and answer. Raises StoreError in words."""
    if address.path is not None:
        from quantdesk.store.embedded import open_embedded

        return open_embedded(address.path, read_only=True)
    from quantdesk.store.server.reader import open_server_reader

    return open_server_reader(address)


def try_address(address: StoreAddress) -> StoreFacts:
    """Connect, look and let go again (*Test connection*); raises StoreError saying what to do."""
    reader = open_reader(address)
    try:
        return reader.facts()
    finally:
        reader.close()
