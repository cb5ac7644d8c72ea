"""`sekisho account import`: existing accounts from a CSV file, with a report of weak and shared passwords."""

from __future__ import annotations

import argparse
import asyncio
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sekisho.accounts.passwords.preparation import PreparationError, for_scram, prepared
from sekisho.accounts.passwords.schemes import ARGON2, PLAIN, SchemeError, scheme_of
from sekisho.accounts.passwords.state import Why
from sekisho.accounts.upkeep import Upkeep
from sekisho.cli.account_desk import Desk, desk
from sekisho.cli.terms import CommandError, command, print_json
from sekisho.mail.account import Account, canonical_login
from sekisho.store.accounts import AccountExistsError, NewAccount

_COLUMNS = ("login", "password", "hash", "name", "addresses", "contact", "language")
_LANGUAGES = ("", "en", "ja", "both")
_LONGEST_FIELD = 10_000


class Row(Struct, frozen=True):
    """One line: an account, and its password in clear or as "{SCHEME}…", both "" for none."""

    line: int
    account: Account
    password: str
    hashed: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Row({self.line}, {self.account.login!r})"


class Report(Struct, frozen=True):
    """What is said of one account: `codes` of the policy's reasons, "shared", or "hash" where nobody can tell."""

    login: str
    codes: tuple[str, ...]


def add_import_verb(verbs: Any) -> None:
    """Add `import` to the noun `account`."""
    parser = command(
        verbs,
        "import",
        import_,
        "Make accounts of a CSV file: all of them, or none; says whose passwords are weak or shared",
        "sekisho account import accounts.csv --dry-run",
        prints_data=True,
    )
    parser.add_argument("file", type=Path, help=f"CSV with a head line; columns: {', '.join(_COLUMNS)}")
    parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
    parser.add_argument("--dry-run", action="store_true", help="only report")


def import_(given: argparse.Namespace) -> int:
    """Import. Returns 1 where a password is weak or shared; all accounts are made all the same."""
    given.login = ""
    rows = read(given.file, given.tenant)
    with desk(given) as at:
        reports = asyncio.run(_imported(at, rows, dry_run=given.dry_run))
    worse = [report for report in reports if report.codes and report.codes != ("hash",)]
    for report in reports:
        if given.json:
            print_json({"login": report.login, "codes": list(report.codes)})
        elif report.codes:
            print(f"{report.login}: {', '.join(report.codes)}")
    if not given.json:
        done = "would be made" if given.dry_run else "made"
        print(f"{len(reports)} accounts {done}; {len(worse)} with a weak or shared password, to be changed")
    return 1 if worse else 0


def read(file: Path, tenant: str) -> list[Row]:
    """The rows of a file. Raises CommandError that names every line that is wrong."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if wrong := _head_problem(reader.fieldnames or ()):
                raise CommandError(f"{file}:1: {wrong}; known are {', '.join(_COLUMNS)}")
            found = [_row(reader.line_num, fields, tenant) for fields in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file}: cannot be read: {error}", 3) from error
    problems = [f"{file}:{row}" for row in found if isinstance(row, str)]
    rows = [row for row in found if isinstance(row, Row)]
    problems += [f"{file}:{problem}" for problem in _twice(rows)]
    if problems:
        raise CommandError("\n".join(problems))
    return rows


def _head_problem(names: Sequence[str]) -> str:
    """What is wrong with the head line, "" for nothing."""
    unknown = [name for name in names if name not in _COLUMNS]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if unknown:
        return f"unknown columns {', '.join(unknown)}"
    if twice:
        return f"columns twice: {', '.join(twice)}"
    return "" if "login" in names else 'no column "login"'


def _twice(rows: list[Row]) -> Iterator[str]:
    first: dict[str, int] = {}
    for row in rows:
        login = row.account.login
        if first.setdefault(login, row.line) != row.line:
            yield f"{row.line}: login {login} stands in line {first[login]} already"


def _row(line: int, fields: dict[str | Any, Any], tenant: str) -> Row | str:
    """A row, or the line number and what is wrong with it."""
    try:
        return _read_row(line, fields, tenant)
    except _RowError as error:
        return f"{line}: {error}"


class _RowError(Exception):
    """What is wrong with a row, without its password."""


def _read_row(line: int, fields: dict[str | Any, Any], tenant: str) -> Row:
    if None in fields or any(value is None for value in fields.values()):
        raise _RowError("more or fewer fields than columns")
    if any(len(value) > _LONGEST_FIELD for value in fields.values()):
        raise _RowError(f"a field is longer than {_LONGEST_FIELD} characters")
    login = canonical_login(fields["login"])
    if not login:
        raise _RowError("no login")
    account = _account(tenant, login, fields)
    if wrong := _account_problem(account):
        raise _RowError(wrong)
    return Row(line, account, *_secrets(fields.get("password", ""), fields.get("hash", "").strip()))


def _secrets(password: str, hashed: str) -> tuple[str, str]:
    """A password in clear, or what is kept of one; both "" for none."""
    if password and hashed:
        raise _RowError("both a password and a hash")
    if hashed:
        try:
            scheme, rest = scheme_of(hashed)
        except SchemeError as error:
            raise _RowError(f"hash: {error}") from None
        if scheme not in PLAIN:
            return "", rest if scheme in ARGON2 else hashed
        password = rest
    if password and not _can_be_kept(password):
        raise _RowError("the password cannot be kept: a character that no password may have, or too long")
    return password, ""


def _can_be_kept(password: str) -> bool:
    try:
        prepared(password)
        for_scram(password)
    except PreparationError:
        return False
    return True


def _account(tenant: str, login: str, fields: dict[str | Any, Any]) -> Account:
    addresses = [a.lower() for a in fields.get("addresses", "").replace(";", " ").split()]
    own = [login] if "@" in login else []
    return Account(
        tenant,
        login,
        tuple(dict.fromkeys((*own, *addresses))),
        name=fields.get("name", "").strip(),
        contact=fields.get("contact", "").strip().lower(),
        language=fields.get("language", "").strip(),
    )


def _account_problem(account: Account) -> str:
    """What is wrong with it, "" for nothing. It is shown on terminals and in notices: no control characters."""
    if not account.name.isprintable():
        return "name: characters that cannot be shown"
    own = [address for address in account.addresses if address != account.login]
    if not all(_is_address(address) or _is_address(f"any{address}") for address in own):
        return "addresses: must be mail addresses, or @domain for all of a domain"
    if account.contact and not _is_address(account.contact):
        return "contact: must be a mail address"
    if account.language not in _LANGUAGES:
        return f"language: must be one of {', '.join(_LANGUAGES[1:])}"
    return ""


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and text.isprintable() and " " not in text


async def _imported(at: Desk, rows: list[Row], *, dry_run: bool) -> list[Report]:
    shared = {text for text, count in Counter(row.password for row in rows if row.password).items() if count > 1}
    reports, new = [], []
    for row in rows:
        codes = await _codes(at.upkeep, row, shared)
        reports.append(Report(row.account.login, codes))
        if not dry_run:
            new.append(await _new(at.upkeep, row, codes))
    if new:
        try:
            await at.store.accounts.add(new)
        except AccountExistsError as error:
            raise CommandError(f"nothing imported: {error}", 1) from error
    return reports


async def _codes(upkeep: Upkeep, row: Row, shared: set[str]) -> tuple[str, ...]:
    if not row.password:
        return ("hash",) if row.hashed else ()
    verdict = await upkeep.judge(row.account, row.password)
    return tuple(dict.fromkeys((*(reason.code for reason in verdict.reasons), *_shared(row, shared))))


def _shared(row: Row, shared: set[str]) -> Iterator[str]:
    if row.password in shared:
        yield "shared"


async def _new(upkeep: Upkeep, row: Row, codes: tuple[str, ...]) -> NewAccount:
    why: Why = "shared" if "shared" in codes else "breached" if "breached" in codes else "weak" if codes else ""
    if row.hashed:
        made = await upkeep.new(row.account)
        return replace(made, stored=replace(made.stored, password=row.hashed))
    return await upkeep.new(row.account, row.password, why)
