from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.act.report import RETURN_WHOLE_UP_TO, delivery_status
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.reply import Reply

GOLDEN = Path(__file__).parents[2] / "golden" / "dsn"
DATA = (
    b"Message-ID: <1@pc.example.jp>\r\n"
    b"From: Taro <taro@example.jp>\r\n"
    b"To: Hana <hana@example.net>\r\n"
    b"Subject: Greetings\r\n"
    b"\r\n"
    b"Hello.\r\n--\r\nTaro\r\n"
)
NO_USER = Reply(550, "1.1", "No such user")
HANA = Recipient("hana@example.net")


def report(failures, data=DATA, envelope=None, **more):
    envelope = envelope or Envelope("taro@example.jp", tuple(r for r, _ in failures))
    return delivery_status(
        envelope,
        data,
        failures,
        **{
            "hostname": "gw.example.jp",
            "arrived_at": datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC),
            "at": datetime(2026, 3, 2, 4, 6, tzinfo=UTC),
            "report_id": "r1",
            "language": "en",
            **more,
        },
    )


def read(made):
    message = message_from_bytes(made[1], policy=policy.SMTP)
    text, status, returned = message.iter_parts()
    assert not message.defects
    return message, text, status.get_payload(), returned


def golden(name):
    return (GOLDEN / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# --- golden ----------------------------------------------------------------------------------------------------


def test_failed_with_the_whole_message():
    assert report([(HANA, NO_USER)], remote_mta="mx.example.net")[1] == golden("failed-whole.eml")


def test_failed_with_dsn_parameters():
    # RFC 3461 4: ENVID and ORCPT come as xtext and go out decoded (RFC 3461 6.3)
    recipient = Recipient("hana@example.net", "FAILURE,DELAY", "rfc822;Hana+2Bprivate@example.net")
    failures = [(recipient, NO_USER), (Recipient("jiro@example.org"), Reply(554, None, "Refused"))]
    envelope = Envelope("taro@example.jp", (), ret="HDRS", envid="QQ314159+20+2Bx")
    assert report(failures, envelope=envelope)[1] == golden("failed-header.eml")


def test_delayed():
    failure = (HANA, Reply(451, "4.1", "No answer from host"))
    assert report([failure], action="delayed")[1] == golden("delayed.eml")


def test_failed_internationalized():
    data = "To: <山@example.net>\r\nSubject: x\r\n\r\nHello.\r\n".encode()
    envelope = Envelope("taro@example.jp", (), smtputf8=True)
    made = report([(Recipient("山@example.net"), NO_USER)], data, envelope)
    assert made[1] == golden("failed-internationalized.eml")
    assert not made[0].smtputf8  # the sender's own address is ASCII


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.eml")), ids=lambda file: file.name)
def test_golden_files_are_reports(file):
    # RFC 6522 3, RFC 3464 2.1
    message = message_from_bytes(golden(file.name), policy=policy.SMTP)
    assert not message.defects
    assert (message.get_content_type(), message.get_param("report-type")) == ("multipart/report", "delivery-status")
    _, status, _ = message.iter_parts()
    per_message, *per_recipient = status.get_payload()
    assert per_message["Reporting-MTA"] == "dns; gw.example.jp"
    assert per_recipient
    for block in per_recipient:
        assert {"Final-Recipient", "Action", "Status"} <= set(block.keys())


# --- whether, to whom, how -------------------------------------------------------------------------------------


def test_no_report_of_a_report():
    assert report([(HANA, NO_USER)], envelope=Envelope(None, (HANA,))) is None


def test_the_report_has_the_null_reverse_path():
    envelope, _ = report([(HANA, NO_USER)])
    assert envelope.mail_from is None
    assert envelope.recipients == (Recipient("taro@example.jp", notify="NEVER"),)


@pytest.mark.parametrize(
    ("notify", "action", "asked"),
    [
        # RFC 3461 4.1
        (None, "failed", True),
        (None, "delayed", True),
        (None, "relayed", False),
        ("NEVER", "failed", False),
        ("NEVER", "delayed", False),
        ("NEVER", "relayed", False),
        ("FAILURE", "failed", True),
        ("failure,delay", "delayed", True),
        ("FAILURE", "delayed", False),
        ("DELAY", "failed", False),
        ("SUCCESS", "failed", False),
        ("SUCCESS,FAILURE", "relayed", True),
        ("SUCCESS", "expanded", True),
    ],
)
def test_notify(notify, action, asked):
    made = report([(Recipient("hana@example.net", notify), NO_USER)], action=action)
    assert (made is not None) == asked
    if made:
        assert read(made)[2][1]["Action"] == action


def test_recipients_that_want_none_are_left_out():
    made = report([(Recipient("a@example.net", "NEVER"), NO_USER), (HANA, NO_USER)])
    assert b"a@example.net" not in made[1].replace(b"hana@example.net", b"")


@pytest.mark.parametrize(
    ("ret", "size", "action", "kind"),
    [
        # RFC 3461 4.3
        ("FULL", RETURN_WHOLE_UP_TO * 2, "failed", "message/rfc822"),
        ("full", 10, "failed", "message/rfc822"),
        ("HDRS", 10, "failed", "text/rfc822-headers"),
        (None, 10, "failed", "message/rfc822"),
        (None, RETURN_WHOLE_UP_TO + 1, "failed", "text/rfc822-headers"),
        ("FULL", 10, "delayed", "text/rfc822-headers"),
    ],
)
def test_ret(ret, size, action, kind):
    data = DATA + b"x" * 70 + b"\r\n" * (size // 2)
    made = report([(HANA, NO_USER)], data, Envelope("taro@example.jp", (), ret=ret), action=action)
    returned = read(made)[3]
    assert returned.get_content_type() == kind
    assert (b"Hello." in made[1]) == (kind == "message/rfc822")
    if kind == "message/rfc822":
        assert data in made[1]


def test_octets_come_back_as_they_were():
    data = b"Subject: \xff\x80\r\n\r\n\xe3\x81\x82\xff\r\n"
    envelope, message = report([(HANA, NO_USER)], data)
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + data in message
    assert envelope.body == "8BITMIME"
    assert message_from_bytes(message, policy=policy.SMTP)["Content-Transfer-Encoding"] == "8bit"


def test_lf_only_comes_back_as_crlf():
    assert b"\n" not in report([(HANA, NO_USER)], b"Subject: x\n\nx\n")[1].replace(b"\r\n", b"")


def test_a_sender_outside_ascii():
    # RFC 6531 3.2: such an address is named only where SMTPUTF8 is asked for
    envelope, message = report([(HANA, NO_USER)], envelope=Envelope("太郎@例え.jp", (HANA,), smtputf8=True))
    assert envelope.smtputf8
    assert "To: <太郎@例え.jp>\r\n".encode() in message


def test_both_languages():
    message, text, _, _ = read(report([(HANA, NO_USER)], language="both"))
    assert message["Subject"] == "メールを配送できませんでした / Your message could not be delivered"
    content = text.get_content()
    assert "次の宛先にはメールを配送できませんでした" in content
    assert "could not be delivered" in content
    assert "hana@example.net" in content


def test_the_boundary_occurs_in_nothing_that_is_returned():
    data = DATA + b"--=_r1\r\n--=_r1.1--\r\n"
    message, *_, returned = read(report([(HANA, NO_USER)], data))
    assert message.get_boundary() == "=_r1.2"
    assert returned.get_payload(0).get_payload().endswith("--=_r1.1--\r\n")


@pytest.mark.parametrize("at", ["envid", "orcpt"])
def test_xtext_brings_no_line_break(at):
    evil = "rfc822;a@b.jp+0D+0AAction:+20delivered"
    recipient = Recipient("hana@example.net", orcpt=evil if at == "orcpt" else None)
    made = report(
        [(recipient, NO_USER)], envelope=Envelope("t@example.jp", (), envid=evil if at == "envid" else None)
    )
    blocks = read(made)[2]
    assert [block.get_all("Action") for block in blocks] == [None, ["failed"]]
    shown = blocks[0]["Original-Envelope-Id"] or blocks[1]["Original-Recipient"].replace("; ", ";")
    assert shown == evil


ODD = st.text(st.sampled_from('a@<>:; \r\n\x00é山\u2028"=?+-\x85'), max_size=60)


@given(ODD, ODD, ODD, ODD, st.binary(max_size=200))
def test_anything_makes_a_report(sender, address, text, given_id, data):
    recipient = Recipient(address or "x", orcpt=given_id)
    envelope = Envelope(sender, (recipient,), envid=given_id)
    _, made = report([(recipient, Reply(550, "1.1", text))], data, envelope)
    message = message_from_bytes(made, policy=policy.compat32)
    assert message.keys()[:4] == ["From", "To", "Subject", "Date"]
    assert message["Auto-Submitted"] == "auto-replied"
    assert len(message.get_payload()) == 3
    status = message.get_payload(1).get_payload()
    assert [block.get_all("Action") for block in status] == [None, ["failed"]]


def test_time_is_linear():
    # the square of this would run into the timeout of every test
    report([(Recipient("a" * 900 + f"{i}@example.net"), Reply(550, "1.1", "x" * 5000)) for i in range(500)])
    report([(HANA, NO_USER)], b"message-id: <" * 200_000)
