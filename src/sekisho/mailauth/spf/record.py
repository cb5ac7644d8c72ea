"""SPF records: read whole, with every syntax error and its place (RFC 7208 4.5, 4.6, 12)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from msgspec import Struct

from sekisho.mailauth.spf.macros import Macro, MacroFlaw, Pieces, parse_macros

MechanismName = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]
FlawCode = Literal[
    "not-ascii",
    "unknown-mechanism",
    "domain-missing",
    "domain-unwanted",
    "domain-syntax",
    "macro-syntax",
    "macro-letter",
    "character",
    "address",
    "prefix-length",
    "modifier-twice",
    "modifier-syntax",
]

MOST_FLAWS = 100
_CACHED_OCTETS = 2_048
_VERSION = re.compile(rb"v=spf1(?= |\Z)", re.IGNORECASE)
_TERM = re.compile(r"[^ ]+")
# RFC 7208 4.6.1: the "=" comes before any ":" or "/".
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_HEAD = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9_.-]*)")
_CIDR = re.compile(r"(?:/([0-9]+))?(?://([0-9]+))?\Z")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")
_TOP_LABEL = re.compile(r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])")
_NAMES: dict[str, MechanismName] = {
    "all": "all", "include": "include", "a": "a", "mx": "mx", "ptr": "ptr", "ip4": "ip4", "ip6": "ip6",
    "exists": "exists",
}  # fmt: skip
_NEEDS_DOMAIN = frozenset(("include", "exists"))


class Flaw(Struct, frozen=True):
    """A syntax error: what, and the octets of the record it stands in (offset and length)."""

    code: FlawCode
    offset: int
    length: int


class Directive(Struct, frozen=True):
    """A mechanism with its qualifier. `domain` is None where none is written; prefix lengths are of addresses' bits.

    `network` is the masked address of ip4 and ip6 as a number. `text` and `offset` are as in the record.
    """

    name: MechanismName
    qualifier: Literal["+", "-", "~", "?"]
    text: str
    offset: int
    domain: Pieces | None = None
    network: int = 0
    prefix4: int = 32
    prefix6: int = 128


class Modifier(Struct, frozen=True):
    """A `name=value`; `name` is lower case."""

    name: str
    value: Pieces
    text: str
    offset: int


class SpfRecord(Struct, frozen=True):
    """A record: directives in order, the two modifiers with a meaning, the others, and all flaws.

    A record with a flaw anywhere is "permerror", whatever it says otherwise (RFC 7208 4.6).
    """

    octets: bytes
    directives: tuple[Directive, ...] = ()
    redirect: Modifier | None = None
    explanation: Modifier | None = None
    unknown: tuple[Modifier, ...] = ()
    flaws: tuple[Flaw, ...] = ()


def is_spf(octets: bytes) -> bool:
    """Whether a TXT record is one of SPF: `v=spf1` and then a space or the end. Source: RFC 7208 4.5."""
    return _VERSION.match(octets) is not None


def parse_record(octets: bytes) -> SpfRecord:
    """Read a record for which `is_spf` holds. Linear; raises nothing; at most MOST_FLAWS flaws."""
    return _cached(octets) if len(octets) <= _CACHED_OCTETS else _parse(octets)


def _parse(octets: bytes) -> SpfRecord:
    reader = _Reader()
    text = octets.decode("ascii", "surrogateescape")
    for match in _TERM.finditer(text, 6):
        reader.term(match[0], match.start())
        if len(reader.flaws) >= MOST_FLAWS:
            break
    return SpfRecord(
        octets,
        tuple(reader.directives),
        reader.meant.get("redirect"),
        reader.meant.get("exp"),
        tuple(reader.unknown),
        tuple(reader.flaws),
    )


_cached = lru_cache(maxsize=1024)(_parse)


class _FlawError(Exception):
    """A term is malformed at `offset` in it."""

    def __init__(self, code: FlawCode, offset: int) -> None:
        super().__init__(code)
        self.code = code
        self.offset = offset


class _Reader:
    def __init__(self) -> None:
        self.directives: list[Directive] = []
        self.meant: dict[str, Modifier] = {}
        self.unknown: list[Modifier] = []
        self.flaws: list[Flaw] = []

    def term(self, text: str, offset: int) -> None:
        """Read one term; keep it, or its flaw."""
        if not text.isascii():
            place = next(i for i, character in enumerate(text) if character > "\x7f")
            self.flaws.append(Flaw("not-ascii", offset + place, len(text) - place))
            return
        try:
            if modifier := _MODIFIER.fullmatch(text):
                self._modifier(modifier[1].lower(), modifier[2], text, offset)
            else:
                self.directives.append(_directive(text, offset))
        except _FlawError as flaw:
            self.flaws.append(Flaw(flaw.code, offset + flaw.offset, max(1, len(text) - flaw.offset)))

    def _modifier(self, name: str, value: str, text: str, offset: int) -> None:
        start = len(name) + 1
        if name not in ("redirect", "exp"):
            self.unknown.append(Modifier(name, _pieces(value, start), text, offset))
            return
        if name in self.meant:
            raise _FlawError("modifier-twice", 0)  # RFC 7208 6
        self.meant[name] = Modifier(name, _domain_spec(value, start), text, offset)


def _directive(text: str, offset: int) -> Directive:
    head = _HEAD.match(text)
    name = _NAMES.get(head[2].lower()) if head else None
    if head is None or name is None:
        raise _FlawError("modifier-syntax" if "=" in text else "unknown-mechanism", 0)
    qualifier: Literal["+", "-", "~", "?"] = head[1] or "+"  # type: ignore[assignment]  # one of these by _HEAD
    rest, at = text[head.end() :], head.end()
    if rest and rest[0] not in ":/":
        raise _FlawError("unknown-mechanism", 0)
    if name in ("ip4", "ip6"):
        network, prefix = _network(name, rest, at)
        return Directive(name, qualifier, text, offset, None, network, prefix, prefix)
    if name == "all":
        if rest:
            raise _FlawError("domain-unwanted", at)
        return Directive(name, qualifier, text, offset)
    prefix4, prefix6 = 32, 128
    if name in ("a", "mx"):
        rest, prefix4, prefix6 = _dual_cidr(rest, at)
    return Directive(name, qualifier, text, offset, _target(name, rest, at), 0, prefix4, prefix6)


def _target(name: str, rest: str, at: int) -> Pieces | None:
    if rest.startswith(":"):
        return _domain_spec(rest[1:], at + 1)
    if rest:
        raise _FlawError("prefix-length", at)
    if name in _NEEDS_DOMAIN:
        raise _FlawError("domain-missing", at)
    return None


def _dual_cidr(rest: str, at: int) -> tuple[str, int, int]:
    """Cut `/24//64` off; what is left, and the prefix lengths. Source: RFC 7208 5.6."""
    match = _CIDR.search(rest)
    if match is None or not match[0]:
        return rest, 32, 128
    place = at + match.start()
    return rest[: match.start()], _prefix(match[1], 32, place), _prefix(match[2], 128, place)


def _prefix(digits: str | None, most: int, at: int) -> int:
    if digits is None:
        return most
    if not _NUMBER.fullmatch(digits) or int(digits) > most:
        raise _FlawError("prefix-length", at)
    return int(digits)


def _network(name: str, rest: str, at: int) -> tuple[int, int]:
    if len(rest) < 2 or rest[0] != ":":
        raise _FlawError("address", at)
    written, slash, digits = rest[1:].partition("/")
    bits = 32 if name == "ip4" else 128
    try:
        if len(written) > 45 or "%" in written:
            raise ValueError(written)  # noqa: TRY301 - one place for all that is no address
        number = int(IPv4Address(written) if name == "ip4" else IPv6Address(written))
    except ValueError:
        raise _FlawError("address", at + 1) from None
    prefix = _prefix(digits if slash else None, bits, at + 1 + len(written))
    return number >> (bits - prefix) << (bits - prefix), prefix


def _pieces(text: str, at: int) -> Pieces:
    pieces = parse_macros(text)
    if isinstance(pieces, MacroFlaw):
        raise _FlawError(pieces.code, at + pieces.offset)
    return pieces


def _domain_spec(text: str, at: int) -> Pieces:
    """A macro string that ends in a macro or a top label. Source: RFC 7208 7.1."""
    if not text:
        raise _FlawError("domain-missing", at)
    pieces = _pieces(text, at)
    if isinstance(pieces[-1], Macro):
        return pieces
    before, dot, top = text.removesuffix(".").rpartition(".")
    if not dot or not _TOP_LABEL.fullmatch(top):
        raise _FlawError("domain-syntax", at + len(before) + len(dot))
    return pieces
