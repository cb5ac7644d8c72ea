"""Redaction through the running gateway: what arrives is masked, signed, and otherwise what was sent."""

import base64
from email import message_from_bytes

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.archived import with_attachments, zipped
from support.client import message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

WIDE = "４１１１−１１１１−１１１１−１１１１"
POLICY = """
[[rule]]
name = "masked"
to = { external = true }
when = { finding = ["dlp/card", "dlp/jp/my-number"], confidence = 0.75 }

[rule.then]
disposition = "deliver"
notify = "sender"
modifications = [{ type = "redact" }]
"""


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, key):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "policy.toml").write_text(POLICY)
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with Sink() as sink:
        sections = f"""
[tenant.default]
domains = ["example.com"]
policy = ["policy.toml"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]

[[tenant.default.dkim]]
domain = "example.com"
selector = "s1"
private_key = "key.pem"

[tenant.default.notice]
approver = ["approver@example.com"]
language = "ja"
"""
        with RunningGateway(folder, sections=sections, workers=1) as running:
            running.sink = sink
            yield running


def arrived(sink, recipient, contains=b""):
    """The latest message for a recipient with these octets in it, or in its text."""

    def found():
        return [
            data for to, data in sink.received if recipient in to and (contains in data or contains in text_of(data))
        ]

    def text_of(data):
        return message_from_bytes(data).get_payload(decode=True) or b""

    return wait_for(f"something for {recipient}", found)[-1]


def test_a_card_number_in_both_alternatives(gateway, key):
    plain = f"お世話になります。\r\nカード番号は {WIDE} です。\r\n個人番号: 1234 5678 9018\r\n".encode("iso2022_jp")
    html = f"<p>カード番号は <b>{WIDE[:4]}</b>{WIDE[4:]}</p><img src='cid:1111' width=16>".encode()
    picture = base64.encodebytes(bytes(range(256))).replace(b"\n", b"\r\n")
    head = message("both", "", headers="").decode().partition("MIME-Version")[0]
    data = (
        head.encode()
        + b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\n"
        + b"Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n"
        + b"Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + plain
        + b"\r\n--a\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(html).replace(b"\n", b"\r\n")
        + b"--a--\r\n--r\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture
        + b"--r--\r\n"
    )  # fmt: skip
    assert send(gateway.port, data).startswith("250 ")
    came = arrived(gateway.sink, "taro@example.net", b"<both@example.com>")

    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    assert dkim.verify(came, dnsfunc=lambda name, timeout=5: record)

    masked = "４１＊＊−＊＊＊＊−＊＊＊＊−＊＊１１"
    _, mail = message_from_bytes(came), came[-len(data) :]
    texts = [
        p.get_payload(decode=True) for p in message_from_bytes(mail).walk() if p.get_content_maintype() == "text"
    ]
    assert texts[0] == plain.decode("iso2022_jp").replace(WIDE, masked).replace(
        "1234 5678 9018", "12** **** **18"
    ).encode("iso2022_jp")
    assert texts[1].decode() == html.decode().replace(f"<b>{WIDE[:4]}</b>", "<b>４１＊＊</b>").replace(
        WIDE[4:], masked[4:]
    )
    # all but what stands in the two text parts is what was sent, octet for octet
    for kept in (data[: data.index(plain)], data[data.index(b"--a--") :], b"\r\n--a\r\nContent-Type: text/html"):
        assert kept in mail

    notice = message_from_bytes(arrived(gateway.sink, "hanako@example.com"))
    text = notice.get_payload(decode=True).decode()
    for said in ("アスタリスク", "クレジットカード番号", "本文", "41**-****-****-**11", "個人番号", "12** **** **18"):
        assert said in text
    assert "1111-1111" not in text


def test_a_subject_and_what_outlook_copies_from_it(gateway):
    card = "4111 1111 1111 1111"
    data = message("topic", headers=f"Thread-Topic: card {card}\r\n").replace(
        b"Subject: topic", f"Subject: RE: card {card}".encode()
    )
    assert send(gateway.port, data).startswith("250 ")
    came = arrived(gateway.sink, "taro@example.net", b"<topic@example.com>")
    mail = message_from_bytes(came)
    assert (mail["Subject"], mail["Thread-Topic"]) == (
        "RE: card 41** **** **** **11",
        "card 41** **** **** **11",
    )
    assert card.encode() not in came


def test_an_attachment_is_held_and_leaves_as_it_was_written(gateway):
    content = zipped({"list.csv": b"name,card\r\nA,4111 1111 1111 1111\r\n"})
    data = with_attachments("attached", ("cards.zip", content), body="card 5555 5555 5555 4444\r\n")
    assert send(gateway.port, data).startswith("250 ")
    (row,) = [kept for kept in gateway.held() if kept["message_id"] == "<attached@example.com>"]
    (held,) = gateway.json("hold", "show", row["id"])
    assert (held["kind"], held["policy_rule"], held["modifications"]) == ("approval", "masked", [])
    (why,) = [finding for finding in held["findings"] if finding["rule"] == "dlp/not-masked"]
    assert (why["where"], why["path"]) == ("attachment", "cards.zip/list.csv")
    for person in ("hanako@example.com", "approver@example.com"):
        notice = message_from_bytes(arrived(gateway.sink, person, held["id"].encode()))
        assert "伏せ字にできなかった情報 (添付ファイル cards.zip/list.csv" in notice.get_payload(decode=True).decode()

    gateway.cli("hold", "release", row["id"])
    assert arrived(gateway.sink, "taro@example.net", b"<attached@example.com>").endswith(data)


def test_inside_nothing_is_masked(gateway):
    data = message("inside", "card 4111 1111 1111 1111\r\n", to="jiro@example.com")
    assert send(gateway.port, data, recipients=["jiro@example.com"]).startswith("250 ")
    assert arrived(gateway.sink, "jiro@example.com").endswith(data)


def test_a_message_that_the_next_hop_takes_later_leaves_masked(gateway):
    def behave(verb, argument):
        return "451 4.2.0 later" if verb == "RCPT" and argument == "late@example.net" and not refused else None

    refused = []
    gateway.sink.behave = behave
    try:
        data = message("late", "card 4111 1111 1111 1111\r\n")
        assert send(gateway.port, data, recipients=["taro@example.net", "late@example.net"]).startswith("250 ")
        (row,) = [k for k in gateway.held("--state", "all") if k["message_id"] == "<late@example.com>"]
        (shown,) = gateway.json("hold", "show", row["id"])
        assert shown["modifications"] == [{"type": "redact", "finding": ["dlp/card"], "masks": 4}]
        assert b"41** **** **** **11" in arrived(gateway.sink, "taro@example.net", b"<late@example.com>")
    finally:
        refused.append(True)
        gateway.sink.behave = lambda verb, argument: None
    assert row["state"] == "releasing"


def test_check_and_explain_tell_it(gateway, tmp_path):
    mail = tmp_path / "mail.eml"
    mail.write_bytes(message("told", "card 4111 1111 1111 1111\r\n"))
    (shown,) = gateway.json("check", str(mail))
    assert shown["disposition"] == "deliver"
    assert shown["verdicts"][0]["modifications"] == [{"type": "redact", "finding": ["dlp/card"], "masks": 4}]
    told = gateway.cli("policy", "explain", str(mail))
    assert "what cannot be masked is held for approval" in told

    mail.write_bytes(with_attachments("told", ("a.txt", b"card 4111 1111 1111 1111")))
    (shown,) = gateway.json("check", str(mail), expect=1)
    assert (shown["disposition"], shown["hold"]) == ("hold", "approval")
    assert "dlp/not-masked" in {finding["rule"] for finding in shown["findings"]}
    assert "held instead, as it cannot be redacted" in gateway.cli("policy", "explain", str(mail), expect=1)
