"""Reading ICAP responses from bytes: header, encapsulated HTTP headers, chunked body. Bounded, and without I/O."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct

HEAD_BYTES = 65_536
HTTP_BYTES = 262_144  # all encapsulated HTTP headers together
LINE_BYTES = 4096  # a chunk's length line, a trailer line

_STATUS = re.compile(r"ICAP/1\.[0-9] ([1-5][0-9][0-9])(?: (.*))?")
_HTTP_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-9][0-9][0-9])(?: .*)?")
_SECTION = re.compile(r"(req-hdr|res-hdr|req-body|res-body|opt-body|null-body)\s*=\s*([0-9]{1,7})")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")


_T = TypeVar("_T")


class IcapSyntaxError(Exception):
    """What came is not an ICAP response, or is larger than any honest one. Nothing after it can be trusted."""


class Response(Struct, frozen=True):
    """A response. Field names are lower case, folded lines joined by a line feed, a repeated field by ", ".

    `http_status` is that of the encapsulated HTTP response, 0 where there is none or a request; `body_sha256` and
    `body_bytes` are those of the encapsulated body, None and 0 where there is none.
    """

    status: int
    reason: str
    headers: dict[str, str]
    http_status: int = 0
    http_headers: dict[str, str] = {}
    body_sha256: bytes | None = None
    body_bytes: int = 0

    @property
    def closes(self) -> bool:
        """Whether the server ends the connection after it."""
        return "close" in self.headers.get("connection", "").lower()


# Yields None while more octets are needed, and the response in the end.
_Steps = Generator[Response | None, None, _T]


class ResponseReader:
    """Takes octets as they come; `feed` returns the response when it is complete. A body is counted, not kept."""

    def __init__(self, body_limit: int) -> None:
        self._limit = body_limit
        self._buffer = bytearray()
        self._steps = self._read()

    @property
    def at_end(self) -> bool:
        """Whether nothing came behind the response."""
        return not self._buffer

    def next_response(self) -> None:
        """Read another response, after 100 Continue."""
        self._steps = self._read()

    def feed(self, data: bytes) -> Response | None:
        """Take octets (b"" looks at what is there already). Raises IcapSyntaxError."""
        self._buffer += data
        return next(self._steps, None)

    def _read(self) -> _Steps[None]:
        head = yield from self._until(b"\r\n\r\n", HEAD_BYTES)
        first, _, fields = head.partition("\r\n")
        match = _STATUS.fullmatch(first)
        if match is None:
            raise IcapSyntaxError(f"not an ICAP response: {first[:60]!r}")
        headers = _fields(fields)
        response = Response(int(match[1]), match[2] or "", headers)
        sections = _sections(headers.get("encapsulated", ""))
        if response.status in {100, 204} or not sections:
            yield response
            return
        yield from self._encapsulated(response, sections)

    def _encapsulated(self, response: Response, sections: list[tuple[str, int]]) -> _Steps[None]:
        kind, length = sections[-1]
        while len(self._buffer) < length:
            yield None
        wrapped = bytes(self._buffer[:length])
        del self._buffer[:length]
        status, http_headers = _http(wrapped, sections)
        digest: bytes | None = None
        size = 0
        if kind != "null-body":
            digest, size = yield from self._body()
        yield Response(response.status, response.reason, response.headers, status, http_headers, digest, size)

    def _body(self) -> _Steps[tuple[bytes, int]]:
        digest, size = hashlib.sha256(), 0
        while True:
            line = yield from self._until(b"\r\n", LINE_BYTES)
            match = _CHUNK.fullmatch(line.encode("latin-1"))
            if match is None:
                raise IcapSyntaxError(f"not the length of a chunk: {line[:60]!r}")
            left = int(match[1], 16)
            if not left:
                break
            size += left
            if size > self._limit:
                raise IcapSyntaxError("a body that is far larger than what was sent")
            yield from self._chunk(left, digest)
        for _ in range(64):  # trailers
            if not (yield from self._until(b"\r\n", LINE_BYTES)):
                return digest.digest(), size
        raise IcapSyntaxError("too many trailers")

    def _chunk(self, left: int, digest: hashlib._Hash) -> _Steps[None]:
        while left:
            while not self._buffer:
                yield None
            piece = bytes(self._buffer[:left])
            del self._buffer[: len(piece)]
            digest.update(piece)
            left -= len(piece)
        while len(self._buffer) < 2:
            yield None
        if self._buffer[:2] != b"\r\n":
            raise IcapSyntaxError("a chunk longer than it says")
        del self._buffer[:2]

    def _until(self, end: bytes, limit: int) -> _Steps[str]:
        """The octets before `end`, decoded one to one; `end` is taken away too."""
        searched = 0
        while (found := self._buffer.find(end, searched)) < 0:
            searched = max(0, len(self._buffer) - len(end))
            if searched > limit:
                raise IcapSyntaxError("a header or line without an end")
            yield None
        text = bytes(self._buffer[:found]).decode("latin-1")
        del self._buffer[: found + len(end)]
        return text


def _sections(value: str) -> list[tuple[str, int]]:
    """The sections of Encapsulated with their offsets, the body last. Raises IcapSyntaxError (RFC 3507 4.4.1)."""
    if not value.strip():
        return []
    sections = []
    for item in value.split(","):
        match = _SECTION.fullmatch(item.strip().lower())
        if match is None:
            raise IcapSyntaxError(f"Encapsulated: {value[:60]!r}")
        sections.append((match[1], int(match[2])))
    offsets = [offset for _, offset in sections]
    if offsets != sorted(offsets) or offsets[-1] > HTTP_BYTES or not sections[-1][0].endswith("-body"):
        raise IcapSyntaxError(f"Encapsulated: {value[:60]!r}")
    return sections


def _http(wrapped: bytes, sections: list[tuple[str, int]]) -> tuple[int, dict[str, str]]:
    """Status and fields of the encapsulated response, where there is one."""
    for (kind, start), (_, end) in pairwise(sections):
        if kind == "res-hdr":
            first, _, fields = wrapped[start:end].decode("latin-1").partition("\r\n")
            match = _HTTP_STATUS.fullmatch(first)
            return (int(match[1]) if match else 0), _fields(fields)
    return 0, {}


def _fields(text: str) -> dict[str, str]:
    """Header fields. Lines without a colon are skipped: what they mean nobody knows."""
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for line in text.split("\r\n"):
        if line[:1] in {" ", "\t"}:
            values.append("\n" + line.strip())
            continue
        name, colon, value = line.partition(":")
        key = name.strip().lower() if colon else ""
        values = found.setdefault(key, []) if key else []
        values += [", ", value.strip()] if values else [value.strip()]
    return {name: _printable("".join(values)) for name, values in found.items()}


def _printable(value: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in value)
