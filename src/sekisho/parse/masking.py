"""Masking characters of a text part in the raw message: octets for octets, everything else as it was."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from sekisho.mail.verdict import Overwrite
from sekisho.parse import said, transfer
from sekisho.parse.source import NotMaskedError, Source, patched
from sekisho.parse.text import declared_inside
from sekisho.parse.written import Written, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sekisho.mail.message import Message, Part
    from sekisho.parse.source import Patch

_QUOTED = re.compile(rb"(?P<octet>=[0-9A-Fa-f]{2})|=[ \t]*+(?:\r?\n|\Z)|[^=]++|=")
_RUN = re.compile(rb"[^\s]+")
_SIGNED_TYPES = frozenset(("multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime"))
_SIGNED_TEXT = "-----BEGIN PGP SIGNED MESSAGE-----"


class Maskable:
    """A text part: `text` is what a reader sees, and any of its characters can be asked to be masked."""

    def __init__(self, message: Message, part: Part) -> None:
        """Raises NotMaskedError where nothing in the part can be masked."""
        if part.raw is not message.raw:
            raise NotMaskedError("the text lies in an encoded container")
        if part.header("content-md5") is not None:
            raise NotMaskedError("the text has a checksum")
        self._part = part
        self._source = Source(part.content, part.charset or declared_inside(part, part.content))
        self._written: Written = written(part, self._source.text)
        self.text = self._written.text
        if _SIGNED_TEXT in self.text:
            raise NotMaskedError("the text is signed")

    def masks(self, places: Iterable[int]) -> tuple[Overwrite, ...]:
        """What to overwrite in the message so that these characters of `text` are hidden. Raises NotMaskedError."""
        patches = list(_merged(self._source.patches(self._written.masks(places))))
        part = self._part
        body = part.raw[part.body_start : part.end]
        changes = list(_merged(_encoded(part.encoding, body, part.content, patches)))
        if transfer.decode(patched(body, changes), part.encoding) != patched(part.content, patches):
            raise NotMaskedError(f"the {said.encoding(part.encoding)} encoding is broken")
        return tuple(Overwrite(part.body_start + start, octets) for start, octets in changes)


def is_signed(message: Message) -> bool:
    """Whether a change would break a signature of the sender's (S/MIME, PGP), or would not reach the text."""
    return any(part.content_type in _SIGNED_TYPES for part in message.parts)


def _merged(patches: Iterable[Patch]) -> Iterator[Patch]:
    """The same with neighbours as one."""
    start, octets = -1, bytearray()
    for at, new in patches:
        if at != start + len(octets) or not octets:
            if octets:
                yield start, bytes(octets)
            start, octets = at, bytearray()
        octets += new
    if octets:
        yield start, bytes(octets)


def _encoded(encoding: str, body: bytes, content: bytes, patches: Sequence[Patch]) -> Iterable[Patch]:
    """Patches to a body under its transfer encoding from those to its content."""
    if encoding in transfer.IDENTITY:
        return patches
    if encoding == "quoted-printable":
        return _quoted_printable(body, patches)
    if encoding == "base64":
        return _base64(body, content, patches)
    raise NotMaskedError(f"the transfer encoding {said.encoding(encoding)} cannot be written")


def _quoted_printable(body: bytes, patches: Sequence[Patch]) -> Iterator[Patch]:
    """An octet that is written as three stays so (RFC 2045 6.7, rule 1)."""
    new = {start + i: octet for start, octets in patches for i, octet in enumerate(octets)}
    order = iter(sorted(new))
    wanted = next(order, None)
    at = 0
    for token in _QUOTED.finditer(body):
        is_soft = token["octet"] is None and token[0] != b"=" and token[0].startswith(b"=")
        size = 0 if is_soft else 1 if token["octet"] else len(token[0])
        while wanted is not None and wanted < at + size:
            if token["octet"]:
                yield token.start(), b"=%02X" % new[wanted]
            else:
                yield token.start() + wanted - at, bytes((new[wanted],))
            wanted = next(order, None)
        at += size


def _base64(body: bytes, content: bytes, patches: Sequence[Patch]) -> Iterator[Patch]:
    """Whole groups of four characters, laid over those that are there; line ends stay (RFC 2045 6.8)."""
    runs = [(m.start(), m.end()) for m in _RUN.finditer(body)]
    if b"".join(body[start:end] for start, end in runs) != b64encode(content):
        raise NotMaskedError("the base64 encoding is broken")
    changed = patched(content, patches)
    groups = sorted(
        {group for start, octets in patches for group in range(start // 3, (start + len(octets) - 1) // 3 + 1)}
    )
    run = first = 0  # the run that holds the character, and the number of its first character
    for group in groups:
        for number, character in enumerate(b64encode(changed[group * 3 : group * 3 + 3]), group * 4):
            while number >= first + runs[run][1] - runs[run][0]:
                first += runs[run][1] - runs[run][0]
                run += 1
            yield runs[run][0] + number - first, bytes((character,))
