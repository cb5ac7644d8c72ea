from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.act.notify import is_automatic, notices
from sekisho.config.settings import NoticeSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import ChangeHeader, Disposition, Hold, Overwrite, Redact, Verdict
from sekisho.parse import parse

AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
TITLES = {"dlp/jp/my-number": {"en": "Individual number (My Number)", "ja": "個人番号(マイナンバー)"}}
FINDING = Finding(
    "dlp/jp/my-number", Severity.HIGH, 0.97, count=12, part="2", where="attachment", path="outer.zip/list.xlsx",
    excerpt="番号 1234********",
)  # fmt: skip
SETTINGS = NoticeSettings(
    from_address="sekisho@example.jp", reviewer=("rev1@example.jp", "rev2@example.jp"), approver=("boss@example.jp",)
)


def made(
    *notify,
    data=b"Subject: Secret plan\r\n\r\nx\r\n",
    sender="taro@example.jp",
    disposition=Disposition.HOLD,
    kind="quarantine",
    findings=(FINDING,),
    to=("hana@example.net",),
    settings=SETTINGS,
    hold_id="01hold",
):
    hold = Hold(kind) if disposition is Disposition.HOLD else None
    verdict = Verdict(to, disposition, "personal-numbers", findings, hold, notify=notify)
    session = Session("s", "192.0.2.7", account="taro")
    envelope = Envelope(sender, tuple(map(Recipient, to)))
    transaction = Transaction("0transaction", session, envelope, parse(data), AT)
    return notices(transaction, verdict, settings, TITLES, "gw.example.jp", hold_id=hold_id, at=AT)


def text_of(data):
    message = message_from_bytes(data, policy=policy.default)
    assert not message.defects
    return message, message.get_content().replace("\r\n", "\n")


def test_to_the_sender():
    [(envelope, data)] = made("sender")
    assert envelope == Envelope(None, (Recipient("taro@example.jp", notify="NEVER"),), body="7BIT")
    message, text = text_of(data)
    assert message["From"] == "Sekisho <sekisho@example.jp>"
    assert message["To"] == "taro@example.jp"
    assert message["Date"] == "Mon, 02 Mar 2026 04:05:06 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "送信メールは確認待ちです / Your message is waiting to be checked"
    for shown in (
        "個人番号(マイナンバー) (添付ファイル outer.zip/list.xlsx, 高, 12 件)",
        "Individual number (My Number) (attachment outer.zip/list.xlsx, high, 12 times)",
        "番号 1234********",
        "Subject: Secret plan",
        "件名: Secret plan",
        "01hold",
        "hana@example.net",
        "2026-03-02 04:05:06 UTC",
    ):
        assert shown in text


MASKS = (Overwrite(0, b"*"),)


def redacted(
    *notify, masks=MASKS, subject=None, disposition=Disposition.DELIVER, findings=(FINDING,), ids=("dlp/*",)
):
    headers = ("Subject",) if subject else ()
    changes = (Redact(ids, masks, headers), *([ChangeHeader("Subject", subject)] if subject else []))
    verdict = Verdict(
        ("hana@example.net",), disposition, "r", findings, Hold("delay", 60) if disposition else None,
        modifications=changes, notify=notify, subject=subject,
    )  # fmt: skip
    envelope = Envelope("taro@example.jp", (Recipient("hana@example.net"),))
    transaction = Transaction("0t", Session("s", "192.0.2.7"), envelope, parse(b"Subject: card 4111\r\n\r\nx"), AT)
    [(_, data)] = notices(transaction, verdict, replace(SETTINGS, language="en"), TITLES, "gw.example.jp", at=AT)
    return text_of(data)[1]


def test_that_values_were_masked():
    text = redacted("sender")
    assert "what is marked so below is masked with asterisks" in text
    assert "list.xlsx, high, 12 times, masked)" in text
    assert "agree with your administrator on a safe way" in text
    assert "is masked with asterisks" in redacted("sender", disposition=Disposition.HOLD)
    assert "masked" not in redacted("sender", masks=())


def test_which_values_were_masked():
    """A rule may find more than what it masks."""
    findings = (replace(FINDING, where="body", path=""), Finding("dlp/card", Severity.HIGH, where="body"))
    text = redacted("sender", findings=findings, ids=("dlp/jp/*", "dlp/iban"))
    assert "Individual number (My Number) (text, high, 12 times, masked)" in text
    assert "dlp/card (text, high)" in text


def test_what_another_rule_masked_is_told_without_its_findings():
    """One that adds and goes on: the verdict lists what the deciding rule matched, and that is nothing here."""
    for findings in ((FINDING,), ()):
        text = redacted("sender", findings=findings, ids=("dlp/iban",))
        assert "values are masked with asterisks in subject and text." in text
        assert "agree with your administrator on a safe way" in text
        assert "masked)" not in text
    none = redacted("sender", findings=(), ids=("dlp/iban",), masks=())
    assert "masked" not in none
    assert "Your message left. Please note what was seen in it." in none


def test_what_was_masked_is_told_to_the_staff_too():
    text = redacted("reviewer")
    assert "list.xlsx, high, 12 times, masked)" in text


def test_the_subject_with_what_was_found_in_it_masked():
    text = redacted("sender", masks=(), subject="card ****")
    assert "Subject: card ****" in text
    assert "4111" not in text
    assert "is masked with asterisks" in text


def test_a_subject_that_another_rule_changed_is_no_masked_subject():
    """To the very text that the notice shows, as it happens."""
    shown = "card ****"
    verdict = Verdict(
        ("hana@example.net",), Disposition.DELIVER, "r", (FINDING,), notify=("sender",), subject=shown,
        modifications=(Redact(("dlp/*",), ()), ChangeHeader("Subject", shown)),
    )  # fmt: skip
    envelope = Envelope("taro@example.jp", (Recipient("hana@example.net"),))
    transaction = Transaction("0t", Session("s", "192.0.2.7"), envelope, parse(b"Subject: card 4111\r\n\r\nx"), AT)
    [(_, data)] = notices(transaction, verdict, replace(SETTINGS, language="en"), TITLES, "gw.example.jp", at=AT)
    assert "masked" not in text_of(data)[1]


def test_places_that_people_know():
    places = [
        replace(FINDING, part="1.2", where="body", path=""),
        replace(FINDING, part="1.1", where="body", path=""),
    ]
    text = redacted("sender", findings=places)
    # two alternatives, one text
    assert text.count("Individual number (My Number) (text, high, 12 times, masked)") == 1
    quoted = [replace(FINDING, part="1", where="body", path="quoted reply")]
    assert "(text quoted from the recipient, high, 12 times, masked)" in redacted("sender", findings=quoted)
    inner = [replace(FINDING, path="outer.zip/list.xlsx/Sheet2")]
    assert "(attachment outer.zip/list.xlsx/Sheet2, high, 12 times, masked)" in redacted("sender", findings=inner)


def test_to_reviewers():
    [(envelope, data)] = made("reviewer")
    assert envelope.mail_from is None
    assert envelope.rcpt_to == ("rev1@example.jp", "rev2@example.jp")
    message, text = text_of(data)
    assert message["Subject"] == "確認待ちのメールがあります (01hold) / A message is waiting (01hold)"
    for shown in ("sekisho hold show 01hold", "sekisho hold release 01hold", "taro@example.jp", "personal-numbers"):
        assert shown in text
    assert "Secret plan" not in text
    assert "Secret" not in str(message["Subject"])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_one_language(language):
    settings = NoticeSettings(language=language, approver=("boss@example.jp",))
    for _, data in made("sender", "approver", settings=settings):
        message, text = text_of(data)
        assert ("件名" in text or "アカウント" in text) == (language == "ja")
        assert ("Account" in text or "Subject" in text) == (language == "en")
        assert message["From"] == "Sekisho <postmaster@gw.example.jp>"


def test_one_notice_for_each_role_that_has_an_address():
    sent = made("sender", "reviewer", "approver", "administrator", "sender")
    assert [envelope.rcpt_to[0] for envelope, _ in sent] == ["taro@example.jp", "rev1@example.jp", "boss@example.jp"]
    assert made() == made("nobody") == made("administrator") == []


@pytest.mark.parametrize(
    ("disposition", "kind", "words"),
    [
        (Disposition.HOLD, "quarantine", "A reviewer decides"),
        (Disposition.HOLD, "approval", "An approver decides"),
        (Disposition.HOLD, "delay", "leaves by itself"),
        (Disposition.REJECT, "", "was refused"),
        (Disposition.DEFER, "", "not accepted for now"),
        (Disposition.DELIVER, "", "Your message left"),
    ],
)
def test_what_was_done(disposition, kind, words):
    [(_, sender), (_, staff)] = made("sender", "reviewer", disposition=disposition, kind=kind, hold_id="")
    assert words in text_of(sender)[1]
    assert "0transaction" in text_of(staff)[1]
    assert "sekisho hold" not in text_of(staff)[1]


def test_no_notice_to_the_null_sender():
    assert made("sender", sender=None) == []
    assert len(made("sender", "reviewer", sender=None)) == 1


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        # RFC 3834 5
        (b"Auto-Submitted: auto-replied\r\n", True),
        (b"auto-submitted: Auto-Generated; owner-email=a@example.jp\r\n", True),
        (b"Auto-Submitted: no\r\n", False),
        (b"Auto-Submitted: No (a person) ; x=y\r\n", True),  # what cannot be read as "no" is not taken for it
        (b"Auto-Submitted:\r\n", True),
        (b"", False),
    ],
)
def test_the_sender_of_automatic_mail_is_not_told_but_the_staff_is(header, automatic):
    assert is_automatic(parse(header + b"\r\n")) == automatic
    told = [envelope.rcpt_to for envelope, _ in made("sender", "reviewer", data=header + b"\r\n")]
    assert len(told) == (1 if automatic else 2)
    assert [envelope.rcpt_to for envelope, _ in made("reviewer", data=header + b"\r\n")] == told[-1:]


def test_our_own_mail_causes_none():
    for envelope, data in made("sender", "reviewer"):
        assert made("sender", "reviewer", data=data, sender=envelope.mail_from) == []


def test_many_findings_and_recipients():
    to = tuple(f"user{i}@example.net" for i in range(1000))
    [(_, data)] = made("reviewer", findings=(FINDING,) * 1000, to=to)
    text = text_of(data)[1]
    assert len(text) < 20_000
    assert "and 980 more" in text


def test_the_gravest_finding_comes_first():
    low = Finding("x/low", Severity.LOW)
    text = text_of(made("sender", findings=(low, FINDING), settings=NoticeSettings(language="en"))[0][1])[1]
    assert text.index("Individual number") < text.index("x/low")


def test_addresses_outside_ascii():
    [(envelope, data)] = made("sender", sender="太郎@例え.jp")
    assert envelope.smtputf8
    assert envelope.body == "8BITMIME"
    assert "To: <太郎@例え.jp>\r\n".encode() in data


ODD = st.text(st.sampled_from("a\r\n\t\x00\x85\u2028\u202e{}%@:<>あ\ud800"), max_size=50)


@given(ODD, ODD, ODD, ODD, st.binary(max_size=30))
def test_nothing_of_others_poses_as_ours(sender, path, excerpt, rule, subject):
    findings = (Finding(rule, Severity.LOW, path=path, excerpt=excerpt),)
    data = b"Subject: " + subject + b"\r\n\r\n"
    for _, notice in made("sender", "reviewer", sender=sender or None, findings=findings, to=(sender,), data=data):
        message = message_from_bytes(notice, policy=policy.compat32)
        assert message.keys() == [
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding",
        ]  # fmt: skip
        lines = message.get_payload(decode=True).decode().split("\r\n")
        assert all(line.isprintable() for line in lines)
        assert lines.count("What was seen:") == 1
