"""What is kept is sent once, retried until it is taken, and its sender is told when it never is."""

import asyncio
from email import message_from_bytes

import pytest
from msgspec.structs import replace
from support.acting import LATER, NEVER, TAKEN, Acting, deliver

from sekisho.mail.verdict import AddHeader, DeleteRecipient, Disposition, Hold, Verdict

A, B = "a@example.net", "b@example.net"


@pytest.fixture
def acting(tmp_path):
    made = Acting(tmp_path, expire_seconds=100)
    yield made
    made.store.close()


def held(acting, *recipients):
    acting.carry(Verdict(recipients or (A,), Disposition.HOLD, "hold-it", hold=Hold("approval")))
    return acting.kept(kind="approval")[0]


def released(acting, *recipients, reinspect=False):
    kept = held(acting, *recipients)
    until = replace(kept, state="releasing", reinspect=reinspect, expires_at=acting.now.replace(year=2027))
    assert acting.change(until, "held")
    return kept


def state(acting, kept):
    return next(row for row in acting.kept() if row.id == kept.id)


def test_a_hold_waits(acting):
    held(acting)
    acting.work()
    assert acting.hop.calls == 0


def test_a_released_message_is_sent_once(acting):
    kept = released(acting)
    acting.work()
    acting.later(5000)
    acting.work()
    assert acting.hop.copies() == {A: 1}
    assert state(acting, kept).state == "released"
    assert not acting.store._blobs.exists(kept.id)


def test_a_second_release_finds_nothing_to_release(acting):
    kept = released(acting)
    assert not acting.change(replace(kept, state="releasing"), "held")


def test_a_claimed_message_is_not_sent_by_another_process(acting, tmp_path):
    kept = released(acting)
    other = Acting(tmp_path)
    try:
        claimed = asyncio.run(acting.store.claim_due(acting.now, acting.now.replace(year=2027), 10))
        assert [row.id for row in claimed] == [kept.id]
        other.work()
        assert other.hop.calls == 0
    finally:
        other.store.close()


def test_retries_with_growing_pauses_until_taken(acting):
    kept = released(acting)
    acting.hop.default = LATER
    acting.work()
    pauses = []
    for _ in range(4):
        row = state(acting, kept)
        pauses.append((row.next_attempt_at - acting.now).total_seconds())
        acting.later(pauses[-1] - 1)
        calls = acting.hop.calls
        acting.work()
        assert acting.hop.calls == calls, "tried before its time"
        acting.later(1)
        acting.work()
    assert pauses == [10, 20, 40, 40]
    acting.hop.default = TAKEN
    acting.later(40)
    acting.work()
    assert acting.hop.copies() == {A: 1}


def test_only_those_still_owed_are_tried_again(acting):
    released(acting, A, B)
    acting.hop.replies = {B: LATER}
    acting.work()
    acting.hop.replies = {}
    acting.later(10)
    acting.work()
    assert acting.hop.copies() == {A: 1, B: 1}


def test_a_permanent_refusal_is_reported_to_the_sender(acting):
    kept = released(acting)
    acting.hop.replies = {A: NEVER}
    acting.work()
    acting.work()
    assert state(acting, kept).state == "released"
    (_, envelope, data) = acting.hop.sent[-1]
    assert (envelope.mail_from, envelope.rcpt_to) == (None, ("hanako@example.com",))
    assert "5.1.1" in message_from_bytes(data).get_payload()[1].as_string()


def test_never_taken_in_time_is_reported(acting):
    acting.hop.replies = {B: LATER}
    acting.carry(deliver(A, B))
    (kept,) = acting.kept(kind="retry")
    acting.later(2000)
    acting.work()
    acting.work()
    acting.later(2000)
    acting.work()
    assert state(acting, kept).state == "expired"
    assert any(envelope.mail_from is None for _, envelope, _ in acting.hop.sent)


def test_rejected_by_a_reviewer_reports_to_the_sender(acting):
    kept = held(acting)
    assert acting.change(replace(kept, state="rejecting", decided_by="reviewer"), "held")
    acting.work()
    acting.work()
    assert state(acting, kept).state == "rejected"
    assert acting.hop.copies() == {"hanako@example.com": 1}
    report = message_from_bytes(acting.hop.sent[0][2])
    assert "Status: 5.7.1" in report.get_payload()[1].as_string()


def test_nobody_let_it_go_reports_to_the_sender(acting):
    kept = held(acting)
    acting.later(101)
    acting.work()
    acting.work()
    assert state(acting, kept).state == "expired"
    assert acting.hop.copies() == {"hanako@example.com": 1}


def test_expiry_may_release_instead(tmp_path):
    acting = Acting(tmp_path, expire_seconds=100, on_expiry="release")
    kept = held(acting)
    acting.later(101)
    acting.work()
    acting.work()
    assert acting.hop.copies() == {A: 1}
    assert state(acting, kept).state == "released"
    acting.store.close()


def test_expiry_never_releases_from_quarantine(tmp_path):
    acting = Acting(tmp_path, expire_seconds=100, on_expiry="release")
    acting.carry(Verdict((A,), Disposition.HOLD, "hold-it", hold=Hold("quarantine")))
    acting.later(101)
    acting.work()
    acting.work()
    assert acting.hop.copies() == {"hanako@example.com": 1}
    acting.store.close()


def test_inspected_again_and_let_go_with_todays_modifications(acting):
    released(acting, reinspect=True)
    acting.verdicts_now = (deliver(A, modifications=(AddHeader("X-Today", "yes"),)),)
    acting.work()
    assert message_from_bytes(acting.hop.sent[0][2])["X-Today"] == "yes"


def test_inspected_again_and_still_held(acting):
    kept = released(acting, reinspect=True)
    acting.verdicts_now = (Verdict((A,), Disposition.HOLD, "todays-rule", hold=Hold("quarantine")),)
    acting.work()
    acting.later(1000)
    row = state(acting, kept)
    assert (row.state, row.policy_rule) == ("held", "todays-rule")
    assert acting.hop.calls == 0


def damage(acting, kept):
    path = acting.store._blobs._path(kept.id)
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def test_an_expired_message_that_cannot_be_read_is_not_looked_at_without_pause(acting):
    kept = held(acting)
    damage(acting, kept)
    acting.later(101)
    assert acting.work() == 0, "nothing was ended, so whoever asked has to pause"
    assert asyncio.run(acting.store.expired(acting.now, 10)) == []
    acting.later(20)
    assert [row.id for row in asyncio.run(acting.store.expired(acting.now, 10))] == [kept.id]
    assert state(acting, kept).state == "held", "its bytes may come back from a backup"


def test_a_message_of_a_tenant_that_is_gone_waits_and_stops_nobody(acting):
    gone = released(acting, A)
    row = replace(state(acting, gone), tenant="gone", id="gone-1")
    asyncio.run(acting.store.keep(row, b"From: a@example.com\r\n\r\n"))
    acting.work()
    acting.later(5000)
    acting.work()
    assert acting.hop.copies() == {A: 1}
    assert state(acting, row).state == "releasing"


def test_a_release_that_leaves_no_recipient_is_not_called_sent(acting):
    kept = released(acting, reinspect=True)
    acting.verdicts_now = (deliver(A, modifications=(DeleteRecipient(A),)),)
    acting.work()
    assert state(acting, kept).state == "releasing"


def test_damaged_bytes_do_not_stop_the_others(acting):
    damaged = released(acting, A)
    damage(acting, damaged)
    acting.carry(Verdict((B,), Disposition.HOLD, "hold-it", hold=Hold("quarantine")), number=2)
    other = acting.kept(kind="quarantine")[0]
    assert acting.change(replace(other, state="releasing"), "held")
    acting.work()
    assert acting.hop.copies() == {B: 1}
    assert state(acting, damaged).state == "releasing"
