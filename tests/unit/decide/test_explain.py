import json
from datetime import UTC, datetime

import pytest

from sekisho.decide.explain import explain
from sekisho.mail.transaction import Transaction

RULES = """
[[rule]]
name = "watch"
mode = "monitor"
then = { disposition = "reject" }

[[rule]]
name = "board"
from = { account = ["ceo", "chair"], client_network = "203.0.113.0/24" }
to = { domain = "rival.example", count = ">2" }
then = { disposition = "reject" }

[[rule]]
name = "banner"
final = false
then = { log = true }

[[rule]]
name = "secret"
to = { external = true }
when = { finding = "dlp/secret/*", severity = "high", confidence = 0.8 }
then = { disposition = "hold", hold = "quarantine" }

[[rule]]
name = "medium"
to = { external = true }
when = { finding = "dlp/secret/*", none = [{ finding = "spam/*" }] }
then = { disposition = "hold", hold = "approval" }
"""


@pytest.fixture
def story(policy, message):
    """story(rules, *findings, **facts) -> Explanation."""

    def _story(rules, *findings, parent=None, **facts):
        it = message(*findings, **facts)
        transaction = Transaction("t", it.session, it.envelope, None, datetime.now(UTC), it.internal_domains)
        return explain(policy(rules, parent), transaction, findings)

    return _story


def whys(explanation, recipient=0):
    return {rule.rule: (rule.effect, rule.why) for rule in explanation.recipients[recipient].rules}


def test_each_condition_that_does_not_hold_is_told(story, seen):
    told = whys(story(RULES, seen("dlp/secret/jwt"), to=("taro@corp.example",)))
    assert told["board"] == (
        "no match",
        (
            "from.account: nobody is logged in",
            "from.client_network: 192.0.2.1 is not in 203.0.113.0/24",
            "to.domain: taro@corp.example is not in rival.example",
            "to.count: 0 recipients fit, not > 2",
        ),
    )
    assert told["secret"] == (
        "no match",
        (
            "to.external: taro@corp.example is inside",
            (
                "when: no finding matches dlp/secret/* with severity >= high and confidence >= 0.8; "
                "nearest dlp/secret/jwt severity medium"
            ),
        ),
    )


def test_what_each_matching_rule_did_is_told(story, seen):
    told = whys(story(RULES, seen("dlp/secret/jwt", part="1.2")))
    assert told["watch"] == ("monitored", ("would have: reject",))
    assert told["banner"] == ("adds", ())
    assert told["medium"] == (
        "decides",
        ("dlp/secret/jwt: severity medium, confidence 0.9, seen 1 times, body in part 1.2",),
    )
    assert told["default"] == ("not reached", ("medium had decided",))


def test_none_and_any_are_told(story, seen):
    rules = (
        RULES
        + """
[[rule]]
name = "several"
when = { any = [{ finding = "malware/*" }, { finding = "dlp/*", count = 9, where = "body" }] }
then = { disposition = "reject" }
"""
    )
    told = whys(story(rules, seen("dlp/secret/jwt"), seen("spam/content")))
    assert told["medium"] == ("no match", ("when.none: spam/content matches spam/*",))
    assert told["several"] == (
        "no match",
        ("when.any: no finding matches malware/*; dlp/* seen 1 times, not >= 9",),
    )


def test_the_binding_of_the_strictest_recipient_is_told(story, seen):
    explanation = story(RULES, seen("dlp/secret/jwt"), to=("a@corp.example", "b@out.example"))
    inside, outside = explanation.recipients
    assert inside.bound
    assert not outside.bound
    assert (inside.own_rule, inside.verdict.policy_rule) == ("default", "medium")
    assert "by itself it would be: deliver by rule default" in str(explanation)


def test_a_floor_is_told(story):
    own = '[[rule]]\nname = "own"\nthen = { disposition = "deliver" }\n'
    floor = '[[rule]]\nname = "f"\nthen = { disposition = "reject" }\nfloor = true\n'
    told = whys(story(own, parent=floor))
    assert told["own"] == ("overruled", ("f is a floor",))
    assert told["f"][0] == "decides"


def test_a_failed_inspection_is_told(story, seen):
    own = '[[rule]]\nname = "own"\nthen = { disposition = "deliver" }\n'
    told = whys(story(own, seen("inspection.failed/av", "high")))
    assert told["own"] == ("overruled", ("it does not name the failed inspection; inspection-failed does",))
    assert told["inspection-failed"][0] == "decides"


def test_json_has_the_same_story(story, seen):
    explanation = story(RULES, seen("dlp/secret/jwt"))
    shown = json.loads(json.dumps(explanation.to_json()))
    assert (shown["disposition"], shown["hold"], shown["policy_rule"]) == ("hold", "approval", "medium")
    (recipient,) = shown["recipients"]
    assert recipient["rcpt_to"] == "hanako@out.example"
    rules = {r["rule"]: r for r in recipient["rules"]}
    assert [r["rule"] for r in recipient["rules"]] == [
        "watch", "board", "banner", "secret", "medium", "inspection-failed", "default",
    ]  # fmt: skip
    assert rules["secret"]["matched"] is False
    assert rules["medium"]["findings"] == ["dlp/secret/jwt"]
    assert rules["watch"]["line"] == 2


def test_text_names_file_and_line_and_is_printable(story, seen):
    text = str(story(RULES, seen("dlp/\x1b[2J"), to=("\x1b[2J@out.example",), sender="\x07@x.example"))
    assert "own.toml:2)" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_without_recipients_there_is_one_story(story):
    (only,) = story(RULES, to=()).recipients
    assert (only.recipient, only.verdict.policy_rule) == ("", "default")


def test_many_findings_are_cut(story, seen):
    told = whys(story(RULES, *(seen("dlp/secret/jwt", part=f"{i}") for i in range(1, 100))))
    assert len(told["medium"][1]) == 11
    assert told["medium"][1][-1] == "and 89 more findings"
