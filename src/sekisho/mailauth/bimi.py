"""BIMI: the logo that a domain wants beside its mail (draft-brand-indicators-for-message-identification)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from sekisho.mailauth.organizational import dns_name

if TYPE_CHECKING:
    from sekisho.mail.ports import RecordResolver
    from sekisho.mailauth.dmarc_discovery import Discovered

_VERSION = re.compile(rb"v=BIMI1[ \t]*(?:;|$)")
_MOST_RECORD = 8_192
_KNOWN = frozenset(("l", "a", "avp", "lps"))


class BimiRecord(Struct, frozen=True):
    """A record: where the logo (l=) and its certificate (a=) are, "" for none.

    `preference` (avp=) is "brand" or "personal"; `local_parts` (lps=) are prefixes of local parts with selectors of
    their own. `unknown` are tags that are not known, which are ignored.
    """

    location: str
    evidence: str = ""
    preference: Literal["brand", "personal"] = "brand"
    local_parts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def declined(self) -> bool:
        """Whether the domain says that it wants no logo: l= and a= are both empty."""
        return not self.location and not self.evidence


class BimiError(Struct, frozen=True):
    """Why there is no record.

    Codes: "not-bimi", "too-long", "bad-tag", "no-location", "not-https" (`about` says of which tag),
    "bad-preference"; "absent", "several-records", "away", "bad-selector".
    """

    code: str
    about: str = ""


class FoundBimi(Struct, frozen=True):
    """A record with where it stands: `domain` is the one asked for, or its organizational domain."""

    domain: str
    selector: str
    record: BimiRecord


def parse_bimi(text: bytes) -> BimiRecord | BimiError:
    """Read a TXT record of `SELECTOR._bimi.DOMAIN`. Linear; raises nothing. Source: the BIMI draft, 4.2."""
    if not _VERSION.match(text):
        return BimiError("not-bimi")
    if len(text) > _MOST_RECORD:
        return BimiError("too-long")
    tags: dict[str, str] = {}
    for piece in text.decode("utf-8", "replace").split(";")[1:]:
        name, equals, value = piece.partition("=")
        name = name.strip(" \t")
        if not piece.strip(" \t"):
            continue
        if not equals or not name or name in tags:
            return BimiError("bad-tag", name[:40])
        tags[name] = value.strip(" \t")
    return _record(tags)


def _record(tags: dict[str, str]) -> BimiRecord | BimiError:
    location, evidence = tags.get("l"), tags.get("a", "")
    if location is None:
        return BimiError("no-location", "l")
    for name, value in (("l", location), ("a", evidence)):
        if value and not _is_https(value):
            return BimiError("not-https", name)
    preference = tags.get("avp", "brand").lower()
    if preference not in ("brand", "personal"):
        return BimiError("bad-preference", "avp")
    parts = tuple(part.strip() for part in tags.get("lps", "").split(",") if part.strip())[:50]
    unknown = tuple(name[:40] for name in tags if name not in _KNOWN)[:20]
    return BimiRecord(location, evidence, "personal" if preference == "personal" else "brand", parts, unknown)


def _is_https(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme == "https" and bool(parts.hostname) and value.isascii() and value.isprintable()
    except ValueError:
        return False


async def find_bimi(
    domain: str, resolver: RecordResolver, selector: str = "default", organizational: str = ""
) -> FoundBimi | BimiError:
    """Ask for a domain's record, and where there is none for that of its organizational domain.

    At most two questions; raises nothing. Source: the BIMI draft, 7.2.
    """
    for name in dict.fromkeys(name for name in (dns_name(domain), dns_name(organizational)) if name):
        asked = dns_name(f"{selector}._bimi.{name}")
        if not asked:
            return BimiError("bad-selector")
        answer = await resolver.records(asked, "TXT")
        if answer.status in ("refused", "away", "bogus", "bad"):
            return BimiError("away")
        texts = [text for text in answer.values if isinstance(text, bytes) and _VERSION.match(text)]
        if len(texts) > 1:
            return BimiError("several-records")
        if texts:
            record = parse_bimi(texts[0])
            return record if isinstance(record, BimiError) else FoundBimi(name, selector, record)
    return BimiError("absent")


def dmarc_obstacles(found: Discovered, organization: Discovered | None = None) -> tuple[str, ...]:
    """Why DMARC keeps receivers from showing a logo; () where it does not.

    `found` is for the author's domain, `organization` for its organizational domain where that is another. Codes:
    "no-dmarc", "policy-none", "subdomains-none" (sp=none), "part-only" (quarantine with pct= below 100), "testing"
    (t=y). Source: the BIMI draft, 7.1; RFC 9989 4.7.
    """
    codes: list[str] = []
    for one in (found, organization):
        if one is None:
            continue
        record = one.published.record if one.published else None
        if record is None or not record.applies:
            codes.append("no-dmarc")
            continue
        below = one.published is not None and one.published.domain != one.domain
        codes += ["policy-none"] if record.policy(subdomain=below) == "none" else []
        codes += ["subdomains-none"] if record.sp == "none" and not below else []
        codes += ["part-only"] if record.p == "quarantine" and record.pct < 100 else []
        codes += ["testing"] if record.testing else []
    return tuple(dict.fromkeys(codes))
