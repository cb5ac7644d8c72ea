"""What a source of accounts is asked, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from sekisho.mail.account import Account, LoginAttempt, ScramKeys
from sekisho.mail.address import domain_of, same_or_below
from sekisho.store.accounts import Why

ChangeWhy = Why


class Known(Struct, frozen=True):
    """The account is known, and who asks is its owner; `change_why` says why the password must be changed.

    `app_password` names the one that was used, "" for none.
    """

    account: Account
    change_why: ChangeWhy = ""
    app_password: str = ""


class Wrong(Struct, frozen=True):
    """The account is known, but the password is not its own, or the account may not come in."""


# None: no such account here, or the source cannot tell.
Checked = Known | Wrong | None


class SourceAwayError(Exception):
    """The source could not be asked; the text says why, for the log."""


class Source(Protocol):
    """Checks passwords. `has_keys`: it knows keys for SCRAM. Each may raise SourceAwayError.

    `keys` are those of an account, `proved` what there is to say of it after the client has proved the password.
    """

    name: str
    has_keys: bool

    async def check(self, attempt: LoginAttempt, password: str) -> Checked:
        """Whether a password is the account's."""

    async def keys(self, attempt: LoginAttempt) -> ScramKeys | None:
        """The keys of an account that may come in."""

    def iterations(self) -> Sequence[int]:
        """The iterations of the keys that it knows, often ones more than once; () where it knows none."""

    async def proved(self, attempt: LoginAttempt) -> Checked:
        """The account of a SCRAM exchange that succeeded."""


class TokenSource(Protocol):
    """Checks tokens. May raise SourceAwayError."""

    name: str

    async def check_token(self, attempt: LoginAttempt, token: str) -> Checked:
        """Whose token it is; None where it is of another issuer. A token names the login itself."""


class Reach:
    """Which logins a source of another server is asked about: those of `domains`, or any where none are named."""

    def __init__(self, tenant: str, domains: Iterable[str] = ()) -> None:
        self.tenant = tenant
        self._domains = tuple(domains)

    def includes(self, attempt: LoginAttempt) -> bool:
        """Whether it is asked. A login without a domain is of the tenant to whose listener, or from whose network."""
        return self.has(attempt.login) if "@" in attempt.login else attempt.session.tenant == self.tenant

    def has(self, login: str) -> bool:
        """Whether a login with a domain is one of its own."""
        domain = domain_of(login)
        return not self._domains or any(same_or_below(domain, own) for own in self._domains)
