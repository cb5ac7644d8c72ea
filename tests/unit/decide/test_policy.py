from datetime import UTC, datetime

import pytest

from sekisho.decide.policy import decide, decide_on
from sekisho.mail.message import Message, Part
from sekisho.mail.reply import Reply
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import AddHeader, AddRecipient, Disposition, DropPart, Hold, Redact, Verdict

SECRET_OUT = """
[[rule]]
name = "secret"
to = { external = true }
when = { finding = "dlp/secret/*" }
then = { disposition = "hold", hold = "approval", notify = "approver", incident = "leak", log = true }
"""


def one(verdicts):
    assert len(verdicts) == 1
    return verdicts[0]


def test_a_message_that_no_rule_fits_is_delivered_by_the_rule_that_is_always_there(policy, message):
    verdict = one(decide_on(policy(), message()))
    assert verdict == Verdict(("hanako@out.example",), Disposition.DELIVER, "default")


def test_a_transaction_is_decided_with_the_findings_that_are_given(policy, message, seen):
    facts = message()
    nothing = Part("", 0, 0, 0, (), "text/plain", {}, "", "", None, (), b"", None)
    transaction = Transaction(
        "t1", facts.session, facts.envelope, Message(b"", nothing, ()), datetime.now(UTC), facts.internal_domains
    )
    compiled = policy(SECRET_OUT)
    assert one(decide(compiled, transaction, ())).disposition is Disposition.DELIVER
    found = seen("dlp/secret/jwt")
    assert one(decide(compiled, transaction, (found,))) == Verdict(
        ("hanako@out.example",),
        Disposition.HOLD,
        "secret",
        (found,),
        Hold("approval"),
        notify=("approver",),
        incident="leak",
        log=True,
    )


def test_the_first_match_decides(policy, message):
    rules = """
[[rule]]
name = "first"
to = { domain = "out.example" }
then = { disposition = "deliver" }
[[rule]]
name = "second"
to = { external = true }
then = { disposition = "reject" }
"""
    assert one(decide_on(policy(rules), message())).policy_rule == "first"
    assert one(decide_on(policy(rules), message(to=("x@other.example",)))).policy_rule == "second"


def test_the_tenants_rules_come_before_its_parents_and_those_before_the_built_in(policy, message):
    def rule(name, domain):
        return f'[[rule]]\nname = "{name}"\nto = {{ domain = {domain} }}\nthen = {{ disposition = "deliver" }}\n'

    compiled = policy(
        rule("own", '["a.example"]'), rule("msp", '["a.example", "b.example"]'), rule("all", '".example"')
    )
    for domain, name in (("a.example", "own"), ("b.example", "msp"), ("c.example", "all")):
        assert one(decide_on(compiled, message(to=(f"x@{domain}",)))).policy_rule == name


def test_the_strictest_verdict_binds_all_recipients(policy, message, seen):
    facts = message(seen("dlp/secret/jwt"), to=("in@corp.example", "out@out.example", "in2@a.corp.example"))
    verdict = one(decide_on(policy(SECRET_OUT), facts))
    assert verdict.recipients == ("in@corp.example", "out@out.example", "in2@a.corp.example")
    assert verdict.policy_rule == "secret"
    assert verdict.hold == Hold("approval")


def test_split_lets_the_others_go(policy, message, seen):
    facts = message(seen("dlp/secret/jwt"), to=("in@corp.example", "out@out.example", "in2@a.corp.example"))
    inside, outside = decide_on(policy(SECRET_OUT + "split = true\n"), facts)
    assert (inside.recipients, inside.disposition) == (("in@corp.example", "in2@a.corp.example"), Disposition.DELIVER)
    assert (outside.recipients, outside.disposition) == (("out@out.example",), Disposition.HOLD)
    assert outside.split


NOT_FINAL = """
[[rule]]
name = "banner"
to = { external = true }
then = { modifications = [{ type = "add_header", name = "X-Outside", value = "yes" }], notify = "sender", log = true }
final = false
"""


def test_a_rule_that_is_not_final_adds_and_goes_on(policy, message, seen):
    compiled = policy(NOT_FINAL + SECRET_OUT)
    verdict = one(decide_on(compiled, message(seen("dlp/secret/jwt"))))
    assert verdict.policy_rule == "secret"
    assert verdict.modifications == (AddHeader("X-Outside", "yes"),)
    assert verdict.notify == ("sender", "approver")
    assert one(decide_on(compiled, message())).log


def test_what_a_redaction_that_is_not_final_matched_is_among_the_findings(policy, message, seen):
    """The sender is to read what of it was masked; of one that only adds a header nothing is listed."""
    masks = """
[[rule]]
name = "mask"
when = { finding = "dlp/jp/*" }
then = { modifications = [{ type = "redact" }], notify = "sender" }
final = false
"""
    number, token = seen("dlp/jp/my-number"), seen("dlp/secret/jwt")
    verdict = one(decide_on(policy(masks), message(number, token)))
    assert (verdict.policy_rule, verdict.findings) == ("default", (number,))
    assert verdict.modifications == (Redact(("dlp/jp/my-number",)),)
    assert one(decide_on(policy(masks + SECRET_OUT), message(number, token))).findings == (token, number)
    banner = NOT_FINAL.replace("to = { external = true }", 'when = { finding = "dlp/*" }')
    assert one(decide_on(policy(banner), message(number))).findings == ()


def test_recipients_with_different_modifications_get_verdicts_of_their_own(policy, message):
    inside, outside = decide_on(policy(NOT_FINAL), message(to=("a@corp.example", "b@out.example")))
    assert (inside.recipients, inside.modifications) == (("a@corp.example",), ())
    assert (outside.recipients, outside.modifications) == (("b@out.example",), (AddHeader("X-Outside", "yes"),))


def test_a_monitored_rule_is_recorded_and_does_nothing(policy, message, seen):
    compiled = policy(SECRET_OUT + 'mode = "monitor"\n')
    verdict = one(decide_on(compiled, message(seen("dlp/secret/jwt"), to=("a@corp.example", "b@out.example"))))
    assert verdict == Verdict(
        ("a@corp.example", "b@out.example"), Disposition.DELIVER, "default", would_have=("secret: hold",)
    )


def test_a_monitored_rule_that_is_not_final_adds_nothing(policy, message):
    verdict = one(decide_on(policy(NOT_FINAL + 'mode = "monitor"\n'), message()))
    assert verdict.modifications == ()
    assert verdict.notify == ()
    assert verdict.would_have == ("banner: deliver",)


def test_matched_parts_are_those_of_the_rules_findings(policy, message, seen):
    rules = """
[[rule]]
name = "strip"
when = { finding = "attachment/*" }
[rule.then]
disposition = "deliver"
modifications = [
  { type = "drop_part", part = "matched", notice = "Taken out." },
  { type = "add_recipient", address = "audit@corp.example" },
]
"""
    found = (seen("attachment/macro", part="1.2"), seen("attachment/odd", part="1.2"), seen("attachment/x", part="3"))
    other = seen("dlp/jp/my-number", part="1.1")
    assert one(decide_on(policy(rules), message(*found, other))).modifications == (
        DropPart("1.2", "Taken out."),
        DropPart("3", "Taken out."),
        AddRecipient("audit@corp.example"),
    )


def test_without_recipients_the_verdict_is_the_one_outside(policy, message, seen):
    verdict = one(decide_on(policy(SECRET_OUT), message(seen("dlp/secret/jwt"), to=())))
    assert (verdict.recipients, verdict.policy_rule) == ((), "secret")


def test_a_recipient_named_twice_stays_twice(policy, message):
    twice = ("a@out.example", "b@corp.example", "a@out.example")
    assert one(decide_on(policy(), message(to=twice))).recipients == twice


# --- floors -----------------------------------------------------------------------------------------------------

FLOOR = """
[[rule]]
name = "exempt"
from = { address = "backup@corp.example" }
then = { disposition = "deliver" }
[[rule]]
name = "msp-secret"
when = { finding = "dlp/secret/*" }
then = { disposition = "hold", hold = "approval" }
floor = true
"""


def own(then):
    return f'[[rule]]\nname = "own"\nwhen = {{ finding = "dlp/secret/*" }}\nthen = {{ {then} }}\n'


@pytest.mark.parametrize(
    ("then", "rule"),
    [
        ('disposition = "deliver"', "msp-secret"),
        ('disposition = "hold", hold = "delay", delay_seconds = 9', "msp-secret"),
        ('disposition = "hold", hold = "approval"', "own"),
        ('disposition = "hold", hold = "quarantine"', "own"),
        ('disposition = "reject"', "own"),
    ],
)
def test_a_tenant_can_only_make_a_floor_stricter(policy, message, seen, then, rule):
    assert one(decide_on(policy(own(then), FLOOR), message(seen("dlp/secret/jwt")))).policy_rule == rule


def test_a_rule_before_the_floor_in_the_same_file_exempts(policy, message, seen):
    compiled = policy(own('disposition = "deliver"'), FLOOR)
    facts = message(seen("dlp/secret/jwt"), sender="backup@corp.example")
    assert one(decide_on(compiled, facts)).policy_rule == "own"


def test_a_floor_that_does_not_match_binds_nothing(policy, message):
    compiled = policy('[[rule]]\nname = "all"\nthen = { disposition = "deliver" }\n', FLOOR)
    assert one(decide_on(compiled, message())).policy_rule == "all"


def test_a_floor_binds_only_its_recipients_before_they_are_settled(policy, message):
    floor = """
[[rule]]
name = "f"
to = { domain = "rival.example" }
then = { disposition = "hold", hold = "approval" }
floor = true
split = true
"""
    compiled = policy('[[rule]]\nname = "all"\nthen = { disposition = "deliver" }\n', floor)
    first, second = decide_on(compiled, message(to=("a@out.example", "b@rival.example")))
    assert (first.policy_rule, second.policy_rule) == ("all", "f")


# --- nothing fails silently open ----------------------------------------------------------------------------------

DELIVER_ALL = '[[rule]]\nname = "all"\nthen = { disposition = "deliver" }\n'


def test_a_failed_inspection_that_no_rule_names_is_deferred(policy, message, seen):
    for rules in ("", DELIVER_ALL, NOT_FINAL):
        verdict = one(decide_on(policy(rules), message(seen("inspection.failed/antivirus"))))
        assert (verdict.policy_rule, verdict.disposition) == ("inspection-failed", Disposition.DEFER)
        assert verdict.reply == Reply(451, "7.0", "Message could not be inspected, please try again later")


def test_a_star_does_not_name_failed_inspections(policy, message, seen):
    rules = '[[rule]]\nname = "star"\nwhen = { finding = "*" }\nthen = { disposition = "deliver" }\n'
    compiled = policy(rules)
    assert one(decide_on(compiled, message(seen("dlp/x")))).policy_rule == "star"
    assert one(decide_on(compiled, message(seen("inspection.failed/av")))).policy_rule == "inspection-failed"


def test_a_rule_that_names_them_may_let_them_go_but_only_those_it_matched(policy, message, seen):
    rules = """
[[rule]]
name = "av-away"
when = { finding = "inspection.failed/antivirus" }
then = { disposition = "deliver" }
"""
    compiled = policy(rules)
    antivirus, patterns = seen("inspection.failed/antivirus"), seen("inspection.failed/patterns")
    assert one(decide_on(compiled, message(antivirus))).policy_rule == "av-away"
    verdict = one(decide_on(compiled, message(antivirus, patterns)))
    assert (verdict.policy_rule, verdict.findings) == ("inspection-failed", (patterns,))


def test_what_a_star_beside_the_name_matched_is_not_named(policy, message, seen):
    rules = """
[[rule]]
name = "av-away"
when = { all = [{ finding = "inspection.failed/antivirus" }, { finding = "*" }] }
then = { disposition = "deliver" }
"""
    both = (seen("inspection.failed/antivirus"), seen("inspection.failed/patterns"))
    assert one(decide_on(policy(rules), message(*both))).policy_rule == "inspection-failed"


def test_a_delay_is_no_look_either(policy, message, seen):
    delay = '[[rule]]\nname = "d"\nthen = { disposition = "hold", hold = "delay", delay_seconds = 60 }\n'
    assert one(decide_on(policy(delay), message(seen("inspection.failed/x")))).policy_rule == "inspection-failed"


def test_a_hold_for_a_person_stands(policy, message, seen):
    hold = '[[rule]]\nname = "h"\nthen = { disposition = "hold", hold = "approval" }\n'
    assert one(decide_on(policy(hold), message(seen("inspection.failed/x")))).policy_rule == "h"


def test_a_later_rule_that_names_them_decides_before_the_built_in_one(policy, message, seen):
    builtin = """
[[rule]]
name = "attachments"
when = { finding = "inspection.failed/*", where = "attachment" }
then = { disposition = "hold", hold = "quarantine" }
"""
    compiled = policy(DELIVER_ALL, builtin=builtin)
    failed = seen("inspection.failed/zip", where="attachment")
    assert one(decide_on(compiled, message(failed))).policy_rule == "attachments"
    assert one(decide_on(compiled, message(seen("inspection.failed/x")))).policy_rule == "inspection-failed"


def test_a_monitored_rule_does_not_cover_a_failed_inspection(policy, message, seen):
    rules = """
[[rule]]
name = "watch"
mode = "monitor"
when = { finding = "inspection.failed/*" }
then = { disposition = "deliver" }
"""
    verdict = one(decide_on(policy(rules + DELIVER_ALL), message(seen("inspection.failed/x"))))
    assert verdict.policy_rule == "inspection-failed"
    assert verdict.would_have == ("watch: deliver",)
