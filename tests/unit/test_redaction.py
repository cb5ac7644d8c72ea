from email.message import EmailMessage

import pytest
from msgspec.structs import replace
from support.attached import transaction

from sekisho.act.modify import apply
from sekisho.config.shipped import shipped
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import load_rules
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.verdict import (
    AddHeader,
    ChangeHeader,
    Disposition,
    DropPart,
    Hold,
    Redact,
    Verdict,
)
from sekisho.parse import parse
from sekisho.redaction import NOT_MASKED, not_masked, redacted, shown_subject, without_values

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
    held(verdict, "header")


def test_a_link_behind_a_text_is_held(patterns):
    (verdict,), _ = outcome(patterns, mail("x", f'<a href="https://x.example/?card={CARD.replace(" ", "")}">pay</a>'))
    held(verdict, "link")


def test_a_link_written_out_is_masked(patterns):
    (verdict,), seen = outcome(patterns, mail(f"https://x.example/?card={CARD.replace(' ', '')} card {CARD}"))
    if verdict.disposition is Disposition.DELIVER:
        assert b"4111111111111111" not in left(verdict, seen)
    else:
        held(verdict, "link")


@pytest.mark.parametrize("kind", ["multipart/signed; protocol=x; boundary=b", "multipart/mixed; boundary=b"])
def test_signed_mail_is_held(patterns, kind):
    inner = f"--b\r\nContent-Type: text/plain\r\n\r\ncard {CARD}\r\n--b--\r\n"
    if "mixed" in kind:
        inner = inner.replace("card", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\ncard")
    raw = f"From: a@example.com\r\nContent-Type: {kind}\r\n\r\n{inner}".encode()
    (verdict,), _ = outcome(patterns, raw)
    held(verdict, "body")


def test_more_values_than_are_counted_are_held(patterns):
    """What the search gives up on stays in the text, and the second look finds it."""
    numbers = [f"4{i:014d}" for i in range(1100)]
    cards = [n + str(-sum(sum(divmod(int(d) * (2 - j % 2), 10)) for j, d in enumerate(n)) % 10) for n in numbers]
    (verdict,), _ = outcome(patterns, mail("\n".join(f"card {c}" for c in cards)))
    held(verdict, "body")


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
