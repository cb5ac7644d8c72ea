"""`sekisho account app-password` and `totp`: passwords for programs, and the second factor."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from ipaddress import IPv6Network, ip_network
from typing import Any

from msgspec.structs import replace

from sekisho.cli.account_desk import desk, first_line
from sekisho.cli.terms import CommandError, command, moment, noun, print_json


def add_factor_verbs(verbs: Any) -> None:
    """Add both to the noun `account`."""
    apps = noun(verbs, "app-password", "Passwords for programs, each with its own")
    adding = command(
        apps,
        "add",
        add_app_password,
        "Make a password for one program; it is shown once",
        "sekisho account app-password add scanner@example.jp --name 'copier 3F' --network 192.0.2.0/24",
        prints_data=True,
    )
    adding.add_argument("--name", required=True, help="of the program or device")
    adding.add_argument("--listener", action="append", default=[], metavar="NAME", help="good only there")
    adding.add_argument("--network", action="append", default=[], metavar="CIDR", help="good only from there")
    adding.add_argument("--expires", type=moment, metavar="TIME", help="RFC 3339 time or date")
    ending = command(
        apps,
        "remove",
        remove_app_password,
        "End an app password",
        "sekisho account app-password remove scanner@example.jp 'copier 3F'",
    )
    factors = noun(verbs, "totp", "The second factor: codes by time")
    enrolling = command(
        factors,
        "enrol",
        enrol,
        "Make a second factor: a URI for the device, and recovery codes; a first code confirms it",
        "sekisho account totp enrol hanako@example.jp",
        prints_data=True,
    )
    confirming = command(
        factors,
        "verify",
        verify,
        "Check a code from standard input; the first one confirms the factor",
        "sekisho account totp verify hanako@example.jp",
    )
    clearing = command(
        factors, "remove", remove_totp, "Take the second factor away", "sekisho account totp remove hanako@example.jp"
    )
    for parser in (adding, ending, enrolling, confirming, clearing):
        parser.add_argument("login")
        parser.add_argument("--tenant", default="default", metavar="NAME", help="default: default")
    ending.add_argument("password", metavar="NAME", help="its name or id")


def add_app_password(given: argparse.Namespace) -> int:
    """Make an app password and print it. Raises CommandError for a listener or network that is none."""
    with desk(given) as at:
        at.must_be_there()
        known = {listener.name for listener in at.configuration.settings.listener}
        for name in given.listener:
            if name not in known:
                raise CommandError(f"no listener {name!r}")
        for network in given.network:
            _network(network)
        if given.expires is not None and given.expires <= datetime.now(UTC):
            raise CommandError("--expires: is over already")
        made = at.upkeep.app_password(
            at.login, given.name, listeners=given.listener, networks=given.network, expires_at=given.expires
        )
        password = asyncio.run(made)
        if given.json:
            print_json({"login": at.login, "name": given.name, "password": password})
        else:
            print(f"{password}\nIt is shown this once. Blanks and hyphens in it do not matter.")
    return 0


def remove_app_password(given: argparse.Namespace) -> int:
    """End one. Returns 1 where there is none."""
    with desk(given) as at:
        at.must_be_there()
        if not asyncio.run(at.upkeep.end_app_password(at.login, given.password)):
            raise CommandError(f"{at.login} has no app password {given.password!r}", 1)
        print(f"{at.login}: ended")
    return 0


def enrol(given: argparse.Namespace) -> int:
    """Print what the device takes, and the recovery codes."""
    with desk(given) as at:
        at.must_be_there()
        uri, codes = asyncio.run(at.upkeep.enrol(at.login))
        if given.json:
            print_json({"login": at.login, "uri": uri, "recovery_codes": list(codes)})
            return 0
        print(f"{uri}\n\nRecovery codes, each good once; they are shown this once:")
        for code in codes:
            print(f"  {code}")
        print(f"\nConfirm it with a first code: sekisho account totp verify {at.login}")
    return 0


def verify(given: argparse.Namespace) -> int:
    """Check a code. Returns 1 where it is not good."""
    with desk(given) as at:
        at.must_be_there()
        if not asyncio.run(at.upkeep.second_factor(at.login, first_line())):
            raise CommandError("the code is not good", 1)
        print(f"{at.login}: the code is good")
    return 0


def remove_totp(given: argparse.Namespace) -> int:
    """Take the factor away."""
    with desk(given) as at:
        at.must_be_there()
        asyncio.run(at.upkeep.change(at.login, lambda stored: replace(stored, second_factor=None)))
        print(f"{at.login}: no second factor")
    return 0


def _network(text: str) -> None:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise CommandError(f"--network: {error}") from error
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise CommandError(f"--network: {text} is IPv4 in IPv6, write it as IPv4")
