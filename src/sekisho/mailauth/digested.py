"""A message taken in pieces: its header is kept, of its body only the hashes that its signatures speak of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.mail.pieces import pieces
from sekisho.mailauth.canonical import BodyHash, Form, canonical_field, header_fields, with_crlf
from sekisho.mailauth.tags import TagError, TagList, tag_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.mail.pieces import Octets

MAX_SIGNATURES = 10  # of DKIM, from the top down
MAX_ARC_SETS = 50  # RFC 8617 5.2
MAX_HEADER = 4_000_000  # octets
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_SIGNATURES = {b"dkim-signature": MAX_SIGNATURES, b"arc-message-signature": MAX_ARC_SETS}
_NO_TAGS = TagError("no tags")


class DigestedMessage:
    """The header fields of a message by lower-case name, and hashes of its body, each form hashed once.

    `too_long`: the header has more than MAX_HEADER octets, and nothing is known of the message. `forms` are hashed
    beside those that the signatures name.
    """

    def __init__(self, forms: Iterable[Form] = ()) -> None:
        self.fields: dict[bytes, list[bytes]] = {}
        self.too_long = False
        self._header = bytearray()
        self._in_header = True
        self._hashes = {form: BodyHash(form) for form in forms}
        self._digests: dict[Form, bytes] = {}
        self._tags: dict[bytes, TagList | TagError] = {}
        self._canonical: dict[bytes, bytes] = {}

    @classmethod
    def of(cls, data: Octets, forms: Iterable[Form] = ()) -> DigestedMessage:
        """All of a message."""
        message = cls(forms)
        for piece in pieces(data):
            message.feed(piece)
        message.close()
        return message

    def feed(self, piece: bytes) -> None:
        """Take the next octets, cut anywhere."""
        if not self._in_header:
            self._body(piece)
            return
        before = len(self._header)
        self._header += piece
        if before < 2 and self._header.startswith((b"\r\n", b"\n")):
            end, body = 0, 2 if self._header.startswith(b"\r\n") else 1
        else:
            match = _HEADER_END.search(self._header, max(0, before - 3))
            if match is None:
                self._bound()
                return
            end, body = match.span()
        rest = bytes(self._header[body:])
        del self._header[end:]
        self._end_header()
        self._body(rest)

    def _bound(self) -> None:
        if len(self._header) > MAX_HEADER:
            self.too_long, self._in_header = True, False
            self._header.clear()

    def close(self) -> None:
        """There is no more."""
        if self._in_header:
            self._end_header()
        self._digests = {form: hashed.digest() for form, hashed in self._hashes.items()}

    def _end_header(self) -> None:
        self._in_header = False
        if len(self._header) > MAX_HEADER:
            self._bound()
            return
        self.fields = header_fields(with_crlf(bytes(self._header)).removesuffix(b"\r\n"))
        self._header.clear()
        for name, most in _SIGNATURES.items():
            for field in self.fields.get(name, ())[:most]:
                tags = self.tags(field)
                if isinstance(tags, TagList):
                    form: Form = "relaxed" if (tags.text("c") or "").endswith("/relaxed") else "simple"
                    self._hashes.setdefault(form, BodyHash(form))

    def _body(self, piece: bytes) -> None:
        for hashed in self._hashes.values():
            hashed.feed(piece)

    def tags(self, field: bytes) -> TagList | TagError:
        """The tags of a field, read once. Spans count from the field's first octet."""
        found = self._tags.get(field)
        if found is None:
            name, _, value = field.partition(b":")
            found = self._tags[field] = _shifted(tag_list(value), len(name) + 1) if value else _NO_TAGS
        return found

    def body_hash(self, form: Form) -> bytes:
        """SHA-256 of the body; b"" for a form that nobody asked for."""
        return self._digests.get(form, b"")

    def signed_data(self, own: bytes, index: int, names: Iterable[bytes], form: Form) -> bytes:
        """What a signature field signs: the named fields from the bottom up, and itself with an empty b=.

        `own` is the field's name in lower case, `index` its place among those of this name, counted from the top; it
        never counts as one of the named. Source: RFC 6376 3.7, 5.4.2.
        """
        left: dict[bytes, int] = {}
        signed = []
        for name in names:
            found = self.fields.get(name, ())
            at = left.get(name, len(found)) - 1
            if at == index and name == own:
                at -= 1
            left[name] = max(at, 0)
            if at >= 0:
                signed.append(self.canonical(found[at], form))
        signed.append(canonical_field(self.unsigned(self.fields[own][index]), form))
        return b"\r\n".join(signed)

    def canonical(self, field: bytes, form: Form) -> bytes:
        """A field in canonical form, made once."""
        if form == "simple":
            return field
        found = self._canonical.get(field)
        if found is None:
            found = self._canonical[field] = canonical_field(field, form)
        return found

    def unsigned(self, field: bytes) -> bytes:
        """A signature field with an empty b=. Source: RFC 6376 3.7."""
        tags = self.tags(field)
        if isinstance(tags, TagError) or "b" not in tags.spans:
            return field
        start, end = tags.spans["b"]
        return field[:start] + field[end:]


def _shifted(tags: TagList | TagError, by: int) -> TagList | TagError:
    if isinstance(tags, TagError):
        return tags
    return TagList(tags.values, {name: (start + by, end + by) for name, (start, end) in tags.spans.items()})
