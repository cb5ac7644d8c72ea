"""`sekisho spf check`: may this host send in this domain's name, and what does finding out cost?"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from sekisho.act.notice_texts import languages
from sekisho.cli import spf_flatten
from sekisho.cli.spf_shown import shown
from sekisho.cli.terms import command, configuration_of, noun, print_json
from sekisho.config.load import name_server
from sekisho.config.tenants import inherited
from sekisho.mail.address import client_address
from sekisho.mailauth.records import DnsRecords
from sekisho.mailauth.spf.check import SpfQuery, check_helo, check_sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mailauth.spf.result import SpfResult

_STATUS = {"pass": 0, "neutral": 0, "none": 0, "fail": 1, "softfail": 1, "permerror": 1, "temperror": 3}


def add_to(commands: Any) -> None:
    """Add `spf check` and `spf flatten`."""
    verbs = noun(commands, "spf", "Who may send in a domain's name (SPF)")
    spf_flatten.add_to(verbs)
    parser = command(
        verbs,
        "check",
        check,
        "Check a client's address against a domain's SPF record",
        "sekisho spf check --ip 192.0.2.1 --mail-from taro@example.jp --helo mail.example.jp",
        prints_data=True,
    )
    parser.add_argument("--ip", type=client_address, required=True, help="the address that mail comes from")
    parser.add_argument("--mail-from", metavar="ADDR", required=True, help="sender of the envelope; '' for none")
    parser.add_argument("--helo", metavar="NAME", default="", help="what the host calls itself; is checked too")
    parser.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="name server to ask")
    parser.add_argument("--language", choices=("en", "ja", "both"), help="of the texts (default: of notices)")


def check(given: argparse.Namespace) -> int:
    """Check once. Returns 0 for pass, neutral and none, 1 for fail, softfail and permerror, 3 for temperror."""
    configuration = configuration_of(given)
    settings = configuration.settings
    servers = [given.resolver] if given.resolver else [name_server(text) for text in settings.links.name_servers]
    result, helo = asyncio.run(_results(given, servers))
    if given.json:
        print_json(_as_json(result))
    else:
        notice = inherited(settings, "default").notice
        tongues = languages(given.language or (notice.language if notice else "both"))
        print("\n\n".join(shown(result, helo, language) for language in tongues))
    return _STATUS[result.result]


async def _results(given: argparse.Namespace, servers: Sequence[str]) -> tuple[SpfResult, SpfResult | None]:
    """Of the sender, and of the HELO name where both were given."""
    resolver = DnsRecords(servers)
    query = SpfQuery(given.ip, given.mail_from, given.helo)
    try:
        result = await check_sender(query, resolver)
        helo = await check_helo(query, resolver) if given.helo and result.identity == "mailfrom" else None
    finally:
        await resolver.close()
    return result, helo


def _as_json(result: SpfResult) -> dict[str, object]:
    return {
        "result": result.result,
        "mechanism": result.mechanism,
        "lookups": result.lookups,
        "void_lookups": result.void_lookups,
        "explanation": result.explanation,
        "domain": result.domain,
        "identity": result.identity,
        "reason": result.reason,
    }
