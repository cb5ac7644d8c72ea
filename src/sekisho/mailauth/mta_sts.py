"""MTA-STS: a domain says by HTTPS which hosts take its mail, and that these have certificates (RFC 8461)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from msgspec import Struct

from sekisho.mailauth.organizational import dns_name

if TYPE_CHECKING:
    from datetime import datetime

    from sekisho.mail.fetched import Fetched
    from sekisho.mail.ports import Fetcher, RecordResolver

StsMode: TypeAlias = Literal["enforce", "testing", "none"]

MOST_POLICY_BYTES = 65_536  # RFC 8461 3.3 suggests it
MOST_AGE = 31_557_600  # seconds, RFC 8461 3.2
_MOST_MX = 200
_MOST_FIELDS = 1_000
_VERSION = re.compile(rb"v=STSv1[ \t]*(?:;|$)")
_ID = re.compile("[A-Za-z0-9]{1,32}")
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]{0,20}:(.*)")
_FAILED = {"certificate": "webpki-invalid", "tls": "webpki-invalid"}


class StsRecord(Struct, frozen=True):
    """The TXT record: `id` changes whenever the policy does. RFC 8461 3.1."""

    id: str


class StsPolicy(Struct, frozen=True):
    """A policy: `mx` are host names or `*.example.com` in lower case, `max_age` is in seconds. RFC 8461 3.2."""

    mode: StsMode
    mx: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether a mail exchanger is one of the policy. Source: RFC 8461 4.1."""
        name = dns_name(host)
        parent = name.partition(".")[2]
        return bool(name) and any(mx == name or (mx[:2] == "*." and mx[2:] == parent) for mx in self.mx)


class StsError(Struct, frozen=True):
    """Why a record or a policy is not valid.

    Codes: "not-sts", "no-id", "bad-id", "bad-field", "bad-version", "bad-mode", "bad-max-age", "no-mx", "bad-mx",
    "too-long", "not-text".
    """

    code: str
    about: str = ""


class StsFound(Struct, frozen=True):
    """A domain's policy as it stands now.

    `status`: "found"; "absent" (no record: it has none); "bad-record", "several-records" (as absent, RFC 8461 3.1);
    "away" (the DNS did not say); "fetch-error", "webpki-invalid", "policy-invalid" (in the words of RFC 8460 4.3.2.2:
    what was cached stays in force); "unchanged" (the id is the cached one: nothing was fetched). `error` is the
    policy's error, `fetched` how fetching went, without the body.
    """

    status: str
    id: str = ""
    policy: StsPolicy | None = None
    error: StsError | None = None
    fetched: str = ""
    certificate_until: datetime | None = None
    text: str = ""


def parse_sts_record(text: bytes) -> StsRecord | StsError:
    """Read a TXT record of `_mta-sts.`. Raises nothing. Source: RFC 8461 3.1."""
    if not _VERSION.match(text):
        return StsError("not-sts")
    if len(text) > 4_096:
        return StsError("too-long")
    fields: dict[str, str] = {}
    pieces = text.decode("latin-1").split(";")[1:]
    for number, piece in enumerate(pieces):
        name, equals, value = piece.strip(" \t").partition("=")
        if not piece.strip(" \t") and number == len(pieces) - 1:
            break
        if not equals or not name or not value:
            return StsError("bad-field", name[:40])
        fields.setdefault(name, value)
    if "id" not in fields:
        return StsError("no-id")
    return StsRecord(fields["id"]) if _ID.fullmatch(fields["id"]) else StsError("bad-id")


def parse_sts_policy(body: bytes) -> StsPolicy | StsError:
    """Read a policy file, with LF or CRLF. Linear; raises nothing. Source: RFC 8461 3.2.

    Of a field that stands twice the first counts, but for mx; fields that are not known are ignored.
    """
    if len(body) > MOST_POLICY_BYTES:
        return StsError("too-long")
    try:
        lines = body.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return StsError("not-text")
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for line in lines[:_MOST_FIELDS]:
        if not line.strip(" \t"):
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            return StsError("bad-field", line[:40])
        value = match[2].strip(" \t")
        if match[1] == "mx":
            hosts.append(value)
        fields.setdefault(match[1], value)
    return _policy(fields, hosts)


def _policy(fields: dict[str, str], hosts: list[str]) -> StsPolicy | StsError:
    mode, age = fields.get("mode", ""), fields.get("max_age", "")
    if fields.get("version") != "STSv1":
        return StsError("bad-version")
    if mode not in ("enforce", "testing", "none"):
        return StsError("bad-mode")
    if not re.fullmatch("[0-9]{1,10}", age) or int(age) > MOST_AGE:
        return StsError("bad-max-age")
    if (not hosts and mode != "none") or len(hosts) > _MOST_MX:
        return StsError("too-long" if hosts else "no-mx")
    names = [_pattern(host) for host in hosts]
    if "" in names:
        return StsError("bad-mx", hosts[names.index("")][:40])
    return StsPolicy(cast("StsMode", mode), tuple(names), int(age))


def _pattern(host: str) -> str:
    """A host or `*.domain` in A-labels, "" where it is neither. RFC 8461 3.2, 4.1."""
    star, rest = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    name = dns_name(rest)
    return star + name if "." in name else ""


def sts_url(domain: str) -> str:
    """Where a domain's policy stands. Source: RFC 8461 3.3."""
    return f"https://mta-sts.{domain}/.well-known/mta-sts.txt"


async def find_sts(domain: str, resolver: RecordResolver, fetcher: Fetcher, known_id: str = "") -> StsFound:
    """Ask for a domain's policy: one question to the DNS, and one by HTTPS unless the id is `known_id`.

    Raises nothing. Source: RFC 8461 3.1, 3.3, 5.1.
    """
    name = dns_name(domain)
    if not name:
        return StsFound("absent")
    answer = await resolver.records(f"_mta-sts.{name}", "TXT")
    if answer.status in ("refused", "away", "bogus", "bad"):
        return StsFound("away")
    # Text of something else that stands there too does not count.
    texts = [text for text in answer.values if isinstance(text, bytes) and _VERSION.match(text)]
    if len(texts) != 1:
        return StsFound("several-records" if texts else "absent")
    record = parse_sts_record(texts[0])
    if isinstance(record, StsError):
        return StsFound("bad-record", error=record)
    if record.id == known_id:
        return StsFound("unchanged", record.id)
    return _found(record.id, await fetcher.fetch(sts_url(name), MOST_POLICY_BYTES))


def _found(known_id: str, fetched: Fetched) -> StsFound:
    until = fetched.not_after
    if fetched.status == "too-long":
        return StsFound("policy-invalid", known_id, None, StsError("too-long"), "too-long", until)
    if fetched.status != "ok":
        status = _FAILED.get(fetched.status, "fetch-error")
        return StsFound(status, known_id, None, None, fetched.status, until)
    if fetched.content_type != "text/plain":  # RFC 8461 3.2
        return StsFound("policy-invalid", known_id, None, StsError("not-text"), "ok", until)
    policy = parse_sts_policy(fetched.body)
    if isinstance(policy, StsError):
        return StsFound("policy-invalid", known_id, None, policy, "ok", until)
    return StsFound("found", known_id, policy, None, "ok", until, fetched.body.decode("utf-8"))
