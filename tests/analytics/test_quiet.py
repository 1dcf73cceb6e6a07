"""Warnings are silenced for a while and by one thread at a time, so that the filters come back as they were."""

from __future__ import annotations

import threading
import warnings

from quantdesk.analytics.quiet import quiet


def test_what_is_silenced_comes_back():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with quiet(UserWarning):
            warnings.warn("unheard", UserWarning, stacklevel=1)
            warnings.warn("heard", FutureWarning, stacklevel=1)
        warnings.warn("heard again", UserWarning, stacklevel=1)
    assert [str(one.message) for one in seen] == ["heard", "heard again"]


def test_two_threads_leave_the_filters_as_they_found_them():
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with quiet():
            inside.set()
            leave.wait(5)

    def second() -> None:
        with quiet(UserWarning):
            pass

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(5)
    threads[1].start()
    threads[1].join(0.1)
    assert threads[1].is_alive(), "the second waits for the first"
    leave.set()
    for thread in threads:
        thread.join(5)
    assert list(warnings.filters) == before
