import threading

import pytest

from sekisho.store.threads import Threads


@pytest.fixture(name="ended")
def _ended():
    return []


@pytest.fixture(name="threads")
def _threads(ended):
    threads = Threads("test", 2, lambda: ended.append(threading.current_thread().name))
    yield threads
    threads.close(5.0)


def test_results_and_failures(threads):
    assert threads.submit(lambda: 6 * 7).result(5) == 42
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(5)


def test_two_at_a_time(threads):
    meeting = threading.Barrier(2, timeout=5)
    futures = [threads.submit(meeting.wait) for _ in range(2)]
    assert sorted(future.result(5) for future in futures) == [0, 1]


def test_what_was_given_up_meanwhile_is_undone(threads):
    started, go_on, undone = threading.Event(), threading.Event(), threading.Event()

    def run():
        started.set()
        go_on.wait(5)

    future = threads.submit(run, undone.set)
    assert started.wait(5)
    assert future.cancel()
    go_on.set()
    assert undone.wait(5)


def test_what_was_given_up_before_it_began_is_not_run(threads):
    meeting, ran = threading.Barrier(3, timeout=5), []
    for _ in range(2):
        threads.submit(meeting.wait)
    future = threads.submit(lambda: ran.append(1))
    assert future.cancel()
    meeting.wait()
    assert threads.submit(lambda: ran).result(5) == []


def test_close_ends_each_thread_after_what_is_queued(threads, ended):
    futures = [threads.submit(lambda: None) for _ in range(10)]
    threads.close(5.0)
    assert all(future.done() for future in futures)
    assert sorted(ended) == ["test-0", "test-1"]


def test_close_does_not_wait_for_a_thread_that_hangs():
    go_on = threading.Event()
    threads = Threads("test", 1, lambda: None)
    future = threads.submit(lambda: go_on.wait(30))
    threads.close(0.0)
    assert not future.done()
    go_on.set()
    assert future.result(5)
