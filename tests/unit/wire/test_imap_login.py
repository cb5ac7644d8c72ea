"""The client side of an IMAP login, line by line: RFC 9051, RFC 5530."""

from base64 import b64encode

import pytest

from sekisho.wire.client_events import Login, StartTls
from sekisho.wire.imap_login import Answer, ImapLogin

WORDS = b64encode("\0taro\0passwörd".encode())


def dialog(core, *steps):
    """Play (what the server says, what we are to say) and give the last events."""
    events = []
    for said, expected in steps:
        events = core.receive(said)
        assert b"".join(core.take_output()) == expected
    return events


def core_of(*, encrypted=True, start_tls=False):
    return ImapLogin(Login("taro", "passwörd"), encrypted=encrypted, start_tls=start_tls)


def logged_in(answer, capabilities=b"IMAP4rev1 SASL-IR AUTH=PLAIN"):
    return dialog(
        core_of(),
        (b"* OK hello\r\n", b"a1 CAPABILITY\r\n"),
        (b"* CAPABILITY " + capabilities + b"\r\na1 OK\r\n", b"a2 AUTHENTICATE PLAIN " + WORDS + b"\r\n"),
        (answer, b"a3 LOGOUT\r\n" if answer.startswith(b"a2 OK ") else b""),
    )


def test_plain_in_one_line():
    assert logged_in(b"a2 OK in\r\n") == [Answer("passed")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"a2 NO [AUTHENTICATIONFAILED] no\r\n", "denied"),
        (b"a2 NO no\r\n", "denied"),
        (b"a2 NO [AUTHORIZATIONFAILED] no\r\n", "denied"),
        (b"a2 NO [EXPIRED] change it\r\n", "expired"),
        (b"a2 NO [UNAVAILABLE] later\r\n", "away"),
        (b"a2 NO [unavailable] later\r\n", "away"),
        (b"a2 NO [LIMIT] too many\r\n", "away"),
        (b"a2 BAD what\r\n", "away"),
        (b"* BYE going\r\n", "away"),
        (b"a9 OK in\r\n", "away"),
        (b"a2 OKAY\r\n", "away"),
        (b"HTTP/1.1 200 OK\r\n", "away"),
        (b"\xff\xff\r\n", "away"),
    ],
)
def test_what_answers_mean(answer, kind):
    assert [event.kind for event in logged_in(answer)] == [kind]


def test_plain_in_two_lines_without_sasl_ir():
    events = dialog(
        core_of(),
        (b"* OK hello\r\n", b"a1 CAPABILITY\r\n"),
        (b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK\r\n", b"a2 AUTHENTICATE PLAIN\r\n"),
        (b"+ \r\n", WORDS + b"\r\n"),
        (b"* OK still here\r\na2 OK in\r\n", b"a3 LOGOUT\r\n"),
    )
    assert events == [Answer("passed")]


def test_login_with_literals_where_there_is_no_plain():
    events = dialog(
        core_of(),
        (b"* OK hello\r\n", b"a1 CAPABILITY\r\n"),
        (b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n", b"a2 LOGIN {4}\r\n"),
        (b"+ go\r\n", b"taro {9}\r\n"),
        (b"+ go\r\n", "passwörd\r\n".encode()),
        (b"a2 OK in\r\n", b"a3 LOGOUT\r\n"),
    )
    assert events == [Answer("passed")]


def test_login_disabled():
    events = dialog(
        core_of(),
        (b"* OK hello\r\n", b"a1 CAPABILITY\r\n"),
        (b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na1 OK\r\n", b""),
    )
    assert events[0].kind == "away"


def test_starttls_forgets_what_was_said_in_clear():
    core = core_of(encrypted=False, start_tls=True)
    events = dialog(
        core,
        (b"* OK hello\r\n", b"a1 CAPABILITY\r\n"),
        (b"* CAPABILITY STARTTLS LOGINDISABLED\r\na1 OK\r\n", b"a2 STARTTLS\r\n"),
        (b"a2 OK go\r\n", b""),
    )
    assert events == [StartTls()]
    assert core.tls_started() == []
    assert core.take_output() == [b"a3 CAPABILITY\r\n"]
    core.receive(b"* CAPABILITY SASL-IR AUTH=PLAIN\r\na3 OK\r\n")
    assert core.take_output() == [b"a4 AUTHENTICATE PLAIN " + WORDS + b"\r\n"]


@pytest.mark.parametrize(
    ("capabilities", "answer"),
    [
        (b"AUTH=PLAIN SASL-IR", b""),  # a password would go in clear
        (b"STARTTLS", b"a2 NO\r\n"),
        (b"STARTTLS", b"a2 OK go\r\n* CAPABILITY AUTH=PLAIN\r\n"),  # injected before TLS
    ],
)
def test_no_password_without_tls(capabilities, answer):
    core = core_of(encrypted=False, start_tls=True)
    core.receive(b"* OK hello\r\n")
    events = core.receive(b"* CAPABILITY " + capabilities + b"\r\na1 OK\r\n") + core.receive(answer)
    assert [event.kind for event in events] == ["away"]
    assert WORDS not in b"".join(core.take_output())


@pytest.mark.parametrize(
    "greeting", [b"* PREAUTH in\r\n", b"* BYE no\r\n", b"220 smtp\r\n", b"+ go\r\n", b"x" * 70_000]
)
def test_greetings_that_are_none(greeting):
    assert [event.kind for event in core_of().receive(greeting)] == ["away"]


def test_every_cut_of_a_dialog_gives_the_same():
    said = b"* OK hello\r\n* CAPABILITY AUTH=PLAIN SASL-IR\r\na1 OK\r\na2 OK in\r\n"
    for at in range(len(said)):
        core = core_of()
        assert core.receive(said[:at]) + core.receive(said[at:]) == [Answer("passed")], at


def test_after_the_end_nothing_comes_any_more():
    core = core_of()
    assert len(core.lost("gone")) == 1
    assert core.receive(b"* OK hello\r\n") == []
    assert core.lost("gone") == []
