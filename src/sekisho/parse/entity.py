"""What the headers of a MIME entity say about its body (RFC 2045, RFC 2183), read as mail programs read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.parse import said
from sekisho.parse.charsets import UTF_7, codec_of
from sekisho.parse.parameters import Parameters
from sekisho.parse.transfer import IDENTITY, encoding_of
from sekisho.parse.words import header_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.message import Header
    from sekisho.parse.faults import Faults

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KNOWN_ENCODINGS = IDENTITY | {"base64", "quoted-printable", "uuencode"}


class Entity:
    """The content fields of one part. `boundaries` holds every delimiter a reader may go by, the likeliest first."""

    __slots__ = ("boundaries", "content_type", "disposition", "encoding", "filename", "parameters")

    def __init__(self, headers: Sequence[Header], default: str, path: str, faults: Faults) -> None:
        self.content_type = default
        self.parameters: dict[str, str] = {}
        self.encoding = "7bit"
        self.disposition = ""
        self.filename: str | None = None
        self.boundaries: list[bytes] = []
        types: list[str] = []
        encodings: list[str] = []
        disposition: str | None = None
        for header in headers:
            key = header.key
            if not key.startswith("content-"):
                continue
            if key == "content-type":
                types.append(header.value)
            elif key == "content-transfer-encoding":
                encodings.append(header.value)
            elif key == "content-disposition" and disposition is None:
                disposition = header.value
        if types:
            self._read_types(types, path, faults)
        if encodings:
            self._read_encodings(encodings, path, faults)
        self._read_names(disposition, path, faults)

    def _read_types(self, values: list[str], path: str, faults: Faults) -> None:
        """Content-Type: the first, or the multipart among several, whose parts must not go unseen."""
        read = [Parameters.of(value) for value in values]
        chosen = read[0]
        if len(read) > 1:
            if len({(r.token, r.first.get("boundary"), r.first.get("charset")) for r in read}) > 1:
                faults.add("conflicting-content-type", path, " / ".join(said.media_type(r.token) for r in read[:4]))
            chosen = next((r for r in read if r.token.startswith("multipart/")), chosen)
        main, slash, sub = chosen.token.partition("/")
        if main and slash and sub and chosen.token.isascii():
            self.content_type = chosen.token
        elif values[0].strip():
            faults.add("malformed-content-type", path)
            self.content_type = "text/plain"  # RFC 2045 5.2
        self.parameters = dict(chosen.shown())
        if main == "multipart":
            self._read_boundaries(read, path, faults)
        elif chosen.token in ("message/partial", "message/external-body"):
            faults.add(sub, path)
        elif main == "text" and (label := self.parameters.get("charset")):
            codec = codec_of(label)
            if codec is None or codec == UTF_7:
                faults.add("unknown-charset" if codec is None else "utf-7", path)

    def _read_boundaries(self, read: list[Parameters], path: str, faults: Faults) -> None:
        """The boundary parameter, and any other that stands beside it."""
        for parameters in read:
            values = [parameters.first.get("boundary", "")]
            values += [value for name, value in parameters.again if name == "boundary"]
            for value in values:
                boundary = value.encode("utf-8", "surrogateescape").rstrip()
                if boundary and boundary not in self.boundaries:
                    self.boundaries.append(boundary)
        if len(self.boundaries) > 1:
            faults.add("ambiguous-boundary", path, "several boundary parameters")
        if any(len(boundary) > 70 for boundary in self.boundaries):  # RFC 2046 5.1.1
            faults.add("long-boundary", path)

    def _read_encodings(self, values: list[str], path: str, faults: Faults) -> None:
        """Content-Transfer-Encoding: the first, or the one of several that hides something."""
        read = [encoding_of(value) for value in values]
        names = [name for name, _ in read]
        self.encoding = names[0]
        if len(set(names)) > 1:
            faults.add("ambiguous-encoding", path, " / ".join(said.encoding(name) for name in names[:4]))
            self.encoding = next((name for name in names if name in _KNOWN_ENCODINGS - IDENTITY), names[0])
        for name, plain in read:
            if name not in _KNOWN_ENCODINGS:
                faults.add("unknown-encoding", path)
            elif not plain and name not in IDENTITY:
                faults.add("ambiguous-encoding", path, f"{said.encoding(name)} not written plainly")

    def _read_names(self, disposition: str | None, path: str, faults: Faults) -> None:
        """Content-Disposition and the file name: its own, else Content-Type's `name`."""
        names: list[str] = []
        if disposition is not None:
            read = Parameters.of(disposition)
            kind = read.token
            if kind:  # an unknown type counts as attachment, RFC 2183 2.8
                self.disposition = "inline" if kind == "inline" else "attachment"
            names = [read.first.get("filename", ""), *(value for name, value in read.again if name == "filename")]
        shown = [header_text(name) for name in names]
        shown.append(self.parameters.get("name", ""))
        shown = [cleaned for name in shown if (cleaned := _CONTROLS.sub("", name).strip())]
        if shown:
            self.filename = shown[0]
            if len(shown) > 1 and len({name.rpartition(".")[2].lower() for name in shown}) > 1:
                faults.add("conflicting-filename", path, " / ".join(said.file_name(name) for name in shown[:4]))
