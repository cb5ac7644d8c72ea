"""EHLO's reply, by the RFC of each keyword."""

import pytest

from sekisho.mail.envelope import Recipient
from sekisho.wire.client_capabilities import Capabilities, read_capabilities


def test_the_usual_server():
    text = (
        "mx.example.net\nPIPELINING\nSIZE 10240000\nETRN\nSTARTTLS\nAUTH PLAIN login\nENHANCEDSTATUSCODES\n"
        "8BITMIME\nDSN\nSMTPUTF8\nCHUNKING"
    )
    assert read_capabilities(text) == Capabilities(
        name="mx.example.net",
        pipelining=True,
        eightbitmime=True,
        smtputf8=True,
        chunking=True,
        dsn=True,
        enhancedstatuscodes=True,
        starttls=True,
        size=10_240_000,
        auth=frozenset({"PLAIN", "LOGIN"}),
    )


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("pipelining", "pipelining", True),
        ("SIZE", "size", 0),
        ("SIZE 0", "size", 0),
        ("SIZE lots", "size", 0),
        ("SIZE -5", "size", 0),
        ("SIZE " + "9" * 5000, "size", 0),
        ("AUTH=LOGIN PLAIN", "auth", {"LOGIN", "PLAIN"}),
        ("LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1 X=3", "rcpt_max", 20),
        ("LIMITS RCPTMAX=", "rcpt_max", 0),
        ("XPIPELINING", "pipelining", False),
        ("", "pipelining", False),
    ],
)
def test_one_keyword(line, field, value):
    assert getattr(read_capabilities(f"mx\n{line}"), field) == value


def test_the_greeting_line_is_no_keyword():
    assert not read_capabilities("PIPELINING hello").pipelining


@pytest.mark.parametrize(
    ("limits", "most", "count"),
    [
        ({}, 0, 4),
        ({"rcpt_max": 3}, 0, 3),
        ({"rcpt_max": 3}, 2, 2),
        ({"rcpt_max": 100}, 0, 4),
        ({"rcpt_domain_max": 1}, 0, 2),
        ({"rcpt_domain_max": 2}, 0, 4),
    ],
)
def test_recipients_in_one_transaction(limits, most, count):
    recipients = [Recipient(a) for a in ("1@a.test", "2@A.test", "3@b.test", "4@b.test")]
    assert Capabilities(**limits).batch(recipients, most) == count
