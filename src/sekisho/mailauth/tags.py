"""Tag lists: `v=1; a=rsa-sha256; …`, as signatures and key records have them (RFC 6376 3.2)."""

from __future__ import annotations

import binascii
import re

from msgspec import Struct

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_BLANKS = b" \t\r\n"
# Visible ASCII but ";", and UTF-8 (RFC 8616).
_VALUE = bytes(octet for octet in range(0x21, 0x100) if octet not in b";\x7f") + b" \t"


class TagList(Struct, frozen=True):
    """The tags of a list in their order: values without blanks around them, and where values stand in the text.

    A span reaches from behind "=" to the next ";".
    """

    values: dict[str, bytes]
    spans: dict[str, tuple[int, int]]

    def text(self, name: str) -> str | None:
        """A value without any blanks, or None where the tag is not there. "?" stands for what is not UTF-8."""
        value = self.values.get(name)
        return None if value is None else b"".join(value.split()).decode("utf-8", "replace").replace("\ufffd", "?")


class TagError(Struct, frozen=True):
    """Why a text is no tag list."""

    why: str


def tag_list(text: bytes) -> TagList | TagError:
    """Read a tag list, of a folded field or of a record. Linear; raises nothing. Source: RFC 6376 3.2."""
    values: dict[str, bytes] = {}
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    pieces = text.split(b";")
    for number, piece in enumerate(pieces):
        name, equals, value = piece.partition(b"=")
        start, at = at + len(name) + 1, at + len(piece) + 1
        if not equals and number == len(pieces) - 1 and not name.strip(_BLANKS) and number:
            break  # behind the last ";"
        tag = name.strip(_BLANKS)
        if not equals or not _NAME.fullmatch(tag):
            return TagError("not a list of tags")
        if value.replace(b"\r\n", b"").translate(None, _VALUE):
            return TagError("octets that no tag may have")
        key = tag.decode()
        if key in values:
            return TagError(f"the tag {key[:20]}= twice")
        values[key] = value.strip(_BLANKS)
        spans[key] = (start, at - 1)
    return TagList(values, spans)


def base64_value(value: bytes) -> bytes | None:
    """The octets of a base64 value with blanks in it, or None where it is not base64. Source: RFC 6376 3.2."""
    try:
        return binascii.a2b_base64(b"".join(value.split()), strict_mode=True)
    except binascii.Error:
        return None
