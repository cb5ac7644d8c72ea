"""The process that stays warm: it imports a job once and forks a confined process for every request.

Started by `sekisho.sandbox.link` with a control socket and nothing else; it ends when that socket does.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from sekisho.sandbox.child import Work, live, whole
from sekisho.sandbox.confine import Walls, die_with, memory
from sekisho.sandbox.messages import (
    MOST_DESCRIPTORS,
    MOST_OCTETS,
    Ended,
    Failed,
    Job,
    Kill,
    Ready,
    Setup,
    ToGateway,
    ToSpawner,
    decode_to_spawner,
    encode,
)
from sekisho.sandbox.trial import tried

_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_LONGEST_WHY = 4_000
_COLLECT_AFTER = 20_000  # objects: a job is over before its garbage matters


class Spawner:
    """Forks for each request, and says how each process ended. One thread, one loop."""

    def __init__(self, control: socket.socket, setup: Setup, job: Callable[[bytes], bytes]) -> None:
        self._control = control
        walls = Walls(setup.limits)
        up, found = tried(walls)
        self._work = Work(job, walls, up, setup.limits.answer_bytes)
        self._ready = Ready(up + found)
        _, self._warm_bytes = memory()
        self._numbers: dict[int, int] = {}  # of jobs, by pid
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Fork until the gateway closes its end, then kill what still runs."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to be woken
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - jobs' libraries print what they read
            os.dup2(nowhere.fileno(), 2)
        self._tell(self._ready)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        try:
            while self._one_turn({descriptor for descriptor, _ in poll.poll()}):
                pass
        finally:
            self._kill_all()

    def _one_turn(self, ready: set[int]) -> bool:
        """False: the gateway has gone."""
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
            self._reap()
        if self._control.fileno() not in ready:
            return True
        message, descriptors = receive(self._control)
        if isinstance(message, Job):
            self._fork(message.number, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        if isinstance(message, Kill):
            self._kill(message.number)
        return message is not None

    def _fork(self, number: int, descriptors: list[int]) -> None:
        if len(descriptors) != MOST_DESCRIPTORS:
            self._tell(Ended(number, 0, 0.0, 0, "its descriptors did not arrive"))
            return
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(Ended(number, 0, 0.0, 0, f"fork: {error.strerror}"))
            return
        if pid == 0:
            self._become_child(*descriptors)
        self._numbers[pid] = number

    def _become_child(self, request: int, answer: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake)
            os.close(self._woken)
            live(self._work, request, answer)
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Tell the gateway of every process that ended."""
        for pid in list(self._numbers):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                number = self._numbers.pop(pid)
                peak = max(0, usage.ru_maxrss * 1024 - self._warm_bytes)
                self._tell(Ended(number, status, usage.ru_utime + usage.ru_stime, peak))

    def _kill(self, number: int) -> None:
        """Only here are processes waited for: a pid in the table cannot have become somebody else's."""
        for pid, job in self._numbers.items():
            if job == number:
                os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._numbers:
            os.waitpid(pid, 0)

    def _tell(self, message: ToGateway) -> None:
        with contextlib.suppress(OSError):  # its end is closed: the next receive says so
            self._control.send(encode(message))


def receive(control: socket.socket) -> tuple[ToSpawner | None, list[int]]:
    """The next message and its descriptors; None when the other end was closed."""
    try:
        octets, descriptors, _, _ = socket.recv_fds(control, MOST_OCTETS, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return None, []
    return (decode_to_spawner(octets) if octets else None), descriptors


def main(descriptor: int) -> int:
    """Serve on the control socket that this descriptor is. Returns the exit status."""
    _ignore_signals()
    control = socket.socket(fileno=descriptor)
    setup, descriptors = receive(control)
    if not isinstance(setup, Setup):
        return 0
    try:
        die_with(setup.gateway_pid)
        spawner = Spawner(control, setup, _warm(setup, *descriptors))
    except BaseException:  # noqa: BLE001 - whatever a job's imports raise; the gateway logs it
        control.send(encode(Failed(traceback.format_exc()[-_LONGEST_WHY:])))
        return 1
    spawner.serve()
    return 0


def _ignore_signals() -> None:
    """Signals are for the gateway, which may be draining: this process ends when its socket does."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the gateway's workers block some, and exec keeps that


def _warm(setup: Setup, configuration: int) -> Callable[[bytes], bytes]:
    """Import the job and let it prepare; what is loaded now is shared by all its processes."""
    sys.path += [place for place in setup.path if place not in sys.path]
    module, _, function = setup.job.partition(":")
    octets = whole(configuration)
    os.close(configuration)
    job: Callable[[bytes], bytes] = getattr(importlib.import_module(module), function)(octets)
    gc.collect()
    gc.freeze()  # or the first collection in a child would copy every page
    gc.set_threshold(_COLLECT_AFTER)
    _clear_free_memory()
    return job


def _clear_free_memory() -> None:
    """Give it back to the kernel, whose pages are zero: the same for every job that a library does not clear for."""
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
