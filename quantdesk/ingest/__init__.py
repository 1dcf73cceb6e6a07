"""Fan ticks out to the store and to whoever listens, each exactly once.

A `Tape` (`ingest/tape.py`: files; `ingest/merged_tape.py`: a stored span, opened files) yields
records, `ingest/replay.py` tells them to the same listener, `ingest/transport.py` steers it. The
exchange's clock is told at every 250 ms of its own time, the marks; between two marks records are
only told, at a mark the replay waits for its `Follower` (`app/replay_following.py`): the market
tells what closed, the frame is built, every rule judges it. Marks depend on the records alone, so
neither speed nor scrubbing changes a bar, frame or alert. Resting, stepping and seeking end at
marks; backwards means from the start, unpainted. Rules on tick correlation and lead-lag are the
exception: their findings come by the wall clock.
"""
