"""PLAIN and LOGIN, with the examples of RFC 4616 4."""

import pytest
from support.logins import NO, YES

from sekisho.wire.sasl.plain import LoginMechanism, Plain
from sekisho.wire.sasl.steps import Challenge, CheckPassword, Failed, Passed, SaslError


def test_rfc_4616_4():
    assert Plain().respond(b"\0tim\0tanstaaftanstaaf") == CheckPassword("tim", "tanstaaftanstaaf")


def test_nobody_acts_for_another():
    """RFC 4616 4 has Kurt act for Ursel; here nobody may."""
    assert Plain().respond(b"Ursel\0Kurt\0xipj3plmq") == Failed()
    assert Plain().respond(b"kurt\0Kurt\0xipj3plmq") == CheckPassword("kurt", "xipj3plmq")


def test_the_answer_decides():
    mechanism = Plain()
    mechanism.respond(b"\0tim\0tanstaaftanstaaf")
    assert mechanism.resume(YES) == Passed()
    assert mechanism.resume(NO) == Failed()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"tim",
        b"\0tim",
        b"\0\0password",
        b"\0tim\0",
        b"\0tim\0a\0b",
        b"\0\xff\0password",
        b"\0tim\0\xff",
        b"\0tim\0" + b"x" * 1025,
    ],
)
def test_what_is_no_message(message):
    with pytest.raises(SaslError):
        Plain().respond(message)


def test_what_can_be_no_name_is_no_account():
    assert Plain().respond(b"\0" + b"x" * 400 + b"\0password") == Failed()
    assert Plain().respond("\0a\u202eb\0password".encode()) == Failed()


def test_login_asks_for_both():
    mechanism = LoginMechanism()
    assert mechanism.first == Challenge(b"Username:")
    assert mechanism.respond(b"Tim") == Challenge(b"Password:")
    assert mechanism.respond("pässword".encode()) == CheckPassword("tim", "pässword")
    assert mechanism.resume(YES) == Passed()


def test_login_without_a_name_or_a_password():
    with pytest.raises(SaslError):
        LoginMechanism().respond(b"")
    mechanism = LoginMechanism()
    mechanism.respond(b"tim")
    with pytest.raises(SaslError):
        mechanism.respond(b"")


def test_a_password_is_not_shown():
    assert "secret" not in repr(CheckPassword("tim", "secret"))
