"""Macros in SPF records: read once, expanded for each message (RFC 7208 7)."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sekisho.mail.address import IpAddress

_ESCAPES = {"%%": "%", "%_": " ", "%-": "%20"}
# RFC 7208 7.1: a macro, an escape, a run of literals, or one octet that is none of these.
_PIECE = re.compile(r"%\{([A-Za-z])([0-9]*)([rR]?)([-.+,/_=]*)\}|(%[%_-])|([\x21-\x24\x26-\x7e]+)|(.)", re.DOTALL)
_LETTERS = frozenset("slodiphv")
_EXPLAINING = _LETTERS | frozenset("crt")  # RFC 7208 7.2: c, r and t only in explanations
_LONGEST_NAME = 253


class Macro(Struct, frozen=True):
    """One `%{...}`: `keep` labels from the right (0: all) after splitting at `delimiters`; `escaped` for URLs."""

    letter: str
    keep: int = 0
    reverse: bool = False
    delimiters: str = "."
    escaped: bool = False


class MacroFlaw(Struct, frozen=True):
    """Where a macro string stops being one: an offset into it, and `macro-syntax`, `macro-letter` or `character`."""

    code: Literal["macro-syntax", "macro-letter", "character"]
    offset: int


Pieces = tuple[str | Macro, ...]


def parse_macros(text: str, *, explanation: bool = False) -> Pieces | MacroFlaw:
    """Read a macro string; in an `explanation` spaces may stand too. Linear. Source: RFC 7208 7.1."""
    pieces: list[str | Macro] = []
    for match in _PIECE.finditer(text):
        letter, digits, reverse, delimiters, escape, literal, odd = match.groups()
        if letter:
            flaw = _macro_flaw(letter, digits, explanation=explanation)
            if flaw:
                return MacroFlaw(flaw, match.start())
            keep = int(digits[:4] or 0)
            pieces.append(Macro(letter.lower(), keep, bool(reverse), delimiters or ".", letter.isupper()))
        elif odd and not (explanation and odd == " "):
            return MacroFlaw("macro-syntax" if odd == "%" else "character", match.start())
        else:
            pieces.append(literal or _ESCAPES.get(escape, odd))
    return tuple(pieces)


def _macro_flaw(letter: str, digits: str, *, explanation: bool) -> Literal["", "macro-letter", "macro-syntax"]:
    if letter.lower() not in (_EXPLAINING if explanation else _LETTERS):
        return "macro-letter"
    return "macro-syntax" if digits and not digits.strip("0") else ""  # RFC 7208 7.1: the number is not zero


def letters(pieces: Pieces) -> frozenset[str]:
    """The letters of all macros."""
    return frozenset(piece.letter for piece in pieces if isinstance(piece, Macro))


def expand(pieces: Pieces, value: Callable[[str], str]) -> str:
    """Put the values in; `value` gives that of a letter. Source: RFC 7208 7.3."""
    return "".join(piece if isinstance(piece, str) else _expanded(piece, value(piece.letter)) for piece in pieces)


def _expanded(macro: Macro, value: str) -> str:
    if macro.reverse or macro.keep or macro.delimiters != ".":
        parts = _split(value, macro.delimiters)
        if macro.reverse:
            parts.reverse()
        value = ".".join(parts[-macro.keep :])
    return quote(value, safe="~") if macro.escaped else value


def _split(value: str, delimiters: str) -> list[str]:
    return value.split(".") if delimiters == "." else re.split(f"[{re.escape(delimiters)}]", value)


def domain_name(text: str) -> str:
    """An expanded string as the name to ask for: labels go from the left while it is too long. RFC 7208 7.3."""
    name = text.removesuffix(".")
    if len(name) > _LONGEST_NAME:
        cut = name.find(".", len(name) - _LONGEST_NAME - 1)
        name = name[cut + 1 :] if cut >= 0 else name
    return name.lower()


def address_values(address: IpAddress) -> Mapping[str, str]:
    """The values of i, v and c of a client's address. Source: RFC 7208 7.2, 7.3."""
    if isinstance(address, IPv6Address):
        nibbles = ".".join(address.exploded.replace(":", ""))
        return {"i": nibbles, "v": "ip6", "c": str(address)}
    return {"i": str(address), "v": "in-addr", "c": str(address)}
