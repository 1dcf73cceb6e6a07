"""Keep ticks, bars and the ledger; read them back.

`ticks` keyed (instrument, ts, agg_id), instrument = venue and symbol; `bars` (1s, 1m, 5m) of them;
`source_bars` for klines and files whose trades we do not hold; `gaps`, the ledger of missing ids;
one view `all_bars`: complete trade bars before source bars before partial trade bars. The other
intervals (`bars/derived.py`: 5s, 15s, 15m, 1h, 4h, 1d) are kept nowhere: `store/derived.py` folds
them at read, `model/derived_bars.py` while they form; klines of them are source bars, fetched when
such an interval is first shown.

Whole days come in behind the feed's back (`ingest/download.py`, through the writer's `call`, some
thousand rows a turn): `store/day_ledger.py` marks the day as being filled, then as filled, and
books the seams beside it; a mark that a crash left is settled by the next writer. What a person
deletes is booked as `dropped` first, then goes in slices (`store/deletion.py`), and the session's
models read the span again; only that state is neither a hole nor missing.

`alerts` keeps each firing once, keyed by what was judged, with snapshot and outcome; the newest
50,000. What waits for an absent store at the end goes to `alerts.left` (`store/left_alerts.py`) and
is replayed. Posts to webhooks go out by `feed/webhook.py`, queued by `app/webhooks.py`; their
secrets are no part of a rule, which a store keeps with each firing.

Two stores keep one promise (`store/base.py`): a SQLite file (`store/embedded.py`) and a PostgreSQL
database (`store/server/`). Tables are described once (`store/schema.py`), reads are one code
(`store/reader.py`), so are the writes above the insert itself (`store/sql_writer.py`). Bars come in
two forms, told apart at every connect (`server/probe.py`):

- *tables*, upserted in the transaction of their ticks: SQLite, plain PostgreSQL, TimescaleDB's
  Apache edition;
- *continuous aggregates* 1s → 1m → 5m, real-time on every level, on the community edition: `bars`
  is a view of the same shape over them and `kept_bars` (bars whose trades are gone). What a write
  touches is refreshed by our own thread (`server/refresher.py`: seconds first, never the open
  bucket, never what lies before dropped trades); the server's policies are a net.

The first paint reads its bars with plain sqlite3 through the file's own view
(`store/last_bars.py`); everything later goes through `reader.py`. Before an update of its tables a
file is copied and checked (`store/backup.py`); a server's backups are its administrator's.
"""
