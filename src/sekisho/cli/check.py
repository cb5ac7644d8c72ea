"""`sekisho check`: inspect messages offline, with the same rules and policy as the gateway."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from typing import Any

from msgspec.structs import replace

from sekisho.cli.sources import Source, Unreadable, messages, wire_form
from sekisho.cli.terms import CommandError, command, configuration_of, print_json, problems_error
from sekisho.daemon.checking import Checking
from sekisho.daemon.compose import checking_of
from sekisho.gateway import Checks
from sekisho.mail.address import client_address
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding
from sekisho.mail.message import Message
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import Disposition, Verdict, modification_json, strictest
from sekisho.redaction.redact import not_masked


def add_to(commands: Any) -> None:
    """Add `check`."""
    parser = command(
        commands, "check", run, "Inspect messages offline", "sekisho check --json mail.eml", prints_data=True
    )
    parser.add_argument("path", nargs="+", help=".eml, mbox, Maildir, a directory, a tar of them, or - for input")
    add_overrides(parser)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """The options that say what an envelope or a session would."""
    parser.add_argument("--mail-from", metavar="ADDR", help="reverse-path (default: Return-Path or From)")
    parser.add_argument("--rcpt-to", metavar="ADDR", action="append", help="recipient (default: To, Cc, Bcc)")
    parser.add_argument("--client-ip", metavar="IP", default="127.0.0.1", help="the client's address")
    parser.add_argument("--account", metavar="LOGIN", help="the authenticated account")
    parser.add_argument("--tenant", metavar="NAME", default="default", help="whose policy (default: default)")


def run(given: argparse.Namespace) -> int:
    """Inspect every message. Returns 3 if something could not be read, else 1 if any would not be delivered."""
    checking = offline_checking(given)
    tally: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        for path in given.path:
            for source in messages(path):
                if isinstance(source, Unreadable):
                    print(f"sekisho: {source}", file=sys.stderr)
                    tally["unreadable"] += 1
                    continue
                tally[_check(given, checking.checks, runner, source).word] += 1
        runner.run(checking.close())
    if not given.json and sum(tally.values()) > 1:
        print(", ".join(f"{number} {word}" for word, number in tally.most_common()))
    if tally["unreadable"]:
        return 3
    return 1 if sum(tally.values()) > tally["deliver"] else 0


def offline_checking(given: argparse.Namespace) -> Checking:
    """Inspection and policy for a command that inspects. Raises CommandError."""
    checking, problems = checking_of(configuration_of(given))
    if checking is None:
        raise problems_error(problems)
    if given.tenant not in checking.checks.tenants:
        raise CommandError(f"no tenant {given.tenant!r} in the configuration")
    try:
        client_address(given.client_ip)
    except ValueError as error:
        raise CommandError(f"--client-ip: {error}") from error
    return checking


def transaction_of(given: argparse.Namespace, checks: Checks, data: bytes) -> Transaction:
    """A message from a file as a transaction, its envelope taken from its headers where no option says otherwise."""
    session = Session(id="check", client_ip=given.client_ip, account=given.account, tenant=given.tenant)
    transaction = checks.read(session, Envelope(None, ()), wire_form(data))
    return replace(transaction, envelope=_envelope(given, transaction.message))


async def inspected_once(checking: Checking, transaction: Transaction) -> tuple[Finding, ...]:
    """The findings of one message, for a command that looks at no other."""
    try:
        return await checking.checks.inspect(transaction)
    finally:
        await checking.close()


def _check(given: argparse.Namespace, checks: Checks, runner: asyncio.Runner, source: Source) -> Disposition:
    started = time.perf_counter()
    transaction = transaction_of(given, checks, source.data)
    findings = runner.run(checks.inspect(transaction))
    verdicts = checks.decide(transaction, findings)
    findings += not_masked(verdicts)
    elapsed_ms = (time.perf_counter() - started) * 1000
    if given.json:
        print_json(_as_json(source, transaction, findings, verdicts, elapsed_ms))
    else:
        print(_as_text(source, findings, verdicts))
    return strictest(verdicts).disposition


def _as_json(
    source: Source,
    transaction: Transaction,
    findings: tuple[Finding, ...],
    verdicts: tuple[Verdict, ...],
    elapsed_ms: float,
) -> dict[str, object]:
    worst = strictest(verdicts)
    return {
        "path": source.path,
        "index": source.index,
        "message_id": transaction.message.message_id,
        "mail_from": transaction.envelope.mail_from or "",
        "rcpt_to": list(transaction.envelope.rcpt_to),
        "disposition": worst.disposition.word,
        "hold": worst.hold.kind if worst.hold else None,
        "policy_rule": worst.policy_rule,
        "verdicts": [
            {
                "rcpt_to": list(v.recipients),
                "disposition": v.disposition.word,
                "policy_rule": v.policy_rule,
                "modifications": [modification_json(m) for m in v.modifications],
            }
            for v in verdicts
        ],
        "findings": [finding.to_json() for finding in findings],
        "elapsed_ms": round(elapsed_ms, 3),
    }


def _as_text(source: Source, findings: tuple[Finding, ...], verdicts: tuple[Verdict, ...]) -> str:
    worst = strictest(verdicts)
    number = f"[{source.index}]" if source.index else ""
    kind = f" ({worst.hold.kind})" if worst.hold else ""
    lines = [f"{source.path}{number}: {worst.disposition.word}{kind}, by policy rule {worst.policy_rule!r}"]
    for finding in findings:
        place = finding.path or (f"part {finding.part}" if finding.part else "message")
        times = f" x{finding.count}" if finding.count > 1 else ""
        shown = f": {finding.excerpt}" if finding.excerpt else ""
        sure = f"{finding.severity.word}, {finding.confidence:.0%}"
        lines.append(f"  {finding.rule}{times} ({sure}) in {finding.where}, {place}{shown}")
    kinds = dict.fromkeys(str(m.__struct_config__.tag) for v in verdicts for m in v.modifications)
    lines += [f"  changed on the way out: {', '.join(kinds)}"] if kinds else []
    return "\n".join(lines)


def _envelope(given: argparse.Namespace, message: Message) -> Envelope:
    sender = given.mail_from
    if sender is None:
        sender = next(iter(_addresses(message, "return-path") or _addresses(message, "from")), None)
    recipients = given.rcpt_to or _addresses(message, "to", "cc", "bcc")
    smtputf8 = not all(address.isascii() for address in (sender or "", *recipients))
    return Envelope(sender or None, tuple(Recipient(address) for address in recipients), smtputf8=smtputf8)


def _addresses(message: Message, *keys: str) -> list[str]:
    """The distinct addresses of these headers; what is no address is left out."""
    mailboxes = (box for key in keys for header in message.headers_named(key) for box in header.mailboxes)
    return list(dict.fromkeys(box.address for box in mailboxes if "@" in box.address))
