"""`sekisho spf flatten`: a domain's SPF record with addresses in place of includes, and what that risks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sekisho.act.notice_texts import languages
from sekisho.cli.spf_shown import plain
from sekisho.cli.terms import CommandError, command, configuration_of, print_json
from sekisho.config.load import name_server
from sekisho.config.tenants import inherited
from sekisho.mailauth.organizational import dns_name
from sekisho.mailauth.records import DnsRecords
from sekisho.mailauth.spf.flat_text import quoted
from sekisho.mailauth.spf.flatten import flatten

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sekisho.mailauth.spf.flatten import Flattened

_RISK = {
    "en": "Risk: the included services change their addresses without telling you, and then mail from the new ones "
    "fails.\nFlatten only what does not fit into 10 lookups, and run this again every day: publish when it differs.",
    "ja": "危険: 展開したサービスは予告なくアドレスを変えることがあり、変更後のメールは認証に失敗します。\n"
    "参照が10回に収まらないときだけ使い、毎日実行して、違いがあれば公開し直してください。",
}


def add_to(verbs: Any) -> None:
    """Add `spf flatten` to the verbs of `spf`."""
    summary = "Put addresses in place of the includes of an SPF record"
    parser = command(verbs, "flatten", run, summary, "sekisho spf flatten example.jp", prints_data=True)
    parser.add_argument("domain", metavar="DOMAIN")
    parser.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="name server to ask")
    parser.add_argument("--language", choices=("en", "ja", "both"), help="of the texts (default: of notices)")


def run(given: argparse.Namespace) -> int:
    """Flatten once. Returns 1 where it cannot be done, 3 where the DNS did not answer."""
    domain = dns_name(given.domain)
    if not domain:
        raise CommandError(f"{given.domain!r} is not a domain")
    settings = configuration_of(given).settings
    servers = [given.resolver] if given.resolver else [name_server(text) for text in settings.links.name_servers]
    flat = asyncio.run(_flattened(domain, servers))
    if given.json:
        print_json(_as_json(flat))
    else:
        notice = inherited(settings, "default").notice
        tongues = languages(given.language or (notice.language if notice else "both"))
        print(_shown(flat, [_RISK[language] for language in tongues]))
    return 3 if flat.problem == "dns" else int(bool(flat.problem))


async def _flattened(domain: str, servers: Sequence[str]) -> Flattened:
    resolver = DnsRecords(servers)
    try:
        return await flatten(domain, resolver)
    finally:
        await resolver.close()


def _as_json(flat: Flattened) -> dict[str, object]:
    return {
        "domain": flat.domain,
        "problem": flat.problem,
        "records": [{"name": one.name, "text": one.text} for one in flat.records],
        "kept": flat.kept,
        "networks": flat.networks,
        "lookups": flat.lookups,
    }


def _shown(flat: Flattened, risks: Sequence[str]) -> str:
    if flat.problem:
        return f"{flat.domain}: {flat.problem}"
    lines = [plain(f"{one.name}. IN TXT {quoted(one.text)}", 2_000) for one in flat.records]
    lines.append(f"; lookups: {flat.lookups}; networks: {flat.networks}; kept: {plain(' '.join(flat.kept)) or '-'}")
    return "\n\n".join(("\n".join(lines), *risks))
