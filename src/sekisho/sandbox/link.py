"""The gateway's end of a spawner: start it, hand jobs over, notice when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from sekisho.sandbox.limits import SandboxError, SandboxLimits
from sekisho.sandbox.messages import (
    MOST_OCTETS,
    Ended,
    Failed,
    Job,
    Kill,
    Ready,
    Setup,
    ToSpawner,
    decode_to_gateway,
    encode,
)
from sekisho.sandbox.under_way import UnderWay

_START_SECONDS = 60.0
_LINGER_SECONDS = 1.0
_OBEY_SECONDS = 5.0  # for a killed job to be gone, and for the spawner to end
_WRITE_OCTETS = 1 << 20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_LOST = SandboxError("died", "the spawner ended")


class Link:
    """A spawner. `warm` from when it takes jobs until it is gone; `on_job_gone` is called when a job's process is."""

    def __init__(self, limits: SandboxLimits, on_job_gone: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._on_job_gone = on_job_gone
        self._jobs: dict[int, UnderWay] = {}
        self._number = 0
        self._said: asyncio.Future[Ready | Failed] = self._loop.create_future()
        self._reaping: asyncio.Future[int] | None = None
        self.confinement: tuple[str, ...] = ()
        self.warm = False
        self._lost = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(0)
        self._errors = -1
        try:
            with theirs:
                self._errors = os.memfd_create("errors", os.MFD_CLOEXEC)
                self._process = _exec(theirs.fileno(), self._errors)
        except BaseException:
            self._control.close()
            self._close_errors()
            raise
        self._loop.add_reader(self._control.fileno(), self._on_readable)

    @property
    def pid(self) -> int:
        """The spawner's."""
        return self._process.pid

    async def set_up(self, job: str, configuration: bytes) -> None:
        """Wait until the spawner is warm. Raises SandboxError("unavailable")."""
        try:
            said = await self._wait_until_ready(job, configuration)
            if isinstance(said, Ready):
                self.confinement = said.confinement
                self.warm = not self._lost
                return
            why = said.why or self._last_words()
        except BaseException:
            self._lose()
            raise
        finally:
            self._close_errors()
        self._lose()
        raise SandboxError("unavailable", why)

    async def _wait_until_ready(self, job: str, configuration: bytes) -> Ready | Failed:
        path = tuple(place for place in sys.path if Path(place).is_absolute())
        descriptor = await memory_file(configuration)
        try:
            self._send(Setup(job, path, self._limits, os.getpid()), descriptor)
        finally:
            os.close(descriptor)
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await self._said
        except TimeoutError:
            return Failed(f"not ready within {_START_SECONDS:g} s")

    def submit(self, request: int) -> UnderWay:
        """Hand a job over; `request` is a `memory_file`, which stays the caller's to close.

        Raises SandboxError, OSError where this process is short of descriptors.
        """
        self._number += 1
        read, write = os.pipe()
        try:
            self._send(Job(self._number), request, write)
            os.set_blocking(read, False)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        job = UnderWay(self._number, read, self._limits)
        self._jobs[job.number] = job
        return job

    def release(self, job: UnderWay) -> None:
        """Nobody waits for this job any more: see that its process ends, at once where it did not answer."""
        answered = job.answered
        job.drop()
        if job.number not in self._jobs:
            return
        if answered:  # it is about to end, unless it has other plans
            self._loop.call_later(_LINGER_SECONDS, self._kill, job.number)
        else:
            self._kill(job.number)

    async def close(self, seconds: float) -> None:
        """Wait so long for jobs under way, then end the spawner and whatever it runs."""
        if self._jobs:
            await asyncio.wait([job.gone for job in self._jobs.values()], timeout=seconds)
        self._lose(kill=False)
        await self.reaped()

    async def reaped(self) -> None:
        """Wait until the spawner is no process any more."""
        if self._reaping:
            await asyncio.shield(self._reaping)

    def _send(self, message: ToSpawner, *descriptors: int) -> None:
        try:
            socket.send_fds(self._control, [encode(message)], descriptors)
        except OSError as error:  # also a full buffer: it has not read for hundreds of messages
            self._lose()
            raise SandboxError("died", f"the spawner does not read: {error.strerror}") from None

    def _on_readable(self) -> None:
        try:
            octets = self._control.recv(MOST_OCTETS)
            message = decode_to_gateway(octets) if octets else None
        except BlockingIOError:
            return
        except (OSError, msgspec.DecodeError):
            message = None
        if message is None:
            self._lose()
        elif isinstance(message, Ended):
            self._on_ended(message)
        elif not self._said.done():
            self._said.set_result(message)

    def _on_ended(self, ended: Ended) -> None:
        job = self._jobs.pop(ended.number, None)
        if job:
            job.on_ended(ended)
            self._on_job_gone()

    def _kill(self, number: int) -> None:
        if number in self._jobs:
            with contextlib.suppress(SandboxError):
                self._send(Kill(number))
            self._loop.call_later(_OBEY_SECONDS, self._insist, number)

    def _insist(self, number: int) -> None:
        if number in self._jobs:
            self._lose()

    def _lose(self, *, kill: bool = True) -> None:
        """The spawner is gone, or is to be: its processes die with it."""
        if self._lost:
            return
        self.warm, self._lost = False, True
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        if kill:
            self._process.kill()
        self._reaping = self._loop.run_in_executor(None, _reap, self._process)
        if not self._said.done():
            self._said.set_result(Failed(""))
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.on_lost(_LOST)
            self._on_job_gone()

    def _close_errors(self) -> None:
        if self._errors >= 0:
            os.close(self._errors)
            self._errors = -1

    def _last_words(self) -> str:
        size = os.fstat(self._errors).st_size
        said = os.pread(self._errors, 2_000, max(0, size - 2_000)).decode(errors="replace").strip()
        return said or "the spawner ended before it was ready"


def _exec(control: int, errors: int) -> subprocess.Popen[bytes]:
    """A fresh interpreter that shares nothing with this process but the socket. Raises SandboxError."""
    # Where the interpreter finds its own library, in installations that need it; nothing else of ours.
    passed = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    # Isolated (-I), but for packages in the user's own directory where this process has its packages there.
    flags = ["-E", "-P", "-s"] if sys.flags.no_user_site else ["-E", "-P"]
    command = [sys.executable, *flags, "-m", "sekisho.sandbox.spawner", str(control)]
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(control,),
            cwd="/",
            env={"LC_ALL": "C.UTF-8"} | passed,
            process_group=0,  # a Ctrl-C is for the gateway; a session of its own would undo `nice` (sched(7))
        )
    except OSError as error:
        raise SandboxError("unavailable", f"{sys.executable}: {error.strerror}") from error


def _reap(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_OBEY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


async def memory_file(octets: bytes) -> int:
    """A descriptor to these octets, which nobody can change. Raises OSError. Others have turns between the pieces."""
    descriptor = os.memfd_create("request", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        left = memoryview(octets)
        while left:
            left = left[os.write(descriptor, left[:_WRITE_OCTETS]) :]
            if left:
                await asyncio.sleep(0)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
