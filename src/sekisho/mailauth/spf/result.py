"""What checking a host by SPF gives: the result, why, and what it took."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

SpfCode = Literal["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"]
Reason = Literal[
    "",
    "bad-domain",
    "no-record",
    "several-records",
    "syntax",
    "lookups",
    "void-lookups",
    "mx-hosts",
    "loop",
    "include-none",
    "redirect-none",
    "dns",
    "time",
]
Outcome = Literal["match", "no-match", "error"]


class Step(Struct):
    """A term that was looked at: its text, what came of it, and the DNS lookups it cost with all below.

    `asked` is the name it asked for, `below` what an include or a redirect led to.
    """

    text: str
    outcome: Outcome = "no-match"
    lookups: int = 0
    void_lookups: int = 0
    asked: str = ""
    below: Branch | None = None


class Branch(Struct):
    """One domain's record and the terms of it that were looked at, in order. `result` is that of this domain."""

    domain: str
    record: bytes = b""
    result: SpfCode = "none"
    steps: list[Step] = field(default_factory=list)


class SpfResult(Struct, frozen=True):
    """The result of one check.

    `mechanism` is the term that decided, as written in the record of `domain` (after redirects), "default" where none
    matched, "" where none was reached. `lookups` are those that count (RFC 7208 4.6.4). `explanation` is the domain's
    own text for a "fail", "" where it has none: text of others. `reason` says why there is an error or no result.
    """

    result: SpfCode
    domain: str
    identity: Literal["mailfrom", "helo"] = "mailfrom"
    mechanism: str = ""
    lookups: int = 0
    void_lookups: int = 0
    explanation: str = ""
    reason: Reason = ""
    trace: Branch | None = None
