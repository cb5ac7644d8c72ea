import asyncio
from datetime import timedelta

import pytest

from sekisho.mail.verdict import Disposition
from sekisho.store.connection import connect

HOUR = timedelta(hours=1)
SUBJECT = b"Subject: =?utf-8?b?6KaL56mN5pu4?=\r\nMessage-ID: <other@example.jp>\r\n\r\n"


@pytest.fixture(name="found")
def _found(store, make_audit):
    """Search among four known records; answers with ids."""
    now = make_audit().transaction.received_at
    records = (
        make_audit("a", rules=("dlp/jp/my-number", "link/short")),
        make_audit("b", at=now + HOUR, mail_from=None, rcpt_to=("x@Sub.example.com", "y@example.net"), raw=SUBJECT),
        make_audit("c", at=now + 2 * HOUR, tenant="other", disposition=Disposition.HOLD, rules=("dlp/secret/key",)),
        make_audit("d", at=now + 3 * HOUR, mail_from="Jiro@EXAMPLE.jp", disposition=Disposition.REJECT),
    )

    async def fill():
        for record in records:
            await store.record(record)
        await store.heartbeat("after all rows", 1, {}, now)

    asyncio.run(fill())
    return lambda **query: "".join(record.id for record in store.search_audit(**query))


def test_without_conditions_the_newest_come_first(found):
    assert found() == "dcba"
    assert found(limit=2) == "dc"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"sender": "taro@example.jp"}, "ca"),
        ({"sender": "TARO@Example.JP"}, "ca"),
        ({"sender": "jiro@example.jp"}, "d"),
        ({"sender": "example.jp"}, "dca"),
        ({"sender": "@example.jp"}, "dca"),
        ({"sender": "<>"}, "b"),
        ({"sender": "hanako@example.com"}, ""),
        ({"recipient": "hanako@example.com"}, "dca"),
        ({"recipient": "x@sub.example.com"}, "b"),
        ({"recipient": "example.com"}, "dca"),
        ({"recipient": "example.net"}, "b"),
        ({"recipient": "ample.net"}, ""),
        ({"subject": "見積書"}, "b"),
        ({"subject": "quarterly  FIGURES"}, "dca"),
        ({"subject": "something else"}, ""),
        ({"message_id": "<other@example.jp>"}, "b"),
        ({"finding_glob": "dlp/*"}, "ca"),
        ({"finding_glob": "dlp/jp/my-number"}, "a"),
        ({"finding_glob": "*/short"}, "a"),
        ({"finding_glob": "DLP/*"}, ""),
        ({"disposition": Disposition.DELIVER}, "ba"),
        ({"disposition": Disposition.REJECT}, "d"),
        ({"tenant": "other"}, "c"),
        ({"tenant": "default", "finding_glob": "dlp/*"}, "a"),
        ({"sender": "example.jp", "recipient": "example.com", "disposition": Disposition.HOLD}, "c"),
        ({"sender": "x' OR 1=1 --"}, ""),
    ],
)
def test_conditions(found, query, ids):
    assert found(**query) == ids


def test_times(found, make_audit):
    now = make_audit().transaction.received_at
    assert found(since=now + HOUR) == "dcb"
    assert found(until=now + HOUR) == "a"
    assert found(since=now + HOUR, until=now + 3 * HOUR) == "cb"


def test_replay_reads_the_oldest_first_over_pages(found, store, monkeypatch, make_audit):
    from sekisho.store import search  # noqa: PLC0415

    assert found() == "dcba"
    now = make_audit().transaction.received_at
    for size in (1, 2, 3, 4, 5):
        monkeypatch.setattr(search, "_PAGE", size)
        assert [record.id for record in store.recorded()] == ["a", "b", "c", "d"]
    assert [record.id for record in store.recorded(tenant="default", since=now + HOUR)] == ["b", "d"]
    (record,) = store.recorded(tenant="other")
    assert record.internal_domains == {"example.jp", ".example.jp"}
    assert [finding.rule for finding in record.findings] == ["dlp/secret/key"]


def test_a_record_that_cannot_be_read_hides_no_other(found, store, caplog):
    assert found() == "dcba"
    connection = connect(store._database)
    connection.execute("UPDATE audit SET document = '{' WHERE id = 'b'")
    connection.close()
    assert found() == "dca"
    assert "audit record b cannot be read" in caplog.text
    assert [record.id for record in store.recorded()] == ["a", "c", "d"]


def test_searches_use_an_index(found, store):
    """A search by address or finding must not read every record."""
    assert found()
    connection = connect(store._database)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM audit WHERE id IN"
        " (SELECT audit_id FROM audit_address WHERE domain = ? AND local = ? AND role = ?)",
        ("a", "b", "to"),
    ).fetchall()
    connection.close()
    assert not any("SCAN" in step[3] for step in plan), plan


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, "dcba"),
        ({"limit": 1}, "d"),
        ({"tenant": "other"}, "b"),
        ({"state": "releasing"}, "c"),
        ({"kind": "retry"}, "c"),
        ({"kind": "quarantine", "state": "held"}, "ba"),
        ({"sender": "taro@example.jp"}, "cba"),
        ({"sender": "<>"}, "d"),
        ({"recipient": "example.com"}, "dca"),
        ({"recipient": "zoe@example.org"}, "b"),
    ],
)
def test_kept_messages(store, make_kept, query, ids):
    now = make_kept().received_at
    rows = (
        make_kept("a"),
        make_kept("b", received_at=now + HOUR, tenant="other", rcpt_to=("zoe@example.org",)),
        make_kept("c", received_at=now + 2 * HOUR, kind="retry", state="releasing"),
        make_kept("d", received_at=now + 3 * HOUR, kind="notice", state="released", mail_from=None),
    )

    async def fill():
        for kept in rows:
            await store.keep(kept, b"x")

    asyncio.run(fill())
    assert "".join(kept.id for kept in store.list_kept(**query)) == ids
    assert [kept.id for kept in store.list_kept(since=now + HOUR, until=now + 2 * HOUR)] == ["b"]
    assert store.list_kept() == list(reversed(rows))
