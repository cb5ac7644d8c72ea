import pytest

from sekisho.inspect.rules import load_rules
from sekisho.mail.finding import Severity

RULE = """
id = "dlp/test"
title = { en = "Test", ja = "試験" }
severity = "low"
pattern = 'x[0-9]+'
why = { en = "Why.", ja = "理由。" }
by_count = { 10 = "high", 100 = "critical" }
[[positive]]
text = "x1"
[[negative]]
text = "y1"
"""
HEAD = """
id = "message/test"
title = { en = "Test", ja = "試験" }
severity = "high"
why = { en = "Why.", ja = "理由。" }
"""


def load(tmp_path, *texts, disabled=()):
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.toml").write_text(text)
    return load_rules([tmp_path], disabled)


def problems_of(tmp_path, text):
    rules, problems = load(tmp_path, text)
    assert rules is None
    return [(p.line, p.key, p.text) for p in problems]


def test_rules_and_heads_are_listed_by_id(tmp_path):
    rules, problems = load(tmp_path, HEAD, RULE)
    assert problems == []
    assert list(rules.by_id) == ["dlp/test", "message/test"]
    assert [r.id for r in rules.with_patterns] == ["dlp/test"]
    assert rules.by_id["message/test"].title.ja == "試験"


def test_files_below_directories_and_single_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "r.toml").write_text(RULE)
    (tmp_path / "a" / "not-a-rule.txt").write_text("x")
    (tmp_path / "head.toml").write_text(HEAD)
    rules, problems = load_rules([tmp_path / "a", tmp_path / "head.toml"])
    assert problems == []
    assert list(rules.by_id) == ["dlp/test", "message/test"]


def test_severity_grows_with_the_count(tmp_path):
    rules, _ = load(tmp_path, RULE)
    rule = rules.by_id["dlp/test"]
    assert [rule.severity_for(n) for n in (1, 9, 10, 99, 100)] == [
        Severity.LOW,
        Severity.LOW,
        Severity.HIGH,
        Severity.HIGH,
        Severity.CRITICAL,
    ]


def test_disabled_rules_stay_documented(tmp_path):
    rules, problems = load(tmp_path, RULE, disabled=["dlp/*"])
    assert problems == []
    assert list(rules.by_id) == ["dlp/test"]
    assert rules.with_patterns == ()


def test_disabling_an_unknown_rule_is_a_problem(tmp_path):
    rules, problems = load(tmp_path, RULE, disabled=["dlp/tset"])
    assert rules is None
    assert [str(p) for p in problems] == ['inspect.disabled_rules: no rule is called "dlp/tset"']


@pytest.mark.parametrize(
    ("change", "line", "key", "text"),
    [
        (("x[0-9]+", "x[0-9"), 5, "pattern", "does not compile"),
        (("x[0-9]+", "(?=x)[0-9]"), 5, "pattern", "does not compile"),
        (("x[0-9]+", "x*"), 5, "pattern", "matches the empty text"),
        (("severity", "not_beside = '['\nseverity"), 4, "not_beside.before", "does not compile"),
        (("severity", "validator = 'lunh'\nseverity"), 4, "validator", 'unknown validator "lunh"'),
        (("severity", "normalise = ['widht']\nseverity"), 4, "normalise[0]", 'did you mean "width"?'),
        (("severity", "where = ['bdoy']\nseverity"), 4, "where[0]", 'did you mean "body"?'),
        (("severity", "where = []\nseverity"), 4, "where", "no place"),
        (('"dlp/test"', '"dpl/test"'), 2, "id", "unknown family"),
        (('"dlp/test"', '"dlp"'), 2, "id", "expected family/name"),
        (('"dlp/test"', '"dlp/Test"'), 2, "id", "expected family/name"),
        (('"low"', '"lwo"'), 4, "severity", 'did you mean "low"?'),
        (('[[negative]]\ntext = "y1"', ""), 0, "negative", "needs a [[negative]] example"),
        (('"y1"', '"{{no-maker}}"'), 11, "negative[0].text", "unknown sample maker 'no-maker'"),
        (('"y1"', '"y1"\nwhere = "envelope"'), 12, "negative[0].where", 'does not look in "envelope"'),
        (("severity", "confidence = 1.5\nseverity"), 4, "confidence", "between 0 and 1"),
        (
            ("severity", "confidence = { alone = 0.1, in_context = 0.2 }\nseverity"),
            4,
            "confidence.in_context",
            "no context",
        ),
        (
            ("severity", "confidence = { alone = 0.1, in_bulk = 0.2 }\nseverity"),
            4,
            "confidence.in_bulk",
            "no validator",
        ),
        (("severity", "context.words = ['a']\nseverity"), 4, "context", "in_context is missing"),
        (("severity", "by_count = { ten = 'high' }\nseverity"), 4, "by_count", ""),
        (("pattern", "patern"), 5, "patern", 'did you mean "pattern"?'),
    ],
)
def test_a_broken_rule_is_a_problem_with_line_and_key(tmp_path, change, line, key, text):
    old, new = change
    broken = RULE.replace("by_count = { 10", "#", 1) if "by_count" in new else RULE
    found = problems_of(tmp_path, broken.replace(old, new, 1))
    assert any(p[0] == line and p[1].startswith(key) and text in p[2] for p in found), found


def test_duplicate_ids_name_the_other_file(tmp_path):
    rules, problems = load(tmp_path, RULE, RULE)
    assert rules is None
    assert [str(p) for p in problems] == [f'{tmp_path}/1.toml:1: id: "dlp/test" is also in {tmp_path}/0.toml']


def test_a_head_has_nothing_to_match_with(tmp_path):
    assert problems_of(tmp_path, HEAD + "validator = 'luhn'\n") == [
        (6, "validator", "makes no sense without a pattern")
    ]


def test_all_problems_of_all_files_at_once(tmp_path):
    rules, problems = load(tmp_path, "id = 1\n", RULE.replace("x[0-9]+", "["), "a = \n")
    assert rules is None
    assert {p.file.rsplit("/", 1)[1] for p in problems} == {"0.toml", "1.toml", "2.toml"}


def test_a_missing_directory_is_a_problem(tmp_path):
    rules, problems = load_rules([tmp_path / "absent"])
    assert rules is None
    assert [str(p) for p in problems] == [f"{tmp_path}/absent: no such file or directory"]
