import random
from contextlib import closing
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import AddHeader, ReplacePart
from sekisho.store.audit import micros
from sekisho.store.connection import connect
from sekisho.store.held import HeldRows
from sekisho.store.keys import Keys
from sekisho.store.migrate import ensure_schema

MINUTE = timedelta(minutes=1)


@pytest.fixture(name="opened")
def _opened(tmp_path):
    ensure_schema(tmp_path / "sekisho.db")
    with closing(connect(tmp_path / "sekisho.db")) as opened:
        yield opened


@pytest.fixture(name="keys")
def _keys(tmp_path):
    return Keys.open(tmp_path / "hold.key")


@pytest.fixture(name="rows")
def _rows(keys):
    return HeldRows(keys, "mine")


@pytest.fixture(name="others")
def _others(keys):
    return HeldRows(keys, "theirs")


@pytest.fixture(name="put")
def _put(opened, rows, make_kept):
    def put(kept_id="k1", **more):
        now = make_kept().received_at
        more = {name: now + value if isinstance(value, timedelta) else value for name, value in more.items()}
        kept = make_kept(kept_id, **more)
        rows.insert(opened, kept, rows.sealed(kept), micros(kept.received_at))
        return kept

    return put


def change(rows, opened, kept, expected, at):
    return rows.change(opened, kept, rows.sealed(kept), expected, micros(at))


def test_every_field_comes_back(opened, rows, put, make_kept):
    now = make_kept().received_at
    kept = put(
        findings=(
            Finding("dlp/x", Severity.CRITICAL, 0.5, 3, "1.2", span=(1, 2), path="salaries.xlsx", excerpt="*"),
        ),
        modifications=(AddHeader("X", "y"), ReplacePart("1", "text")),
        release_at=now + MINUTE,
        reinspect=True,
        attempts=3,
        next_attempt_at=now,
        last_reply=Reply(451, None, "later\nmore"),
        decided_by="hanako",
        note="why",
        kind="delay",
        mail_from="octet\udcff@example.jp",
    )
    assert rows.one(opened, "k1") == kept
    assert rows.one(opened, "absent") is None


def test_of_the_row_only_what_is_searched_for_is_in_the_clear(opened, put):
    put(findings=(Finding("dlp/x", Severity.LOW, path="salaries.xlsx"),), modifications=(ReplacePart("1", "merger"),))
    row = repr(opened.execute("SELECT * FROM kept").fetchall()) + repr(
        opened.execute("SELECT * FROM kept_address").fetchall()
    )
    assert "hanako" in row
    assert "salaries" not in row
    assert "merger" not in row


@pytest.mark.parametrize(
    ("more", "due"),
    [
        ({}, False),  # waits for a person
        ({"release_at": MINUTE}, False),
        ({"release_at": -MINUTE}, True),
        ({"state": "releasing"}, True),
        ({"state": "releasing", "next_attempt_at": MINUTE}, False),
        ({"state": "releasing", "next_attempt_at": -MINUTE}, True),
        ({"state": "rejecting"}, True),
        ({"state": "rejecting", "next_attempt_at": MINUTE}, False),
        ({"state": "released", "next_attempt_at": -MINUTE}, False),
        ({"state": "rejected"}, False),
        ({"state": "expired", "release_at": -MINUTE}, False),
    ],
)
def test_what_is_due(opened, rows, put, more, due):
    now = put(**more).received_at
    claimed = rows.claim(opened, now, now + MINUTE, 10)
    assert bool(claimed) is due
    if due:
        assert claimed[0].state == ("rejecting" if more.get("state") == "rejecting" else "releasing")


def test_a_claim_keeps_others_off_until_it_ends(opened, rows, others, put):
    now = put(state="releasing").received_at
    assert len(rows.claim(opened, now, now + MINUTE, 10)) == 1
    assert others.claim(opened, now + MINUTE / 2, now + 2 * MINUTE, 10) == []
    assert rows.claim(opened, now + MINUTE / 2, now + 2 * MINUTE, 10) == []
    assert len(others.claim(opened, now + MINUTE, now + 2 * MINUTE, 10)) == 1


def test_only_the_claimant_changes_a_claimed_row(opened, rows, others, put):
    kept = put(state="releasing")
    now = kept.received_at
    rows.claim(opened, now, now + MINUTE, 10)
    released = replace(kept, state="released")
    assert not change(others, opened, released, "releasing", now)
    assert change(rows, opened, released, "releasing", now)
    assert rows.one(opened, "k1") == released


def test_who_lost_its_claim_to_another_does_not_overwrite(opened, rows, others, put):
    kept = put(state="releasing")
    now = kept.received_at
    rows.claim(opened, now, now + MINUTE, 10)
    others.claim(opened, now + MINUTE, now + 3 * MINUTE, 10)
    assert not change(rows, opened, replace(kept, state="released"), "releasing", now + 2 * MINUTE)


def test_a_change_ends_the_claim(opened, rows, others, put):
    kept = put(state="releasing")
    now = kept.received_at
    rows.claim(opened, now, now + 5 * MINUTE, 10)
    assert change(rows, opened, replace(kept, next_attempt_at=now + MINUTE), "releasing", now)
    assert len(others.claim(opened, now + MINUTE, now + 2 * MINUTE, 10)) == 1


def test_a_state_that_is_no_more_is_not_changed(opened, rows, put):
    kept = put()
    now = kept.received_at
    assert change(rows, opened, replace(kept, state="rejecting"), "held", now)
    assert not change(rows, opened, replace(kept, state="releasing"), "held", now)
    assert rows.one(opened, "k1").state == "rejecting"


def test_forget_claims_of_others(opened, rows, others, put):
    now = put("a", state="releasing").received_at
    put("b", state="releasing")
    rows.claim(opened, now, now + MINUTE, 1)
    others.claim(opened, now, now + MINUTE, 1)
    assert rows.forget_claims(opened) == 1
    assert [kept.id for kept in rows.claim(opened, now, now + MINUTE, 10)] == ["b"]


def test_expired(opened, rows, put, make_kept):
    now = make_kept().received_at
    for state in ("held", "releasing", "rejecting", "released"):
        put(state, state=state, expires_at=now, next_attempt_at=now + MINUTE)
    assert {kept.id for kept in rows.expired(opened, now, 10)} == {"held", "releasing"}
    assert rows.expired(opened, now - MINUTE, 10) == []
    assert len(rows.expired(opened, now, 1)) == 1


def test_expired_leaves_claimed_rows_alone(opened, rows, put, make_kept):
    now = make_kept().received_at
    put(state="releasing", expires_at=now)
    rows.claim(opened, now, now + MINUTE, 1)
    assert rows.expired(opened, now, 10) == []
    assert len(rows.expired(opened, now + MINUTE, 10)) == 1


def test_a_row_that_cannot_be_read_hides_no_other(opened, rows, put, caplog):
    put("broken", state="releasing")
    now = put("sound", state="releasing").received_at
    opened.execute("UPDATE kept SET document = zeroblob(100) WHERE id = 'broken'")
    assert [kept.id for kept in rows.claim(opened, now, now + MINUTE, 10)] == ["sound"]
    assert "kept message broken cannot be read" in caplog.text
    with pytest.raises(StoreAwayError, match="damaged"):
        rows.one(opened, "broken")


def test_undo_leaves_what_somebody_works_on(opened, rows, put):
    kept = put(state="releasing")
    now = kept.received_at
    rows.claim(opened, now, now + MINUTE, 1)
    assert not rows.undo(opened, kept)
    other = put("k2")
    assert rows.undo(opened, other)
    assert rows.one(opened, "k2") is None
    assert opened.execute("SELECT count(*) FROM kept_address WHERE kept_id = 'k2'").fetchone() == (0,)


def test_due_rows_come_by_time(opened, rows, put, make_kept):
    now = make_kept().received_at
    minutes = list(range(1, 20))
    random.Random(1).shuffle(minutes)
    for minute in minutes:
        put(f"{minute:02}", state="releasing", next_attempt_at=now - minute * MINUTE)
    assert rows.due(opened, now, 5) == ["19", "18", "17", "16", "15"]
