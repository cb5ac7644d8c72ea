"""Asks clamd, and says what its signatures' names mean."""

from __future__ import annotations

import asyncio

from sekisho.config.load import EngineAddress
from sekisho.inspect.antivirus.engine import (
    CHECK_SECONDS,
    Answer,
    EngineAwayError,
    EngineError,
    EngineStream,
    Threat,
    TooBigError,
)
from sekisho.mail.finding import Severity
from sekisho.wire.clamd import ClamdSession, ClamdSyntaxError, Clean, Found, Refused, Reply, TooLarge, Version

# clamd's heuristics and settings also alert to what is only unusual. Names of clamd.conf(5) and of its documentation.
_MEANINGS = (
    ("Heuristics.Encrypted.", "attachment/encrypted", Severity.MEDIUM),
    ("Heuristics.Limits.Exceeded", "attachment/over-limit", Severity.HIGH),
    ("Heuristics.Phishing.", "attachment/heuristic", Severity.MEDIUM),
    ("Heuristics.Safebrowsing.", "attachment/heuristic", Severity.MEDIUM),
    ("Heuristics.Structured.", "attachment/heuristic", Severity.MEDIUM),
    ("Heuristics.OLE2.ContainsMacros", "attachment/heuristic", Severity.MEDIUM),
    ("Heuristics.Broken.", "attachment/heuristic", Severity.MEDIUM),
    ("PUA.", "attachment/heuristic", Severity.MEDIUM),
)


class ClamdConnection:
    """A session with clamd."""

    most_connections = 0

    def __init__(self, stream: EngineStream) -> None:
        self._stream = stream
        self._session = ClamdSession()
        self.version = ""

    @classmethod
    async def open(cls, address: EngineAddress) -> ClamdConnection:
        """Connect and ask for the version. Raises EngineError."""
        connection = cls(await EngineStream.open(address))
        try:
            await connection.check()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether another question can be asked."""
        return self._stream.usable and not self._session.waits

    def close(self) -> None:
        """Close at once."""
        self._stream.close()

    async def check(self) -> None:
        """Ask for the version. Raises EngineError."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                reply = await self._stream.ask([self._session.version()], self._one_reply)
        except TimeoutError:
            self.close()
            raise EngineAwayError(f"no answer within {CHECK_SECONDS:g} s", reached=True) from None
        if not isinstance(reply, Version):
            self.close()
            raise EngineAwayError(f"no version: {reply.why if isinstance(reply, Refused) else reply}", reached=True)
        self.version = reply.text

    async def scan(self, content: bytes) -> Answer:
        """Have content looked at. Raises EngineError."""
        reply = await self._stream.ask(self._session.scan(content), self._one_reply)
        match reply:
            case Clean():
                return Answer()
            case Found(signature):
                return Answer(meaning_of(signature))
        self.close()  # whether clamd still listens after an error depends on the error
        if isinstance(reply, TooLarge):
            raise TooBigError("larger than the engine takes (StreamMaxLength in clamd.conf)")
        raise EngineError(f"the engine says: {reply.why if isinstance(reply, Refused) else reply}")

    def _one_reply(self, data: bytes) -> Reply | None:
        try:
            replies = self._session.receive(data)
        except ClamdSyntaxError as error:
            raise EngineAwayError(str(error), reached=True) from error
        return replies[0] if replies else None


def meaning_of(signature: str) -> Threat:
    """Our finding for clamd's name of what it found. Whatever is not known to be harmless is malware."""
    for beginning, rule, severity in _MEANINGS:
        if signature.startswith(beginning):
            return Threat.named(rule, severity, signature)
    if signature.startswith("Heuristics.") and "Phishing" in signature:
        return Threat.named("attachment/heuristic", Severity.MEDIUM, signature)
    return Threat.named("malware/clamav", Severity.CRITICAL, signature)
