from email.message import EmailMessage

import pytest
from msgspec.structs import replace
from support.attached import transaction

from sekisho.act.modify import apply
from sekisho.config.shipped import shipped
from sekisho.inspect import patterns as engine
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import load_rules
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.opened import File, Opened
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
from sekisho.redaction import not_masked, redacted, shown_subject, without_values

TO = "taro@example.net"
CARD = "4111 1111 1111 1111"
DELIVER = Verdict((TO,), Disposition.DELIVER, "masked", modifications=(Redact(("dlp/card",)),), notify=("sender",))


@pytest.fixture(scope="module")
def patterns():
    rules, problems = load_rules([shipped("rules")])
    assert not problems
    return Patterns(rules, b"key")


def mail(body="x", html="", subject="y", **attachment):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "hanako@example.com", TO, subject
    made.set_content(body)
    if html:
        made.add_alternative(html, subtype="html")
    for name, content in attachment.items():
        made.add_attachment(content, filename=name.replace("_", "."))
    return made.as_bytes(policy=made.policy.clone(linesep="\r\n"))


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


def more_than_are_counted():
    """Valid card numbers."""
    numbers = [f"4{i:014d}" for i in range(1100)]
    cards = [n + str(-sum(sum(divmod(int(d) * (2 - j % 2), 10)) for j, d in enumerate(n)) % 10) for n in numbers]
    return [f"card {c}" for c in cards]


def test_more_values_than_are_counted_are_held(patterns):
    """What the search gives up on stays in the text."""
    (verdict,), _ = outcome(patterns, mail("\n".join(more_than_are_counted())))
    assert held(verdict, "body").explanation == "not all of it could be looked through"


def test_of_a_subject_with_more_values_than_are_counted_nothing_is_shown(patterns):
    seen = transaction(raw=f"Subject: {' '.join(more_than_are_counted())}\r\n\r\nx\r\n".encode())
    assert shown_subject(seen, patterns.inspect(seen), [patterns]) == "*"


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


def test_names_of_files_are_masked_where_they_are_shown(patterns):
    seen = transaction(raw=mail(f"card {CARD}"))
    found = Finding("attachment/x", Severity.LOW, path="card 4111111111111111.zip/card 4111-1111-1111-1111")
    plain = Finding("attachment/x", Severity.LOW, path="a.zip/b")
    card = Finding("dlp/card", Severity.LOW)
    shown = without_values(seen, (found, plain, card), [patterns])
    assert [f.path for f in shown] == ["card 41************11.zip/card 41**-****-****-**11", "a.zip/b", ""]
    assert without_values(seen, (found,), [patterns]) == (found,)  # nobody says that it is one


def test_the_subject_is_masked_where_it_is_shown(patterns):
    seen = transaction(raw=mail(subject=f"card {CARD}"))
    assert shown_subject(seen, patterns.inspect(seen), [patterns]) == "card 41** **** **** **11"
    assert shown_subject(seen, (), [patterns]) is None


def paths(seen, findings, patterns):
    """The paths of findings as they are shown."""
    return [f.path for f in without_values(seen, findings, [patterns])]


def attached(*inside, name="a.zip", subject="y"):
    """A message with an attachment and files in it."""
    made = mail("x", subject=subject, name="PK").replace(b'filename="name"', f'filename="{name}"'.encode())
    files = tuple(File("2", f"{name}/{path}", "script", 1, "0") for path in inside)
    seen = transaction(raw=made)
    assert seen.message.parts[-1].filename == name
    return replace(seen, opened=Opened(files))


def odd(*files, part="2"):
    return tuple(Finding("attachment/x", Severity.LOW, part=part, where="attachment", path=path) for path in files)


def shown(patterns, seen, *files):
    """The paths of what is odd about these files, as they are shown beside what is found in the message."""
    found = patterns.inspect(seen)
    return [f.path for f in without_values(seen, (*found, *odd(*files)), [patterns])[len(found) :]]


def test_names_beyond_the_bound_show_their_kind_only(patterns):
    files = [f"{i:04d} {'x' * 240} card {CARD}.js" for i in range(2000)]
    seen = transaction(raw=mail(f"card {CARD}"))
    found = (*odd(*(f"a.zip/{name}" for name in files)), *patterns.inspect(seen))
    after = paths(seen, found, patterns)
    assert not any(CARD in path for path in after)
    assert after[0] == f"a.zip/0000 {'x' * 240} card 41** **** **** **11.js"
    assert after[1999] == "a.zip/*.js"


@pytest.mark.parametrize("name", ["report.4111111111111111", "card.4111 1111 1111 1111"])
def test_a_number_that_looks_like_an_ending(patterns, name):
    assert shown(patterns, attached(name=name), name) == [
        name.replace("4111 1111 1111 1111", "41** **** **** **11").replace("4111111111111111", "41************11")
    ]


def test_the_subject_says_what_a_name_is(patterns):
    name = "AB1234567.pdf"
    assert shown(patterns, attached(name=name, subject="passport"), name) == ["A********.pdf"]
    assert shown(patterns, attached(name=name), name) == [name]


def test_names_beside_it_say_what_a_name_is(patterns):
    seen = attached("passport no.js", "AB1234567.js")
    assert [f.rule for f in patterns.inspect(seen)] == ["dlp/passport"]
    assert shown(patterns, seen, "a.zip/passport no.js", "a.zip/AB1234567.js") == [
        "a.zip/passport no.js",
        "a.zip/A********.js",
    ]


def test_a_name_beside_it_need_not_be_in_any_finding(patterns):
    seen = attached("passport no.js", "AB1234567.js")
    assert shown(patterns, seen, "a.zip/AB1234567.js") == ["a.zip/A********.js"]


def test_the_name_around_it_says_what_a_name_is(patterns):
    seen = attached("AB1234567.js", name="passport.zip")
    assert shown(patterns, seen, "passport.zip/AB1234567.js") == ["passport.zip/A********.js"]


def test_a_name_that_nobody_can_point_into(patterns):
    """A row of a registered list, say: all names of the attachment are hidden but for their kind."""
    seen = attached("taro.js")
    found = Finding("dlp/exact/list", Severity.HIGH, part="2", where="filename", path="Yamada Taro 0312345678.zip")
    files = odd("Yamada Taro 0312345678.zip/taro.js/macro", "Yamada Taro 0312345678.zip/quoted reply")
    assert paths(seen, (found, *files, *odd("b.zip/c", part="3")), patterns) == [
        "*.zip",
        "*.zip/*.js/*",
        "*.zip/quoted reply",
        "b.zip/c",
    ]


def test_a_name_of_a_place_that_is_not_known(patterns):
    """Findings of very many parts share a place."""
    found = Finding("dlp/exact/list", Severity.HIGH, where="filename")
    assert paths(attached(), (found, *odd("taro.zip")), patterns) == ["", "*.zip"]


def test_marks_and_what_is_found_elsewhere_hide_no_name(patterns):
    seen = attached(name="STRICTLY CONFIDENTIAL estimate.pdf")
    (mark,) = patterns.inspect(seen)
    assert (mark.rule, mark.where) == ("dlp/mark/confidential", "filename")
    inside = replace(mark, rule="dlp/exact/list", where="attachment")
    assert paths(seen, (mark, inside), patterns) == [mark.path, mark.path]
    fault = Finding("message/x", Severity.LOW, part="2", where="filename", path="a.pdf")
    assert paths(seen, (fault,), patterns) == ["a.pdf"]


def test_names_that_took_too_long_are_hidden(patterns, monkeypatch):
    seen = attached("b.js")
    card = Finding("dlp/card", Severity.LOW)
    assert paths(seen, (card, *odd("a.zip/b.js")), patterns) == ["", "a.zip/b.js"]
    monkeypatch.setattr(engine, "INSPECT_SECONDS", -1.0)
    assert paths(seen, (card, *odd("a.zip/b.js")), patterns) == ["", "*.zip/*.js"]
    assert shown_subject(seen, (replace(card, where="subject"),), [patterns]) == "*"


def test_a_text_that_took_too_long_is_held(patterns, monkeypatch):
    seen = transaction(raw=mail(f"card {CARD}"))
    findings = patterns.inspect(seen)
    monkeypatch.setattr(engine, "INSPECT_SECONDS", -1.0)
    (verdict,) = redacted(seen, findings, (DELIVER,), [patterns])
    assert held(verdict, "body").explanation == "not all of it could be looked through"


class Untouched:
    """A locator that nobody is to ask."""

    name = "untouched"

    def inspect(self, _transaction):
        return ()

    def locate(self, _texts, _ids, _tenant):
        raise AssertionError


def test_without_anything_found_nothing_is_looked_for():
    seen = transaction(raw=mail(f"card {CARD}"))
    assert without_values(seen, (), [Untouched()]) == ()
    plain = Finding("message/x", Severity.LOW)
    quoted = replace(plain, path="quoted reply")
    assert without_values(seen, (plain, quoted), [Untouched()]) == (plain, quoted)
    assert shown_subject(seen, (plain,), [Untouched()]) is None


def test_a_subject_that_nobody_can_point_into(patterns):
    seen = transaction(raw=mail(subject="Yamada Taro 0312345678"))
    assert shown_subject(seen, (Finding("dlp/exact/list", Severity.HIGH, where="subject"),), [patterns]) == "*"
    fault = Finding("message/x", Severity.LOW, where="subject")
    assert shown_subject(seen, (fault,), [patterns]) == "Yamada Taro 0312345678"
