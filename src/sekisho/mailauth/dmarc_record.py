"""DMARC records: what a domain owner asks of receivers (RFC 9989 4.7, and what RFC 7489 6.3 had more)."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, cast
from urllib.parse import unquote

from msgspec import Struct

from sekisho.mailauth.organizational import dns_name

Policy: TypeAlias = Literal["none", "quarantine", "reject"]

MAX_RECORD = 16_384  # octets
_MOST_TAGS = 64
_MOST_URIS = 20
_VERSION = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:[!-~]{1,1000}")
_SIZE = re.compile(r"(.*)!([0-9]{1,18})([kmgt]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_POLICIES = ("none", "quarantine", "reject")
_REMOVED = ("pct", "ri", "rf")
_VALID = {
    "p": re.compile("none|quarantine|reject"),
    "psd": re.compile("[ynu]"),
    "t": re.compile("[yn]"),
    "adkim": re.compile("[rs]"),
    "aspf": re.compile("[rs]"),
    "fo": re.compile("[01ds](?: *: *[01ds]){0,7}"),
    "pct": re.compile("0*(?:[0-9]{1,2}|100)"),
    "ri": re.compile("[0-9]{1,10}"),
    "rf": re.compile("[a-z0-9-]{1,63}(?: *: *[a-z0-9-]{1,63}){0,7}"),
}
_VALID |= {"sp": _VALID["p"], "np": _VALID["p"]}


class ReportUri(Struct, frozen=True):
    """Where reports are to go: the address without the size, and "a@example.com" with its host for `mailto:`.

    `most_octets` is what RFC 7489 6.3 had behind "!", None for no limit; RFC 9989 has receivers ignore it.
    """

    uri: str
    mailbox: str = ""
    host: str = ""
    most_octets: int | None = None


class Note(Struct, frozen=True):
    """Something to know about a record: a code, and the tag or name that it is about.

    Codes of a record: "unknown-tag", "duplicate-tag", "bad-tag" (no tag at all), "bad-value", "bad-uri",
    "removed-tag" (of RFC 7489 only), "no-policy" (no p=), "uri-size", "fo-without-ruf", "too-many".
    """

    code: str
    about: str = ""


class DmarcRecord(Struct, frozen=True):
    """A record. `p`, `sp` and `np` are None where the tag is not there or not valid.

    `pct` (percent), `ri` (seconds) and `rf` are those of RFC 7489; `text` is the record as published.
    """

    text: str
    p: Policy | None = None
    sp: Policy | None = None
    np: Policy | None = None
    psd: Literal["y", "n", "u"] = "u"
    testing: bool = False
    adkim: Literal["r", "s"] = "r"
    aspf: Literal["r", "s"] = "r"
    rua: tuple[ReportUri, ...] = ()
    ruf: tuple[ReportUri, ...] = ()
    fo: tuple[str, ...] = ("0",)
    pct: int = 100
    ri: int = 86_400
    rf: tuple[str, ...] = ("afrf",)
    notes: tuple[Note, ...] = ()

    @property
    def spoiled(self) -> bool:
        """Whether p= is missing or a policy is not valid: it asks for "none", or nothing. RFC 9989 4.10.1."""
        return self.p is None or any(note.code == "bad-value" and note.about in ("sp", "np") for note in self.notes)

    @property
    def applies(self) -> bool:
        """Whether receivers are to go by it at all. RFC 9989 4.10.1."""
        return not self.spoiled or bool(self.rua)

    def policy(self, *, subdomain: bool, exists: bool = True) -> Policy:
        """The policy for the domain itself, or for a subdomain that exists or not. RFC 9989 4.10.1."""
        if self.spoiled or self.p is None:
            return "none"
        if not subdomain:
            return self.p
        return (None if exists else self.np) or self.sp or self.p


class DmarcError(Struct, frozen=True):
    """Why a text is no DMARC record: "other" (something else stands there) or "too-long"."""

    code: Literal["other", "too-long"]


def parse_dmarc(text: bytes) -> DmarcRecord | DmarcError:
    """Read a record. Linear; raises nothing. Source: RFC 9989 4.7, 4.8.

    `v=DMARC1` must come first, exactly. What is wrong in the rest is left out, as the standard wants, and noted; of a
    tag that stands twice the first one counts. Names of tags and words of values may be in either case.
    """
    if not _VERSION.match(text):
        return DmarcError("other")
    if len(text) > MAX_RECORD:
        return DmarcError("too-long")
    shown = text.decode("utf-8", "replace")
    reader = _Reader()
    pieces = shown.split(";")[1:]
    if pieces and not pieces[-1].strip(" \t"):
        pieces.pop()
    for piece in pieces[:_MOST_TAGS]:
        reader.take(piece)
    if len(pieces) > _MOST_TAGS:
        reader.note("too-many", "tags")
    return reader.record(shown)


class _Reader:
    """Collects tags; what is not valid is noted and left out."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._seen: set[str] = {"v"}
        self._uris: dict[str, tuple[ReportUri, ...]] = {}
        self._notes: list[Note] = []

    def note(self, code: str, about: str) -> None:
        self._notes.append(Note(code, about[:40]))

    def take(self, piece: str) -> None:
        """Read one tag."""
        name, equals, value = piece.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if not equals or not name.isascii() or not name.isalpha():
            self.note("bad-tag", name)
        elif name in self._seen:
            self.note("duplicate-tag", name)
        else:
            self._seen.add(name)
            self._valued(name, value)

    def _valued(self, name: str, value: str) -> None:
        if name in _REMOVED:
            self.note("removed-tag", name)
        if name in ("rua", "ruf"):
            self._uris[name] = self._listed(name, value)
        elif name not in _VALID:
            self.note("unknown-tag", name)
        elif _VALID[name].fullmatch(value.lower()):
            self._values[name] = value.lower()
        else:
            self.note("bad-value", name)

    def _listed(self, name: str, value: str) -> tuple[ReportUri, ...]:
        pieces = value.split(",")
        uris = [report_uri(piece) for piece in pieces[:_MOST_URIS]]
        if None in uris:
            self.note("bad-uri", name)
        if len(pieces) > _MOST_URIS:
            self.note("too-many", name)
        if any(uri.most_octets is not None for uri in uris if uri):
            self.note("uri-size", name)
        return tuple(uri for uri in uris if uri)

    def record(self, text: str) -> DmarcRecord:
        """The record read."""
        value = self._values
        if "p" not in self._seen:
            self.note("no-policy", "p")
        if "fo" in value and not self._uris.get("ruf"):
            self.note("fo-without-ruf", "fo")
        return DmarcRecord(
            text,
            p=cast("Policy | None", value.get("p")),
            sp=cast("Policy | None", value.get("sp")),
            np=cast("Policy | None", value.get("np")),
            psd=cast('Literal["y", "n", "u"]', value.get("psd", "u")),
            testing=value.get("t") == "y",
            adkim=cast('Literal["r", "s"]', value.get("adkim", "r")),
            aspf=cast('Literal["r", "s"]', value.get("aspf", "r")),
            rua=self._uris.get("rua", ()),
            ruf=self._uris.get("ruf", ()),
            fo=_words(value.get("fo", "0")),
            pct=int(value.get("pct", "100")),
            ri=int(value.get("ri", "86400")),
            rf=_words(value.get("rf", "afrf")),
            notes=tuple(self._notes),
        )


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(":"))


def report_uri(text: str) -> ReportUri | None:
    """One address of rua= or ruf=, None where it is none. Source: RFC 9989 4.6, RFC 7489 6.2, RFC 6068 2."""
    text = text.strip(" \t")
    sized = _SIZE.fullmatch(text)
    uri = sized[1] if sized else text
    most = int(sized[2]) * _UNITS[sized[3].lower()] if sized else None
    if not _URI.fullmatch(uri) or "!" in uri:
        return None
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return ReportUri(uri, most_octets=most)
    mailbox = unquote(rest.partition("?")[0], errors="replace")
    local, _, host = mailbox.rpartition("@")
    name = dns_name(host)
    if not local or "." not in name or any(c <= " " or c == "," for c in local):
        return None
    return ReportUri(uri, f"{local}@{name}", name, most)
