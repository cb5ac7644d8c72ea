"""`sekisho policy`: why a message gets its verdict, and what another policy would have done."""

import asyncio
import io
import sys

import pytest
from msgspec.structs import replace
from support.client import message

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Outcome, Transaction
from sekisho.mail.verdict import Disposition, Verdict
from sekisho.parse import parse
from sekisho.store.sqlite import SqliteStore

POLICY = """
[[rule]]
name = "boss"
from = { address = "boss@example.com" }
then = { disposition = "hold", hold = "approval" }
"""


@pytest.fixture
def policy(folder):
    (folder / "policy.toml").write_text(POLICY)
    (folder / "sekisho.toml").write_text(
        '[tenant.default]\npolicy = ["policy.toml"]\ndomains = ["example.com"]\n[tenant.other]\n'
    )
    (folder / "mail.eml").write_bytes(message("one"))


def story(done, recipient=0):
    return done.objects[0]["recipients"][recipient]


@pytest.mark.usefixtures("policy")
def test_explain_says_of_each_rule_whether_it_matched(sekisho):
    done = sekisho("policy", "explain", "mail.eml", "--json")
    assert done.status == 0
    assert (done.objects[0]["disposition"], done.objects[0]["policy_rule"]) == ("deliver", "default")
    rules = {rule["rule"]: rule for rule in story(done)["rules"]}
    assert rules["boss"]["matched"] is False
    assert rules["boss"]["file"].endswith("policy.toml")
    assert rules["boss"]["line"] == 2
    assert rules["boss"]["why"]
    assert "boss" in sekisho("policy", "explain", "mail.eml").out


@pytest.mark.usefixtures("policy")
def test_overrides_change_the_story(sekisho):
    done = sekisho("policy", "explain", "mail.eml", "--json", "--mail-from", "boss@example.com")
    assert done.status == 1
    assert (done.objects[0]["disposition"], done.objects[0]["policy_rule"]) == ("hold", "boss")
    assert story(done)["hold"] == "approval"
    done = sekisho("policy", "explain", "mail.eml", "--json", "--mail-from", "boss@example.com", "--tenant", "other")
    # no rule of the other tenant's, but the address is in a domain of the first's
    assert (done.objects[0]["disposition"], done.objects[0]["policy_rule"]) == ("reject", "forged-own-domain")


MASKED = """
[[rule]]
name = "masked"
to = { external = true }
split = true
when = { finding = "dlp/card" }
then = { disposition = "deliver", modifications = [{ type = "redact" }] }
"""


@pytest.fixture
def masked(folder, policy):
    """A policy that redacts, and a message with a card number where nothing can be masked."""
    assert policy is None
    (folder / "policy.toml").write_text(MASKED)
    text = message("one", "x\r\n", headers="Comments: card 4111 1111 1111 1111\r\n")
    (folder / "mail.eml").write_bytes(text)


@pytest.mark.usefixtures("masked")
def test_explain_says_what_could_not_be_masked(sekisho):
    to = ("--rcpt-to", "taro@example.net", "--rcpt-to", "jiro@example.com")
    done = sekisho("policy", "explain", "mail.eml", "--json", *to)
    assert done.status == 1
    (told,) = done.objects
    assert (told["disposition"], told["hold"], told["policy_rule"]) == ("hold", "approval", "masked")
    (why,) = told["not_masked"]
    assert (why["rule"], why["where"]) == ("dlp/not-masked", "header")
    outside, inside = told["recipients"]
    assert (outside["disposition"], outside["hold"], outside["policy_rule"]) == ("hold", "approval", "masked")
    assert outside["own"]["disposition"] == "deliver"
    assert inside["disposition"] == "deliver"


@pytest.mark.usefixtures("policy")
def test_explain_has_nothing_that_could_not_be_masked(sekisho):
    assert sekisho("policy", "explain", "mail.eml", "--json").objects[0]["not_masked"] == []


@pytest.mark.usefixtures("policy")
def test_standard_input(sekisho, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(message("one", sender="boss@example.com"))))
    assert sekisho("policy", "explain", "-", "--json").objects[0]["policy_rule"] == "boss"


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    ("arguments", "status"), [(["none.eml"], 3), (["."], 3), (["mail.eml", "--tenant", "nobody"], 2)]
)
def test_what_cannot_be_explained(sekisho, arguments, status):
    done = sekisho("policy", "explain", *arguments)
    assert (done.status, done.out) == (status, "")
    assert "unexpected" not in done.err


@pytest.fixture
def recorded(folder, now):
    with SqliteStore.open(folder / "var") as store:
        for name, sender in (("t1", "boss@example.com"), ("t2", "hanako@example.com")):
            transaction = Transaction(
                id=name,
                session=Session("s1", "192.0.2.1"),
                envelope=Envelope(sender, (Recipient("taro@example.net"),)),
                message=parse(message(name, sender=sender)),
                received_at=now,
                internal_domains=frozenset({"example.com"}),
            )
            verdict = Verdict(("taro@example.net",), Disposition.DELIVER, "default")
            record = AuditRecord(transaction, (), (verdict,), Outcome(Reply(250, "0.0", "ok"), ()), {})
            asyncio.run(store.record(record))
            asyncio.run(store.record(replace(record, transaction=replace(transaction, id=f"{name}-again"))))


@pytest.mark.usefixtures("policy", "recorded")
def test_replay_tells_what_would_have_changed(sekisho, folder):
    done = sekisho("policy", "replay", "--json")
    (report,) = done.objects
    assert done.status == 1
    assert (report["messages"], report["changed"]) == (4, 2)
    assert report["holds"] == {"approval": 2}
    (folder / "policy.toml").write_text("")
    done = sekisho("policy", "replay", "--json")
    assert (done.status, done.objects[0]["changed"]) == (0, 0)


@pytest.mark.usefixtures("policy", "recorded")
def test_replay_of_another_tenant_or_no_time_is_of_nothing(sekisho):
    assert sekisho("policy", "replay", "--json", "--tenant", "other").objects[0]["messages"] == 0
    assert sekisho("policy", "replay", "--json", "--days", "0").objects[0]["messages"] == 0
    assert sekisho("policy", "replay", "--tenant", "nobody").status == 2


ADDS = """
[[rule]]
name = "adds"
then = { modifications = [{ type = "add_header", name = "X", value = "1" }] }
final = false
"""


@pytest.mark.usefixtures("policy", "recorded")
def test_modifications_are_not_recorded_and_not_compared(sekisho, folder):
    (folder / "policy.toml").write_text(ADDS)
    assert sekisho("policy", "replay", "--json").objects[0]["changed"] == 0
