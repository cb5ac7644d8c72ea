"""Logins tried at a mail server (IMAP or SMTP): it knows the passwords, and we keep none."""

from __future__ import annotations

import asyncio
import hmac
import os
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from sekisho.accounts.sources.source import Checked, Known, Reach, SourceAwayError
from sekisho.config.account_settings import LoginServerSettings
from sekisho.config.source_checks import is_loopback, server_place
from sekisho.mail.account import Account, LoginAttempt, ScramKeys, canonical_login
from sekisho.wire.client_events import ClientOptions, Failed, Login, Ready, StartTls
from sekisho.wire.imap_login import Answer, ImapLogin
from sekisho.wire.smtp_client import LOST, SmtpClient

Kind = Literal["imap", "smtp"]

_READ_OCTETS = 4096
_MOST_REMEMBERED = 100_000


class _Trial(Protocol):
    """A protocol core that tries one login."""

    def receive(self, data: bytes) -> Sequence[StartTls | Answer]: ...

    def take_output(self) -> list[bytes]: ...

    def tls_started(self) -> Sequence[StartTls | Answer]: ...

    def goodbye(self) -> bytes: ...


class LoginServer:
    """See `accounts.sources.source.Source`. It cannot tell a wrong password from an unknown account.

    `path` makes paths of the settings absolute; `hostname` is ours, for EHLO. `clock` counts seconds. Raises OSError
    and ValueError where settings cannot be used.
    """

    has_keys = False

    def __init__(
        self,
        name: str,
        kind: Kind,
        settings: LoginServerSettings,
        reach: Reach,
        path: Callable[[str], Path],
        *,
        hostname: str = "localhost",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.reach = reach
        self._kind = kind
        self._settings = settings
        self._hostname = hostname
        self._host, self._port = server_place(settings.server)
        ca_file = path(settings.ca_file) if settings.ca_file else None
        self._context = ssl.create_default_context(cafile=ca_file)
        self._free = asyncio.Semaphore(settings.connections)
        self._memory = Memory(settings.remember_seconds, clock)

    async def check(self, attempt: LoginAttempt, password: str) -> Checked:
        """Whether the server lets somebody in with the password. Raises SourceAwayError."""
        login = attempt.login
        if not password or not login or "\0" in login + password or not self.reach.includes(attempt):
            return None
        if not self._memory.knows(login, password):
            answer = await self._answer(Login(login, password))
            if answer.kind == "away":
                raise SourceAwayError(answer.cause)
            if answer.kind != "passed":
                self._memory.forget(login)
                return None
            self._memory.keep(login, password)
        own = canonical_login(login)
        return Known(Account(self.reach.tenant, own, (own,) if "@" in own else ()))

    async def keys(self, attempt: LoginAttempt) -> ScramKeys | None:  # noqa: ARG002 - a Source's
        """None."""
        return None

    async def proved(self, attempt: LoginAttempt) -> Checked:  # noqa: ARG002 - a Source's
        """None."""
        return None

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _answer(self, login: Login) -> Answer:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds), self._free:
                return await self._try(login)
        except TimeoutError:
            return Answer("away", "no answer in time")
        except (OSError, ssl.SSLError, EOFError) as error:
            return Answer("away", f"{type(error).__name__}: {error}")

    async def _try(self, login: Login) -> Answer:
        encrypted = self._settings.tls == "implicit"
        reader, writer = await asyncio.open_connection(
            self._host,
            self._port,
            ssl=self._context if encrypted else None,
            server_hostname=self._host if encrypted else None,
        )
        try:
            trial = self._trial(login)
            answer = await self._talk(trial, reader, writer)
            writer.write(trial.goodbye())
            return answer
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    def _trial(self, login: Login) -> _Trial:
        encrypted = self._settings.tls == "implicit"
        if self._kind == "imap":
            return _ImapTrial(login, encrypted=encrypted, start_tls=self._settings.tls == "starttls")
        options = ClientOptions(
            self._hostname,
            tls="verified" if self._settings.tls == "starttls" else "off",
            encrypted=encrypted,
            loopback=is_loopback(self._host),
            login=login,
        )
        return _SmtpTrial(options)

    async def _talk(self, trial: _Trial, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        while True:
            data = await reader.read(_READ_OCTETS)
            if not data:
                raise EOFError("the server has closed the connection")
            events = list(trial.receive(data))
            while events:
                event = events.pop(0)
                if isinstance(event, Answer):
                    return event
                await writer.start_tls(self._context, server_hostname=self._host)
                events.extend(trial.tls_started())
            writer.writelines(trial.take_output())
            await writer.drain()


class _ImapTrial(ImapLogin):
    """An IMAP login as the shell wants it."""

    def goodbye(self) -> bytes:
        """What is left to be written: LOGOUT."""
        return b"".join(self.take_output())


class _SmtpTrial:
    """A login at an SMTP server, by the client core that also sends mail."""

    def __init__(self, options: ClientOptions) -> None:
        self._core = SmtpClient(options)

    def receive(self, data: bytes) -> list[StartTls | Answer]:
        return self._answers(self._core.receive(data))

    def tls_started(self) -> list[StartTls | Answer]:
        return self._answers(self._core.tls_started())

    def take_output(self) -> list[bytes]:
        return self._core.take_output()

    def goodbye(self) -> bytes:
        self._core.quit()
        output = b"".join(self._core.take_output())
        self._core.lost(LOST, "over")
        return output

    def _answers(self, events: Sequence[object]) -> list[StartTls | Answer]:
        found: list[StartTls | Answer] = []
        for event in events:
            if isinstance(event, StartTls):
                found.append(event)
            elif isinstance(event, Ready):
                found.append(Answer("passed"))
            elif isinstance(event, Failed):
                reply = self._core.login_reply
                # RFC 4954 6: 535 is the password's fault, 454 and others say nothing of it
                wrong = reply is not None and reply.code in (535, 550)
                found.append(Answer("denied") if wrong else Answer("away", event.cause))
        return found


class Memory:
    """Logins that were right a short while ago: nothing but a keyed hash, under a key that no disk has seen."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._key = os.urandom(32)
        self._known: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def keep(self, login: str, password: str) -> None:
        """Note that this is the login's password."""
        if self._seconds <= 0:
            return
        self._known[login] = (self._digest(login, password), self._clock() + self._seconds)
        self._known.move_to_end(login)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def knows(self, login: str, password: str) -> bool:
        """Whether it was, lately."""
        digest, until = self._known.get(login, (b"", 0.0))
        return until > self._clock() and hmac.compare_digest(digest, self._digest(login, password))

    def forget(self, login: str) -> None:
        """The password of this login may be another now."""
        self._known.pop(login, None)

    def _digest(self, login: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{login}\0{password}".encode("utf-8", "surrogatepass"), "sha256")
