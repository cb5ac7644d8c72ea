"""What one message adds to what was sent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from sekisho.config.account_settings import LimitSide
from sekisho.mail.account import canonical_login
from sekisho.mail.address import domain_of, same_or_below
from sekisho.mail.envelope import Session
from sekisho.mail.transaction import Transaction

NOBODY = "<>"  # whose mail a bounce is, where nobody is known
_BEGINNING = 65_536


class Sender(Struct, frozen=True):
    """For whom a message counts. `account` is "<>" for bounces of nobody; `domain` the reverse-path's, or ""."""

    tenant: str
    account: str
    domain: str
    listener: str

    def name(self, per: str) -> str:
        """Whom a limit of this scope is for."""
        names = {"account": self.account, "domain": self.domain, "listener": self.listener}
        return names.get(per, self.tenant)


class Amounts(Struct, frozen=True):
    """Recipients of each side, lower case, each once, and the message's octets."""

    external: tuple[str, ...]
    internal: tuple[str, ...]
    octets: int

    def on(self, side: LimitSide) -> tuple[str, ...]:
        """The recipients of a side."""
        return {"external": self.external, "internal": self.internal}.get(side, (*self.external, *self.internal))

    def of(self, what: str, side: LimitSide) -> int:
        """How much it is; of new recipients all, for it is not known here which are."""
        recipients = len(self.on(side))
        if what == "messages":
            return int(recipients > 0)
        return (self.octets if recipients else 0) if what == "bytes" else recipients


def sender_of(session: Session, mail_from: str | None) -> Sender:
    """For whom mail of this session and reverse-path counts."""
    account = canonical_login(session.account or mail_from or "") or NOBODY
    return Sender(session.tenant, account, domain_of(mail_from or ""), session.listener)


def is_internal(address: str, domains: Iterable[str]) -> bool:
    """Whether an address is in one of these domains (".example.jp": and below)."""
    domain = domain_of(address)
    return bool(domain) and any(same_or_below(domain, parent) for parent in domains)


def amounts_of(transaction: Transaction) -> Amounts:
    """What a message amounts to. Tens of microseconds for a hundred recipients."""
    domains, inside = transaction.internal_domains, {}
    recipients = tuple(dict.fromkeys(address.lower() for address in transaction.envelope.rcpt_to))
    for address in recipients:
        domain = domain_of(address)
        if domain not in inside:
            inside[domain] = is_internal(address, domains)
    return Amounts(
        tuple(a for a in recipients if not inside[domain_of(a)]),
        tuple(a for a in recipients if inside[domain_of(a)]),
        len(transaction.message.raw),
    )


def digest_of(transaction: Transaction) -> str:
    """The same for a message that its client sends again."""
    raw = transaction.message.raw
    digest = blake2b(raw[:_BEGINNING], digest_size=16)
    digest.update(
        repr((len(raw), transaction.envelope.mail_from, transaction.envelope.rcpt_to)).encode("utf-8", "replace")
    )
    return digest.hexdigest()
