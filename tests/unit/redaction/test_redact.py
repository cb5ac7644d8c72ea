import pytest
from msgspec.structs import replace
from support.attached import transaction
from support.redacted import CARD, TO, mail, more_than_are_counted

from sekisho.act.modify import apply
from sekisho.inspect import patterns as engine
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.verdict import (
    NOT_MASKED,
    AddHeader,
    ChangeHeader,
    DeleteHeader,
    Disposition,
    DropPart,
    Hold,
    Redact,
    Verdict,
)
from sekisho.parse import parse
from sekisho.redaction.redact import not_masked, redacted

DELIVER = Verdict((TO,), Disposition.DELIVER, "masked", modifications=(Redact(("dlp/card",)),), notify=("sender",))


def outcome(patterns, raw, *verdicts, others=()):
    """The verdicts after redaction, and the transaction."""
    seen = transaction(raw=raw)
    findings = patterns.inspect(seen)
    return redacted(seen, findings, verdicts or (DELIVER,), [patterns, *others]), seen


def left(verdict, seen):
    """The message as it leaves."""
    return apply(seen.message, verdict.modifications)


def test_both_alternatives_and_nothing_else(patterns):
    raw = mail(f"card {CARD}\nbye\n", f"<p>card <b>{CARD}</b></p>", logo_png="no text at all")
    (verdict,), seen = outcome(patterns, raw)
    assert verdict.disposition is Disposition.DELIVER
    masked = raw.replace(CARD.encode(), b"41** **** **** **11")
    assert left(verdict, seen) == masked != raw


def test_the_subject(patterns):
    (verdict,), seen = outcome(patterns, mail(subject=f"カード番号 {CARD}"))
    assert verdict.modifications[1:] == (ChangeHeader("Subject", "カード番号 41** **** **** **11"),)
    assert parse(left(verdict, seen)).subject == "カード番号 41** **** **** **11"
    assert left(verdict, seen).partition(b"\r\n\r\n")[2] == seen.message.raw.partition(b"\r\n\r\n")[2]


def test_what_another_rule_does_to_the_subject_stands(patterns):
    other = ChangeHeader("subject", "[checked]")
    verdict = replace(DELIVER, modifications=(other, *DELIVER.modifications))
    (after,), seen = outcome(patterns, mail(subject=f"card {CARD}"), verdict)
    assert parse(left(after, seen)).subject == "[checked]"


def with_topic(subject, topic, more=""):
    """A message as Outlook writes it: what it is about stands in Thread-Topic too."""
    return mail(subject=subject).replace(b"To: ", f"{more}Thread-Topic: {topic}\r\nTo: ".encode())


def test_the_topic_that_outlook_copies_from_the_subject(patterns):
    (verdict,), seen = outcome(patterns, with_topic(f"RE: card {CARD}", f"card {CARD}"))
    assert verdict.disposition is Disposition.DELIVER
    after = parse(left(verdict, seen))
    assert (after.subject, after.header("thread-topic").text) == (
        "RE: card 41** **** **** **11",
        "card 41** **** **** **11",
    )
    assert verdict.modifications[0].headers == ("Subject", "Thread-Topic")


def test_a_topic_with_another_value_than_the_subject(patterns):
    (verdict,), seen = outcome(patterns, with_topic("card", f"{CARD} is the card"))
    assert parse(left(verdict, seen)).header("thread-topic").text == "41** **** **** **11 is the card"
    assert verdict.modifications[0].headers == ("Thread-Topic",)


def test_another_header_beside_a_topic_is_held(patterns):
    (verdict,), _ = outcome(patterns, with_topic(f"card {CARD}", f"card {CARD}", f"Comments: card {CARD}\r\n"))
    held(verdict, "header")


def test_a_second_topic_is_held(patterns):
    (verdict,), _ = outcome(patterns, with_topic("x", f"card {CARD}", f"Thread-Topic: card {CARD}\r\n"))
    held(verdict, "header")


def test_what_another_rule_does_to_the_topic_stands(patterns):
    verdict = replace(DELIVER, modifications=(DeleteHeader("thread-topic"), *DELIVER.modifications))
    (after,), seen = outcome(patterns, with_topic(f"card {CARD}", f"card {CARD}"), verdict)
    assert after.disposition is Disposition.DELIVER
    assert parse(left(after, seen)).header("thread-topic") is None


def test_a_topic_in_a_message_inside_is_held(patterns):
    inner = with_topic("x", f"card {CARD}").decode()
    raw = f"From: a@example.com\r\nThread-Topic: x\r\nContent-Type: message/rfc822\r\n\r\n{inner}"
    (verdict,), _ = outcome(patterns, raw.encode())
    assert held(verdict, "header").explanation == "dlp/card can be masked in subject and text only"


def test_nothing_to_mask(patterns):
    (verdict,), seen = outcome(patterns, mail("hello"))
    assert verdict.modifications == (Redact(("dlp/card",), ()),)
    assert left(verdict, seen) == seen.message.raw


@pytest.mark.parametrize("disposition", [Disposition.DEFER, Disposition.REJECT])
def test_what_does_not_leave_need_not_be_masked(patterns, disposition):
    verdict = replace(DELIVER, disposition=disposition)
    assert outcome(patterns, mail(f"card {CARD}"), verdict)[0] == (verdict,)


def held(verdict, where):
    assert verdict.disposition is Disposition.HOLD
    assert verdict.hold == Hold("approval")
    assert verdict.modifications == ()
    assert verdict.notify == ("sender", "approver")
    (why,) = not_masked([verdict])
    assert (why.rule, why.where) == (NOT_MASKED, where)
    assert CARD not in why.explanation
    return why


def test_an_attachment_is_held(patterns):
    (verdict,), _ = outcome(patterns, mail(f"card {CARD}", list_txt=f"card {CARD}"))
    assert held(verdict, "attachment").path == "list.txt"


def test_another_header_is_held(patterns):
    raw = mail("hello").replace(b"To: ", f"Comments: card {CARD}\r\nTo: ".encode())
    (verdict,), _ = outcome(patterns, raw)
    assert held(verdict, "header").explanation == "dlp/card can be masked in subject and text only"


def test_a_link_behind_a_text_is_held(patterns):
    (verdict,), _ = outcome(patterns, mail("x", f'<a href="https://x.example/?card={CARD.replace(" ", "")}">pay</a>'))
    held(verdict, "link")


def test_a_link_written_out_is_masked(patterns):
    """What a reader sees of a link is text; the link that leaves is the one with the mask in it."""
    raw = mail(f"https://x.example/?card={CARD.replace(' ', '')} card {CARD}")
    (verdict,), seen = outcome(patterns, raw)
    assert verdict.disposition is Disposition.DELIVER
    masked = raw.replace(CARD.encode(), b"41** **** **** **11")
    assert left(verdict, seen) == masked.replace(CARD.replace(" ", "").encode(), b"41************11")


@pytest.mark.parametrize("kind", ["multipart/signed; protocol=x; boundary=b", "multipart/mixed; boundary=b"])
def test_signed_mail_is_held(patterns, kind):
    inner = f"--b\r\nContent-Type: text/plain\r\n\r\ncard {CARD}\r\n--b--\r\n"
    if "mixed" in kind:
        inner = inner.replace("card", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\ncard")
    raw = f"From: a@example.com\r\nContent-Type: {kind}\r\n\r\n{inner}".encode()
    (verdict,), _ = outcome(patterns, raw)
    held(verdict, "body")


def test_more_values_than_are_counted_are_held(patterns):
    """What the search gives up on stays in the text."""
    (verdict,), _ = outcome(patterns, mail("\n".join(more_than_are_counted())))
    assert held(verdict, "body").explanation == "not all of it could be looked through"


def test_an_inspector_that_still_sees_it_is_believed(patterns):
    class Sees:
        name = "sees"

        def inspect(self, _transaction):
            return [Finding("dlp/card", Severity.MEDIUM, where="body")]

    (verdict,), _ = outcome(patterns, mail(f"card {CARD}"), others=[Sees()])
    assert held(verdict, "body").explanation == "dlp/card is still found"


def test_when_patterns_failed_nothing_is_known(patterns):
    seen = transaction(raw=mail("hello"))
    (verdict,) = redacted(seen, [inspection_failed("patterns", "took too long")], (DELIVER,), [patterns])
    held(verdict, "body")


def test_what_is_taken_out_need_not_be_masked(patterns):
    verdict = replace(DELIVER, modifications=(*DELIVER.modifications, DropPart("2", "taken out")))
    (after,), seen = outcome(patterns, mail(f"card {CARD}", list_txt=f"card {CARD}"), verdict)
    assert after.disposition is Disposition.DELIVER
    assert CARD.encode() not in left(after, seen)
    assert b"taken out" in left(after, seen)


@pytest.mark.parametrize(
    ("hold", "after"),
    [(Hold("quarantine"), Hold("quarantine")), (Hold("approval", None, 60), Hold("approval", None, 60)),
     (Hold("delay", 60), Hold("approval"))],
)  # fmt: skip
def test_a_hold_that_somebody_ends_stands(patterns, hold, after):
    verdict = replace(DELIVER, disposition=Disposition.HOLD, hold=hold, modifications=(Redact(("dlp/*",)),))
    (found,), _ = outcome(patterns, mail("x", list_txt=f"card {CARD}"), verdict)
    assert found.hold == after


def test_other_changes_stay(patterns):
    added = AddHeader("X-Seen", "yes")
    verdict = replace(DELIVER, modifications=(added, *DELIVER.modifications))
    (after,), _ = outcome(patterns, mail("x", list_txt=f"card {CARD}"), verdict)
    assert after.modifications == (added,)


@pytest.mark.parametrize("split", [False, True])
def test_the_others_are_bound_unless_the_rule_splits(patterns, split):
    seen = replace(
        transaction(raw=mail("x", list_txt=f"card {CARD}")),
        envelope=Envelope("a@example.com", (Recipient("in@example.com"), Recipient(TO))),
    )
    inside = Verdict(("in@example.com",), Disposition.DELIVER, "default")
    verdicts = redacted(seen, patterns.inspect(seen), (inside, replace(DELIVER, split=split)), [patterns])
    by_recipient = {r: v.disposition for v in verdicts for r in v.recipients}
    assert by_recipient == {
        "in@example.com": Disposition.DELIVER if split else Disposition.HOLD,
        TO: Disposition.HOLD,
    }


def test_the_others_are_bound_where_only_the_hold_gets_stricter(patterns):
    """Both wait; one for time, and the other, which cannot be masked, for an approver."""
    seen = replace(
        transaction(raw=mail("x", list_txt=f"card {CARD}")),
        envelope=Envelope("a@example.com", (Recipient("in@example.com"), Recipient(TO))),
    )
    delayed = Verdict(("in@example.com",), Disposition.HOLD, "later", hold=Hold("delay", 60))
    asked = replace(DELIVER, disposition=Disposition.HOLD, hold=Hold("delay", 60))
    verdicts = redacted(seen, patterns.inspect(seen), (delayed, asked), [patterns])
    assert {r: v.hold for v in verdicts for r in v.recipients} == {
        "in@example.com": Hold("approval"),
        TO: Hold("approval"),
    }


def test_very_many_parts_are_not_looked_through_one_by_one(patterns):
    parts = "".join(f"--b\r\nContent-Type: text/plain\r\n\r\n{i}\r\n" for i in range(205))
    head = "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    (verdict,), _ = outcome(patterns, f"{head}--b\r\n\r\ncard {CARD}\r\n{parts}--b--\r\n".encode())
    assert held(verdict, "body").explanation == "the message has too many parts"


def test_very_many_findings_are_too_many_parts(patterns):
    """With so many, those of later parts share a place: where they lie is not known any more."""
    seen = transaction(raw=mail(f"card {CARD}"))
    findings = (*patterns.inspect(seen), *(Finding("attachment/x", Severity.LOW, part=str(i)) for i in range(500)))
    (verdict,) = redacted(seen, findings, (DELIVER,), [patterns])
    assert held(verdict, "body").explanation == "the message has too many parts"


def test_the_subject_is_context_to_what_is_masked(patterns):
    number = "1234 5678 9018"
    verdict = replace(DELIVER, modifications=(Redact(("dlp/jp/my-number",)),))
    (after,), seen = outcome(patterns, mail(number, subject="個人番号"), verdict)
    assert after.disposition is Disposition.DELIVER
    assert b"12** **** **18" in left(after, seen)


def test_a_file_that_reads_as_text_is_held(patterns):
    """A file inside a text part (uuencoded) has the part's number, and a name of its own."""
    seen = transaction(raw=mail(f"card {CARD}"))
    inside = Finding("dlp/card", Severity.MEDIUM, where="body", part="", path="inside.txt")
    (verdict,) = redacted(seen, (*patterns.inspect(seen), inside), (DELIVER,), [patterns])
    assert held(verdict, "body").path == "inside.txt"


def test_what_the_recipient_wrote_is_masked_too(patterns):
    quoted = f"On Monday <{TO}> wrote:\n> card {CARD}\n"
    (verdict,), seen = outcome(patterns, mail(quoted))
    assert [f.path for f in patterns.inspect(seen) if f.rule == "dlp/card"] == ["quoted reply"]
    assert b"> card 41** **** **** **11" in left(verdict, seen)


def test_a_change_that_cannot_be_made_is_held(patterns):
    verdict = replace(DELIVER, modifications=(*DELIVER.modifications, DropPart("7", "there is none")))
    (after,), _ = outcome(patterns, mail(f"card {CARD}"), verdict)
    assert after.disposition is Disposition.HOLD
    assert [f.rule for f in not_masked([after])] == [NOT_MASKED]


def test_a_text_that_took_too_long_is_held(patterns, monkeypatch):
    seen = transaction(raw=mail(f"card {CARD}"))
    findings = patterns.inspect(seen)
    monkeypatch.setattr(engine, "INSPECT_SECONDS", -1.0)
    (verdict,) = redacted(seen, findings, (DELIVER,), [patterns])
    assert held(verdict, "body").explanation == "not all of it could be looked through"
