"""Limits on the message's path: real inspection, the policy that comes with us, real counters."""

import asyncio

import pytest
from msgspec.structs import replace
from support.sent import strangers

from sekisho.accounts.finding_locks import FindingLocks
from sekisho.config.load import load
from sekisho.config.tenants import inherited
from sekisho.daemon import compose
from sekisho.daemon.counting import counters_of, limits_of, names_of
from sekisho.gateway import Gateway
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Delivery, Outcome
from sekisho.mail.verdict import strictest

TEXT = """
[gateway]
state_dir = "var"
[tenant.default]
domains = ["acme.example"]
[[tenant.default.limit]]
name = "recipients-hour"
to = "external"
soft = 4
defer = 6
lock = 30
"""
RAW = b"""From: Hana Sato <hana@acme.example>
To: <p0@client0.example>
Date: Mon, 2 Nov 2026 12:00:00 +0000
Message-ID: <m1@acme.example>
Subject: Minutes of Monday's meeting

Hello Tom,

thank you for coming on Monday. As agreed we test the second pump in week 46, and I write to you when the results
are in. The minutes are in the shared folder; please tell me if I got anything wrong.

Kind regards
Hana
""".replace(b"\n", b"\r\n")


class Act:
    """Answers as the verdict says, and keeps it."""

    def __init__(self):
        self.verdicts = []

    async def carry_out(self, transaction, verdicts):
        verdict = strictest(verdicts)
        self.verdicts.append(verdict)
        reply = verdict.reply or Reply(250, "0.0", "OK")
        return Outcome(reply, (Delivery(transaction.envelope.rcpt_to, "relayed", "x", reply),))


class Recorder:
    def __init__(self):
        self.records = []

    async def record(self, audit):
        self.records.append(audit)


class Locker:
    def __init__(self):
        self.locked = []

    async def lock(self, _tenant, login, reasons, **_how):
        self.locked.append((login, reasons[0].text))


@pytest.fixture
def prepared(tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text(TEXT)
    configuration, problems = load(file)
    assert problems == []
    found, problems = compose.prepare(configuration)
    assert problems == []
    return found


def test_soft_defer_early_and_lock(prepared):
    configuration = prepared.configuration
    session = Session("s", "127.0.0.1", account="hana@acme.example", listener="relay")

    async def body(store):
        counters = counters_of(configuration)
        tenants = {"default": inherited(configuration.settings, "default")}
        limits = limits_of(tenants, counters, names_of(configuration, store.keys))
        checking = compose.checking(prepared, compose.finding_key(store))
        checks = replace(checking.checks, lookups=(*checking.checks.lookups, limits))
        act, recorder, locker = Act(), Recorder(), Locker()
        gateway = Gateway(checks, act, recorder, lambda: "")

        async def send(to):
            envelope = Envelope("hana@acme.example", tuple(Recipient(address) for address in to))
            return await gateway.receive(session, envelope, RAW)

        assert (await send(strangers(4))).code == 250
        assert (await send(strangers(1))).code == 250
        assert (act.verdicts[-1].policy_rule, act.verdicts[-1].notify) == ("limit-soft", ("sender", "administrator"))
        assert (await send(strangers(1))).code == 250
        assert act.verdicts[-1].notify == ()
        assert limits.refuse_early(session, "hana@acme.example", "p@client.example") is None
        deferred = await send(strangers(1))
        assert deferred == Reply(450, "7.1", "Sending limit reached, please try again later")
        assert limits.refuse_early(session, "hana@acme.example", "p@client.example") == deferred
        assert (await send(["jiro@acme.example"])).code == 250
        await send(strangers(25))
        assert act.verdicts[-1].hold.kind == "quarantine"
        await FindingLocks(locker).seen(recorder.records[-1])
        assert locker.locked[0][0] == "hana@acme.example"
        assert "more than 30" in locker.locked[0][1]
        await counters.close()
        await checking.close(1.0)

    with compose.open_store(configuration) as store:
        asyncio.run(body(store))
