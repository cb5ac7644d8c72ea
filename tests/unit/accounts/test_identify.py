"""Whose mail a relay brings; and that nobody names an account who may not."""

import pytest

from sekisho.accounts.identify import Identification, identified, untrusted_header, without_account_header
from sekisho.config.settings import ListenerSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.verdict import AddHeader, DeleteHeader, Disposition, Verdict
from sekisho.parse import parse

OWN = frozenset({"example.jp", ".example.jp"})


def how(mode="sender", **more):
    return Identification.of(ListenerSettings(name="relay", address="127.0.0.1:25", account_from=mode, **more))


BY_HEADER = how("header", account_header="X-User", account_header_from=("192.0.2.0/28", "2001:db8::/64"))
BY_CLIENT = how("client", account_clients={"192.0.2.0/24": "printers", "192.0.2.8/32": "erp"})


def who(by, *headers, client="192.0.2.1", path="taro@example.jp", account=None):
    lines = "".join(f"{line}\r\n" for line in headers)
    message = parse(f"{lines}Subject: x\r\n\r\nhello\r\n".encode())
    session = Session("s", client, account=account, listener="relay")
    found = identified(session, Envelope(path, (Recipient("x@example.net"),)), message, by, OWN)
    return found.account, found.account_source


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("Taro@Example.JP", (), "taro@example.jp"),
        ("taro@mail.example.jp", (), "taro@mail.example.jp"),
        ("taro@notexample.jp", (), None),
        ("taro@example.net", ("From: hanako@example.jp",), None),
        ("", (), None),
        (None, ("From: <hanako@example.jp>",), "hanako@example.jp"),
        (None, ("From: MAILER-DAEMON@example.net",), None),
        (None, ("From: a@example.jp, b@example.jp",), None),
        (None, (), None),
        ("x" * 400 + "@example.jp", (), None),
        ("a\x00b@example.jp", (), None),
    ],
)
def test_by_sender(path, headers, expected):
    assert who(how(), *headers, path=path) == (expected, "sender" if expected else "")


def test_what_is_known_stays():
    for by in (None, how(), BY_HEADER, BY_CLIENT, how("xclient")):
        assert who(by, "X-User: mallory", account="hanako") == ("hanako", "")
    assert who(None) == (None, "")
    assert who(how("xclient")) == (None, "")


@pytest.mark.parametrize("value", ["Hanako@example.jp", "<hanako@example.jp>", " hanako@example.jp "])
def test_by_the_header_of_an_upstream(value):
    assert who(BY_HEADER, f"x-user: {value}") == ("hanako@example.jp", "header")
    assert who(BY_HEADER, f"X-USER: {value}", client="2001:db8::7") == ("hanako@example.jp", "header")


def test_a_header_of_others_is_not_believed():
    assert who(BY_HEADER, "X-User: hanako@example.jp", client="192.0.2.99") == ("taro@example.jp", "sender")
    assert who(BY_HEADER, "X-User: hanako", "X-User: taro") == ("taro@example.jp", "sender")
    assert who(BY_HEADER, "X-User:") == ("taro@example.jp", "sender")
    assert who(BY_HEADER, "X-User: hanako", client="nonsense")[1] == "sender"


def test_by_client_the_smallest_network_wins():
    assert who(BY_CLIENT, client="192.0.2.8") == ("erp", "client")
    assert who(BY_CLIENT, client="192.0.2.9") == ("printers", "client")
    assert who(BY_CLIENT, client="::ffff:198.51.100.4") == ("198.51.100.4", "client")


def test_the_header_leaves_with_nobody():
    message = parse(b"X-User: hanako\r\nX-User: taro\r\n\r\nhello\r\n")
    verdict = Verdict(("x@example.net",), Disposition.DELIVER, "default", modifications=(AddHeader("A", "b"),))
    (changed,) = without_account_header((verdict,), message, BY_HEADER)
    assert changed.modifications == (AddHeader("A", "b"), DeleteHeader("x-user"))
    for other in (None, how(), BY_CLIENT):
        assert without_account_header((verdict,), message, other) == (verdict,)
    assert without_account_header((verdict,), parse(b"A: b\r\n\r\n"), BY_HEADER) == (verdict,)


@pytest.mark.parametrize(
    ("headers", "client", "expected"),
    [
        (b"X-User: hanako\r\n", "192.0.2.1", ""),
        (b"A: b\r\n", "192.0.2.99", ""),
        (b"X-User: hanako\r\n", "192.0.2.99", "X-User came from a client that may not name accounts"),
        (b"X-User: hanako\r\nX-User: taro\r\n", "192.0.2.1", "X-User is there 2 times"),
        (b"X-User: \r\n", "192.0.2.1", "X-User names no account"),
    ],
)
def test_why_a_header_is_not_believed(headers, client, expected):
    assert untrusted_header(Session("s", client), parse(headers + b"\r\n"), BY_HEADER) == expected
    assert untrusted_header(Session("s", client), parse(headers + b"\r\n"), None) == ""
