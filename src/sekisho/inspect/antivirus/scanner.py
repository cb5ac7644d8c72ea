"""One engine: asked patiently while it may only be restarting, and watched."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sekisho.inspect.antivirus.engine import (
    CONNECT_SECONDS,
    Answer,
    EngineAwayError,
    EngineConnection,
    EngineError,
    TooBigError,
)
from sekisho.inspect.antivirus.pool import Pool

_T = TypeVar("_T")
_Work = Callable[[EngineConnection], Awaitable[_T]]
_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_VERSION_SECONDS = 10.0  # how long a version is taken for the present one


class Health(Struct, frozen=True):
    """How an engine is: `up` or not, `since` when (UTC); `error` is the last one, "" once it has worked again."""

    name: str
    up: bool
    version: str
    since: datetime
    error: str


class Scanner:
    """One engine with its connections. Every question may raise EngineError.

    An engine that went away is waited for: for `timeout_seconds` after it was last there, so that a restart or an
    update of its signatures holds no mail. After that, questions fail at once until it is back.
    """

    def __init__(self, name: str, pool: Pool, timeout_seconds: float) -> None:
        self.name = name
        self._pool = pool
        self._timeout = timeout_seconds
        self._health = Health(name, up=False, version="", since=datetime.now(UTC), error="")
        self._down_at: float | None = None
        self._asked_at: float | None = None
        self._asking: asyncio.Task[str] | None = None

    @property
    def health(self) -> Health:
        """How the engine is, as last seen; not up before anybody has asked it."""
        return self._health

    def close(self) -> None:
        """Close the connections that are idle, and the others after their scans."""
        self._pool.close()

    async def check(self) -> Health:
        """Ask the engine now, without patience. Never raises."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._watched(self._pool.probe, self._ask_version)
        except TimeoutError:
            self._went_down(f"no answer within {CONNECT_SECONDS:g} s")
        except EngineError:
            _log.debug("antivirus %s does not answer", self.name, exc_info=True)
        return self._health

    async def version(self) -> str:
        """Engine and signatures, asked for anew every ten seconds; all who want to know it wait for one question."""
        now = asyncio.get_running_loop().time()
        if self._health.up and self._asked_at is not None and now - self._asked_at < _VERSION_SECONDS:
            return self._health.version
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._patiently(self._ask_version))
            self._asking.add_done_callback(seen)
        return await asyncio.shield(self._asking)

    async def scan(self, content: bytes) -> Answer:
        """Have content looked at, within the time that an engine has."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._patiently(lambda connection: connection.scan(content))
        except TimeoutError:
            self._asked_at = None  # whether the engine or the content is to blame, the next question shows
            why = f"no answer within {self._timeout:g} s"
            self._health = replace(self._health, error=why)
            raise EngineError(why) from None

    async def _patiently(self, work: _Work[_T]) -> _T:
        broken = 0
        while True:
            try:
                return await self._watched(self._pool.use, work)
            except EngineAwayError as error:
                broken += error.reached
                if broken > 1 or not self._may_come_back():
                    raise
            await asyncio.sleep(_RETRY_SECONDS)

    async def _watched(self, use: Callable[[_Work[_T]], Awaitable[_T]], work: _Work[_T]) -> _T:
        async def watched(connection: EngineConnection) -> _T:
            result = await work(connection)
            self._came_up(connection.version)
            return result

        try:
            return await use(watched)
        except EngineAwayError as error:
            self._went_down(str(error))
            raise
        except TooBigError:
            raise
        except EngineError as error:
            self._health = replace(self._health, error=str(error))
            raise

    async def _ask_version(self, connection: EngineConnection) -> str:
        await connection.check()
        self._asked_at = asyncio.get_running_loop().time()
        return connection.version

    def _may_come_back(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._down_at is not None and now - self._down_at < self._timeout

    def _came_up(self, version: str) -> None:
        if not self._health.up:
            _log.info("antivirus %s answers: %s", self.name, version)
        since = self._health.since if self._health.up else datetime.now(UTC)
        self._health = Health(self.name, up=True, version=version, since=since, error="")
        self._down_at = None

    def _went_down(self, error: str) -> None:
        if self._down_at is None:
            self._down_at = asyncio.get_running_loop().time()
            _log.warning("antivirus %s: %s", self.name, error)
        since = datetime.now(UTC) if self._health.up else self._health.since
        self._health = Health(self.name, up=False, version=self._health.version, since=since, error=error)


def seen(task: asyncio.Task[_T]) -> None:
    """Take note of a task's end, so that nobody who waited for it in vain leaves a warning behind."""
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()
