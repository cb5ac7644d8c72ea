"""The conditions of a policy rule: what they ask of a message, and in words why they do not hold.

They ask only the session, the envelope, the findings and the tenant's domains, never the message's bytes, so that a
changed policy can be replayed over recorded messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from sekisho.decide.names import (
    Domains,
    Globs,
    Group,
    ascii_domain,
    id_matches,
    internal,
    listed,
    plain,
)
from sekisho.mail.address import IpNetwork, client_address, domain_of
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.transaction import Transaction


class Party(Struct, frozen=True):
    """One recipient as conditions see it: the address as given and in lower case, its domain with A-labels.

    A recipient without a domain counts as outside unless policy says otherwise: the stricter reading.
    """

    address: str
    lower: str
    domain: str
    inside: bool


NOBODY = Party("", "", "", inside=False)


class Facts(Struct, eq=False):
    """What conditions may ask about one message. Built once for a decision; the lists are made on first use."""

    session: Session
    envelope: Envelope
    findings: Sequence[Finding]
    internal_domains: frozenset[str]
    by_id: dict[str, list[Finding]] | None = None
    recipients: tuple[Party, ...] | None = None

    @classmethod
    def of(cls, transaction: Transaction, findings: Sequence[Finding]) -> Facts:
        """The facts of a transaction."""
        return cls(transaction.session, transaction.envelope, findings, transaction.internal_domains)

    def limited_to(self, findings: Sequence[Finding]) -> Facts:
        """The same message with some of its findings only."""
        return Facts(self.session, self.envelope, findings, self.internal_domains, None, self.recipients)

    @property
    def findings_by_id(self) -> dict[str, list[Finding]]:
        """The findings by rule id, so that each glob is tried once for each id."""
        if self.by_id is None:
            self.by_id = {}
            for finding in self.findings:
                self.by_id.setdefault(finding.rule, []).append(finding)
        return self.by_id

    @property
    def parties(self) -> tuple[Party, ...]:
        """The recipients, in the envelope's order; one nobody outside where there are none."""
        if self.recipients is None:
            own = internal(self.internal_domains)
            inside: dict[str, tuple[str, bool]] = {}
            self.recipients = tuple(_party(r.address, own, inside) for r in self.envelope.recipients) or (NOBODY,)
        return self.recipients


def _party(address: str, own: Domains, seen: dict[str, tuple[str, bool]]) -> Party:
    written = domain_of(address)
    if written not in seen:
        domain = ascii_domain(written)
        seen[written] = (domain, bool(domain) and own.has(domain))
    return Party(address, address.lower(), *seen[written])


class Count(Struct, frozen=True):
    """A comparison with a number: `>20`, `>=3`, `<5`, `<=5`, `=1`."""

    operator: str
    number: int

    def holds(self, number: int) -> bool:
        """Whether `number` stands in this relation."""
        match self.operator:
            case ">":
                return number > self.number
            case ">=":
                return number >= self.number
            case "<":
                return number < self.number
            case "<=":
                return number <= self.number
            case _:
                return number == self.number

    def __str__(self) -> str:
        return f"{self.operator} {self.number}"


class SenderCondition(Protocol):
    """One key of `from`. `tell` says in words why it does not hold; it is asked only when it does not."""

    def holds(self, facts: Facts) -> bool:
        """Whether it holds."""

    def tell(self, facts: Facts) -> str:
        """Why not."""


class FromAccount(Struct, frozen=True):
    """The account, unless it is known only by what the mail says of itself."""

    accounts: Globs

    def holds(self, facts: Facts) -> bool:
        """Whether somebody is logged in under one of these names."""
        account = facts.session.proven_account
        return account is not None and self.accounts.has(account.lower())

    def tell(self, facts: Facts) -> str:
        """Why not."""
        account = facts.session.proven_account
        if account is None:
            return "from.account: nobody is logged in"
        return f"from.account: {plain(account)} is not {listed(self.accounts.words)}"


class FromAddress(Struct, frozen=True):
    """The reverse-path; `<>` is the null one."""

    addresses: Globs

    def holds(self, facts: Facts) -> bool:
        """Whether the reverse-path is one of these."""
        return self.addresses.has(_reverse_path(facts).lower())

    def tell(self, facts: Facts) -> str:
        """Why not."""
        return f"from.address: {plain(_reverse_path(facts))} is not {listed(self.addresses.words)}"


class FromDomain(Struct, frozen=True):
    """The domain of the reverse-path."""

    domains: Domains

    def holds(self, facts: Facts) -> bool:
        """Whether the reverse-path lies in one of these."""
        return self.domains.has(_sender_domain(facts))

    def tell(self, facts: Facts) -> str:
        """Why not."""
        return f"from.domain: {plain(_reverse_path(facts))} is not in {listed(self.domains.words)}"


class FromGroup(Struct, frozen=True):
    """A group that the reverse-path or the authenticated login belongs to."""

    groups: tuple[Group, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether sender or login is a member of one of these."""
        sender, domain = _reverse_path(facts).lower(), _sender_domain(facts)
        login = (facts.session.proven_account or "").lower()
        login_domain = ascii_domain(domain_of(login))
        return any(g.has(sender, domain) or g.has(login, login_domain) for g in self.groups)

    def tell(self, facts: Facts) -> str:
        """Why not."""
        login = facts.session.proven_account
        who = plain(_reverse_path(facts)) + (f" (login {plain(login)})" if login else "")
        return f"from.group: {who} is not in {listed(g.name for g in self.groups)}"


class FromListener(Struct, frozen=True):
    """The listener that took the message."""

    listeners: tuple[str, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it came in there."""
        return facts.session.listener in self.listeners

    def tell(self, facts: Facts) -> str:
        """Why not."""
        return f"from.listener: {facts.session.listener or 'none'} is not {listed(self.listeners)}"


class FromNetwork(Struct, frozen=True):
    """The network that the client's address lies in."""

    networks: tuple[IpNetwork, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it does. An address that cannot be read lies in none."""
        try:
            address = client_address(facts.session.client_ip)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def tell(self, facts: Facts) -> str:
        """Why not."""
        client = plain(facts.session.client_ip) or "no address"
        return f"from.client_network: {client} is not in {listed(map(str, self.networks))}"


def _reverse_path(facts: Facts) -> str:
    mail_from = facts.envelope.mail_from
    return "<>" if mail_from is None else mail_from


def _sender_domain(facts: Facts) -> str:
    return ascii_domain(domain_of(facts.envelope.mail_from or ""))


class ToTest(Struct, frozen=True):
    """All keys of `to`. `count` compares the number of the message's recipients that the other keys fit."""

    external: bool | None = None
    domains: Domains | None = None
    addresses: Globs | None = None
    groups: tuple[Group, ...] = ()
    count: Count | None = None

    def holds(self, party: Party) -> bool:
        """Whether a recipient fits, the count left aside."""
        return (
            (self.external is None or self.external is not party.inside)
            and (self.domains is None or self.domains.has(party.domain))
            and (self.addresses is None or self.addresses.has(party.lower))
            and (not self.groups or any(g.has(party.lower, party.domain) for g in self.groups))
        )

    def number(self, facts: Facts) -> int:
        """How many recipients of the message fit, the count left aside."""
        return sum(map(self.holds, (p for p in facts.parties if p is not NOBODY)))

    def counted(self, facts: Facts) -> bool:
        """Whether as many recipients fit as `count` wants."""
        return self.count is None or self.count.holds(self.number(facts))

    def tell(self, facts: Facts, party: Party) -> Iterator[str]:
        """Why a recipient does not fit, key by key."""
        who = plain(party.address) or "no recipient"
        if self.external is not None and self.external is party.inside:
            yield f"to.external: {who} is {'inside' if party.inside else 'outside'}"
        if self.domains is not None and not self.domains.has(party.domain):
            yield f"to.domain: {who} is not in {listed(self.domains.words)}"
        if self.addresses is not None and not self.addresses.has(party.lower):
            yield f"to.address: {who} is not {listed(self.addresses.words)}"
        if self.groups and not any(g.has(party.lower, party.domain) for g in self.groups):
            yield f"to.group: {who} is not in {listed(g.name for g in self.groups)}"
        if not self.counted(facts):
            yield f"to.count: {self.number(facts)} recipients fit, not {self.count}"


class FindingTest(Struct, frozen=True):
    """One test on findings: at least one must fit. `count` compares how often they were seen, summed over those."""

    globs: tuple[str, ...]
    severity: Severity = Severity.LOW
    confidence: float = 0.0
    where: tuple[str, ...] = ()
    count: Count | None = None

    def named(self, facts: Facts) -> list[Finding]:
        """The findings whose id matches, whatever their strength."""
        found: list[Finding] = []
        for finding_id, findings in facts.findings_by_id.items():
            if any(id_matches(glob, finding_id) for glob in self.globs):
                found += findings
        return found

    def fitting(self, facts: Facts) -> list[Finding]:
        """The findings that fit, the count left aside."""
        return [
            f
            for f in self.named(facts)
            if f.severity >= self.severity
            and f.confidence >= self.confidence
            and (not self.where or f.where in self.where)
        ]

    def matched(self, facts: Facts) -> list[Finding]:
        """The findings that fit if the test holds, else none."""
        found = self.fitting(facts)
        if found and self.count is not None and not self.count.holds(sum(f.count for f in found)):
            return []
        return found

    def tell(self, facts: Facts) -> str:
        """Why the test does not hold, with the finding that came nearest."""
        found = self.fitting(facts)
        if found and self.count is not None:
            return f"{listed(self.globs)} seen {sum(f.count for f in found)} times, not {self.count}"
        nearest = max(self.named(facts), key=lambda f: (f.severity, f.confidence), default=None)
        if nearest is None:
            return f"no finding matches {self}"
        return f"no finding matches {self}; nearest {plain(nearest.rule)} {self._short_of(nearest)}"

    def _short_of(self, finding: Finding) -> str:
        short = []
        if finding.severity < self.severity:
            short.append(f"severity {finding.severity.word}")
        if finding.confidence < self.confidence:
            short.append(f"confidence {finding.confidence:.4g}")
        if self.where and finding.where not in self.where:
            short.append(f"where {finding.where}")
        return ", ".join(short)

    def __str__(self) -> str:
        terms = []
        if self.severity > Severity.LOW:
            terms.append(f"severity >= {self.severity.word}")
        if self.confidence > 0:
            terms.append(f"confidence >= {self.confidence:.4g}")
        if self.where:
            terms.append(f"where {' or '.join(self.where)}")
        return listed(self.globs) + (f" with {' and '.join(terms)}" if terms else "")


class When(Struct, frozen=True):
    """All keys of `when`: every test of `all_of`, one of `any_of` where there are any, and none of `none_of`."""

    all_of: tuple[FindingTest, ...] = ()
    any_of: tuple[FindingTest, ...] = ()
    none_of: tuple[FindingTest, ...] = ()

    @property
    def needs_findings(self) -> bool:
        """Whether it cannot hold for a message without findings."""
        return bool(self.all_of or self.any_of)

    def matched(self, facts: Facts) -> tuple[Finding, ...] | None:
        """The findings that made it hold, each once; None where it does not hold."""
        found: list[Finding] = []
        for test in self.all_of:
            if not (more := test.matched(facts)):
                return None
            found += more
        if self.any_of:
            if not (more := [f for test in self.any_of for f in test.matched(facts)]):
                return None
            found += more
        if any(test.matched(facts) for test in self.none_of):
            return None
        return tuple(dict.fromkeys(found))

    def tell(self, facts: Facts) -> Iterator[str]:
        """Why it does not hold, test by test."""
        for test in self.all_of:
            if not test.matched(facts):
                yield f"when: {test.tell(facts)}"
        if self.any_of and not any(test.matched(facts) for test in self.any_of):
            yield "when.any: " + "; ".join(test.tell(facts) for test in self.any_of)
        for test in self.none_of:
            if found := test.matched(facts):
                yield f"when.none: {plain(found[0].rule)} matches {test}"
