"""What the virus scanners have in common: the words of an answer, the ways to fail, and a connection's stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from sekisho.config.load import EngineAddress
from sekisho.mail.finding import Severity

_T = TypeVar("_T")
_READ_BYTES = 65_536
_NAME_CHARS = 200
CONNECT_SECONDS = 5.0
CHECK_SECONDS = 10.0


class Threat(Struct, frozen=True):
    """What an engine found: our rule's id, how grave it is, and the engine's name for it."""

    rule: str
    severity: Severity
    name: str

    @classmethod
    def named(cls, rule: str, severity: Severity, name: str) -> Threat:
        """The same, with a name that is short and printable whatever the engine sent."""
        return cls(rule, severity, "".join(c if c.isprintable() else " " for c in name[:_NAME_CHARS]).strip())


class Answer(Struct, frozen=True):
    """The result of a scan: a threat, or None for clean content."""

    threat: Threat | None = None


class EngineError(Exception):
    """The engine answered, but did not scan this content; the text says why."""


class TooBigError(EngineError):
    """The engine does not take content of this size."""


class EngineAwayError(EngineError):
    """The engine cannot be asked. `reached`: a connection stood, and broke or talked nonsense."""

    def __init__(self, why: str, *, reached: bool) -> None:
        super().__init__(why)
        self.reached = reached


class EngineConnection(Protocol):
    """One open connection to an engine, for one question at a time. Whoever gives up on a question closes it."""

    @property
    def version(self) -> str:
        """Engine and signatures as last heard."""

    @property
    def most_connections(self) -> int:
        """How many connections the engine can hold, 0: it does not say."""

    @property
    def usable(self) -> bool:
        """Whether another question can be asked."""

    async def check(self) -> None:
        """Ask for the version. Raises EngineError."""

    async def scan(self, content: bytes) -> Answer:
        """Have content looked at. Raises EngineError."""

    def close(self) -> None:
        """Close at once, whatever is under way."""


class EngineStream:
    """A byte stream to an engine: sends and reads at the same time, for engines answer before they have read all."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._broken = False

    @classmethod
    async def open(cls, address: EngineAddress) -> EngineStream:
        """Connect. Raises EngineAwayError."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if address.socket:
                    return cls(*await asyncio.open_unix_connection(address.socket))
                return cls(*await asyncio.open_connection(address.host, address.port))
        except TimeoutError:
            raise EngineAwayError(f"no connection within {CONNECT_SECONDS:g} s", reached=False) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise EngineAwayError(f"no connection: {why}", reached=False) from error

    @property
    def usable(self) -> bool:
        """Whether nothing went wrong so far and the peer has not closed."""
        return not (self._broken or self._writer.is_closing() or self._reader.at_eof())

    def close(self) -> None:
        """Close at once."""
        self._broken = True
        self._writer.transport.abort()

    async def ask(self, pieces: Iterable[bytes | memoryview], receive: Callable[[bytes], _T | None]) -> _T:
        """Send the pieces; give `receive` what comes, b"" first, until it makes something of it.

        Raises EngineAwayError where the connection ends before, and what `receive` raises.
        """
        async with self._sending(pieces):
            answer = receive(b"")
            while answer is None:
                data = await self._read()
                answer = receive(data)
            return answer

    @contextlib.asynccontextmanager
    async def _sending(self, pieces: Iterable[bytes | memoryview]) -> AsyncIterator[None]:
        task = asyncio.create_task(self._send(pieces))
        whole = False
        try:
            yield
            whole = True
        finally:
            # An answer before everything was sent leaves the engine waiting for the rest.
            if whole and not task.done():
                await asyncio.sleep(0)  # everything may be sent and the task not yet have heard of it
            self._broken = self._broken or not (whole and task.done())
            task.cancel()

    async def _send(self, pieces: Iterable[bytes | memoryview]) -> None:
        try:
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
        except (OSError, RuntimeError):  # RuntimeError: uvloop, on a transport that is closed
            self._broken = True  # what the engine said before it closed is still to be read

    async def _read(self) -> bytes:
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as error:
            raise EngineAwayError(f"the connection broke: {type(error).__name__}", reached=True) from error
        if not data:
            raise EngineAwayError("the engine closed the connection", reached=True)
        return data
