"""An account that sends mail, and a login to it."""

from __future__ import annotations

import unicodedata
from typing import Literal

from msgspec import Struct

from sekisho.mail.envelope import Session

FailureKind = Literal["denied", "throttled", "locked", "change-password", "away"]


class Account(Struct, frozen=True):
    """Whose mail it is. `login` as accounts are told apart: NFC, lower case; unique in its tenant.

    `addresses` are those it may write from (its own and aliases; "@example.jp" is the whole domain), `on_behalf_of`
    those it may name in From while Sender is its own; all lower case. `contact` is where the owner is told what must
    not be said in the mailbox itself, "" for nowhere; `language` that of texts for the owner, "" the tenant's.
    """

    tenant: str
    login: str
    addresses: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()
    name: str = ""
    contact: str = ""
    language: str = ""


class LoginAttempt(Struct, frozen=True):
    """One AUTH as far as it is known: `mechanism` a SASL name in upper case, `login` what the client wrote, prepared.

    `session` is the connection's, before the login: its tenant is the listener's.
    """

    session: Session
    mechanism: str
    login: str


class Login(Struct, frozen=True):
    """An AUTH that succeeded. `source` names what knew the account, `app_password` the one used, "" for none."""

    account: Account
    mechanism: str
    source: str = ""
    app_password: str = ""


class LoginFailure(Struct, frozen=True):
    """An AUTH that did not. `kind` "denied" covers unknown accounts and wrong passwords alike.

    `wait_seconds`: how long the answer is to be put off, or, for "throttled", until another try makes sense.
    """

    kind: FailureKind
    wait_seconds: float = 0.0


class ScramKeys(Struct, frozen=True):
    """What a server keeps for SCRAM-SHA-256. RFC 5802 3, RFC 7677.

    For a login that nobody has these are made up, the same for the same login: the exchange then fails at its end.
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


MOST_LOGIN_CHARACTERS = 320  # RFC 5321 4.5.3.1: 64 for the local part, 255 for the domain, and the sign between


def canonical_login(text: str) -> str:
    """A login as accounts are told apart: NFC, lower case, without blanks around it.

    "" for what can be none: too long, or with characters that are not for reading.
    """
    login = unicodedata.normalize("NFC", text.strip()[: MOST_LOGIN_CHARACTERS + 1]).lower()
    return login if len(login) <= MOST_LOGIN_CHARACTERS and login.isprintable() else ""
