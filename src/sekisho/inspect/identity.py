"""Who writes as whom: login, reverse-path, From and Sender held against each other and against who owns a domain.

Only addresses count; what a display name says is for others to look at (`bec/impersonation`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.content.seen import shown_address
from sekisho.mail.address import IpNetwork, client_address, domain_of, same_or_below
from sekisho.mail.finding import Finding, Severity, Where
from sekisho.mailauth.author import ascii_domain, author_domains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.account import Account
    from sekisho.mail.envelope import AccountSource, Session
    from sekisho.mail.message import Header, Message
    from sekisho.mail.ports import Directory
    from sekisho.mail.transaction import Transaction

MISMATCH = ("auth/identity-mismatch", Severity.HIGH)
FOREIGN = ("auth/foreign-from", Severity.MEDIUM)
FORGED = ("auth/forged-own-domain", Severity.HIGH)
UNTRUSTED = ("auth/untrusted-account-header", Severity.MEDIUM)

# How sure it is whose mail this is: an account that is only the reverse-path says little about From, for lists and
# programs have reverse-paths of their own.
_SURE: Mapping[AccountSource, float] = {"": 1.0, "header": 1.0, "client": 0.9, "sender": 0.5}
_GUESSED = 0.6  # the account's addresses are not known, only that a login is usually an address's local part
_Place = tuple[str, Where, str]  # the part's name, where it is, and the address in it
_MOST = 20  # mailboxes of one field that are looked at


class TenantOwn(Struct, frozen=True):
    """What is a tenant's own. `looks`: whether it wants to know; `separator` of subaddresses, "" for none."""

    domains: frozenset[str]
    looks: bool = True
    separator: str = "+"
    client_networks: tuple[IpNetwork, ...] = ()

    @classmethod
    def of(cls, domains: Iterable[str], enforce: str, separator: str, networks: Iterable[str]) -> TenantOwn:
        """From settings, which have been checked. Raises ValueError."""
        return cls(
            frozenset(domains),
            enforce != "off",
            separator,
            tuple(ip_network(text, strict=False) for text in networks),
        )

    def owns(self, domain: str) -> bool:
        """Whether a domain is the tenant's."""
        return bool(domain) and any(same_or_below(domain, parent) for parent in self.domains)


class Identity:
    """The inspector. `untrusted` says why a header that names the account does not count, "" where it does."""

    name = "identity"

    def __init__(
        self,
        directory: Directory,
        tenants: Mapping[str, TenantOwn],
        untrusted: Callable[[Session, Message], str] = lambda _session, _message: "",
    ) -> None:
        self._directory = directory
        self._tenants = tenants
        self._untrusted = untrusted

    def inspect(self, transaction: Transaction) -> Sequence[Finding]:
        """What does not fit together; nothing is said of a tenant that does not look."""
        found = list(self._forged(transaction))
        own = self._tenants.get(transaction.session.tenant)
        if own is not None and own.looks:
            found += self._of_account(transaction, own)
            found += _foreign(transaction, own)
        if why := self._untrusted(transaction.session, transaction.message):
            found.append(Finding(*UNTRUSTED, where="header", explanation=why))
        return found

    def _of_account(self, transaction: Transaction, own: TenantOwn) -> Iterator[Finding]:
        session = transaction.session
        if not session.account:
            return
        account = self._directory.account(session.tenant, session.account)
        if account is None or (session.account_source == "client" and not account.addresses):
            return
        yield from _mismatches(transaction, _Writer(account, own, session.account_source))

    def _forged(self, transaction: Transaction) -> Iterator[Finding]:
        """A domain of a tenant's in mail that is not that tenant's."""
        session = transaction.session
        for part, where, address in _claims(transaction):
            domain = ascii_domain(domain_of(address))
            owners = [name for name, own in self._tenants.items() if own.looks and own.owns(domain)]
            if owners and session.tenant not in owners:
                why = f"{part} is in a domain of another tenant"
                yield _finding(FORGED, 1.0, (part, where, address), "", why)
                return
            if session.tenant in owners and _from_elsewhere(session, self._tenants[session.tenant]):
                why = f"{part} is in the tenant's domain, the client is in none of its networks and has not logged in"
                yield _finding(FORGED, 0.7, (part, where, address), "", why)
                return


class _Writer(Struct, frozen=True):
    """The account that writes."""

    account: Account
    own: TenantOwn
    source: AccountSource

    @property
    def sure(self) -> float:
        """How sure a mismatch is."""
        return min(_SURE[self.source], 1.0 if self.account.addresses else _GUESSED)

    def may_use(self, address: str) -> bool:
        """Whether an address is the account's own."""
        if self.account.addresses:
            return self._among(address, self.account.addresses)
        # A login without a domain: its addresses are known to whoever let it in, not to us.
        local, domain = _split(address)
        return self.own.owns(domain) and self._bare(local) == _normal(self.account.login)

    def may_stand_for(self, address: str) -> bool:
        """Whether the account may write on behalf of an address."""
        return self._among(address, self.account.on_behalf_of)

    def _among(self, address: str, owned: tuple[str, ...]) -> bool:
        local, domain = _split(address)
        bare = self._bare(local)
        for one in owned:
            own_local, own_domain = _split(one)
            if domain == own_domain and own_local in ("", local, bare):
                return bool(local)
        return False

    def _bare(self, local: str) -> str:
        """A local part without its subaddress."""
        separator = self.own.separator
        return (local.partition(separator)[0] or local) if separator else local


def _mismatches(transaction: Transaction, writer: _Writer) -> Iterator[Finding]:
    message, path = transaction.message, transaction.envelope.mail_from
    senders = _mailboxes(message, "sender")
    as_itself = bool(senders) and all(map(writer.may_use, senders))

    def finding(part: str, where: Where, addresses: list[str], why: str, sure: float = 1.0) -> Finding:
        first = addresses[0] if addresses else ""
        confidence = writer.sure * sure
        place = (part, where, first)
        return _finding(MISMATCH, confidence, place, writer.account.login, why, count=len(addresses) or 1)

    if path is None and not _is_automatic(message):
        yield finding("reverse-path", "envelope", [], "the null reverse-path is for reports and automatic mail", 0.9)
    elif path is not None and not (writer.may_use(path) or (as_itself and writer.may_stand_for(path))):
        yield finding("reverse-path", "envelope", [path], "the reverse-path is not an address of the account")
    if senders and not as_itself:
        yield finding("Sender", "header", senders, "Sender is not an address of the account")
    authors = _mailboxes(message, "from")
    others = [author for author in authors if not writer.may_use(author)]
    if as_itself:
        others = [author for author in others if not writer.may_stand_for(author)]
    if others:
        behalf = all(map(writer.may_stand_for, others))
        why = "From needs a Sender of the account beside it" if behalf else "From is not an address of the account"
        yield finding("From", "header", others, why)
    elif message.headers_named("from") and not authors:
        yield finding("From", "header", [], "From has no address", 0.8)
    elif _reads_two_ways(message.headers_named("from"), authors):
        yield finding("From", "header", authors, "From can be read as another address", 0.8)


def _foreign(transaction: Transaction, own: TenantOwn) -> Iterator[Finding]:
    if not own.domains:
        return  # what is the tenant's is not known
    authors = _mailboxes(transaction.message, "from")
    foreign = [author for author in authors if not own.owns(_split(author)[1])]
    if foreign:
        # A mail server's own reports come from its host's name.
        sure = 0.3 if transaction.envelope.mail_from is None else 0.95
        why = "From is in no domain of the tenant"
        account = transaction.session.account or ""
        place: _Place = ("From", "header", foreign[0])
        yield _finding(FOREIGN, sure, place, account, why, count=len(foreign))


def _claims(transaction: Transaction) -> Iterator[_Place]:
    """Each address that a message comes from, with the name of its place."""
    for part in ("From", "Sender"):
        yield from ((part, "header", address) for address in _mailboxes(transaction.message, part.lower()))
    if transaction.envelope.mail_from:
        yield "reverse-path", "envelope", transaction.envelope.mail_from


def _from_elsewhere(session: Session, own: TenantOwn) -> bool:
    """Whether a tenant has said where its clients are, and nobody vouches for this one."""
    if not own.client_networks or (session.account is not None and session.account_source in {"header", ""}):
        return False
    try:
        address = client_address(session.client_ip)
    except ValueError:
        return False
    return not any(address in network for network in own.client_networks)


def _is_automatic(message: Message) -> bool:
    """Whether a message has the form of a report or says that it is automatic. RFC 3464 2, RFC 3834 5."""
    header = message.header("auto-submitted")
    said = header.value.partition(";")[0].strip().lower() if header is not None else "no"
    return said != "no" or message.root.content_type == "multipart/report"


def _reads_two_ways(headers: tuple[Header, ...], authors: list[str]) -> bool:
    """Whether another reader of From finds a domain that is not among the addresses'."""
    domains = {_split(author)[1] for author in authors}
    return any(ascii_domain(d) not in domains for h in headers for d in author_domains(h.value) if d)


def _mailboxes(message: Message, key: str) -> list[str]:
    """The addresses in all fields of this name."""
    boxes = (box for header in message.headers_named(key) for box in header.mailboxes[:_MOST])
    return [box.address for box in boxes if "@" in box.address][:_MOST]


def _split(address: str) -> tuple[str, str]:
    """Local part and domain in one spelling: NFC, lower case, no quotes that nothing needs. RFC 5321 2.4.

    That local parts may differ by case is right in theory; no two people of a company are told apart by it.
    """
    # Octets of a raw header that are UTF-8 (RFC 6532 3.2) come as surrogates.
    address = address.encode("utf-8", "surrogateescape" if _is_raw(address) else "replace").decode("utf-8", "replace")
    local, _, domain = address.strip("<> ").rpartition("@")
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = local[1:-1].replace("\\", "")
    return _normal(local), ascii_domain(_normal(domain).strip().rstrip("."))


def _is_raw(address: str) -> bool:
    """Whether every lone surrogate stands for an octet."""
    return all("\udc80" <= c <= "\udcff" for c in address if "\ud800" <= c <= "\udfff")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _finding(
    rule: tuple[str, Severity], confidence: float, place: _Place, login: str, why: str, *, count: int = 1
) -> Finding:
    """A finding whose excerpt names the part: "From: ta***@example.jp (account ha***@example.jp)"."""
    part, where, address = place
    shown = _shown(address) if address else "<>" if part == "reverse-path" else "none"
    account = f" (account {_shown(login)})" if login else ""
    return Finding(
        *rule,
        confidence=round(confidence, 2),
        count=count,
        where=where,
        excerpt=f"{part}: {shown}{account}",
        explanation=why,
    )


def _shown(address: str) -> str:
    shown = shown_address(address[-320:]) if "@" in address else address[:60]
    return "".join(c if c.isprintable() else "?" for c in shown)
