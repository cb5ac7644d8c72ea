"""`sekisho policy`: why a message gets its verdict, and what a changed policy would have done."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sekisho.cli.check import add_overrides, inspected_once, offline_checking, transaction_of
from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json
from sekisho.daemon.compose import open_store
from sekisho.decide.explain import Explanation, explain
from sekisho.decide.replay import RecordedMessage, replay
from sekisho.mail.verdict import Verdict, strictest
from sekisho.redaction.redact import not_masked
from sekisho.store.audit import Recorded


def add_to(commands: Any) -> None:
    """Add `policy explain` and `policy replay`."""
    verbs = noun(commands, "policy", "What is done with which finding")
    summary = "Why this message gets this verdict: each policy rule, matched or not, and why"
    explain_ = command(verbs, "explain", explain_file, summary, "sekisho policy explain mail.eml", prints_data=True)
    explain_.add_argument("file", help="a message, or - for standard input")
    add_overrides(explain_)
    summary = "Apply the policy of a configuration to recorded findings: what would have happened"
    replay_ = command(verbs, "replay", replay_recorded, summary, "sekisho policy replay --days 7", prints_data=True)
    replay_.add_argument("--days", type=float, default=7.0, help="how far back (default: 7)")
    replay_.add_argument("--tenant", default="default", help="whose messages and whose policy (default: default)")


def explain_file(given: argparse.Namespace) -> int:
    """Explain one message. Returns 1 if it would not be delivered."""
    checking = offline_checking(given)
    checks = checking.checks
    try:
        data = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
    except OSError as error:
        raise CommandError(f"{given.file}: {error.strerror or error}", 3) from error
    transaction = transaction_of(given, checks, data)
    findings = asyncio.run(inspected_once(checking, transaction))
    explanation = explain(checks.tenants[given.tenant].policy, transaction, findings)
    verdicts = checks.decide(transaction, findings)
    if given.json:
        print_json(_as_done(explanation, verdicts))
    else:
        print(explanation)
        for why in not_masked(verdicts):
            print(f"held instead, as it cannot be redacted: {why.explanation} ({why.where})")
    return 1 if any(verdict.disposition for verdict in verdicts) else 0


def _as_done(explanation: Explanation, verdicts: Sequence[Verdict]) -> dict[str, object]:
    """The explanation with what becomes of the message once its redactions are worked out."""
    by_recipient = {address: verdict for verdict in verdicts for address in verdict.recipients}
    return {
        **explanation.to_json(),
        **_fate(strictest(tuple(verdicts))),
        "not_masked": [why.to_json() for why in not_masked(verdicts)],
        "recipients": [
            {**story.to_json(), **_fate(by_recipient.get(story.recipient, verdicts[0]))}
            for story in explanation.recipients
        ],
    }


def _fate(verdict: Verdict) -> dict[str, object]:
    return {
        "disposition": verdict.disposition.word,
        "hold": verdict.hold.kind if verdict.hold else None,
        "policy_rule": verdict.policy_rule,
    }


def replay_recorded(given: argparse.Namespace) -> int:
    """Replay what is recorded. Returns 1 if anything would have changed."""
    checks = offline_checking(argparse.Namespace(**vars(given), client_ip="127.0.0.1")).checks
    now = datetime.now(UTC)
    with closing(open_store(configuration_of(given))) as store:
        recorded = map(_message, store.recorded(now - timedelta(days=given.days), now, given.tenant))
        report = replay(checks.tenants[given.tenant].policy, recorded)
    if given.json:
        print_json(report.to_json())
    else:
        print(report)
    return 1 if report.changed else 0


def _message(recorded: Recorded) -> RecordedMessage:
    return RecordedMessage(
        id=recorded.id,
        received_at=recorded.at,
        session=recorded.session,
        envelope=recorded.envelope,
        findings=recorded.findings,
        verdicts=recorded.verdicts,
        internal_domains=recorded.internal_domains,
        modifications_known=False,
    )
