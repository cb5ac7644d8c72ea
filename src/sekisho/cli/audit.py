"""`sekisho audit search`: what happened to messages, from the store's records."""

from __future__ import annotations

import argparse
from typing import Any

from sekisho.cli.terms import command, configuration_of, moment, noun, print_json, rfc3339, table
from sekisho.daemon.compose import open_store
from sekisho.mail.verdict import Disposition
from sekisho.store.audit import Recorded


def add_to(commands: Any) -> None:
    """Add `audit search`."""
    verbs = noun(commands, "audit", "What happened to messages")
    example = "sekisho audit search --sender hanako@example.com --finding 'dlp/*'"
    parser = command(verbs, "search", search, "Find records, the newest first", example, prints_data=True)
    parser.add_argument("--sender", metavar="ADDR", help="an address or a domain")
    parser.add_argument("--recipient", metavar="ADDR", help="an address or a domain")
    parser.add_argument("--subject", metavar="TEXT", help="the whole subject; only its keyed hash is stored")
    parser.add_argument("--message-id", metavar="ID")
    parser.add_argument("--finding", metavar="GLOB", help="a finding id, with * for any part")
    parser.add_argument("--disposition", choices=[d.word for d in Disposition])
    parser.add_argument("--tenant", metavar="NAME")
    parser.add_argument("--since", metavar="TIME", type=moment, help="RFC 3339 time or date")
    parser.add_argument("--until", metavar="TIME", type=moment, help="RFC 3339 time or date")
    parser.add_argument("--limit", type=int, default=100, help="default: 100")


def search(given: argparse.Namespace) -> int:
    """Print what is found."""
    store = open_store(configuration_of(given))
    try:
        found = store.search_audit(
            sender=given.sender,
            recipient=given.recipient,
            subject=given.subject,
            message_id=given.message_id,
            finding_glob=given.finding,
            disposition=Disposition.of(given.disposition) if given.disposition else None,
            tenant=given.tenant,
            since=given.since,
            until=given.until,
            limit=given.limit,
        )
    finally:
        store.close()
    if given.json:
        for record in found:
            print_json(_as_json(record))
    else:
        heads = ("time", "id", "from", "to", "disposition", "rule", "findings", "reply")
        print(table((_cells(record) for record in found), heads) if found else "nothing found")
    return 0


def _cells(record: Recorded) -> tuple[str, ...]:
    to = record.envelope.rcpt_to
    return (
        rfc3339(record.at),
        record.id,
        record.envelope.mail_from or "<>",
        (to[0] if to else "") + (f" +{len(to) - 1}" if len(to) > 1 else ""),
        record.disposition.word if record.verdicts else "-",
        record.policy_rule or "-",
        ", ".join(sorted({finding.rule for finding in record.findings})) or "-",
        str(record.reply),
    )


def _as_json(record: Recorded) -> dict[str, object]:
    return {
        "id": record.id,
        "time": rfc3339(record.at),
        "tenant": record.tenant,
        "listener": record.session.listener,
        "client_ip": record.session.client_ip,
        "account": record.session.account,
        "mail_from": record.envelope.mail_from or "",
        "rcpt_to": list(record.envelope.rcpt_to),
        "message_id": record.message_id,
        "size": record.size,
        "disposition": record.disposition.word if record.verdicts else None,
        "policy_rule": record.policy_rule or None,
        "findings": [finding.to_json() for finding in record.findings],
        "would_have": [would for verdict in record.verdicts for would in verdict.would_have],
        "reply": str(record.reply),
        "deliveries": [
            {"rcpt_to": list(d.recipients), "outcome": d.outcome, "to": d.to, "reply": str(d.reply or "")}
            for d in record.deliveries
        ],
        "timings_ms": record.timings_ms,
    }
