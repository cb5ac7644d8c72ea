"""A few daemon threads for what may block: files, fsync, reading the database.

Not concurrent.futures' pool: that one waits at exit for a thread that hangs on a dead disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")
_Task = tuple["Future[Any]", Callable[[], Any], Callable[[], None] | None]


class Threads:
    """`count` threads, started as tasks come; each calls `at_end` when it ends."""

    def __init__(self, name: str, count: int, at_end: Callable[[], None]) -> None:
        self._name = name
        self._count = count
        self._at_end = at_end
        self._started: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()

    def submit(self, run: Callable[[], _T], undo: Callable[[], None] | None = None) -> Future[_T]:
        """Run in one of the threads. `undo` runs there after all if the future was cancelled meanwhile."""
        future: Future[_T] = Future()
        self._tasks.put((future, run, undo))
        if len(self._started) < self._count:
            self._start()
        return future

    def _start(self) -> None:
        with self._lock:
            if len(self._started) < self._count:
                name = f"{self._name}-{len(self._started)}"
                self._started.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._started[-1].start()

    def close(self, seconds: float) -> None:
        """Let the threads end after what is queued; waits for them, but not longer."""
        deadline = time.monotonic() + seconds
        for _ in self._started:
            self._tasks.put(None)
        for thread in self._started:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            _perform(*task)
            del task  # a message of many megabytes must not wait here for the next one
        self._at_end()


def _perform(future: Future[Any], run: Callable[[], Any], undo: Callable[[], None] | None) -> None:
    if future.cancelled():
        return
    result, failure = None, None
    try:
        result = run()
    except BaseException as error:  # noqa: BLE001 - belongs to whoever waits for the future
        failure = error
    if future.set_running_or_notify_cancel():
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)
    elif failure is None and undo is not None:
        undo()
