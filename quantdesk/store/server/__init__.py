"""Keep a store in a PostgreSQL database, with TimescaleDB where the server has it.

On a server every instrument has one writer at a time: a lease by the server's clock with a fencing
number (`server/leases.py`), renewed by each write. Who does not have it stands by
(`store/standby.py`): it keeps in memory what the store lacks, and when it takes over, the feed
adopts the holes that the other left (`Opening.adopt`). A server that is away is an error of each
use, never of the start: the spill file takes what the writer cannot place.
"""
