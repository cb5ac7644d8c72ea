"""Whose mail a relay brings where nobody has logged in: by reverse-path, header of an upstream, or client."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from msgspec import Struct
from msgspec.structs import replace

from sekisho.config.settings import ListenerSettings
from sekisho.mail.account import canonical_login
from sekisho.mail.address import IpNetwork, client_address, domain_of, same_or_below
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.message import Message
from sekisho.mail.verdict import DeleteHeader, Verdict


class Identification(Struct, frozen=True):
    """How one listener knows the account: its settings, read. `header` is lower case, "" where none is looked at."""

    mode: str = "sender"
    header: str = ""
    header_from: tuple[IpNetwork, ...] = ()
    clients: tuple[tuple[IpNetwork, str], ...] = ()

    @classmethod
    def of(cls, settings: ListenerSettings) -> Identification:
        """Read the settings of a listener. Raises ValueError for a network that is none."""
        clients = [(ip_network(text, strict=False), login) for text, login in settings.account_clients.items()]
        return cls(
            settings.account_from,
            settings.account_header.lower() if settings.account_from == "header" else "",
            tuple(ip_network(text, strict=False) for text in settings.account_header_from),
            tuple(sorted(clients, key=lambda client: -client[0].prefixlen)),
        )


def identified(
    session: Session,
    envelope: Envelope,
    message: Message,
    how: Identification | None,
    domains: frozenset[str],
) -> Session:
    """The session with the account whose mail this is; as it is where that is known already, or cannot be.

    `how` is the listener's, None for mail that came from none; `domains` are the tenant's own. Pure; microseconds.
    """
    if session.account is not None or how is None:
        return session
    if how.mode == "client":
        return replace(session, account=_of_client(session.client_ip, how), account_source="client")
    if how.mode == "header" and (login := named_in_header(session, message, how)):
        return replace(session, account=login, account_source="header")
    if how.mode != "xclient" and (login := _of_sender(envelope, message, domains)):
        return replace(session, account=login, account_source="sender")
    return session


def named_in_header(session: Session, message: Message, how: Identification) -> str:
    """The login in the header of an upstream that is trusted with it; "" where there is none, or more than one."""
    named = message.headers_named(how.header)
    if len(named) != 1 or not may_name(session, how):
        return ""
    value = named[0].text.strip()
    return canonical_login(value.removeprefix("<").removesuffix(">"))


def may_name(session: Session, how: Identification) -> bool:
    """Whether the client is an upstream that may say in the header whose mail it is."""
    try:
        address = client_address(session.client_ip)
    except ValueError:
        return False
    return any(address in network for network in how.header_from)


def without_account_header(
    verdicts: tuple[Verdict, ...], message: Message, how: Identification | None
) -> tuple[Verdict, ...]:
    """The verdicts, with the header that names the account taken out of what leaves. It is ours, whoever wrote it."""
    if how is None or not how.header or not message.headers_named(how.header):
        return verdicts
    removal = DeleteHeader(how.header)
    return tuple(replace(v, modifications=(*v.modifications, removal)) for v in verdicts)


def identifications(listeners: tuple[ListenerSettings, ...]) -> Mapping[str, Identification]:
    """By the listener's name, those that take mail of others without a login."""
    return {settings.name: Identification.of(settings) for settings in listeners if settings.role == "relay"}


def _of_client(client_ip: str, how: Identification) -> str:
    """The login of the smallest network, else the address itself."""
    try:
        address = client_address(client_ip)
    except ValueError:
        return client_ip
    return next((login for network, login in how.clients if address in network), str(address))


def _of_sender(envelope: Envelope, message: Message, domains: frozenset[str]) -> str:
    """The reverse-path, or the author of a bounce, if it is of a domain of the tenant's own."""
    if envelope.mail_from is not None:
        return _own(envelope.mail_from, domains)
    header = message.header("from")
    authors = header.mailboxes if header is not None else ()
    return _own(authors[0].address, domains) if len(authors) == 1 else ""


def _own(address: str, domains: frozenset[str]) -> str:
    domain = domain_of(address)
    own = domain and any(same_or_below(domain, parent) for parent in domains)
    return canonical_login(address) if own else ""


def untrusted_header(session: Session, message: Message, how: Identification | None) -> str:
    """Why a header that names the account is not believed; "" where there is none, or nothing is wrong with it."""
    named = message.headers_named(how.header) if how is not None and how.header else ()
    if how is None or not named:
        return ""
    if not may_name(session, how):
        return f"{named[0].name} came from a client that may not name accounts"
    if len(named) > 1:
        return f"{named[0].name} is there {len(named)} times"
    return "" if named_in_header(session, message, how) else f"{named[0].name} names no account"
