"""A policy file as it is written: the tables of one `[[rule]]` and the keys that each may have."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from sekisho.mail.finding import Where
from sekisho.mail.verdict import HoldKind

Words = str | tuple[str, ...]
DispositionWord = Literal["deliver", "hold", "defer", "reject"]
SeverityWord = Literal["low", "medium", "high", "critical"]
Addressee = Literal["sender", "reviewer", "approver", "administrator"]


class PolicyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file: rules, in the order they are tried."""

    rule: tuple[dict[str, Any], ...] = ()


class RuleEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[rule]]`. Its tables are read one by one, so that an error in one does not hide those in another."""

    name: str
    then: dict[str, Any]
    sender: dict[str, Any] = field(default_factory=dict, name="from")
    to: dict[str, Any] = field(default_factory=dict)
    when: dict[str, Any] = field(default_factory=dict)
    mode: Literal["enforce", "monitor"] = "enforce"
    final: bool = True
    split: bool = False
    floor: bool = False


class FromEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`from`: all keys that are there must hold, and of a list one word."""

    account: Words | None = None
    group: Words | None = None
    domain: Words | None = None
    address: Words | None = None
    listener: Words | None = None
    client_network: Words | None = None


class ToEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`to`: as in `from`. A number as `count` means at least as many."""

    external: bool | None = None
    domain: Words | None = None
    address: Words | None = None
    group: Words | None = None
    count: int | str | None = None
    first_contact: bool | None = None


class FindingEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One test on findings, in a list of `when`."""

    finding: Words
    severity: SeverityWord = "low"
    confidence: float = 0.0
    count: int | str | None = None
    where: Where | tuple[Where, ...] | None = None


class WhenEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`when`: one test, or lists of them, or both."""

    finding: Words | None = None
    severity: SeverityWord | None = None
    confidence: float | None = None
    count: int | str | None = None
    where: Where | tuple[Where, ...] | None = None
    all: tuple[FindingEntry, ...] | None = None
    any: tuple[FindingEntry, ...] | None = None
    none: tuple[FindingEntry, ...] | None = None


class RedactEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """The modification "redact"."""

    finding: Words = "matched"


class ThenEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`then`. A modification has a `type` and the keys of that type."""

    disposition: DispositionWord | None = None
    hold: HoldKind | None = None
    delay_seconds: int | None = None
    expire_seconds: int | None = None
    reply: str | None = None
    modifications: tuple[dict[str, Any], ...] = ()
    notify: Addressee | tuple[Addressee, ...] | None = None
    incident: str | None = None
    log: bool = False
