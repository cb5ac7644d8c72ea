"""Who is connected (`Session`) and what they want carried to whom (`Envelope`)."""

from __future__ import annotations

from msgspec import Struct


class Tls(Struct, frozen=True):
    """What protects a connection. `version` and `cipher` in OpenSSL's names ("TLSv1.3")."""

    version: str
    cipher: str


class Session(Struct, frozen=True):
    """One connection of a client, as the inspectors and the policy see it.

    `client_ip` is the address after PROXY protocol or XCLIENT; `account` the authenticated login;
    `tenant` and `listener` are names from the configuration.
    """

    id: str
    client_ip: str
    helo: str = ""
    esmtp: bool = True
    tls: Tls | None = None
    account: str | None = None
    listener: str = ""
    tenant: str = "default"


class Recipient(Struct, frozen=True):
    """A forward-path with its DSN parameters (RFC 3461 4.1, 4.2), both as received."""

    address: str
    notify: str | None = None
    orcpt: str | None = None


class Envelope(Struct, frozen=True):
    """An SMTP envelope. `mail_from` is None for the null reverse-path `<>`.

    `body` is "7BIT", "8BITMIME" or None; `size` the declared SIZE in octets; `ret` ("FULL" or "HDRS") and
    `envid` are the DSN parameters of RFC 3461 4.3 and 4.4, as received.
    """

    mail_from: str | None
    recipients: tuple[Recipient, ...]
    body: str | None = None
    smtputf8: bool = False
    size: int | None = None
    ret: str | None = None
    envid: str | None = None

    @property
    def rcpt_to(self) -> tuple[str, ...]:
        """The recipients' addresses, in order."""
        return tuple(r.address for r in self.recipients)
