"""Who is connected (`Session`) and what they want carried to whom (`Envelope`)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AccountSource = Literal["", "header", "client", "sender"]


class Tls(Struct, frozen=True):
    """What protects a connection. `version` and `cipher` in OpenSSL's names ("TLSv1.3")."""

    version: str
    cipher: str


class Session(Struct, frozen=True):
    """One connection of a client, as the inspectors and the policy see it.

    `client_ip` is the address after PROXY protocol or XCLIENT; `account` the login whose mail it is, `account_source`
    how it is known: "" by AUTH here or by XCLIENT, "header" from an upstream that is trusted with it, "client" by the
    client's address, "sender" only because the mail says so. `tenant` and `listener` are names of the configuration.
    """

    id: str
    client_ip: str
    helo: str = ""
    esmtp: bool = True
    tls: Tls | None = None
    account: str | None = None
    listener: str = ""
    tenant: str = "default"
    account_source: AccountSource = ""
    mechanism: str = ""

    @property
    def proven_account(self) -> str | None:
        """The account, unless it is only what the mail says of itself."""
        return None if self.account_source == "sender" else self.account


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
