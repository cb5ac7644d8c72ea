"""Administrators and owners are told of locks, and never by way of the mailbox that is locked."""

import re
import shlex
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from sekisho.act.lock_notice import kept_notice, lock_notices
from sekisho.config.settings import HoldSettings, NoticeSettings
from sekisho.mail.account import Account
from sekisho.mail.lock import Evidence, LockEvent, LockReason

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
HANA = Account("acme", "hana@example.jp", ("hana@example.jp", "sales@example.jp"), contact="hana@home.example")
ADMIN = NoticeSettings(administrator=("admin@example.jp", "Sales@example.jp", "hana@example.jp"))


def event(step="locked", login="hana@example.jp", **more):
    reasons = (LockReason("takeover", "mail to the whole address book"),)
    values = {"by": "behaviour", "reasons": reasons, "evidence": Evidence(("account/takeover",), ("t1", "t2"))}
    return LockEvent("acme", login, step, NOW, **{**values, **more})


def told(account=HANA, settings=ADMIN, what=None, before=0):
    made = lock_notices(what or event(), before, account, settings, "gate.example.jp")
    return {
        envelope.rcpt_to: message_from_bytes(data, policy=policy.default)
        for envelope, data in made
        if envelope.mail_from is None
    }


def test_the_administrator_and_the_owner_but_not_the_mailbox():
    assert set(told()) == {("admin@example.jp",), ("hana@home.example",)}
    everything = Account("acme", "hana@example.jp", ("@example.jp",), contact="Hana@Example.jp")
    assert told(everything) == {}
    assert set(told(Account("acme", "hana@example.jp"))) == {("admin@example.jp", "Sales@example.jp")}


def test_what_the_administrator_reads():
    mail = told(before=2)["admin@example.jp",]
    text = mail.get_content()
    for wanted in (
        "hana@example.jp", "2026-11-01 09:00:00 UTC", "behaviour", "mail to the whole address book",
        "account/takeover",
        "t1", "t2", "2 times", "2 回", "sekisho account show hana@example.jp --tenant acme", "by telephone", "電話",
    ):  # fmt: skip
        assert wanted in text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "アカウントをロックしました: hana@example.jp / Account locked: hana@example.jp"


def test_what_the_owner_reads_is_no_help_to_whoever_reads_along():
    text = told()["hana@home.example",].get_content()
    assert "Change your password now" in text
    assert "address book" not in text
    assert "sekisho" not in text.lower().replace("gate.example.jp", "")


@pytest.mark.parametrize(
    ("language", "wanted"), [("ja", "今すぐパスワードを変更"), ("en", "Change your password now")]
)
def test_the_owners_language(language, wanted):
    account = Account("acme", HANA.login, contact="x@home.example", language=language)
    text = told(account)["x@home.example",].get_content()
    assert wanted in text
    assert ("アカウント" in text) == (language == "ja")


@pytest.mark.parametrize("step", ["locked", "unlock-requested", "unlocked"])
def test_every_step_has_its_texts(step):
    assert len(told(what=event(step))) == 2


def test_a_login_of_an_attacker_is_no_command_and_no_header():
    login = "x;rm -rf $home`\r\nbcc: a@example.net\u202e'@example.jp"
    mail = told(what=event(login=login), account=Account("acme", login))["admin@example.jp", *ADMIN.administrator[1:]]
    assert mail["Bcc"] is None
    lines = [line for line in mail.get_content().splitlines() if "sekisho account show" in line]
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert (words[:3], words[4:]) == (["sekisho", "account", "show"], ["--tenant", "acme"])
    assert not re.search("[\u202a-\u202e]", mail.get_content())


def test_long_evidence_is_cut():
    many = Evidence((), tuple(f"t{n}" for n in range(100)))
    text = told(what=event(evidence=many))["admin@example.jp",].get_content()
    assert "and 80 more" in text
    assert "t20\n" not in text


def test_the_row_is_a_notice_of_ours():
    ((envelope, data), *_) = lock_notices(event(), 0, HANA, ADMIN, "gate.example.jp")
    kept = kept_notice("acme", envelope, data, HoldSettings(retry_give_up_seconds=100), NOW)
    assert (kept.kind, kept.state, kept.session.account) == ("notice", "releasing", None)
    assert (kept.expires_at - NOW).total_seconds() == 100
