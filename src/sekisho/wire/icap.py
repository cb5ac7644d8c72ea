"""ICAP without I/O, the client's side: ask a service for its options, have content looked at. RFC 3507.

One `Exchange` is one request and its response on a connection that may carry others before and after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Literal

from msgspec import Struct

from sekisho.wire.icap_response import IcapSyntaxError, Response, ResponseReader

Method = Literal["RESPMOD", "REQMOD"]

CHUNK_BYTES = 262_144
MOST_PREVIEW_BYTES = 1_048_576

_CONTENT_TYPE = "application/octet-stream"
_INFECTION = re.compile(r"([A-Za-z]+)\s*=\s*([^;]*)")


class Options(Struct, frozen=True):
    """What a service says about itself (RFC 3507 4.10.2).

    `istag` names the state of engine and signatures; `preview` is how many octets it wants to see first, None: it
    takes no preview; `connections` how many it can hold, 0: it does not say.
    """

    istag: str
    service: str = ""
    preview: int | None = None
    connections: int = 0
    methods: tuple[str, ...] = ()


class Infection(Struct, frozen=True):
    """What an engine found: `kind` as in X-Infection-Found's Type ("virus", "policy", "container")."""

    name: str
    kind: Literal["virus", "policy", "container"] = "virus"


class State(Enum):
    """Where an exchange stands."""

    SENDING = auto()  # the whole request is on its way, or has been sent
    PREVIEW = auto()  # the preview was sent; the server says whether it wants the rest
    DONE = auto()


class Service(Struct, frozen=True):
    """A service by its address: icap://host:port/path."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """host:port, as the Host field has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def uri(self) -> str:
        """The absolute URI of the request line (RFC 3507 4.3.2)."""
        return f"icap://{self.authority}/{self.path}"


class Exchange:
    """One request. `outgoing` is sent, then what comes is given to `receive` until it returns the response."""

    def __init__(self, head: bytes, content: bytes | None = None, preview: int | None = None) -> None:
        self._head = head
        self._content = memoryview(content or b"")
        self._has_body = content is not None
        size = len(self._content)
        self._previewed = size if preview is None else min(preview, size)
        # RFC 3507 4.5: "ieof" says that the preview was everything
        self._whole = preview is None or self._previewed == size
        self._ends = b"0\r\n\r\n" if preview is None or not self._whole else b"0; ieof\r\n\r\n"
        self._reader = ResponseReader(body_limit=size + 1_048_576)
        self.state = State.PREVIEW if self._has_body and preview is not None else State.SENDING

    def outgoing(self) -> Iterator[bytes | memoryview]:
        """The request up to the end of its preview, or all of it where there is none."""
        yield self._head
        if self._has_body:
            yield from _chunks(self._content[: self._previewed])
            yield self._ends

    def rest(self) -> Iterator[bytes | memoryview]:
        """What follows the preview, once `receive` has said that it is wanted."""
        yield from _chunks(self._content[self._previewed :])
        yield b"0\r\n\r\n"

    def receive(self, data: bytes) -> Response | Literal["continue"] | None:
        """The response, "continue" where `rest` is to be sent now, or None while more octets are needed.

        `data` may be b"": what came behind 100 Continue is looked at. Raises IcapSyntaxError.
        """
        response = self._reader.feed(data)
        if response is None:
            return None
        if response.status == 100:
            return self._continue()
        self.state = State.DONE
        return response

    def _continue(self) -> Literal["continue"]:
        # RFC 3507 4.5: only after a preview that was not everything
        if self.state is not State.PREVIEW or self._whole:
            raise IcapSyntaxError("100 without a preview that it could answer")
        self.state = State.SENDING
        self._reader.next_response()
        return "continue"

    @property
    def complete(self) -> bool:
        """Whether the response came to its end and nothing behind it: the connection can carry another exchange."""
        return self.state is State.DONE and self._reader.at_end


def ask_options(service: Service) -> Exchange:
    """The request for a service's options (RFC 3507 4.10)."""
    return Exchange(_icap_head("OPTIONS", service, ()))


def have_scanned(service: Service, method: Method, content: bytes, preview: int | None) -> Exchange:
    """The request to look at `content`, which is wrapped as if it were on its way over HTTP (RFC 3507 4.8, 4.9).

    Nothing about the mail goes along but the content itself: no name, no address.
    """
    length = len(content)
    entity = f"Content-Type: {_CONTENT_TYPE}\r\nContent-Length: {length}\r\n\r\n"
    if method == "REQMOD":
        request = f"POST /attachment HTTP/1.1\r\nHost: mail.invalid\r\n{entity}".encode()
        wrapped, offsets = request, f"req-hdr=0, req-body={len(request)}"
    else:
        request = b"GET /attachment HTTP/1.1\r\nHost: mail.invalid\r\n\r\n"
        wrapped = request + f"HTTP/1.1 200 OK\r\n{entity}".encode()
        offsets = f"req-hdr=0, res-hdr={len(request)}, res-body={len(wrapped)}"
    fields = ["Allow: 204"]
    if preview is not None:
        preview = min(preview, MOST_PREVIEW_BYTES)
        fields.append(f"Preview: {min(preview, length)}")
    fields.append(f"Encapsulated: {offsets}")
    return Exchange(_icap_head(method, service, fields) + wrapped, content, preview)


def read_options(response: Response) -> Options:
    """What an answer to OPTIONS says. Raises IcapSyntaxError where it is none."""
    if response.status != 200:
        raise IcapSyntaxError(f"OPTIONS was answered with {response.status} {response.reason}".rstrip())
    headers = response.headers
    methods = tuple(word.strip().upper() for word in headers.get("methods", "").split(",") if word.strip())
    return Options(
        istag=istag(response),
        service=headers.get("service", ""),
        preview=_number(headers, "preview"),
        connections=_number(headers, "max-connections") or 0,
        methods=methods,
    )


def istag(response: Response) -> str:
    """The state of engine and signatures that answered (RFC 3507 4.7), "" where it does not say."""
    return response.headers.get("istag", "").strip('"')


def infection(response: Response) -> Infection | None:
    """What the engine says that it found, whatever the status; None where it names nothing.

    The fields are those of draft-stecher-icap-subid and of the engines in use: X-Infection-Found, X-Virus-ID,
    X-Violations-Found, in the ICAP or in the HTTP header.
    """
    for headers in (response.headers, response.http_headers):
        if found := _infection_found(headers.get("x-infection-found", "")):
            return found
        if name := headers.get("x-virus-id", "").strip():
            return Infection(name) if name.lower() not in _NOTHING else None
        if found := _violations_found(headers.get("x-violations-found", "")):
            return found
    return None


_NOTHING = frozenset(("no threats", "none", "clean", "-"))
_KINDS: dict[str, Literal["virus", "policy", "container"]] = {"0": "virus", "1": "policy", "2": "container"}


def _infection_found(value: str) -> Infection | None:
    """Read a value such as `Type=0; Resolution=2; Threat=EICAR;`."""
    if not value.strip():
        return None
    fields = {name.lower(): text.strip() for name, text in _INFECTION.findall(value)}
    name = fields.get("threat") or value.strip()
    return Infection(name, _KINDS.get(fields.get("type", "0"), "virus"))


def _violations_found(value: str) -> Infection | None:
    """The number of violations, then four lines for each: file, name, id, resolution. Folded into one line here."""
    lines = [line.strip() for line in value.split("\n") if line.strip()]
    if not lines or lines[0] == "0":
        return None
    return Infection(lines[2] if len(lines) > 2 else "unnamed")


def _icap_head(method: str, service: Service, fields: Sequence[str]) -> bytes:
    lines = [f"{method} {service.uri} ICAP/1.0", f"Host: {service.authority}", *fields]
    if method == "OPTIONS":
        lines.append("Encapsulated: null-body=0")
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def _chunks(content: memoryview) -> Iterator[bytes | memoryview]:
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        yield b"%x\r\n" % len(chunk)
        yield chunk
        yield b"\r\n"


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
