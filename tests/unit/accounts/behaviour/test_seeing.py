from datetime import UTC, datetime

import pytest

from sekisho.accounts.behaviour.country import Place
from sekisho.accounts.behaviour.seeing import Seeing, script
from sekisho.mail.account import Account
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import AuditRecord, Delivery, Outcome, Transaction
from sekisho.parse import parse

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SEEING = Seeing(b"k" * 32)
TEXT = "本日の会議の資料をお送りいたします。ご確認のほどよろしくお願いいたします。"


def seen(  # noqa: PLR0917
    head="", body=TEXT, rcpt=("a@other.example", "b@example.jp"), ip="192.0.2.7", findings=(), account=None
):
    head = head or "From: taro@example.jp\n"
    raw = f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}\n".replace("\n", "\r\n").encode()
    session = Session("s", ip, account="taro@example.jp")
    envelope = Envelope("taro@example.jp", tuple(Recipient(address) for address in rcpt))
    transaction = Transaction("t", session, envelope, parse(raw), AT, frozenset({"example.jp"}))
    return SEEING.sending(transaction, findings, account)


def test_recipients_are_hashes_each_once():
    targets = seen(rcpt=("A@Other.example", "a@other.example", "c@OTHER.example", "b@example.jp")).targets
    assert len(targets) == 3
    assert [target.internal for target in targets] == [False, False, True]
    assert targets[0].domain == targets[1].domain
    assert Seeing(b"x" * 32).hash("address", "a@other.example") != targets[0].address


@pytest.mark.parametrize(
    ("one", "other", "network", "around"),
    [
        ("192.0.2.7", "192.0.2.200", True, True),
        ("198.51.100.7", "198.51.7.7", False, True),
        ("192.0.2.7", "203.0.113.7", False, False),
        ("2001:db8:1:2::1", "2001:db8:1:3::9", True, True),
        ("::ffff:192.0.2.7", "192.0.2.9", True, True),
    ],
)
def test_networks(one, other, network, around):
    first, second = seen(ip=one).origin, seen(ip=other).origin
    assert (first.network == second.network, first.around == second.around) == (network, around)


def test_an_address_that_is_none_is_nowhere():
    assert seen(ip="unix").origin.network == 0


def test_the_country_is_asked_for():
    seeing = Seeing(b"k" * 32, lambda address: Place("JP") if address == "192.0.2.7" else Place())
    assert seeing.origin(Session("s", "::ffff:192.0.2.7")).country == "JP"


def test_updates_of_a_program_are_no_new_program():
    heads = ["From: taro@example.jp\nUser-Agent: Thunderbird/" + version + "\n" for version in ("128.1", "140.0")]
    one, other = (seen(head).origin.client for head in heads)
    assert one == other != 0
    assert seen("From: taro@example.jp\nX-Mailer: Microsoft Outlook 16.0\n").origin.client not in {0, one}


@pytest.mark.parametrize(
    ("text", "expected"),
    [(TEXT, "japanese"), ("Please find the minutes attached.", "latin"), ("ok", ""),
     ("Отправляю вам документы встречи", "cyrillic"),
     ("見積 " * 10 + "invoice and shipping documents", "japanese")],
)  # fmt: skip
def test_scripts(text, expected):
    assert script(text) == expected


def test_a_mailing_has_one_template():
    bodies = [
        f"Dear customer {n}, your offer is at https://shop.example/{n} until Friday, hurry up." for n in (1, 77)
    ]
    one, other = (seen(body=body).template for body in bodies)
    assert one == other != 0
    assert seen(body="Something quite different, which is long enough to be told apart.").template != one
    assert seen(body="ok").template == 0


def test_the_score_is_the_highest_of_content():
    findings = [
        Finding("dlp/x", Severity.HIGH, 1.0), Finding("spam/content", Severity.LOW, 0.3),
        Finding("bec/content", Severity.LOW, 0.7),
    ]  # fmt: skip
    assert seen(findings=findings).score == 0.7


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ("Reply-To: x@mail.example\n", "elsewhere"),
        ("X-Forwarded-For: taro@example.jp x@mail.example\n", "forwarded"),
        ("Auto-Submitted: auto-forwarded\n", "forwarded"),
        ("In-Reply-To: <1@other.example>\n", "answers"),
    ],
)
def test_marks_in_the_header(more, name):
    assert getattr(seen("From: taro@example.jp\n" + more), name)
    assert not getattr(seen(), name)


def test_answers_to_colleagues_do_not_go_elsewhere():
    assert not seen("From: taro@example.jp\nReply-To: sales@example.jp\n").elsewhere


def test_another_author():
    head = "From: president@example.jp\n"
    assert seen(head).other_author
    assert not seen(
        head, account=Account("default", "taro", ("taro@example.jp", "president@example.jp"))
    ).other_author
    assert not seen(head, account=Account("default", "taro", ("@example.jp",))).other_author


def test_links_to_the_tenant_do_not_count():
    assert seen(body="See https://www.other.example/ and https://example.jp/ and http://[broken/").links == 1


def record(*deliveries):
    raw = b"From: taro@example.jp\r\n\r\nHello\r\n"
    transaction = Transaction("t", Session("s", "192.0.2.7"), Envelope("t@example.jp", ()), parse(raw), AT)
    return AuditRecord(transaction, (), (), Outcome(Reply(250, None, "ok"), deliveries), {})


def test_failed_deliveries():
    unknown, policy = Reply(550, "1.1", "unknown"), Reply(554, "7.1", "no")
    event = SEEING.bounced(
        record(
            Delivery(("a", "b"), "bounced", "mx:25", unknown),
            Delivery(("c",), "bounced", "mx:25", policy),
            Delivery(("d",), "retrying", "mx:25", Reply(451, "3.0", "later")),
            Delivery(("e",), "refused", "", policy),
        )
    )  # fmt: skip
    assert (event.failed, event.invalid) == (3, 2)
    assert event.network == SEEING.origin(Session("s", "192.0.2.9")).network
    assert SEEING.bounced(record(Delivery(("a",), "relayed", "mx:25", Reply(250, None, "ok")))) is None
