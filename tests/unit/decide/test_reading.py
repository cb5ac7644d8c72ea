import re
from pathlib import Path

import pytest

from sekisho.config.shipped import shipped
from sekisho.decide.reading import FAMILIES, NEVER_MASKED
from sekisho.inspect.rules import load_rules

RULE = '[[rule]]\nname = "r"\n{}\nthen = {{ disposition = "reject" }}\n'


@pytest.fixture
def wrong(load):
    """wrong(text, **kwargs) -> ["key: text"] for a rule with this text in it."""

    def _wrong(text, **kwargs):
        compiled, problems = load(RULE.format(text), **kwargs)
        assert (compiled is None) is bool(problems)
        assert all(p.line == 3 for p in problems)
        return [f"{p.key.removeprefix('rule[0].')}: {p.text}" for p in problems]

    return _wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from = { domain = [] }", "from.domain: is empty: leave the key out, or name at least one"),
        (
            'from = { domain = "*.corp.example" }',
            'from.domain: "*.corp.example" is not a domain (".example.jp" means the names below example.jp)',
        ),
        ('from = { address = "taro" }', 'from.address: "taro" is not an address'),
        (
            'from = { client_network = "192.0.2.1/24" }',
            "from.client_network: not a network: 192.0.2.1/24 has host bits set",
        ),
        ('from = { account = " taro" }', 'from.account: " taro" is not an account'),
        ("from = { account = 1 }", "from.account: expected a string or an array, got a whole number"),
        ("to = { first_contact = true }", "to.first_contact: not available yet"),
        (
            'to = { domain = "a..b" }',
            'to.domain: "a..b" is not a domain (".example.jp" means the names below example.jp)',
        ),
        (
            'to = { count = "20+" }',
            'to.count: "20+" is not a number (at least as many) or a comparison such as ">20"',
        ),
        ("to = { count = -1 }", 'to.count: "-1" is not a number (at least as many) or a comparison such as ">20"'),
        ('to = { count = "<1" }', 'to.count: "<1" can never hold: there is always at least one'),
        ('to = { count = "=0" }', 'to.count: "=0" can never hold: there is always at least one'),
        ('when = { severity = "high" }', "when.severity: needs a finding beside it"),
        (
            'when = { finding = "dlp/*", severity = "bad" }',
            'when.severity: expected one of "low", "medium", "high", "critical", got "bad"',
        ),
        ('when = { finding = "dlp/*", confidence = 80 }', "when.confidence: 80 is not between 0 and 1"),
        ('when = { finding = "dlp/*", where = [] }', "when.where: is empty: leave the key out, or name at least one"),
        ("when = { any = [] }", "when.any: is empty: leave the key out, or name at least one test"),
        (
            'when = { all = [{ severity = "low" }] }',
            "when.all[0].finding: is missing (expected a string or an array)",
        ),
        ("floor = true\nfinal = false", "floor: needs a rule that decides: mode enforce and final"),
    ],
)
def test_problems(load, text, problem):
    _, problems = load(RULE.format(text))
    assert problem in [f"{p.key.removeprefix('rule[0].')}: {p.text}" for p in problems]


@pytest.mark.parametrize("glob", ["", "DLP/*", "dlp/[a-z]*", "dlp *", "dlp\\\\*", "個人番号"])
def test_bad_globs(wrong, glob):
    (problem,) = wrong(f'when = {{ finding = "{glob}" }}')
    assert "is not a finding id" in problem


@pytest.mark.parametrize("name", ["", "two words", "-x", "x" * 65, "規則", "default", "inspection-failed"])
def test_bad_names(load, name):
    compiled, (problem,) = load(f'[[rule]]\nname = "{name}"\nthen = {{ disposition = "reject" }}\n')
    assert compiled is None
    assert problem.key == "rule[0].name"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('mode = "monitor"\nfloor = true', "rule[0].floor"),
        ('then = { disposition = "deliver" }\nfloor = true', "rule[0].floor"),
        ("then = { log = true }\nfinal = false\nsplit = true", "rule[0].split"),
    ],
)
def test_settings_that_contradict_each_other(load, text, key):
    then = "" if "then" in text else 'then = { disposition = "reject" }'
    _, (problem,) = load(f'[[rule]]\nname = "r"\n{text}\n{then}\n')
    assert problem.key == key


def test_errors_of_all_tables_of_a_rule_that_is_broken_itself(load):
    _, problems = load(
        """
[[rule]]
final = "no"
from = { acount = "x" }
to = { extern = true }
when = { findings = "x" }
then = { disposition = "hold", hold = "quarantine", delay_seconds = 1 }
"""
    )
    assert {p.key.removeprefix("rule[0].") for p in problems} == {
        "name", "final", "from.acount", "to.extern", "when.findings", "then.delay_seconds",
    }  # fmt: skip


def test_a_broken_condition_never_becomes_no_condition(load):
    for text in ('from = "taro"', "to = []", 'when = ["dlp/*"]', "when = { any = 1 }", "then = 1"):
        assert load(RULE.format(text) if "then" not in text else f'[[rule]]\nname = "r"\n{text}\n')[0] is None


KNOWN = frozenset({"dlp/secret/jwt", "dlp/jp/my-number", "custom/one", "dlp/exact/list", "dlp/mark/tlp"})


@pytest.mark.parametrize(
    ("glob", "problem"),
    [
        ("dlp/secret/*", None),
        ("dlp/secrets/*", 'when.finding: "dlp/secrets/*" matches no known finding (did you mean "dlp/secret/jwt"?)'),
        (
            "dlp/jp/mynumber",
            'when.finding: "dlp/jp/mynumber" matches no known finding (did you mean "dlp/jp/my-number"?)',
        ),
        ("plp/*", 'when.finding: "plp/*" is of no known family (did you mean "dlp"?)'),
        ("custom/*", None),
        ("malware/*", None),
        ("inspection.failed/whatever", None),
        ("*", None),
        ("d?p/*", None),
    ],
)
def test_globs_that_match_nothing_known(wrong, glob, problem):
    assert wrong(f'when = {{ finding = "{glob}" }}', known_ids=KNOWN) == ([problem] if problem else [])


def test_families_are_those_of_the_reference():
    reference = Path(__file__).parents[3] / "docs" / "reference" / "policy.md"
    assert set(re.findall(r"^\| `([a-z.]+)/` \|", reference.read_text(encoding="utf-8"), re.MULTILINE)) == FAMILIES


REDACT = 'then = {{ disposition = "deliver", modifications = [{{ type = "redact"{} }}] }}'


@pytest.mark.parametrize(
    ("when", "finding", "problem"),
    [
        ("", ', finding = "dlp/secret/jwt"', None),
        ('when = { finding = "dlp/*" }', "", None),
        ('when = { finding = "dlp/*" }', ', finding = "matched"', None),
        ("", ', finding = "dlp/crad"', 'then.modifications[0].finding: "dlp/crad" matches no known finding'),
        ("", ', finding = ""', 'then.modifications[0].finding: "" is not a finding id'),
        ("", ', finding = "DLP/CARD"', 'then.modifications[0].finding: "DLP/CARD" is not a finding id'),
        ('when = { finding = "DLP/CARD" }', "", 'when.finding: "DLP/CARD" is not a finding id'),
        ('when = { finding = "dlp/*" }', ', finding = ["matched"]', None),
        (
            "",
            ', finding = ["matched", "dlp/secret/jwt"]',
            'then.modifications[0].finding: "matched" must stand alone',
        ),
        ("", ', finding = "dlp/exact/*"', 'then.modifications[0].finding: what "dlp/exact/*" finds cannot be masked'),
        (
            "",
            ', finding = ["dlp/secret/jwt", "dlp/mark/*"]',
            'then.modifications[0].finding: what "dlp/mark/*" finds',
        ),
        ("", ', finding = ["dlp/*", "*"]', None),
        ('when = { finding = "dlp/exact/*" }', "", 'then.modifications: what "dlp/exact/*" finds cannot be masked'),
        (
            'when = { any = [{ finding = "dlp/exact/list" }, { finding = "dlp/mark/*" }] }',
            "",
            'then.modifications: what "dlp/exact/list", "dlp/mark/*" finds cannot be masked',
        ),
        ('when = { any = [{ finding = "dlp/exact/list" }, { finding = "dlp/secret/jwt" }] }', "", None),
        ("", "", "then.modifications: redact without a finding needs a rule that matches some"),
        (
            'when = { none = [{ finding = "dlp/*" }] }',
            "",
            "then.modifications: redact without a finding needs a rule",
        ),
    ],
)
def test_redactions(load, when, finding, problem):
    text = f'[[rule]]\nname = "r"\n{when}\n{REDACT.format(finding)}\n'
    _, problems = load(text, known_ids=KNOWN)
    assert len(problems) == (problem is not None)
    if problem:
        assert f"{problems[0].key.removeprefix('rule[0].')}: {problems[0].text}".startswith(problem)


def test_a_problem_names_the_modification(load):
    text = """[[rule]]
name = "r"
final = false
[[rule.then.modifications]]
type = "delete_header"
name = "X"
[[rule.then.modifications]]
type = "redact"
finding = "dlp/crad"
"""
    _, (problem,) = load(text, known_ids=KNOWN)
    assert problem.key == "rule[0].then.modifications[1].finding"


def test_what_cannot_be_masked_is_what_no_pattern_finds_or_hides():
    """Against the built-in rules: without a pattern, or with values that are shown or only a beginning."""
    rules, problems = load_rules([shipped("rules")])
    assert not problems
    hiding = {rule.id for rule in rules.with_patterns if rule.redact != "none" and rule.maskable}
    assert {id_ for id_ in rules.by_id if id_.startswith("dlp/")} - hiding == NEVER_MASKED
