import pytest

from sekisho.mail.reply import Reply
from sekisho.mail.verdict import (
    AddHeader,
    AddRecipient,
    ChangeHeader,
    ChangeSender,
    DeleteHeader,
    DeleteRecipient,
    Disposition,
    DropPart,
    Hold,
    Redact,
    ReplacePart,
)


@pytest.fixture
def then(policy):
    """then(text) -> the outcome of a rule with this `then`."""

    def _then(text, rest=""):
        return policy(f'[[rule]]\nname = "r"\n{rest}\n[rule.then]\n{text}\n').rules[0].then

    return _then


@pytest.fixture
def wrong(load):
    """wrong(text) -> ["key: text"], keys below `then`."""

    def _wrong(text, rest=""):
        compiled, problems = load(f'[[rule]]\nname = "r"\n{rest}\n[rule.then]\n{text}\n')
        assert compiled is None
        return [f"{p.key.removeprefix('rule[0].then.')}: {p.text}" for p in problems]

    return _wrong


def test_all_keys(then):
    outcome = then(
        """
disposition = "hold"
hold = "delay"
delay_seconds = 300
expire_seconds = 86400
notify = ["sender", "reviewer", "approver", "administrator"]
incident = "leak"
log = true
"""
    )
    assert outcome.disposition is Disposition.HOLD
    assert outcome.hold == Hold("delay", 300, 86400)
    assert outcome.notify == ("sender", "reviewer", "approver", "administrator")
    assert (outcome.incident, outcome.log) == ("leak", True)


def test_every_modification(then):
    outcome = then(
        """
modifications = [
  { type = "add_header", name = "X-A", value = "1" },
  { type = "change_header", name = "Subject", value = "=?utf-8?B?5qSc?=" },
  { type = "delete_header", name = "X-Originating-IP" },
  { type = "replace_part", part = "1.2", text = "除去しました" },
  { type = "replace_part", part = "2", text = "<p>gone", content_type = "text/html" },
  { type = "drop_part", part = "matched", notice = "gone" },
  { type = "add_recipient", address = "audit@corp.example" },
  { type = "delete_recipient", address = "old@corp.example" },
  { type = "change_sender", address = "new@corp.example" },
  { type = "change_sender", address = "" },
  { type = "redact", finding = "dlp/card" },
  { type = "redact", finding = ["dlp/jp/*", "dlp/iban"] },
]
""",
        "final = false",
    )
    assert outcome.modifications == (
        AddHeader("X-A", "1"),
        ChangeHeader("Subject", "=?utf-8?B?5qSc?="),
        DeleteHeader("X-Originating-IP"),
        ReplacePart("1.2", "除去しました"),
        ReplacePart("2", "<p>gone", "text/html"),
        DropPart("matched", "gone"),
        AddRecipient("audit@corp.example"),
        DeleteRecipient("old@corp.example"),
        ChangeSender("new@corp.example"),
        ChangeSender(None),
        Redact(("dlp/card",)),
        Redact(("dlp/jp/*", "dlp/iban")),
    )


@pytest.mark.parametrize(
    ("modification", "key"),
    [
        ('type = "add_heder", name = "X", value = "1"', "type"),
        ('name = "X", value = "1"', "type"),
        ('type = "add_header", name = "X"', "value"),
        ('type = "add_header", name = "X:", value = "1"', "name"),
        ('type = "add_header", name = "X Y", value = "1"', "name"),
        ('type = "add_header", name = "X", value = "1\\r\\nBcc: x@y.example"', "value"),
        ('type = "add_header", name = "X", value = "検"', "value"),
        ('type = "add_header", name = "X", value = "1", valeu = "2"', "valeu"),
        ('type = "drop_part", part = "0", notice = "x"', "part"),
        ('type = "drop_part", part = "1.", notice = "x"', "part"),
        ('type = "replace_part", part = "1", text = "x", content_type = "application/pdf"', "content_type"),
        ('type = "add_recipient", address = "<a@b.example>"', "address"),
        ('type = "add_recipient", address = ""', "address"),
        ('type = "change_sender", address = "a@b.example SIZE=1"', "address"),
        ('type = "redact", finding = []', "finding"),
        ('type = "redact", finding = "DLP/card"', "finding"),
        ('type = "redact", finding = "dlp/card", masks = []', "masks"),
    ],
)
def test_bad_modifications(wrong, modification, key):
    (problem,) = wrong(f"modifications = [{{ {modification} }}]", "final = false")
    assert problem.startswith(f"modifications[0].{key}: ")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ('disposition = "reject"\nreply = "Not like this"', Reply(550, "7.1", "Not like this")),
        ('disposition = "reject"\nreply = "5.7.1 Not like this"', Reply(550, "7.1", "Not like this")),
        ('disposition = "reject"\nreply = "554 5.6.0 Broken"', Reply(554, "6.0", "Broken")),
        ('disposition = "reject"\nreply = "554 Broken"', Reply(554, "7.1", "Broken")),
        ('disposition = "defer"\nreply = "Later"', Reply(451, "7.0", "Later")),
        ('disposition = "defer"\nreply = "450 4.2.0 Later"', Reply(450, "2.0", "Later")),
        ('disposition = "reject"', None),
    ],
)
def test_replies(then, text, reply):
    assert then(text).reply == reply


@pytest.mark.parametrize(
    ("disposition", "reply", "why"),
    [
        ("reject", "4.7.1 x", "a reject has codes that start with 5"),
        ("reject", "250 x", "a reject has codes that start with 5"),
        ("defer", "550 x", "a defer has codes that start with 4"),
        ("defer", "451 5.7.1 x", "a defer has codes that start with 4"),
        ("defer", "421 4.7.0 x", "421 closes the connection"),
        ("deliver", "5.7.1 x", "needs disposition reject or defer"),
        ("reject", "", "must be one line"),
        ("reject", "a\\r\\nb", "must be one line"),
        ("reject", "拒否", "must be one line"),
        ("reject", "x" * 401, "must be one line"),
    ],
)
def test_bad_replies(wrong, disposition, reply, why):
    (problem,) = wrong(f'disposition = "{disposition}"\nreply = "{reply}"')
    assert problem.startswith(f"reply: {why}")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("log = true", "disposition"),
        ('disposition = "discard"', "disposition"),
        ('disposition = "hold"', "hold"),
        ('disposition = "hold"\nhold = "prison"', "hold"),
        ('disposition = "deliver"\nhold = "approval"', "hold"),
        ('disposition = "hold"\nhold = "delay"', "delay_seconds"),
        ('disposition = "hold"\nhold = "delay"\ndelay_seconds = 0', "delay_seconds"),
        ('disposition = "hold"\nhold = "approval"\ndelay_seconds = 60', "delay_seconds"),
        ('disposition = "hold"\nhold = "approval"\nexpire_seconds = -1', "expire_seconds"),
        ('disposition = "deliver"\nexpire_seconds = 60', "expire_seconds"),
        ('disposition = "deliver"\nnotify = "boss"', "notify"),
        ('disposition = "deliver"\nnotify = []', "notify"),
        ('disposition = "deliver"\nincident = "Data Leak"', "incident"),
        ('disposition = "deliver"\nmodifications = []', "modifications"),
        ('disposition = "deliver"\nmodifications = [1]', "modifications[0]"),
    ],
)
def test_bad_outcomes(wrong, text, key):
    (problem,) = wrong(text)
    assert problem.startswith(f"{key}: ")


def test_a_rule_that_is_not_final_cannot_end_the_search(wrong, then):
    (problem,) = wrong('disposition = "reject"', "final = false")
    assert problem == "disposition: reject ends the search: it cannot go with final = false"
    assert then('disposition = "deliver"', "final = false").disposition is Disposition.DELIVER


@pytest.mark.parametrize("disposition", ["defer", "reject"])
def test_what_does_not_leave_is_not_redacted(wrong, disposition):
    text = f'disposition = "{disposition}"\nmodifications = [{{ type = "redact", finding = "dlp/card" }}]'
    (problem,) = wrong(text)
    assert problem == f"modifications: redact needs a message that may leave, not disposition {disposition}"
