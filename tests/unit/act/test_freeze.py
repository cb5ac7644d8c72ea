"""Kept mail of a locked account waits for a reviewer, whatever it waited for before."""

import asyncio
from datetime import timedelta

import pytest
from support.acting import LATER, NOW, Acting
from support.client import message

from sekisho.act.freeze import FROZEN, freeze
from sekisho.act.release import Release
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.kept import Kept
from sekisho.mail.lock import AccountLock

A = "a@example.net"


class Locked:
    def __init__(self, *logins):
        self.logins = set(logins)

    def locked(self, tenant, login):
        return AccountLock(tenant, login, "locked") if login.lower() in self.logins else None


@pytest.fixture
def acting(tmp_path):
    made = Acting(tmp_path, expire_seconds=1000, on_expiry="release")
    made.locks = Locked()
    made.release = Release(
        made.store, made.tenants, "gate.example.com", made._read, made._examine,
        locks=made.locks, now=lambda: made.now,
    )  # fmt: skip
    yield made
    made.store.close()


def keep(acting, kept_id, kind, state="held", account="Hana", **more):
    row = Kept(
        id=kept_id, tenant="default", kind=kind, state=state,
        received_at=NOW, expires_at=NOW + timedelta(seconds=500),
        session=Session("s", "192.0.2.1", account=account), envelope=Envelope("hana@example.com", (Recipient(A),)),
        transaction_id="t", message_id="", size=1, **more,
    )  # fmt: skip
    asyncio.run(acting.store.keep(row, message(kept_id)))


def run_freeze(acting):
    return asyncio.run(freeze(acting.store, "default", "hana", acting.now, 1000))


def rows(acting):
    return {row.id: row for row in acting.store.list_kept()}


def all_kinds(acting):
    keep(acting, "quarantine", "quarantine")
    keep(acting, "approval", "approval")
    keep(acting, "delay", "delay", release_at=NOW + timedelta(seconds=10))
    keep(acting, "retry", "retry", "releasing", next_attempt_at=NOW, last_reply=LATER)
    keep(acting, "released", "quarantine", "releasing", decided_by="ann")
    keep(acting, "notice", "notice", "releasing", next_attempt_at=NOW)
    keep(acting, "other", "retry", "releasing", account="jiro", next_attempt_at=NOW)
    keep(acting, "nobody", "retry", "releasing", account=None, next_attempt_at=NOW)


def test_everything_of_the_account_waits_for_a_reviewer(acting):
    all_kinds(acting)
    assert run_freeze(acting) == 4
    found = rows(acting)
    for name in ("approval", "delay", "retry", "released"):
        row = found[name]
        assert (row.kind, row.state, row.release_at, row.note) == ("quarantine", "held", None, FROZEN)
        assert row.expires_at == NOW + timedelta(seconds=1000)
    assert (found["quarantine"].note, found["notice"].state, found["other"].state) == ("", "releasing", "releasing")
    assert run_freeze(acting) == 0
    acting.later(100)  # as after an unlock: nothing of it leaves by itself
    acting.work()
    assert sorted(data.count(b"X-Test-Id") for _, _, data in acting.hop.sent) == [1, 1, 1]
    assert {row.id for row in rows(acting).values() if row.state == "released"} == {"notice", "other", "nobody"}


def test_while_it_is_locked_nothing_is_sent_even_if_it_was_not_frozen_yet(acting):
    acting.locks.logins.add("hana")
    all_kinds(acting)
    acting.later(100)
    acting.work()
    assert {row.id for row in rows(acting).values() if row.state == "released"} == {"notice", "other", "nobody"}
    assert all(
        (row.kind, row.state) == ("quarantine", "held")
        for row in rows(acting).values()
        if row.id in ("delay", "retry", "released")
    )


def test_time_lets_nothing_go(acting):
    acting.locks.logins.add("hana")
    keep(acting, "approval", "approval")
    acting.later(501)
    acting.work()
    assert rows(acting)["approval"].state == "expired"  # its sender is told, the message does not leave
    assert all(envelope.mail_from is None for _, envelope, _ in acting.hop.sent)


def test_without_a_lock_all_is_as_it_was(acting):
    keep(acting, "approval", "approval")
    acting.later(501)
    acting.work()  # it becomes due,
    acting.work()  # and leaves
    assert acting.hop.copies() == {A: 1}
    assert rows(acting)["approval"].state == "released"
