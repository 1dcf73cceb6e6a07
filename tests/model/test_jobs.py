from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QRunnable

from quantdesk.model.jobs import JobLane, JobRunner
from tests.model.conftest import spin


def test_a_result_comes_back_on_the_main_thread(jobs, until):
    seen = []
    jobs.submit("a", threading.get_ident, lambda ident: seen.append((ident, threading.get_ident())))
    until(lambda: seen)
    (worker, here) = seen[0]
    assert here == threading.get_ident() != worker


def test_of_one_key_one_runs_and_only_the_newest_waits(jobs, until):
    gate, ran, done = threading.Event(), [], []

    def job(number):
        ran.append(number)
        assert gate.wait(20)
        return number

    for number in range(5):
        jobs.submit("a", lambda number=number: job(number), done.append)
    gate.set()
    until(lambda: done == [0, 4])
    assert ran == [0, 4]
    assert jobs.dropped == 3


def test_two_keys_run_side_by_side(jobs, until):
    meet, done = threading.Barrier(2, timeout=20), []
    jobs.submit("a", meet.wait, done.append)
    jobs.submit("b", meet.wait, done.append)
    until(lambda: len(done) == 2)


def test_a_failing_job_says_so_and_the_next_one_runs(jobs, qtbot):
    errors, done = [], []

    def fail():
        raise ValueError("no bars")

    with qtbot.waitSignal(jobs.failed, timeout=20_000) as told:
        jobs.submit("a", fail, done.append, errors.append)
        jobs.submit("a", lambda: 1, done.append)
    assert told.args == ["a", "ValueError: no bars"]
    assert [str(e) for e in errors] == ["no bars"]
    qtbot.waitUntil(lambda: done == [1], timeout=20_000)


def test_nobody_is_called_back_after_the_runner_closed(qapp):
    runner, done, gate = JobRunner(), [], threading.Event()
    runner.submit("a", lambda: gate.wait(20), done.append)
    runner.submit("a", lambda: 2, done.append)
    assert not runner.wait(0.01)
    gate.set()
    assert runner.close(20)
    runner.submit("a", lambda: 3, done.append)
    spin()
    assert done == []


def test_a_callback_may_submit_again(jobs, until):
    done = []
    jobs.submit("a", lambda: 1, lambda one: jobs.submit("a", lambda: one + 1, done.append))
    until(lambda: done == [2])


def test_thousands_of_jobs_leave_nothing_behind(jobs, until):
    done = []
    for number in range(2_000):
        jobs.submit(str(number), lambda number=number: number, done.append)
    until(lambda: len(done) == 2_000)
    assert not jobs.busy()


def test_what_has_carried_one_job_carries_the_next(jobs, until):
    def carriers() -> int:
        return sum(isinstance(each, QRunnable) for each in gc.get_objects())

    done, before = [], carriers()
    for number in range(50):
        jobs.submit("a", lambda: 1, done.append)
        until(lambda number=number: len(done) > number)
    assert carriers() <= before + 1, "the binding frees none of them"


def test_neither_what_a_job_took_nor_what_it_gave_stays_in_memory(qtbot) -> None:
    class Big:
        pass

    runner, alive = JobRunner(), []

    def give() -> Big:
        made = Big()
        alive.append(weakref.ref(made))
        return made

    for _ in range(5):
        taken = Big()
        alive.append(weakref.ref(taken))
        runner.submit("k", lambda held=taken: (held, give())[1], lambda _: None)
        del taken
        qtbot.waitUntil(lambda: not runner.busy())
    gc.collect()
    assert sum(ref() is not None for ref in alive) <= 2, "only the newest job may still be held"


def test_lanes_share_the_threads_but_not_the_keys_and_a_closed_one_is_silent(jobs, until) -> None:
    runner, held, done = jobs, threading.Event(), []
    one, two = JobLane(runner, "one"), JobLane(runner, "two")
    for lane, name in ((one, "one"), (two, "two")):
        lane.submit("work", held.wait, lambda _, n=name: done.append(n))
    one.submit("work", held.wait, lambda _: done.append("one again"))
    assert one.busy("work") and two.busy("work") and not runner.busy("work") and runner.dropped == 0
    two.close()
    two.submit("work", held.wait, lambda _: done.append("never"))
    held.set()
    until(lambda: not runner.busy())
    assert done == ["one", "one again"]


def test_what_is_wanted_first_passes_those_that_wait_for_a_thread(until) -> None:
    runner, held, order = JobRunner(threads=1), threading.Event(), []
    runner.submit("running", held.wait, lambda _: None)
    for name in ("a", "b"):
        runner.submit(name, lambda n=name: order.append(n), lambda _: None)
    runner.submit("first", lambda: order.append("first"), lambda _: None, first=True)
    held.set()
    until(lambda: not runner.busy())
    assert order == ["first", "a", "b"]
    runner.close()
