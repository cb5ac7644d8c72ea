"""One job as the gateway sees it: its answer arrives through a pipe, its end through the spawner."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal

import msgspec

from sekisho.sandbox.limits import Reason, SandboxError, SandboxLimits
from sekisho.sandbox.messages import ANSWER, FAILURE, HEADER, MOST_FAILURE, Ended, decode_failure

_READ_OCTETS = 65_536
_READS_IN_A_TURN = 2  # a header and a small answer; then others have their turn
_BIG_PIPE_OCTETS = 1 << 20  # what an ordinary user may have

# How a process ends that did not expect an allocation to fail.
_CRASHES = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGTRAP))


class UnderWay:
    """A job that was handed over. `answer` is what it said or a SandboxError; `gone` when its process is no more."""

    def __init__(self, number: int, pipe: int, limits: SandboxLimits) -> None:
        self._loop = asyncio.get_running_loop()
        self.number = number
        self.answer: asyncio.Future[bytes] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._limits = limits
        self._pipe = pipe
        self._read_at_once = _READ_OCTETS
        self._octets = bytearray()  # no list of pieces: a job can make them as small as it likes
        self._kind = b""  # until the header has come
        self._left = HEADER.size  # octets of the header, then of what follows it
        self._wanted = HEADER.size
        self._ended: Ended | None = None
        self._loop.add_reader(pipe, self._on_readable)

    @property
    def answered(self) -> bool:
        """Whether the job has done what it was to do."""
        return self.answer.done() and not self.answer.cancelled() and self.answer.exception() is None

    def on_ended(self, ended: Ended) -> None:
        """The process is gone; what it wrote may still be in the pipe."""
        self._ended = ended
        if not self.gone.done():
            self.gone.set_result(None)
        if self._pipe < 0 or ended.error:
            self._settle_without_answer()

    def on_lost(self, error: SandboxError) -> None:
        """The spawner is gone, and with it the process."""
        self._fail(error)
        if not self.gone.done():
            self.gone.set_result(None)

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        self._close()
        if not self.answer.cancel() and not self.answer.cancelled():
            self.answer.exception()  # seen, so that asyncio does not complain

    def _on_readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_READS_IN_A_TURN):
                if self._pipe >= 0:
                    self._on_chunk(os.read(self._pipe, self._wanted))

    def _on_chunk(self, chunk: bytes) -> None:
        if not chunk:
            self._close()
            if self._ended:
                self._settle_without_answer()
            return
        self._octets += chunk
        self._left -= len(chunk)
        if not self._left and self._kind:
            self._settle()
        elif not self._left:
            self._on_header()
        self._wanted = min(self._left, self._read_at_once)

    def _on_header(self) -> None:
        kind, length = HEADER.unpack(self._octets)
        self._kind, self._left = kind, length
        self._octets.clear()
        if kind not in (ANSWER, FAILURE) or (kind == FAILURE and length > MOST_FAILURE):
            self._fail(SandboxError("died", "its answer is no answer"))
        elif length > self._limits.answer_bytes and kind == ANSWER:
            self._fail(SandboxError("answer-size", f"{length} octets"))
        elif not length:
            self._settle()
        elif length > _READ_OCTETS:
            with contextlib.suppress(OSError):  # of many pipes: the user's share is used up
                self._read_at_once = fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _BIG_PIPE_OCTETS)

    def _settle(self) -> None:
        """The frame is whole. The process may still be about to end: that is waited for by `gone`."""
        body = bytes(self._octets)
        self._octets.clear()
        if self._kind == ANSWER:
            self._close()
            self.answer.set_result(body)
            return
        try:
            failure = decode_failure(body)
        except msgspec.DecodeError:
            self._fail(SandboxError("died", "its answer is no answer"))
        else:
            self._fail(SandboxError(failure.reason, failure.detail))

    def _settle_without_answer(self) -> None:
        if self._ended:
            self._fail(reason_of(self._ended, self._limits))

    def _fail(self, error: SandboxError) -> None:
        self._close()
        if not self.answer.done():
            self.answer.set_exception(error)

    def _close(self) -> None:
        if self._pipe >= 0:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1


def reason_of(ended: Ended, limits: SandboxLimits) -> SandboxError:
    """Why a process gave no answer, from how it ended.

    A crash or an exit counts as "memory" where most of the allowance was in use: C libraries seldom survive a failed
    malloc, and some end the process themselves.
    SIGKILL comes from the kernel, for too much processor time (setrlimit(2)) or because the machine is out of memory.
    """
    if ended.error:
        return SandboxError("unavailable", ended.error)
    code = os.waitstatus_to_exitcode(ended.status)
    reason: Reason = "died"
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and ended.cpu_seconds >= limits.cpu_seconds):
        reason = "cpu"
    elif code == -signal.SIGKILL or ((code > 0 or -code in _CRASHES) and ended.peak_bytes * 2 > limits.memory_bytes):
        reason = "memory"
    how = f"exit status {code}" if code >= 0 else f"signal {_name(-code)}"
    return SandboxError(reason, f"{how} after {ended.cpu_seconds:.2f} s CPU, {ended.peak_bytes >> 20} MiB")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have none
        return str(number)
