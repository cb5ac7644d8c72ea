"""OAUTHBEARER with the examples of RFC 7628 4, XOAUTH2 with Google's."""

import json
from base64 import b64decode

import pytest
from support.logins import NO, YES

from sekisho.wire.sasl.oauth import OAuthBearer, XOAuth2
from sekisho.wire.sasl.steps import Challenge, CheckToken, Failed, Passed, SaslError

TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
RFC_7628_4_1 = b64decode(
    "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI"
    "HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
)
GOOGLE = b64decode(
    "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
)


def asked(step):
    """Login and token: a token is not shown, and so compared here."""
    assert isinstance(step, CheckToken)
    return step.login, step.token


def test_rfc_7628_4_1():
    mechanism = OAuthBearer()
    assert asked(mechanism.respond(RFC_7628_4_1)) == ("user@example.com", TOKEN)
    assert mechanism.resume(YES) == Passed()


def test_rfc_7628_4_3_a_failure_is_explained_and_acknowledged():
    mechanism = OAuthBearer()
    mechanism.respond(RFC_7628_4_1)
    challenge = mechanism.resume(NO)
    assert json.loads(challenge.data) == {"status": "invalid_token"}
    assert mechanism.respond(b64decode("AQ==")) == Failed()


def test_without_a_token_the_client_hears_the_same():
    mechanism = OAuthBearer()
    assert isinstance(mechanism.respond(b"n,a=user@example.com,\x01auth=\x01\x01"), Challenge)
    assert mechanism.respond(b"\x01") == Failed()


def test_the_login_need_not_be_said():
    assert asked(OAuthBearer().respond(b"n,,\x01auth=Bearer abc\x01\x01")) == ("", "abc")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,\x01",
        b"n,,\x01\x01",
        b"n,,\x01host=x\x01\x01",
        b"n,,\x01auth=Bearer abc\x01",
        b"n,,\x01auth=Bearer abc\x01\x01\x01",
        b"n,,\x01auth=Bearer abc\x01auth=Bearer abc\x01\x01",
        b"p=tls-exporter,,\x01auth=Bearer abc\x01\x01",
        b"n,,auth=Bearer abc\x01\x01",
        b"n,,\x01auth=Bearer \xff\x01\x01",
        b"n,,\x01" + b"a=b\x01" * 30 + b"auth=Bearer abc\x01\x01",
    ],
)
def test_what_is_no_message(message):
    with pytest.raises(SaslError):
        OAuthBearer().respond(message)


def test_google():
    mechanism = XOAuth2()
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    assert asked(mechanism.respond(GOOGLE)) == ("someuser@example.com", token)
    assert json.loads(mechanism.resume(NO).data)["status"] == "401"
    assert mechanism.respond(b"") == Failed()


@pytest.mark.parametrize(
    "message",
    [b"", b"user=a", b"user=a\x01\x01", b"auth=Bearer x\x01\x01", b"x\x01auth=Bearer x\x01\x01", b"\x01" * 9],
)
def test_what_is_no_message_of_xoauth2(message):
    with pytest.raises(SaslError):
        XOAuth2().respond(message)


def test_a_failure_is_acknowledged_with_nothing_else():
    for mechanism, wrong in ((OAuthBearer(), b""), (XOAuth2(), b"\x01")):
        mechanism.resume(NO)
        with pytest.raises(SaslError):
            mechanism.respond(wrong)
