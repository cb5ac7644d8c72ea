"""What one message shows of its account, as hashes and numbers. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from sekisho.accounts.behaviour.country import CountryOf, nowhere
from sekisho.accounts.behaviour.events import Bounced, Origin, Sending, Target
from sekisho.mail.account import Account
from sekisho.mail.address import client_address, domain_of, same_or_below
from sekisho.mail.envelope import Session
from sekisho.mail.finding import Finding
from sekisho.mail.transaction import AuditRecord, Transaction

_CONTENT = ("spam/", "phishing/", "bec/")
_READ = 4000  # characters of the text that its script and its likeness are told from
_MOST_TARGETS = 1000
# IPv4 and IPv6: what one connection's addresses change within, and what a provider's do.
_NETWORKS = {4: (24, 16), 6: (48, 32)}
_JAPANESE = frozenset(("HIRAGANA", "KATAKANA", "CJK"))
_FORWARDERS = ("x-forwarded-for", "resent-from", "x-ms-exchange-inbox-rules-loop")
_VERSIONS = re.compile(r"[\d._()/-].*")
_VARIABLE = re.compile(r"\d+|https?://\S+|\S+@\S+")


class Seeing:
    """Makes events of transactions. `key` (16 to 64 octets) keys the hashes: with another one all is new again."""

    def __init__(self, key: bytes, country_of: CountryOf = nowhere) -> None:
        self._key = key
        self._country_of = country_of

    def sending(
        self, transaction: Transaction, findings: Sequence[Finding], account: Account | None = None
    ) -> Sending:
        """One message. `account`, where it is known, tells which addresses are its own."""
        message, domains = transaction.message, transaction.internal_domains
        text = _text(transaction)
        author, own = _author(transaction), _own(transaction, account)
        return Sending(
            at=transaction.received_at.timestamp(),
            origin=self.origin(transaction.session, _program(transaction)),
            targets=self._targets(transaction),
            size=len(message.raw),
            script=script(text),
            links=sum(not _internal(host, domains) for host in _hosts(transaction)),
            attachments=sum(bool(part.filename) for part in message.parts),
            score=max((f.confidence for f in findings if f.rule.startswith(_CONTENT)), default=0.0),
            elsewhere=_answers_elsewhere(transaction, author),
            other_author=bool(author) and author not in own and f"@{domain_of(author)}" not in own,
            forwarded=_forwarded(transaction),
            answers=message.header("in-reply-to") is not None,
            template=self.hash("text", _VARIABLE.sub(" ", text)) if len(text) > 40 else 0,
        )

    def origin(self, session: Session, program: str = "") -> Origin:
        """Where a session comes from; `program` as the client names itself."""
        try:
            address = client_address(session.client_ip)
        except ValueError:
            return Origin(0, 0, self.hash("program", program))
        near, wide = (str(ip_network((address, bits), strict=False)) for bits in _NETWORKS[address.version])
        found = self._country_of(str(address))
        client = self.hash("program", program) if program else 0
        return Origin(self.hash("network", near), self.hash("network", wide), client, found.country, found.place)

    def bounced(self, record: AuditRecord) -> Bounced | None:
        """The recipients that the next hop refused for good, if there are any."""
        failed = invalid = 0
        for delivery in record.outcome.deliveries:
            reply = delivery.reply
            if reply is None or not delivery.to or not reply.permanent:
                continue
            failed += len(delivery.recipients)
            # RFC 3463 3.2: X.1.1 is a mailbox, X.1.2 a system that does not exist.
            invalid += len(delivery.recipients) * (reply.detail in {"1.1", "1.2"})
        if not failed:
            return None
        transaction = record.transaction
        network = self.origin(transaction.session).network
        return Bounced(transaction.received_at.timestamp(), failed, invalid, network)

    def hash(self, purpose: str, text: str) -> int:
        """A keyed hash of 64 bits (RFC 7693)."""
        value = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(value, digest_size=8, key=self._key).digest(), "big")

    def _targets(self, transaction: Transaction) -> tuple[Target, ...]:
        found = {}
        for address in transaction.envelope.rcpt_to[:_MOST_TARGETS]:
            lower, domain = address.lower(), domain_of(address)
            internal = _internal(domain, transaction.internal_domains)
            found[lower] = Target(self.hash("address", lower), self.hash("domain", domain), internal)
        return tuple(found.values())


def script(text: str) -> str:
    """The script that most letters are of, in lower case; Japanese has three. "" for few letters."""
    counts: Counter[str] = Counter()
    for character in text[:400]:
        if character.isalpha():
            name = unicodedata.name(character, "").partition(" ")[0]
            counts["JAPANESE" if name in _JAPANESE else name] += 1
    if counts.total() < 20:
        return ""
    # Japanese has Latin words in it, no other language has Japanese ones.
    japanese = counts["JAPANESE"] * 5 >= counts.total()
    return "japanese" if japanese else counts.most_common(1)[0][0].lower()


def _text(transaction: Transaction) -> str:
    text = next((part.visible_text for part in transaction.message.parts if part.is_text and part.visible_text), "")
    return text[:_READ]


def _program(transaction: Transaction) -> str:
    """The mail program by its own words, without its version: updates are no new program."""
    for name in ("user-agent", "x-mailer"):
        header = transaction.message.header(name)
        if header is not None:
            return _VERSIONS.sub("", header.text[:100].lower()).strip()
    return ""


def _hosts(transaction: Transaction) -> list[str]:
    hosts = []
    for link in transaction.links[:50]:
        try:
            host = urlsplit(link.url).hostname
        except ValueError:
            continue
        if host:
            hosts.append(host)
    return hosts


def _internal(domain: str, domains: frozenset[str]) -> bool:
    return any(same_or_below(domain, own) for own in domains)


def _author(transaction: Transaction) -> str:
    header = transaction.message.header("from")
    return header.mailboxes[0].address.lower() if header is not None and header.mailboxes else ""


def _own(transaction: Transaction, account: Account | None) -> frozenset[str]:
    reverse_path = (transaction.envelope.mail_from or "").lower()
    own = (*account.addresses, *account.on_behalf_of) if account is not None else ()
    return frozenset((*own, reverse_path, (transaction.session.account or "").lower()))


def _answers_elsewhere(transaction: Transaction, author: str) -> bool:
    header = transaction.message.header("reply-to")
    if header is None:
        return False
    known = domain_of(author)
    domains = [domain_of(mailbox.address) for mailbox in header.mailboxes]
    return any(d and d != known and not _internal(d, transaction.internal_domains) for d in domains)


def _forwarded(transaction: Transaction) -> bool:
    """Whether a program sent it on: RFC 3834 5 and what common servers write."""
    message = transaction.message
    if any(message.header(name) is not None for name in _FORWARDERS):
        return True
    header = message.header("auto-submitted")
    return header is not None and header.text.lower().startswith(("auto-forwarded", "auto-generated (forward"))
