"""The one reply, and where every recipient's copy is when it has been given."""

import sqlite3
from contextlib import closing
from email import message_from_bytes

import pytest
from support.acting import LATER, NEVER, TAKEN, Acting, deliver
from support.client import message

from sekisho.act.carry_out import refusal_reply
from sekisho.mail.reply import STORE_AWAY, Reply
from sekisho.mail.verdict import (
    AddHeader,
    AddRecipient,
    ChangeSender,
    DeleteRecipient,
    Disposition,
    Hold,
    ReplacePart,
    Verdict,
)

A, B, ORG = "a@example.net", "b@example.net", "c@example.org"


@pytest.fixture
def acting(tmp_path):
    made = Acting(tmp_path)
    yield made
    made.store.close()


def hold(*recipients, kind="quarantine", **more):
    return Verdict(recipients, Disposition.HOLD, "hold-it", hold=Hold(kind), **more)


def test_the_next_hops_reply_is_ours(acting):
    outcome = acting.carry(deliver(A, B))
    assert outcome.reply == TAKEN
    assert acting.hop.copies() == {A: 1, B: 1}
    assert acting.kept() == []


def test_an_unchanged_message_leaves_byte_for_byte_below_one_trace_header(acting):
    data = message("bytes", "one\r\n.two\r\n\xe9 caf\xe9\r\n\r\n")
    acting.carry(deliver(A), data=data)
    (_, _, sent) = acting.hop.sent[0]
    assert sent.endswith(data)
    trace = sent[: -len(data)]
    assert trace.startswith(b"Received: ")
    assert trace.count(b"Received:") == 1
    assert message_from_bytes(sent)["Received"].startswith("from ")


@pytest.mark.parametrize("refusal", [LATER, NEVER])
def test_nobody_took_it_so_the_refusal_is_ours_and_nothing_is_kept(acting, refusal):
    acting.hop.default = refusal
    assert acting.carry(deliver(A, B)).reply == refusal
    assert acting.kept() == []


def test_another_try_is_asked_for_when_any_recipient_is_worth_it(acting):
    acting.hop.replies = {A: NEVER, B: LATER}
    assert acting.carry(deliver(A, B)).reply == LATER


def test_recipients_that_may_be_tried_again_are_kept_once_somebody_took_it(acting):
    acting.hop.replies = {B: LATER}
    assert acting.carry(deliver(A, B)).reply == TAKEN
    (kept,) = acting.kept()
    assert (kept.kind, kept.state, kept.envelope.rcpt_to, kept.last_reply) == ("retry", "releasing", (B,), LATER)


def test_recipients_refused_for_good_are_reported_once_somebody_took_it(acting):
    acting.hop.replies = {B: NEVER}
    outcome = acting.carry(deliver(A, B))
    assert outcome.reply == TAKEN
    (kept,) = acting.kept()
    assert (kept.kind, kept.envelope.mail_from, kept.envelope.rcpt_to) == ("notice", None, ("hanako@example.com",))
    acting.work()
    report = message_from_bytes(acting.hop.sent[-1][2])
    assert report.get_content_type() == "multipart/report"
    assert B in report.as_string()
    assert A not in report.get_payload()[1].as_string()


def test_a_failure_of_the_null_reverse_path_is_reported_to_nobody(acting):
    acting.hop.replies = {B: NEVER}
    assert acting.carry(deliver(A, B), sender=None).reply == TAKEN
    assert acting.kept() == []


def test_each_domain_goes_to_its_next_hop(acting):
    acting.org.default = LATER
    assert acting.carry(deliver(A, ORG)).reply == TAKEN
    assert (acting.hop.copies(), acting.org.copies()) == ({A: 1}, {})
    assert [kept.envelope.rcpt_to for kept in acting.kept()] == [(ORG,)]


@pytest.mark.parametrize("kind", ["quarantine", "approval", "delay"])
def test_a_held_message_is_in_the_store_and_readable_before_250(acting, kind):
    data = message("held")
    outcome = acting.carry(hold(A, B, kind=kind), data=data)
    assert outcome.reply.code == 250
    (kept,) = acting.kept()
    assert (kept.kind, kept.state, kept.envelope.rcpt_to, kept.policy_rule) == (kind, "held", (A, B), "hold-it")
    assert outcome.deliveries[0].to == kept.id
    assert acting.store._blobs.read("default", kept.id) == data
    assert acting.hop.calls == 0


def test_a_delay_ends_by_itself(acting):
    acting.carry(Verdict((A,), Disposition.HOLD, "delay-it", hold=Hold("delay", delay_seconds=60)))
    acting.work()
    assert acting.hop.calls == 0
    acting.later(61)
    acting.work()
    assert acting.hop.copies() == {A: 1}


@pytest.mark.parametrize(("disposition", "code"), [(Disposition.REJECT, 550), (Disposition.DEFER, 451)])
def test_a_refusal_sends_and_keeps_nothing(acting, disposition, code):
    assert acting.carry(Verdict((A,), disposition, "no")).reply.code == code
    assert acting.kept() == []
    assert acting.hop.calls == 0


def test_a_rule_may_set_the_refusal(acting):
    own = Reply(550, "7.26", "not authenticated")
    assert acting.carry(Verdict((A,), Disposition.REJECT, "no", reply=own)).reply == own
    assert refusal_reply(Verdict((A,), Disposition.DEFER, "no")).enhanced == "4.7.0"


def test_split_delivers_some_holds_others_and_reports_the_refused(acting):
    outcome = acting.carry(deliver(A), hold(B, split=True), Verdict((ORG,), Disposition.REJECT, "no", split=True))
    assert outcome.reply == TAKEN
    assert acting.hop.copies() == {A: 1}
    assert acting.org.calls == 0
    assert sorted((kept.kind, kept.envelope.rcpt_to) for kept in acting.kept()) == [
        ("notice", ("hanako@example.com",)),
        ("quarantine", (B,)),
    ]


def test_split_holds_nothing_while_the_delivered_ones_may_be_tried_again(acting):
    acting.hop.default = LATER
    assert acting.carry(deliver(A), hold(B, split=True)).reply == LATER
    assert acting.kept() == []


def test_a_split_deferral_is_inspected_again_later(acting):
    acting.carry(deliver(A), Verdict((B,), Disposition.DEFER, "wait", split=True))
    (kept,) = acting.kept()
    assert (kept.kind, kept.reinspect, kept.envelope.rcpt_to) == ("retry", True, (B,))


def test_modifications_are_made_once_and_the_envelopes_are_not_made_again_on_retry(acting):
    changes = (AddHeader("X-Seen", "yes"), AddRecipient("boss@example.org"), ChangeSender("team@example.com"))
    acting.org.default = LATER
    acting.carry(deliver(A, modifications=changes))
    (_, envelope, data) = acting.hop.sent[0]
    assert envelope.mail_from == "team@example.com"
    assert message_from_bytes(data).get_all("X-Seen") == ["yes"]
    acting.org.default = TAKEN
    acting.later(20)
    acting.work()
    assert acting.org.copies() == {"boss@example.org": 1}
    (_, envelope, data) = acting.org.sent[0]
    assert envelope.mail_from == "team@example.com"
    assert message_from_bytes(data).get_all("X-Seen") == ["yes"]


def test_a_recipient_added_for_two_groups_gets_one_copy(acting):
    copy = AddRecipient("boss@example.net")
    acting.carry(deliver(A, modifications=(copy,)), deliver(B, modifications=(copy, AddHeader("X-B", "1"))))
    assert acting.hop.copies() == {A: 1, B: 1, "boss@example.net": 1}


def test_a_change_that_cannot_be_made_is_a_451_and_not_an_unchanged_delivery(acting):
    outcome = acting.carry(deliver(A, modifications=(ReplacePart("7.7", "x"),)))
    assert outcome.reply.code == 451
    assert acting.hop.calls == 0


def test_a_later_group_that_cannot_be_changed_stops_all_before_anybody_got_it(acting):
    outcome = acting.carry(deliver(A), deliver(B, modifications=(ReplacePart("7.7", "x"),)))
    assert outcome.reply.code == 451
    assert acting.hop.calls == 0, "the client sends again, and whoever had it would get it twice"


def test_a_message_that_policy_leaves_no_recipient_is_not_taken(acting):
    outcome = acting.carry(deliver(A, modifications=(DeleteRecipient(A),)))
    assert outcome.reply.code == 451
    assert acting.hop.calls == 0


def test_a_notice_that_cannot_be_made_does_not_cost_the_message(acting, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no notice")

    monkeypatch.setattr("sekisho.act.carry_out.notices", fail)
    assert acting.carry(deliver(A, notify=("sender",))).reply == TAKEN
    assert acting.hop.copies() == {A: 1}


def test_store_away_is_451(acting):
    acting.store.close()
    (acting.store._database).unlink()
    assert acting.carry(hold(A)).reply == STORE_AWAY


def test_notices_are_kept_and_name_the_hold(acting):
    acting.carry(hold(A, notify=("sender", "reviewer")))
    held = next(kept for kept in acting.kept() if kept.kind == "quarantine")
    notices = [kept for kept in acting.kept() if kept.kind == "notice"]
    assert sorted(kept.envelope.rcpt_to for kept in notices) == [("hanako@example.com",), ("reviewer@example.com",)]
    acting.work()
    to_reviewer = next(data for taken, _, data in acting.hop.sent if taken[0].address == "reviewer@example.com")
    assert held.id in message_from_bytes(to_reviewer).get_payload(decode=True).decode()


def test_nothing_is_told_of_a_message_that_comes_again(acting):
    acting.carry(Verdict((A,), Disposition.DEFER, "wait", notify=("sender", "reviewer")))
    assert acting.kept() == []


def test_held_bytes_and_row_are_not_readable_in_the_database(acting):
    acting.carry(hold(A), data=message("held", "the secret plan\r\n"))
    with closing(sqlite3.connect(acting.store._database)) as connection:
        assert b"the secret plan" not in "\n".join(connection.iterdump()).encode()
