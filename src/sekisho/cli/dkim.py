"""`sekisho dkim`: verify the signatures of a message, and sign one."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.act.sign import DkimKeyError, load_key
from sekisho.cli.dkim_keys import add_key_verbs
from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json, table
from sekisho.config.load import name_server
from sekisho.config.settings import DkimSettings
from sekisho.mail.pieces import PIECE
from sekisho.mailauth.canonical import split_message, with_crlf
from sekisho.mailauth.digested import DigestedMessage
from sekisho.mailauth.dkim import Signing, TooManyFieldsError, signature_fields
from sekisho.mailauth.dkim_verify import verify_digested
from sekisho.mailauth.records import DnsRecords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mailauth.dkim_result import DkimResult

_FORMS = ("relaxed", "simple")


def add_to(commands: Any) -> None:
    """Add `dkim verify` and `dkim sign`."""
    verbs = noun(commands, "dkim", "Signatures of mail (DKIM)")
    add_key_verbs(verbs)
    verifying = command(
        verbs,
        "verify",
        verify,
        "Verify the DKIM signatures of a message",
        "sekisho dkim verify mail.eml",
        prints_data=True,
    )
    verifying.add_argument("file", metavar="FILE", help="the message; - is standard input")
    verifying.add_argument("--resolver", metavar="HOST:PORT", type=name_server, help="name server to ask")
    signing = command(
        verbs,
        "sign",
        sign,
        "Print a message with a DKIM signature on top",
        "sekisho dkim sign mail.eml --domain example.jp --selector s1 --key s1.pem",
    )
    signing.add_argument("file", metavar="FILE", help="the message; - is standard input")
    signing.add_argument("--domain", required=True, help="who signs")
    signing.add_argument("--selector", required=True, help="under which name the key is published")
    signing.add_argument(
        "--key", metavar="FILE", required=True, help="private key: PEM, RSA (2048 and up) or Ed25519"
    )
    signing.add_argument("--header-form", choices=_FORMS, default="relaxed", help="canonical form of the header")
    signing.add_argument("--body-form", choices=_FORMS, default="relaxed", help="canonical form of the body")
    signing.add_argument("--days-valid", type=_days, default=0, metavar="N", help="the signature ends then (x=)")


def _days(text: str) -> int:
    if not 0 <= (days := int(text)) <= 36_500:
        raise ValueError
    return days


def verify(given: argparse.Namespace) -> int:
    """Verify. Returns 0 where there are signatures and all pass, 3 where only the DNS gave no answer, else 1."""
    settings = configuration_of(given).settings
    servers = [given.resolver] if given.resolver else [name_server(text) for text in settings.links.name_servers]
    results = asyncio.run(_verified(_digested(given.file), servers))
    if given.json:
        print_json({"signatures": [_as_json(result) for result in results]})
    elif results:
        rows = ((r.result, r.domain, r.selector, r.algorithm, r.bits or "", _told(r)) for r in results)
        print(table(rows, ("result", "domain", "selector", "algorithm", "bits", "reason")))
    else:
        print("no signature")
    wrong = {result.result for result in results} - {"pass"}
    return (3 if wrong == {"temperror"} else 1) if wrong or not results else 0


async def _verified(message: DigestedMessage, servers: Sequence[str]) -> tuple[DkimResult, ...]:
    resolver = DnsRecords(servers)
    try:
        return await verify_digested(message, resolver, int(time.time()))
    finally:
        await resolver.close()


def _told(result: DkimResult) -> str:
    return "; ".join(filter(None, (result.reason, "the signer is testing (t=y)" if result.testing else "")))


def _as_json(result: DkimResult) -> dict[str, object]:
    return {
        "domain": result.domain,
        "selector": result.selector,
        "algorithm": result.algorithm,
        "result": result.result,
        "reason": result.reason,
        "identity": result.identity,
        "bits": result.bits,
        "testing": result.testing,
        "dnssec": result.secure,
    }


def _digested(file: str) -> DigestedMessage:
    """A message of any length, in pieces. Raises CommandError."""
    message = DigestedMessage()
    try:
        with sys.stdin.buffer if file == "-" else open(file, "rb") as stream:  # noqa: PTH123 (either of two streams)
            while piece := stream.read(PIECE):
                message.feed(piece)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}", 3) from error
    message.close()
    return message


def sign(given: argparse.Namespace) -> int:
    """Sign, and write the message with CRLF at every line's end to standard output."""
    configuration_of(given)
    try:
        key = load_key(DkimSettings(given.domain, given.selector, given.key), Path())
        with sys.stdin.buffer if given.file == "-" else open(given.file, "rb") as stream:  # noqa: PTH123 (as above)
            data = with_crlf(stream.read())
        how = Signing(given.header_form, given.body_form, given.days_valid * 86_400)
        fields = signature_fields(split_message(data), [key], int(time.time()), how)
    except (DkimKeyError, TooManyFieldsError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{given.file}: {error.strerror or error}", 3) from error
    sys.stdout.flush()
    sys.stdout.buffer.write(fields + data)
    return 0
