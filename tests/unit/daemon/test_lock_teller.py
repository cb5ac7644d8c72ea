"""Each lock is told of once, and freezes what is kept; whatever was left undone is done at the next start."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from support.acting import Acting
from support.client import message

from sekisho.accounts.directory import AccountDirectory, TenantIdentity
from sekisho.accounts.locks import Locker, Locks
from sekisho.accounts.unlock import unlock
from sekisho.config.account_settings import IdentitySettings
from sekisho.config.settings import NoticeSettings
from sekisho.daemon.lock_teller import LockTeller
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.kept import Kept, StoreAwayError
from sekisho.mail.lock import LockReason


@pytest.fixture
def acting(tmp_path):
    made = Acting(tmp_path)
    notice = NoticeSettings(administrator=("admin@example.com",), language="en")
    made.tenants["default"] = replace(made.tenants["default"], notice=notice)
    made.told = []
    made.locker = Locker(Locks(made.store.locks), {})
    directory = AccountDirectory({"default": TenantIdentity(IdentitySettings(), {})})
    made.teller = LockTeller(
        made.store, made.store.locks, made.tenants, directory, "gate.example.com", told=made.told.append
    )
    yield made
    made.store.close()


def lock(acting, tenant="default"):
    assert asyncio.run(acting.locker.lock(tenant, "hana@example.com", (LockReason("x", "x"),), by="limits"))


def notices(acting):
    return [row.envelope.rcpt_to for row in acting.store.list_kept(kind="notice")]


def keep(acting):
    now = datetime.now(UTC)
    session = Session("s", "192.0.2.1", account="hana@example.com")
    row = Kept(
        id="k1", tenant="default", kind="delay", state="held", received_at=now, expires_at=now + timedelta(days=1),
        session=session, envelope=Envelope("hana@example.com", (Recipient("a@example.net"),)), transaction_id="t",
        message_id="", size=1, release_at=now,
    )  # fmt: skip
    asyncio.run(acting.store.keep(row, message("k1")))


def test_frozen_and_told_once(acting):
    keep(acting)
    lock(acting)
    assert asyncio.run(acting.teller.run_once()) == 1
    assert asyncio.run(acting.teller.run_once()) == 0
    assert notices(acting) == [("admin@example.com",)]
    assert acting.store.kept_sync("k1").kind == "quarantine"
    assert [event.step for event in acting.told] == ["locked"]
    asyncio.run(unlock(acting.locker.locks, "default", "hana@example.com", by="ann", reason="x"))
    assert asyncio.run(acting.teller.run_once()) == 1
    assert acting.store.kept_sync("k1").state == "held"
    assert len(notices(acting)) == 2


def test_locked_and_unlocked_before_anybody_came_round_still_freezes(acting):
    keep(acting)
    lock(acting)
    asyncio.run(unlock(acting.locker.locks, "default", "hana@example.com", by="ann", reason="x"))
    assert asyncio.run(acting.teller.run_once()) == 2
    assert acting.store.kept_sync("k1").kind == "quarantine"


def test_what_could_not_be_told_is_told_later(acting, monkeypatch):
    lock(acting)

    async def away(_kept, _data):
        raise StoreAwayError("away")

    with monkeypatch.context() as patched:
        patched.setattr(acting.store, "keep", away)
        with pytest.raises(StoreAwayError):
            asyncio.run(acting.teller.run_once())
    assert asyncio.run(acting.teller.run_once()) == 1
    assert notices(acting) == [("admin@example.com",)]


def test_a_tenant_that_is_gone_stops_nobody(acting, caplog):
    lock(acting, "gone")
    lock(acting)
    assert asyncio.run(acting.teller.run_once()) == 2
    assert "no tenant 'gone'" in caplog.text
    assert notices(acting) == [("admin@example.com",)]
