"""Asks a virus scanner that speaks ICAP, as most commercial ones do. RFC 3507."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Literal

from sekisho.config.load import EngineAddress
from sekisho.inspect.antivirus.engine import (
    CHECK_SECONDS,
    Answer,
    EngineAwayError,
    EngineError,
    EngineStream,
    Threat,
)
from sekisho.mail.finding import Severity
from sekisho.wire.icap import (
    Exchange,
    Infection,
    Method,
    Options,
    Service,
    ask_options,
    have_scanned,
    infection,
    istag,
    read_options,
)
from sekisho.wire.icap_response import IcapSyntaxError, Response

_MEANINGS = {
    "virus": ("malware/icap", Severity.CRITICAL),
    "policy": ("attachment/heuristic", Severity.MEDIUM),
    "container": ("attachment/over-limit", Severity.HIGH),
}


class IcapConnection:
    """A persistent connection to an ICAP service, with the options it gave."""

    def __init__(self, stream: EngineStream, service: Service, method: Method) -> None:
        self._stream = stream
        self._service = service
        self._method = method
        self._options = Options("")
        self._closes = False
        self.version = ""

    @classmethod
    async def open(cls, address: EngineAddress, method: Method) -> IcapConnection:
        """Connect and ask for the options. Raises EngineError."""
        service = Service(address.host, address.port, address.service)
        connection = cls(await EngineStream.open(address), service, method)
        try:
            await connection.check()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def most_connections(self) -> int:
        """Max-Connections."""
        return self._options.connections

    @property
    def usable(self) -> bool:
        """Whether another question can be asked."""
        return self._stream.usable and not self._closes

    def close(self) -> None:
        """Close at once."""
        self._stream.close()

    async def check(self) -> None:
        """Ask for the options. Raises EngineError."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                options = read_options(await self._exchange(ask_options(self._service)))
        except TimeoutError:
            self.close()
            raise EngineAwayError(f"no answer within {CHECK_SECONDS:g} s", reached=True) from None
        except IcapSyntaxError as error:
            raise EngineAwayError(str(error), reached=True) from error
        if options.methods and self._method not in options.methods:
            methods = ", ".join(options.methods)
            raise EngineAwayError(f"the service takes {methods[:60]}, not {self._method}", reached=True)
        self._options = options
        self.version = f"{options.service} {options.istag}".strip()

    async def scan(self, content: bytes) -> Answer:
        """Have content looked at. Raises EngineError."""
        asked = have_scanned(self._service, self._method, content, self._options.preview)
        response = await self._exchange(asked)
        if (tag := istag(response)) and tag != self._options.istag:
            self.version = f"{self._options.service} {tag}".strip()
        if (found := infection(response)) is not None:
            return Answer(meaning_of(found))
        if response.status == 204:
            return Answer()
        if response.status == 200:
            return Answer() if self._as_it_was(response, content) else Answer(meaning_of(_REPLACED))
        why = f"the engine says: {response.status} {response.reason[:100]}".rstrip()
        if response.status in _PASSING:
            raise EngineAwayError(why, reached=True)
        raise EngineError(why)

    async def _exchange(self, exchange: Exchange) -> Response:
        try:
            answer = await self._stream.ask(exchange.outgoing(), exchange.receive)
            if answer == "continue":
                answer = await self._stream.ask(exchange.rest(), exchange.receive)
        except IcapSyntaxError as error:
            self.close()
            raise EngineAwayError(str(error), reached=True) from error
        if not isinstance(answer, Response):  # the core takes one 100 at most
            raise EngineAwayError("100 twice", reached=True)
        self._closes = self._closes or answer.closes or not exchange.complete
        return answer

    def _as_it_was(self, response: Response, content: bytes) -> bool:
        """Whether the engine gave back what it got: the way to say "clean" of those that do not know 204."""
        expected = 200 if self._method == "RESPMOD" else 0
        if response.http_status != expected or response.body_bytes != len(content):
            return False
        return response.body_sha256 == hashlib.sha256(content).digest()


_REPLACED = Infection("the engine replaced the content and did not say why")
_PASSING = frozenset((408, 503))  # RFC 3507 4.3.3: request timeout, service overloaded


def meaning_of(found: Infection) -> Threat:
    """Our finding for what an ICAP engine reports."""
    kind: Literal["virus", "policy", "container"] = found.kind
    rule, severity = _MEANINGS[kind]
    return Threat.named(rule, severity, found.name)
