"""What the types alone cannot say of the settings of identity and locks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path

from sekisho.config.account_settings import IdentitySettings, LockSettings
from sekisho.config.locations import Locations, Problem
from sekisho.config.settings import ListenerSettings, Settings, TenantSettings
from sekisho.mail.account import canonical_login

GROUP = "group:"
_MOST_LINES = 1_000_000


class AliasesError(ValueError):
    """A line that names no login or no address; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


def read_aliases(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read "login,address,…" a line (also with semicolons); "#" begins a comment. Logins and addresses lower case.

    An address may be "@domain". A login that is there twice has the addresses of both lines. Raises AliasesError.
    """
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        text = line.lstrip("\ufeff").strip()
        if not text or text.startswith("#"):
            continue
        if number > _MOST_LINES:
            raise AliasesError(number, f"more than {_MOST_LINES} lines")
        fields = next(csv.reader([text], delimiter=";" if ";" in text else ","))
        login, *addresses = [canonical_login(field) for field in fields]
        addresses = [address for address in addresses if address]
        if not login or not addresses or not all("@" in address for address in addresses):
            raise AliasesError(number, "expected a login and its addresses, separated by commas")
        found[login] = tuple(dict.fromkeys((*found.get(login, ()), *addresses)))
    return found


def aliases_in(file: Path) -> dict[str, tuple[str, ...]]:
    """The addresses of logins in a file: aliases, or contacts. Raises OSError, ValueError."""
    return read_aliases(file.read_text("utf-8").splitlines())


def tenant_problems(
    key: str, tenant: TenantSettings, settings: Settings, path: Callable[[str], Path], locations: Locations
) -> Iterator[Problem]:
    """Everything that is wrong with a tenant's identity and lock. `key` is "tenant.NAME"."""
    if tenant.identity is not None:
        groups = {name for other in settings.tenant.values() for name in other.groups}
        yield from identity_problems(f"{key}.identity", tenant.identity, groups, locations)
        yield from _file(f"{key}.identity.aliases_file", tenant.identity.aliases_file, path, locations)
    if tenant.lock is not None:
        yield from lock_problems(f"{key}.lock", tenant.lock, locations)
        yield from _file(f"{key}.lock.contacts_file", tenant.lock.contacts_file, path, locations)


def _file(key: str, file: str, path: Callable[[str], Path], locations: Locations) -> Iterator[Problem]:
    try:
        if file:
            aliases_in(path(file))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        yield locations.problem(key, f"cannot be used: {why} ({file})")


def identity_problems(
    key: str, identity: IdentitySettings, groups: Iterable[str], locations: Locations
) -> Iterator[Problem]:
    """Addresses that are none, logins and groups that are none. `key` is "tenant.NAME.identity"."""
    for name in ("send_as", "delegates"):
        for address, logins in getattr(identity, name).items():
            if "@" not in address or address != address.lower():
                text = f'expected an address or "@domain" in lower case, got {address!r}'
                yield locations.problem(f"{key}.{name}", text)
            for login in logins:
                group = login.removeprefix(GROUP)
                if login.startswith(GROUP) and group not in groups:
                    yield locations.problem(f"{key}.{name}", f"no group {group!r}")
                elif not login.startswith(GROUP) and canonical_login(login) != login:
                    yield locations.problem(f"{key}.{name}", f"expected a login in lower case, got {login!r}")
    if len(identity.subaddress_separator) > 1 or identity.subaddress_separator in ("@", '"', " "):
        yield locations.problem(f"{key}.subaddress_separator", "expected one character, or nothing")


def lock_problems(key: str, lock: LockSettings, locations: Locations) -> Iterator[Problem]:
    """Numbers that are none of use. `key` is "tenant.NAME.lock"."""
    if lock.incidents < 0:
        yield locations.problem(f"{key}.incidents", f"must be 0 or above 0, got {lock.incidents}")
    for name in ("incident_minutes", "repeat_locks", "repeat_days"):
        if (value := getattr(lock, name)) <= 0:
            yield locations.problem(f"{key}.{name}", f"must be above 0, got {value}")


def listener_problems(key: str, listener: ListenerSettings, locations: Locations) -> Iterator[Problem]:
    """How a relay listener tells accounts apart. `key` is "listener[0]"."""
    if listener.account_from == "header" and not listener.account_header_from:
        text = '"header" needs account_header_from: the upstreams that may name the account'
        yield locations.problem(f"{key}.account_from", text)
    name = listener.account_header
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        yield locations.problem(f"{key}.account_header", f"expected a header's name, got {name!r}")
    elif name.lower() in _NOT_FOR_ACCOUNTS:
        yield locations.problem(f"{key}.account_header", f"{name} is needed in the message that leaves")
    networks = [(f"{key}.account_header_from[{n}]", text) for n, text in enumerate(listener.account_header_from)]
    for place, text in [*networks, *((f"{key}.account_clients", text) for text in listener.account_clients)]:
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            yield locations.problem(place, str(error))
    for network, login in listener.account_clients.items():
        if not login or canonical_login(login) != login:
            yield locations.problem(f"{key}.account_clients", f"{network}: expected a login in lower case")


_NOT_FOR_ACCOUNTS = frozenset((
    "from", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
    "received",
))  # fmt: skip
