"""Opening a connection to a next hop: address, TLS, login."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from sekisho.act.connection import Connection
from sekisho.mail.reply import Reply
from sekisho.wire.client_events import ClientOptions, Failed, Login
from sekisho.wire.smtp_client import NO_LOGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.config.settings import NextHopSettings, NextHopTls

_log = logging.getLogger(__name__)

UNREACHABLE = Reply(451, "4.1", "The next hop cannot be reached")
BAD_TLS = Reply(451, "7.5", "The encryption to the next hop cannot be trusted")
_ADDRESSES = 8


class DialError(Exception):
    """No connection. `reply` is for the client, `cause` for the log; `tls`: the TLS handshake failed."""

    def __init__(self, reply: Reply, cause: str, *, tls: bool = False) -> None:
        super().__init__(cause)
        self.reply = reply
        self.cause = cause
        self.tls = tls


def host_and_port(text: str, port: int = 25) -> tuple[str, int]:
    """Read "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address. Raises ValueError."""
    host, colon, digits = text.rpartition(":")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"not a host and port: {text!r}")
        colon, digits = rest[:1], rest[1:]
    elif not colon or ":" in host:
        host, colon = text, ""
    if colon:
        port = int(digits) if digits.isascii() and digits.isdigit() else 0
    if not host or not 0 < port < 65536:
        raise ValueError(f"not a host and port: {text!r}")
    return host, port


class Dialer:
    """Opens connections as the settings want them.

    Reads `ca_file` and `password_file` once, here. Raises ValueError, naming the setting, where they cannot be read.
    """

    def __init__(self, settings: NextHopSettings, hostname: str) -> None:
        self._settings = settings
        self._hostname = hostname
        self._login = _login(settings)
        self._context = _tls_context(settings)

    async def dial(self, host: str, port: int, on_closed: Callable[[Connection], None]) -> Connection:
        """A connection that is ready for a transaction; each address of the host is tried. Raises DialError."""
        last = DialError(UNREACHABLE, "the name has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._dial_address(host, address, on_closed)
            except DialError as error:
                last = error
                if error.reply is NO_LOGIN:  # the same password again could lock the account
                    break
        raise last

    async def _addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """IP addresses of both families, in the resolver's order."""
        try:
            return [(str(ip_address(host)), port)]
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DialError(UNREACHABLE, f"cannot resolve {host}: {error or 'no answer in time'}") from error
        unique = dict.fromkeys((str(entry[4][0]), port) for entry in found)
        return list(unique)[:_ADDRESSES]

    async def _dial_address(
        self, host: str, address: tuple[str, int], on_closed: Callable[[Connection], None]
    ) -> Connection:
        settings = self._settings
        try:
            return await self._attempt(host, address, settings.tls, on_closed)
        except DialError as error:
            if not error.tls or settings.tls != "opportunistic" or settings.implicit_tls:
                raise
            # RFC 7435 3: encryption that fails is no worse than none was before
            _log.warning("next hop %s:%d: TLS failed, going on in clear: %s", host, address[1], error.cause)
        return await self._attempt(host, address, "off", on_closed)

    async def _attempt(
        self, host: str, address: tuple[str, int], tls: NextHopTls, on_closed: Callable[[Connection], None]
    ) -> Connection:
        implicit = self._settings.implicit_tls
        options = ClientOptions(
            hostname=self._hostname,
            tls=tls,
            encrypted=implicit,
            loopback=ip_address(address[0].partition("%")[0]).is_loopback,
            login=self._login,
        )
        connection = Connection(options, self._settings, on_closed)
        await self._connect(connection, host, address, self._context if implicit else None)
        try:
            event = await connection.opened(self._context, host)
        except OSError as error:
            connection.abort()
            raise DialError(BAD_TLS, f"TLS handshake: {error or 'no answer in time'}", tls=True) from error
        except asyncio.CancelledError:
            connection.abort()
            raise
        if isinstance(event, Failed):
            raise DialError(event.reply, event.cause)
        return connection

    async def _connect(
        self, connection: Connection, host: str, address: tuple[str, int], context: ssl.SSLContext | None
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                await loop.create_connection(
                    lambda: connection, *address, ssl=context, server_hostname=host if context else None
                )
        except ssl.SSLError as error:
            raise DialError(BAD_TLS, f"TLS handshake: {error}", tls=True) from error
        except OSError as error:
            connection.abort()
            raise DialError(UNREACHABLE, f"cannot connect: {error or 'no answer in time'}") from error


def _login(settings: NextHopSettings) -> Login | None:
    if not settings.username:
        return None
    try:
        password = Path(settings.password_file).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ValueError(f"password_file of the next hop for {settings.username!r}: {error}") from error
    return Login(settings.username, password.rstrip("\r\n"))


def _tls_context(settings: NextHopSettings) -> ssl.SSLContext | None:
    if settings.tls == "off" and not settings.implicit_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise ValueError(f"ca_file of the next hop, {settings.ca_file!r}: {error}") from error
    if settings.tls != "verified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
