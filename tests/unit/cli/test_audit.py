"""`sekisho audit search` over records in a store of its own."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from support.client import message

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Hold, Verdict
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore


def record_of(now):
    to = ("taro@example.net", "jiro@example.org")
    finding = Finding("dlp/card", Severity.MEDIUM, 0.97, part="1", excerpt="41** **** **** **11")
    return AuditRecord(
        Transaction(
            id="t1",
            session=Session("s1", "192.0.2.1", listener="relay", account="hanako"),
            envelope=Envelope("hanako@example.com", tuple(map(Recipient, to))),
            message=parse(message("one")),
            received_at=now,
        ),
        (finding,),
        (Verdict(to, Disposition.HOLD, "cards", (finding,), Hold("approval"), would_have=("later: reject",)),),
        Outcome(Reply(250, "2.0", "held"), (Delivery(to, "held", "h1", Reply(250, "2.0", "held")),)),
        {"parse": 0.1},
    )


@pytest.fixture
def recorded(folder, now):
    record = record_of(now)
    older = replace(record.transaction, id="t0", received_at=now - timedelta(days=3))
    refused = Outcome(Reply(451, "3.0", "later"), ())
    with SqliteStore.open(folder / "var") as store:
        asyncio.run(store.record(record))
        asyncio.run(store.record(replace(record, transaction=older, verdicts=(), findings=(), outcome=refused)))


def test_nothing_found(sekisho):
    assert sekisho("audit", "search").out == "nothing found\n"


@pytest.mark.usefixtures("recorded")
def test_a_record_as_json(sekisho, now):
    done = sekisho("audit", "search", "--json", "--limit", "1")
    (shown,) = done.objects
    assert done.status == 0
    assert shown["time"] == now.isoformat().replace("+00:00", "Z")
    assert {key: shown[key] for key in ("id", "mail_from", "rcpt_to", "disposition", "policy_rule", "reply")} == {
        "id": "t1",
        "mail_from": "hanako@example.com",
        "rcpt_to": ["taro@example.net", "jiro@example.org"],
        "disposition": "hold",
        "policy_rule": "cards",
        "reply": "250 2.2.0 held",
    }
    assert (shown["client_ip"], shown["account"], shown["message_id"]) == ("192.0.2.1", "hanako", "<one@example.com>")
    assert shown["findings"][0]["rule"] == "dlp/card"
    assert shown["would_have"] == ["later: reject"]
    assert shown["deliveries"][0]["to"] == "h1"
    assert shown["timings_ms"] == {"parse": 0.1}


@pytest.mark.usefixtures("recorded")
def test_one_that_never_came_to_a_verdict(sekisho):
    shown = sekisho("audit", "search", "--json").objects[1]
    assert (shown["id"], shown["disposition"], shown["policy_rule"]) == ("t0", None, None)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ("--sender hanako@example.com", ["t1", "t0"]),
        ("--recipient example.org", ["t1", "t0"]),
        ("--recipient example.com", []),
        ("--subject one", ["t1", "t0"]),
        ("--subject two", []),
        ("--message-id <one@example.com>", ["t1", "t0"]),
        ("--finding dlp/*", ["t1"]),
        ("--finding spam/*", []),
        ("--disposition hold", ["t1"]),
        ("--tenant other", []),
        ("--limit 1", ["t1"]),
    ],
)
def test_what_is_looked_for(sekisho, options, ids):
    assert [shown["id"] for shown in sekisho("audit", "search", "--json", *options.split()).objects] == ids


@pytest.mark.usefixtures("recorded")
def test_since_and_until(sekisho, now):
    day = (now - timedelta(days=1)).isoformat()
    assert [shown["id"] for shown in sekisho("audit", "search", "--json", "--since", day).objects] == ["t1"]
    assert [shown["id"] for shown in sekisho("audit", "search", "--json", "--until", day).objects] == ["t0"]


@pytest.mark.usefixtures("recorded")
def test_the_table(sekisho):
    head, new, old = sekisho("audit", "search").out.splitlines()
    assert head.split() == ["time", "id", "from", "to", "disposition", "rule", "findings", "reply"]
    assert "taro@example.net +1" in new
    assert "dlp/card" in new
    assert "451" in old


@pytest.mark.parametrize("options", [("--disposition", "drop"), ("--since", "x"), ("--limit", "many")])
def test_a_wrong_option(sekisho, options):
    assert sekisho("audit", "search", *options).status == 2
