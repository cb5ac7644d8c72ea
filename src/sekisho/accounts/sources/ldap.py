"""Accounts of an LDAP server or Active Directory (RFC 4511). Needs ldap3, the extra `sekisho[ldap]`."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import urllib.parse
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sekisho.accounts.sources.source import Checked, Known, Reach, SourceAwayError, Wrong
from sekisho.config.account_settings import LdapSettings
from sekisho.config.source_checks import secret_in
from sekisho.mail.account import Account, LoginAttempt, ScramKeys, canonical_login
from sekisho.store.threads import Threads

if TYPE_CHECKING:
    from ldap3 import Connection

log = logging.getLogger(__name__)

T = TypeVar("T")
_PLACE: Final = "{login}"
_MOST_ENTRIES: Final = 2  # more than one is an error anyway
_MOST_ADDRESSES: Final = 500
_STATE = ("userAccountControl", "msDS-User-Account-Control-Computed", "pwdAccountLockedTime", "nsAccountLock")
# Active Directory's userAccountControl: [MS-ADTS] 2.2.16
_DISABLED: Final = 0x2
_LOCKED: Final = 0x10
# RFC 4511 4.1.9: what says that the server cannot answer, and not that the password is wrong
_NOT_NOW = frozenset((1, 2, 3, 7, 8, 13, 51, 52, 53, 80))
_INVALID_CREDENTIALS: Final = 49


class LdapMissingError(Exception):
    """ldap3 is not installed."""


class _Entry:
    """An entry of ldap3's response: its name, and its attributes, lower case, as octets."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.dn: str = found["dn"]
        raw: Mapping[str, Sequence[bytes]] = found.get("raw_attributes") or {}
        self.attributes = {name.lower(): list(values) for name, values in raw.items()}


class LdapSource:
    """See `accounts.sources.source.Source`. `path` makes paths of the settings absolute.

    Raises LdapMissingError; OSError and ValueError where files of the settings cannot be used.
    """

    has_keys = False

    def __init__(self, name: str, settings: LdapSettings, reach: Reach, path: Callable[[str], Path]) -> None:
        self.name = name
        self.reach = reach
        self._settings = settings
        self._directory = Directory(settings, path)
        self._threads = Threads(f"ldap-{name}", settings.connections, lambda: None)

    async def check(self, attempt: LoginAttempt, password: str) -> Checked:
        """Whether a bind with the password succeeds. Raises SourceAwayError."""
        # RFC 4513 5.1.2: a bind without a password succeeds, and proves nothing
        if not password or "\0" in password or not self.reach.includes(attempt):
            return None
        return await self._run(lambda: self._directory.check(self.reach.tenant, attempt.login, password))

    async def keys(self, attempt: LoginAttempt) -> ScramKeys | None:  # noqa: ARG002 - a Source's
        """None: a directory gives no keys away."""
        return None

    async def proved(self, attempt: LoginAttempt) -> Checked:  # noqa: ARG002 - a Source's
        """None."""
        return None

    async def find(self, login: str) -> Account | None:
        """The account of a login, without a password; None where there is none. Raises SourceAwayError."""
        return await self._run(lambda: self._directory.find(self.reach.tenant, login))

    async def close(self) -> None:
        """Close its connections."""
        await asyncio.wrap_future(self._threads.submit(self._directory.close))
        self._threads.close(0.0)

    async def _run(self, run: Callable[[], T]) -> T:
        """In one of a few threads of its own: a server that hangs holds nothing else up."""
        try:
            async with asyncio.timeout(2 * self._settings.timeout_seconds):
                return await asyncio.wrap_future(self._threads.submit(run))
        except TimeoutError:
            raise SourceAwayError("the directory does not answer in time") from None
        except (SourceAwayError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("source %s of accounts", self.name)
            raise _away(error) from error


class Directory:
    """The directory, asked in a thread that may block. Every method may raise SourceAwayError."""

    def __init__(self, settings: LdapSettings, path: Callable[[str], Path]) -> None:
        self._ldap3 = _library()
        self._settings = settings
        self._seconds = max(round(settings.timeout_seconds), 1)
        self._password = secret_in(path(settings.password_file)) if settings.password_file else None
        self._tls = self._protection(path)
        self._searching = Pool()
        self._binding = Pool()

    def check(self, tenant: str, login: str, password: str) -> Checked:
        """Search for the entry, unless the name to bind with is made of the login, and bind."""
        if self._settings.bind_template:
            return self._direct(tenant, login, password)
        entry = self._search(login)
        if entry is None:
            return None
        right = self._bind(entry.dn, password)
        return self._known(tenant, login, entry) if right and not disabled(entry.attributes) else Wrong()

    def find(self, tenant: str, login: str) -> Account | None:
        """The account without a password; None also where only its owner may read the entry."""
        if not self._settings.base_dn:
            return None
        entry = self._search(login)
        return None if entry is None or disabled(entry.attributes) else self._account(tenant, login, entry)

    def close(self) -> None:
        """Close the connections that nobody uses at the moment."""
        self._searching.close()
        self._binding.close()

    def _direct(self, tenant: str, login: str, password: str) -> Checked:
        template = self._settings.bind_template
        name = template.replace(_PLACE, _in_name(login) if "=" in template else login)
        connection = self._bound(name, password)
        if connection is None:
            return None  # nobody says whether there is such an account
        try:
            entry = self._entry(connection, login) if self._settings.base_dn else None
        except SourceAwayError:
            _unbind(connection)
            raise
        self._binding.give(connection)
        if entry is None:
            own = (login,) if "@" in login else ()
            return Known(Account(tenant, login, own))
        return Wrong() if disabled(entry.attributes) else self._known(tenant, login, entry)

    def _search(self, login: str) -> _Entry | None:
        connection = self._searching.take() or self._open(self._settings.bind_dn, self._password)
        if connection is None:
            raise SourceAwayError("the directory does not take bind_dn and the password in password_file")
        try:
            found = self._entry(connection, login)
        except SourceAwayError:
            # An idle connection may have been closed by the other side: a new one decides.
            _unbind(connection)
            connection = self._open(self._settings.bind_dn, self._password)
            if connection is None:
                raise
            found = self._entry(connection, login)
        self._searching.give(connection)
        return found

    def _entry(self, connection: Connection, login: str) -> _Entry | None:
        """The one entry of a login; None where there is none, or more than one, which is logged."""
        settings = self._settings
        wanted = (*settings.login_attributes, *settings.address_attributes, *settings.name_attributes, *_STATE)
        escaped = self._ldap3.utils.conv.escape_filter_chars(login)  # RFC 4515 3
        try:
            connection.search(
                settings.base_dn,
                settings.filter.replace(_PLACE, escaped),
                attributes=list(dict.fromkeys(wanted)),
                size_limit=_MOST_ENTRIES,
                time_limit=self._seconds,
            )
            result, response = connection.result, connection.response
        except self._ldap3.core.exceptions.LDAPException as error:
            raise _away(error) from error
        if result["result"] not in (0, 4, 32):  # RFC 4511 4.1.9: success, sizeLimitExceeded, noSuchObject
            raise SourceAwayError(f"the search failed: {result['description']}")
        entries = [_Entry(one) for one in response or () if one.get("type") == "searchResEntry"]
        if len(entries) > 1:
            log.warning("more than one entry of the directory is found for a login; none may come in by it")
        return entries[0] if len(entries) == 1 else None

    def _bind(self, name: str, password: str) -> bool:
        connection = self._bound(name, password)
        if connection is not None:
            self._binding.give(connection)
        return connection is not None

    def _bound(self, name: str, password: str) -> Connection | None:
        """A connection bound so; None where the password is wrong. One that was used before is bound anew."""
        connection = self._binding.take()
        if connection is not None:
            try:
                return self._outcome(connection, connection.rebind(user=name, password=password))
            except (self._ldap3.core.exceptions.LDAPException, SourceAwayError):
                _unbind(connection)
        return self._open(name, password)

    def _open(self, name: str, password: str | None) -> Connection | None:
        """A new connection to the first server that takes one, bound; None where the password is wrong."""
        trouble = ""
        for text in self._settings.servers:
            try:
                # A new one each time: ldap3 would remember for minutes that a server was away.
                return self._opened(self._server(text), name, password)
            except (self._ldap3.core.exceptions.LDAPException, SourceAwayError, OSError) as error:
                trouble = str(_away(error))
        raise SourceAwayError(trouble)

    def _opened(self, server: Any, name: str, password: str | None) -> Connection | None:
        """RFC 4513 3.1.1: TLS first, then the bind that it protects."""
        connection = self._ldap3.Connection(
            server,
            user=name or None,
            password=password,
            check_names=False,
            receive_timeout=self._seconds,
            auto_referrals=False,  # RFC 4511 4.1.10: a password is for no server but ours
            raise_exceptions=False,
        )
        try:
            connection.open()
            if not server.ssl:
                self._start_tls(connection)
            return self._outcome(connection, connection.bind(read_server_info=False))
        except BaseException:
            _unbind(connection)
            raise

    def _start_tls(self, connection: Connection) -> None:
        if self._settings.start_tls and not connection.start_tls(read_server_info=False):
            raise SourceAwayError(f"no StartTLS: {connection.result['description']}")

    def _outcome(self, connection: Connection, bound: object) -> Connection | None:
        """The connection, if the bind succeeded; None where the password is wrong."""
        if bound:
            return connection
        result = connection.result or {}
        _unbind(connection)
        if result.get("result") in _NOT_NOW or "result" not in result:
            raise SourceAwayError(f"the bind failed: {result.get('description', 'no answer')}")
        if result["result"] != _INVALID_CREDENTIALS:
            log.info("a bind to the directory was refused: %s", result.get("description"))
        return None

    def _server(self, text: str) -> Any:
        url = urllib.parse.urlsplit(text)
        secure = url.scheme == "ldaps"
        return self._ldap3.Server(
            url.hostname,
            port=url.port or (636 if secure else 389),
            use_ssl=secure,
            tls=self._tls,
            get_info=self._ldap3.NONE,
            connect_timeout=self._settings.timeout_seconds,
        )

    def _protection(self, path: Callable[[str], Path]) -> Any:
        """ldap3 looks at a certificate's name by what Python 3.12 has no more: OpenSSL does it here."""
        context = ssl.create_default_context(cafile=path(self._settings.ca_file) if self._settings.ca_file else None)
        tls = self._ldap3.Tls(validate=ssl.CERT_REQUIRED)
        tls.wrap_socket = partial(_protected, context)
        return tls

    def _known(self, tenant: str, login: str, entry: _Entry) -> Known:
        return Known(self._account(tenant, login, entry))

    def _account(self, tenant: str, login: str, entry: _Entry) -> Account:
        """By whatever name somebody logs in, it is one account: limits and habits are the account's."""
        settings = self._settings
        names = texts(entry.attributes, settings.login_attributes)
        own = next((name for name in map(canonical_login, names) if name), canonical_login(login))
        addresses = addresses_of(texts(entry.attributes, settings.address_attributes))
        shown = next(iter(texts(entry.attributes, settings.name_attributes)), "")
        return Account(tenant, own, addresses, name=shown[:200])


class Pool:
    """Connections that nobody uses, for any thread."""

    def __init__(self) -> None:
        self._free: list[Connection] = []
        self._lock = threading.Lock()

    def take(self) -> Connection | None:
        """One of them, the one used last; None where there is none."""
        with self._lock:
            return self._free.pop() if self._free else None

    def give(self, connection: Connection) -> None:
        """Keep one for the next who asks, without the password of the last."""
        connection.user = connection.password = connection.request = None
        with self._lock:
            self._free.append(connection)

    def close(self) -> None:
        """Close all of them."""
        while (connection := self.take()) is not None:
            _unbind(connection)


def disabled(attributes: Mapping[str, Sequence[bytes]]) -> bool:
    """Whether an entry says that it may not log in: of Active Directory, OpenLDAP's ppolicy or 389's."""
    control = _number(attributes, "userAccountControl") | _number(attributes, "msDS-User-Account-Control-Computed")
    locked = [
        value for name in ("pwdAccountLockedTime", "nsAccountLock") for value in attributes.get(name.lower(), ())
    ]
    return bool(control & (_DISABLED | _LOCKED)) or any(value.lower() not in (b"", b"false") for value in locked)


def texts(attributes: Mapping[str, Sequence[bytes]], names: Iterable[str]) -> list[str]:
    """The values of attributes, in the order of their names; what is not UTF-8 is left out."""
    found = []
    for value in (value for name in names for value in attributes.get(name.lower(), ())):
        try:
            found.append(value.decode())
        except UnicodeDecodeError:
            continue
    return found


def addresses_of(values: Iterable[str]) -> tuple[str, ...]:
    """Mail addresses in lower case: plain, or Exchange's "SMTP:" and "smtp:"; those of other kinds are left out."""
    found = []
    for value in values:
        kind, colon, rest = value.rpartition(":")
        address = canonical_login(rest)
        if (not colon or kind.lower() == "smtp") and address.count("@") == 1 and address.strip("@") == address:
            found.append(address)
    return tuple(dict.fromkeys(found))[:_MOST_ADDRESSES]


def _protected(context: ssl.SSLContext, connection: Connection, do_handshake: bool = True) -> None:  # noqa: FBT001, FBT002, ARG001 - the shape of ldap3's method
    """Put TLS around a connection; the certificate must be valid, and the server's. RFC 4513 3.1.3."""
    plain = connection.socket
    try:
        connection.socket = context.wrap_socket(plain, server_hostname=connection.server.host)
    except BaseException:
        plain.close()
        raise


def _number(attributes: Mapping[str, Sequence[bytes]], name: str) -> int:
    value = next(iter(attributes.get(name.lower(), ())), b"")
    return int(value) if value.isdigit() and len(value) < 12 else 0


def _in_name(login: str) -> str:
    """A value for a distinguished name. RFC 4514 2.4."""
    escaped = "".join(f"\\{c}" if c in '\\,+"<>;=#' else c for c in login)
    return f"\\{escaped}" if escaped.startswith(" ") else escaped


def _unbind(connection: Connection) -> None:
    """Close it. ldap3 leaves the socket open where its TLS failed."""
    socket = connection.socket
    with suppress(Exception):  # ldap3 and the socket raise whatever they like; it is gone either way
        connection.unbind()
    with suppress(Exception):
        if socket is not None:
            socket.close()


def _away(error: Exception) -> SourceAwayError:
    """Why, without what was asked."""
    return SourceAwayError(f"{type(error).__name__}: {str(error)[:300]}")


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 2.9 uses old names of pyasn1
            import ldap3  # noqa: PLC0415 - an extra, loaded only where it is asked for
            import ldap3.core.exceptions  # noqa: PLC0415
            import ldap3.utils.conv  # noqa: PLC0415
    except ImportError as error:
        raise LdapMissingError("accounts of LDAP need ldap3: install sekisho[ldap]") from error
    return ldap3
