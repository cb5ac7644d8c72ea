"""Each row of the default policy, seen from outside: which finding, to whom, and what is done."""

from pathlib import Path

import pytest

from sekisho.config.settings import TenantSettings
from sekisho.decide.load import load_policy
from sekisho.decide.policy import decide_on
from sekisho.mail.finding import inspection_failed
from sekisho.mail.reply import Reply

OUT, IN = ("hanako@out.example",), ("hanako@corp.example",)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def default():
    compiled, problems = load_policy("t", {"t": TenantSettings()}, ROOT, ROOT / "policy" / "default.toml")
    assert problems == []
    return compiled


@pytest.fixture
def done(default, message, seen):
    """done(to, *finding) -> "hold quarantine" and the rule's name; a finding as (id, severity, confidence, count)."""

    def _done(to, *findings):
        made = [f if not isinstance(f, tuple) else seen(*f) for f in findings]
        (verdict,) = decide_on(default, message(*made, to=to))
        hold = f" {verdict.hold.kind}" if verdict.hold else ""
        return verdict, f"{verdict.disposition.word}{hold}"

    return _done


QUARANTINE, APPROVAL = "hold quarantine", "hold approval"
ROWS = [
    (("malware/eicar", "critical"), QUARANTINE, QUARANTINE),
    (("account/locked", "critical"), QUARANTINE, QUARANTINE),
    (("flood/rate-lock", "high"), QUARANTINE, QUARANTINE),
    (("flood/new-recipients-lock", "high"), QUARANTINE, QUARANTINE),
    (("flood/rate-defer", "medium", 0.8), "defer", "defer"),
    (("flood/new-recipients-defer", "medium", 1.0), "defer", "defer"),
    (("flood/rate-soft", "low", 1.0), "deliver", "deliver"),
    (("flood/sending-window", "low", 1.0), "deliver", "deliver"),
    (("auth/forged-own-domain", "high", 1.0), "reject", "reject"),
    (("auth/forged-own-domain", "high", 0.7), "deliver", "deliver"),
    (("auth/identity-mismatch", "high", 0.9), "reject", "reject"),
    (("auth/identity-mismatch", "high", 0.5), "deliver", "deliver"),
    (("auth/foreign-from", "medium", 0.95), "deliver", "deliver"),
    (("auth/untrusted-account-header", "medium"), "deliver", "deliver"),
    (("attachment/executable-disguised", "critical"), QUARANTINE, QUARANTINE),
    (("phishing/content", "high", 0.95), QUARANTINE, QUARANTINE),
    (("bec/content", "high", 0.99), QUARANTINE, QUARANTINE),
    (("spam/content", "medium", 0.97), QUARANTINE, QUARANTINE),
    (("phishing/content", "high", 0.9499), APPROVAL, "deliver"),
    (("bec/content", "high", 0.8), APPROVAL, "deliver"),
    (("spam/content", "medium", 0.75), APPROVAL, "deliver"),
    (("spam/content", "medium", 0.7499), "deliver", "deliver"),
    (("bec/bank-change", "medium", 0.5), "deliver", "deliver"),
    (("attachment/macro-autorun", "high"), QUARANTINE, QUARANTINE),
    (("attachment/html-smuggling", "high"), QUARANTINE, QUARANTINE),
    (("attachment/macro", "medium"), "deliver", "deliver"),
    (("attachment/encrypted", "medium"), "deliver", "deliver"),
    (("attachment/unreadable", "medium"), APPROVAL, "deliver"),
    (("attachment/unreadable", "high"), QUARANTINE, QUARANTINE),
    (("attachment/corrupt", "medium"), "deliver", "deliver"),
    (("attachment/script", "medium"), "deliver", "deliver"),
    (("attachment/script", "high"), QUARANTINE, QUARANTINE),
    (("dlp/secret/aws-access-key", "high", 0.95), APPROVAL, "deliver"),
    (("dlp/secret/jwt", "medium", 0.9), APPROVAL, "deliver"),
    (("dlp/secret/jwt", "medium", 0.4), "deliver", "deliver"),
    (("dlp/jp/my-number", "high", 0.97, 12), APPROVAL, "deliver"),
    (("dlp/exact/customers", "medium", 0.95), APPROVAL, "deliver"),
    (("dlp/exact/customers", "high", 0.495), "deliver", "deliver"),  # quoted from the recipient's own mail
    (("dlp/fingerprint/contract", "low", 0.9), APPROVAL, "deliver"),
    (("dlp/fingerprint/contract", "high", 0.485), "deliver", "deliver"),
    (("dlp/jp/my-number", "medium", 0.97), "deliver", "deliver"),
    (("auth/identity-mismatch", "high"), "reject", "reject"),
    (("auth/dmarc-would-fail", "medium"), "deliver", "deliver"),
    (("account/locked", "high"), QUARANTINE, QUARANTINE),
    (("message/two-from", "high"), QUARANTINE, QUARANTINE),
    (("message/ambiguous-boundary", "high"), QUARANTINE, QUARANTINE),
    (("message/duplicate-header", "low"), "deliver", "deliver"),
    (inspection_failed("archive", "too deep", part="2", where="attachment"), QUARANTINE, QUARANTINE),
    (inspection_failed("patterns", "TimeoutError"), "defer", "defer"),
    (inspection_failed("headers", "ValueError", where="header"), "defer", "defer"),
    (inspection_failed("directory", "TimeoutError", where="envelope"), "defer", "defer"),
]


@pytest.mark.parametrize(("finding", "outside", "inside"), ROWS, ids=lambda v: v[0] if isinstance(v, tuple) else None)
def test_row(done, finding, outside, inside):
    assert done(OUT, finding)[1] == outside
    assert done(IN, finding)[1] == inside


def test_nothing_seen_is_delivered(done):
    for to in (OUT, IN):
        verdict, what = done(to)
        assert (what, verdict.policy_rule) == ("deliver", "default")


def test_malware_is_an_incident_outside_only(done):
    assert done(OUT, ("malware/eicar", "critical"))[0].incident == "malware"
    assert done(IN, ("malware/eicar", "critical"))[0].incident is None


@pytest.mark.parametrize(
    ("finding", "recorded"),
    [
        (("spam/content", "medium", 0.8), "probable-abuse-inside: hold"),
        (("dlp/secret/jwt", "medium", 0.9), "secret-inside: hold"),
        (("dlp/jp/my-number", "high", 0.97, 12), "sensitive-inside: hold"),
        (("attachment/unreadable", "medium"), "unreadable-attachment-inside: hold"),
    ],
)
def test_inside_it_is_recorded_what_would_have_been(done, finding, recorded):
    assert recorded in done(IN, finding)[0].would_have


def test_dmarc_is_recorded_outside_and_says_nothing_inside(done):
    assert done(OUT, ("auth/dmarc-would-fail",))[0].would_have == ("dmarc-would-fail: reject",)
    assert done(IN, ("auth/dmarc-would-fail",))[0].would_have == ()


def test_the_sender_of_a_single_personal_number_is_told(done):
    assert done(OUT, ("dlp/jp/my-number", "medium", 0.97))[0].notify == ("sender",)
    assert done(IN, ("dlp/jp/my-number", "medium", 0.97))[0].notify == ()


def test_the_sender_of_a_script_is_told_outside(done):
    assert done(OUT, ("attachment/script", "medium"))[0].notify == ("sender",)
    assert done(OUT, ("attachment/script", "low"))[0].notify == ()
    assert done(IN, ("attachment/script", "medium"))[0].notify == ()


def test_sender_and_approver_hear_of_what_was_not_looked_into(done):
    assert done(OUT, ("attachment/unreadable", "medium"))[0].notify == ("sender", "approver")


def test_the_replies_are_the_tables(done):
    reply = done(OUT, ("auth/identity-mismatch", "high"))[0].reply
    assert (reply.code, reply.enhanced) == (550, "5.7.1")
    reply = done(OUT, inspection_failed("patterns", "TimeoutError"))[0].reply
    assert isinstance(reply, Reply)
    assert (reply.code, reply.enhanced) == (451, "4.7.0")


def test_text_and_attachment_failed_is_deferred(done):
    both = (inspection_failed("zip", "x", where="attachment"), inspection_failed("patterns", "x"))
    assert done(OUT, *both)[1] == "defer"


def test_a_secret_beside_malware_cannot_be_approved(done):
    assert done(OUT, ("dlp/secret/jwt", "medium", 0.9), ("malware/eicar", "critical"))[1] == QUARANTINE


def test_one_recipient_outside_binds_those_inside(done):
    verdict, what = done(OUT + IN, ("dlp/secret/jwt", "medium", 0.9))
    assert (verdict.recipients, what) == (OUT + IN, APPROVAL)


def test_limits_tell_people_once_and_answer_plainly(done):
    first, _ = done(OUT, ("flood/rate-soft", "low", 1.0))
    again, _ = done(OUT, ("flood/rate-soft", "low", 0.5))
    assert (first.policy_rule, first.notify) == ("limit-soft", ("sender", "administrator"))
    assert (again.policy_rule, again.notify) == ("default", ())
    deferred, _ = done(OUT, ("flood/rate-defer", "medium", 1.0))
    assert deferred.reply == Reply(450, "7.1", "Sending limit reached, please try again later")
    locked, _ = done(OUT, ("flood/rate-lock", "high"))
    assert locked.notify == ("reviewer", "administrator")
