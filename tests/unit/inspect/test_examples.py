from pathlib import Path

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.examples import test_rules as run_examples
from sekisho.inspect.rules import load_rules

RULE = """
id = "dlp/test"
title = { en = "Test", ja = "試験" }
severity = "low"
pattern = 'x[0-9]+'
why = { en = "Why.", ja = "理由。" }
confidence = 0.5
"""


def failures(tmp_path, examples):
    (tmp_path / "r.toml").write_text(RULE + examples)
    rules, problems = load_rules([tmp_path])
    assert problems == []
    return [str(f) for f in run_examples(rules, None)]


@pytest.fixture(scope="module")
def builtin():
    rules, problems = load_rules([shipped("rules")])
    assert [str(p) for p in problems] == []
    return rules


def test_the_shipped_rules_keep_their_examples(builtin):
    assert [str(f) for f in run_examples(builtin, None)] == []


def test_there_are_more_than_twenty_pattern_rules(builtin):
    assert len(builtin.with_patterns) > 20


def test_each_rule_file_is_named_by_its_id(builtin):
    folder = shipped("rules")
    files = {str(p.relative_to(folder).with_suffix("")) for p in Path(folder).rglob("*.toml")}
    assert files == set(builtin.by_id)


def test_each_text_is_there_in_both_languages(builtin):
    for rule in builtin.by_id.values():
        assert all((rule.title.en, rule.title.ja, rule.why.en, rule.why.ja)), rule.id
        assert rule.title.en.isascii(), rule.id
        assert not rule.why.ja.isascii(), rule.id


def test_a_kept_example_is_no_failure(tmp_path):
    assert failures(tmp_path, '[[positive]]\ntext = "x1"\nconfidence = 0.5\n[[negative]]\ntext = "y"\n') == []


def test_each_broken_example_is_a_failure(tmp_path):
    examples = """
    [[positive]]
    text = "y"
    [[positive]]
    text = "x1"
    confidence = 0.9
    [[negative]]
    text = "x1"
    """
    assert failures(tmp_path, examples) == [
        "dlp/test: positive[0]: does not match",
        "dlp/test: positive[1]: reaches confidence 0.50 only",
        "dlp/test: negative[0]: matches",
    ]


def test_an_example_stands_where_it_says(tmp_path):
    examples = '[[positive]]\ntext = "x1"\nwhere = "subject"\n[[negative]]\ntext = "y"\n'
    assert failures(tmp_path, examples) == []
