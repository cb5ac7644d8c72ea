"""Getting small documents by HTTPS: policies of MTA-STS, logos and certificates of BIMI (RFC 8461 3.3, RFC 9110)."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sekisho.mail.fetched import Fetched

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

_MOST_HEAD = 16_384  # octets
_ADDRESSES = 4
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


class _BadError(Exception):
    """What came back is not HTTP as it should be."""


class _LongError(Exception):
    """More than was to be read."""


class HttpsFetcher:
    """Gets documents; implements `mail.ports.Fetcher`.

    TLS 1.2 at least and a certificate for the name (`ca_file`, or the system's authorities); no redirects, no
    cookies. Each fetch takes `timeout_seconds` at most. Addresses that are not public are not asked unless
    `private`: the names are chosen by strangers. Reads `ca_file` once, here; raises OSError and ssl.SSLError then.
    """

    def __init__(self, timeout_seconds: float = 20.0, ca_file: Path | None = None, *, private: bool = False) -> None:
        self._timeout = timeout_seconds
        self._private = private
        self._context = ssl.create_default_context(cafile=ca_file)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["http/1.1"])

    async def fetch(self, url: str, most_bytes: int) -> Fetched:
        """The document at an `https:` URL. Raises nothing. Source: RFC 9110, RFC 8461 3.3."""
        try:
            parts = urlsplit(url)
            port = parts.port or 443
        except ValueError:
            return Fetched("bad", why="not a URL")
        sayable = url.isascii() and url.isprintable() and " " not in url
        if parts.scheme != "https" or not parts.hostname or parts.username or not sayable:
            return Fetched("bad", why="not a URL to be asked")
        try:
            async with asyncio.timeout(self._timeout):
                return await self._asked(parts, parts.hostname, port, most_bytes)
        except TimeoutError:
            return Fetched("away", why="no answer in time")

    async def _asked(self, parts: SplitResult, host: str, port: int, most_bytes: int) -> Fetched:
        addresses = await self._addresses(host, port)
        failure = Fetched("away", why="the name has no address to be asked")
        for address in addresses:
            try:
                reader, writer = await asyncio.open_connection(address, port, ssl=self._context, server_hostname=host)
            except ssl.SSLCertVerificationError as error:
                return Fetched("certificate", why=error.verify_message)
            except ssl.SSLError as error:
                return Fetched("tls", why=error.reason or "")
            except OSError as error:
                failure = Fetched("away", why=error.strerror or type(error).__name__)
                continue
            return await _exchange(parts, reader, writer, most_bytes)
        return failure

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        addresses = [str(entry[4][0]) for entry in found]
        return [one for one in dict.fromkeys(addresses) if self._private or _is_public(one)][:_ADDRESSES]


def _is_public(address: str) -> bool:
    with suppress(ValueError):
        read = ip_address(address.partition("%")[0])
        mapped = getattr(read, "ipv4_mapped", None)
        return (mapped or read).is_global and not (mapped or read).is_multicast
    return False


async def _exchange(
    parts: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most_bytes: int
) -> Fetched:
    until = _expiry(writer)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: sekisho\r\nConnection: close\r\n\r\n"
    try:
        writer.write(request.encode("ascii"))
        code, fields = await _head(reader)
        if code != 200:
            return Fetched("redirect" if 300 <= code < 400 else "http", code=code, not_after=until)
        body = await _body(reader, fields, most_bytes)
    except _LongError:
        return Fetched("too-long", code=200, not_after=until)
    except ssl.SSLError as error:  # TLS 1.3 tells some failures only now
        return Fetched("tls", not_after=until, why=error.reason or "")
    except (_BadError, ValueError, EOFError) as error:
        return Fetched("bad", not_after=until, why=str(error)[:80] or "the answer ends too early")
    except OSError:
        return Fetched("away", not_after=until, why="the connection broke")
    finally:
        writer.transport.abort()
    kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    return Fetched("ok", body, kind, code, until)


def _expiry(writer: asyncio.StreamWriter) -> datetime | None:
    seen = writer.get_extra_info("peercert") or {}
    with suppress(ValueError, KeyError, TypeError):
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(seen["notAfter"]), UTC)
    return None


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes]]:
    """The status and the fields of the answer; interim answers (1xx) are passed over. RFC 9112 2.1, RFC 9110 15.2."""
    left = _MOST_HEAD
    code, fields = 100, dict[bytes, bytes]()
    while code < 200:
        line, left = await _line(reader, left)
        status = _STATUS.fullmatch(line)
        if status is None:
            raise _BadError("not an answer of HTTP")
        code, fields = int(status[1]), {}
        while True:
            line, left = await _line(reader, left)
            if not line:
                break
            name, _, value = line.partition(b":")
            fields.setdefault(name.strip().lower(), value.strip())
    return code, fields


async def _line(reader: asyncio.StreamReader, left: int) -> tuple[bytes, int]:
    line = await reader.readline()
    if not line.endswith(b"\n") or len(line) > left:
        raise _BadError("a header that does not end")
    return line.rstrip(b"\r\n"), left - len(line)


async def _body(reader: asyncio.StreamReader, fields: dict[bytes, bytes], most: int) -> bytes:
    """The body, by chunks, by length or up to the end. RFC 9112 6.3."""
    if fields.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _BadError("an encoding that was not asked for")
    if b"transfer-encoding" in fields:
        if fields[b"transfer-encoding"].lower() != b"chunked":
            raise _BadError("an unknown transfer encoding")
        return await _chunks(reader, most)
    if b"content-length" in fields:
        length = fields[b"content-length"]
        if not length.isdigit():
            raise _BadError("a length that is no number")
        if len(length) > 12 or int(length) > most:
            raise _LongError
        return await reader.readexactly(int(length))
    body = bytearray()
    while piece := await reader.read(16_384):
        body += piece
        if len(body) > most:
            raise _LongError
    return bytes(body)


async def _chunks(reader: asyncio.StreamReader, most: int) -> bytes:
    """A body in chunks; what follows the last one is not read. RFC 9112 7.1."""
    body = bytearray()
    while True:
        head = _CHUNK.fullmatch(await reader.readline())
        if head is None:
            raise _BadError("a chunk without a length")
        size = int(head[1], 16)
        if size == 0:
            return bytes(body)
        if len(body) + size > most:
            raise _LongError
        body += await reader.readexactly(size)
        if (await reader.readline()).strip():
            raise _BadError("a chunk of another length")
