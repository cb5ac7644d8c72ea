"""What the gateway uses: a job that runs on untrusted octets, each time in a fresh, confined process."""

from __future__ import annotations

import asyncio
import os

from sekisho.sandbox.limits import SandboxError, SandboxLimits
from sekisho.sandbox.link import Link, memory_file
from sekisho.sandbox.under_way import UnderWay

_PAUSE_SECONDS = 5.0  # after a start that failed: it would fail again, and costs the time of many messages


class Sandbox:
    """Runs `job` in forks of one warm process, at most `processes` at once; each fork answers one request.

    `job` names "module:function"; the function is called once with `configuration` and returns what is called with
    each request, bytes in and bytes out. It runs without files, sockets, threads, new processes or memory that code
    may run from (so without callbacks made by ctypes): all that it needs is to be loaded before, by the function.
    Each process of the gateway has its own Sandbox, in one event loop.
    """

    def __init__(self, job: str, configuration: bytes, limits: SandboxLimits, processes: int) -> None:
        self._job = job
        self._configuration = configuration
        self._limits = limits
        self._slots = asyncio.Semaphore(processes)
        self._starting = asyncio.Lock()
        self._link: Link | None = None
        self._closed = False
        self._failed: tuple[float, SandboxError] | None = None

    @property
    def confinement(self) -> tuple[str, ...]:
        """The walls that are up, as a trial process found them; empty while there is no warm process."""
        return self._link.confinement if self._link and self._link.warm else ()

    async def start(self) -> None:
        """Have a warm process; `run` does it where this was not called. Raises SandboxError("unavailable")."""
        self._closed, self._failed = False, None
        await self._warm()

    async def run(self, request: bytes) -> bytes:
        """The job's answer. Raises SandboxError. Cancelled, it kills the job.

        The `wall_seconds` of the limits do not contain the waiting while `processes` others run, which is in order
        of calls and has no limit of its own: a message is not to count as unreadable because others were slow.
        """
        await self._slots.acquire()
        try:
            link, job = await self._submitted(request)
        except BaseException:
            self._slots.release()
            raise
        try:
            async with asyncio.timeout(self._limits.wall_seconds):
                return await job.answer
        except TimeoutError:
            raise SandboxError("time", f"no answer within {self._limits.wall_seconds:g} s") from None
        finally:
            link.release(job)  # the slot comes free when the process is gone

    async def close(self, seconds: float = 5.0) -> None:
        """Take no more jobs, wait so long for those under way, then kill them. Waiting calls get "unavailable"."""
        self._closed = True
        async with self._starting:
            if self._link:
                await self._link.close(seconds)

    async def _submitted(self, request: bytes) -> tuple[Link, UnderWay]:
        """The job, and who runs it: who is there once the request is written, as a spawner may end meanwhile."""
        try:
            given = await memory_file(request)
            try:
                link = await self._warm()
                return link, link.submit(given)
            finally:
                os.close(given)
        except OSError as error:
            raise SandboxError("unavailable", str(error)) from error

    async def _warm(self) -> Link:
        if self._link and self._link.warm and not self._closed:
            return self._link
        async with self._starting:  # one starts, the others wait for it
            if self._closed:
                raise SandboxError("unavailable", "closed")
            if self._link and self._link.warm:
                return self._link
            return await self._start_spawner()

    async def _start_spawner(self) -> Link:
        now = asyncio.get_running_loop().time()
        if self._failed and now - self._failed[0] < _PAUSE_SECONDS:
            raise SandboxError("unavailable", self._failed[1].detail)
        if self._link:
            await self._link.reaped()
        try:
            self._link = Link(self._limits, self._slots.release)
            await self._link.set_up(self._job, self._configuration)
        except (SandboxError, OSError) as error:
            unavailable = SandboxError("unavailable", error.detail if isinstance(error, SandboxError) else str(error))
            self._failed = (now, unavailable)
            raise unavailable from error
        self._failed = None
        return self._link
