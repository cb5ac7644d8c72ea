"""Notices about keys."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import get_args

import pytest
from msgspec.structs import replace

from sekisho.act.key_notice import key_notice
from sekisho.config.settings import NoticeSettings
from sekisho.mail.signing_key import AlertCode
from sekisho.mailauth.key_lifecycle import Alert
from sekisho.mailauth.key_making import new_key, record_line

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
KEY = new_key("acme", "example.jp", "s1", "rsa", NOW)
SETTINGS = NoticeSettings(administrator=("admin@example.jp", "管理@example.jp"))


def read(alert, settings=SETTINGS):
    envelope, data = key_notice(alert, settings, "gate.example.jp", NOW)
    return envelope, message_from_bytes(data, policy=policy.default)


@pytest.mark.parametrize("code", list(filter(None, get_args(AlertCode))))
def test_each_names_the_key_and_its_record_in_both_languages(code):
    envelope, message = read(Alert(KEY, code, "k=rsa\r\nBcc: x"))
    text = message.get_content()
    assert text.count(record_line(KEY)) == 2
    assert ("Tenant: acme" in text, "テナント: acme" in text) == (True, True)
    assert "k=rsa Bcc: x" in text  # what others wrote stays on one line
    assert message["subject"].count("example.jp (s1)") == 2
    assert message["auto-submitted"] == "auto-generated"
    assert (envelope.mail_from, envelope.rcpt_to) == (None, SETTINGS.administrator)


def test_a_delegated_one_names_the_alias_too():
    key = replace(KEY, base="p.example")
    text = read(Alert(key, "pending-long"))[1].get_content()
    assert text.count("s1._domainkey.example.jp. IN CNAME s1.example.jp.p.example.") == 2
    assert "CNAME" not in read(Alert(key, "still-published"))[1].get_content()


def test_nobody_to_tell():
    assert key_notice(Alert(KEY, "absent"), NoticeSettings(), "gate.example.jp", NOW) is None
