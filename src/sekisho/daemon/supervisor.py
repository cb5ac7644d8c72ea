"""The parent of the process tree: starts children, replaces dead ones, passes signals on. Handles no mail itself."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

log = logging.getLogger(__name__)

# What the supervisor waits for; blocked, and inherited so by the children.
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1}
_LIVED_WELL_SECONDS = 10.0
_MAX_PAUSE_SECONDS = 2.0
_READY_SECONDS = 60.0
_MARGIN_SECONDS = 5.0


class Pipes(Struct, frozen=True):
    """What a child is given: write one byte to `ready` when it works; `life` reads as closed when the parent died."""

    ready: int
    life: int


class Child(Struct):
    """One place in the tree and the process that fills it. `failures`: early deaths in a row."""

    name: str
    run: Callable[[Pipes], int]
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0


class Supervisor:
    """Keeps one process running for each name in `roles`.

    `reload` is called on SIGHUP and says whether the new configuration is good; then the children get SIGHUP too.
    `ready` is called once when all children work, `reaped` with the pid of each dead child.
    """

    def __init__(
        self,
        roles: Mapping[str, Callable[[Pipes], int]],
        *,
        drain_seconds: float,
        reload: Callable[[], bool],
        ready: Callable[[], None],
        reaped: Callable[[int], None],
    ) -> None:
        self._children = [Child(name, run) for name, run in roles.items()]
        self._drain_seconds = drain_seconds
        self._reload = reload
        self._ready = ready
        self._reaped = reaped
        self._stopping = False
        self._life_read, self._life_write = os.pipe()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, then drain. Returns the exit status: 0, or 3 when nothing ever worked."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        ready_read, ready_write = os.pipe()
        for child in self._children:
            self._start(child, ready_write)
        if not self._all_ready(ready_read):
            self._stop()
            return 3
        _guarded(self._ready)
        notify_systemd("READY=1")
        while self._one_signal():
            self._start_missing(ready_write)
        notify_systemd("STOPPING=1")
        self._stop()
        return 0

    def _start(self, child: Child, ready: int) -> None:
        child.started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(self._life_write)
            os._exit(_child(child, Pipes(ready, self._life_read)))
        child.pid = pid

    def _all_ready(self, ready: int) -> bool:
        """Wait for one byte from each child; a child that ends first means that the gateway cannot start."""
        os.set_blocking(ready, False)
        deadline = time.monotonic() + _READY_SECONDS
        seen = 0
        while seen < len(self._children) and time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                seen += len(os.read(ready, 1024))
                continue
            got = signal.sigtimedwait(WATCHED, 0.02)
            if got and got.si_signo in (signal.SIGTERM, signal.SIGINT):
                return False
            if got and got.si_signo == signal.SIGCHLD and self._reap():
                log.error("a process ended while starting; see the lines above")
                return False
        return seen == len(self._children)

    def _one_signal(self) -> bool:
        """Wait for a signal, at most a second. False: stop."""
        got = signal.sigtimedwait(WATCHED, 1.0)
        if got is None:
            return True
        if got.si_signo in (signal.SIGTERM, signal.SIGINT):
            return False
        if got.si_signo == signal.SIGCHLD:
            for child in self._reap():
                self._plan_restart(child)
        elif got.si_signo == signal.SIGUSR1:
            self._signal(signal.SIGUSR1)
        elif self._reload_all():
            self._signal(signal.SIGHUP)
        return True

    def _reload_all(self) -> bool:
        notify_systemd(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        good = bool(_guarded(self._reload))
        notify_systemd("READY=1")
        return good

    def _reap(self) -> list[Child]:
        """Collect every child that ended."""
        ended: list[Child] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            _guarded(self._reaped, pid)
            for child in self._children:
                if child.pid == pid:
                    child.pid = 0
                    ended.append(child)
                    level = logging.INFO if self._stopping else logging.WARNING
                    log.log(level, "%s (pid %d) ended: %s", child.name, pid, _how(status))

    def _plan_restart(self, child: Child) -> None:
        """At once after a good life; after early deaths in a row with growing pauses."""
        now = time.monotonic()
        lived_well = now - child.started >= _LIVED_WELL_SECONDS
        child.failures = 0 if lived_well else child.failures + 1
        pause = 0.0 if child.failures <= 1 else min(0.25 * 2**child.failures, _MAX_PAUSE_SECONDS)
        child.start_at = now + pause

    def _start_missing(self, ready: int) -> None:
        for child in self._children:
            if child.pid == 0 and time.monotonic() >= child.start_at:
                self._start(child, ready)

    def _signal(self, number: int) -> None:
        for child in self._children:
            if child.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, number)

    def _stop(self) -> None:
        """Let the children drain; end those that take too long."""
        self._stopping = True
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self._drain_seconds + _MARGIN_SECONDS
        while any(child.pid for child in self._children):
            self._reap()
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)


def _guarded(call: Callable[..., object], *arguments: object) -> object:
    """Call back; None where that failed. Whatever it was is no reason to end the gateway."""
    try:
        return call(*arguments)
    except Exception:
        log.exception("the supervisor goes on after a failure")
        return None


def _child(child: Child, pipes: Pipes) -> int:
    """The child's life from fork to exit status; nothing of the parent's stack may run on.

    The watched signals stay blocked until the child has its handlers (`child.until_told`), so that none is lost.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches the whole group: the parent decides
    try:
        return child.run(pipes)
    except BaseException:  # also what asks the interpreter to exit: os._exit comes after this
        log.exception("%s failed", child.name)
        return 1


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def notify_systemd(state: str) -> None:
    """Tell systemd (sd_notify(3)), where it started us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)
