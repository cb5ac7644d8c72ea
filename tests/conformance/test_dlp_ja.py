"""Japanese detectors against texts written in the manner of business mail: precision, recall and F1 by span.

`tests/golden/dlp/ja` holds the texts with the spans of what they hold; half of them hold only look-alikes. A label is
found where a value of its rule overlaps it; a value that overlaps no label of its rule is a false alarm. What a rule
itself gives less than 0.5 is no finding here. Run as a script (`python tests/conformance/test_dlp_ja.py`) it prints
the table and every miss and false alarm.

The rules were made while looking at this set; only the texts of `more.jsonl` were written after them. Before anything
was changed for these, three drawings of their values found 96 of 105 labels with one false alarm (a licence number).
"""

import json
from pathlib import Path

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.personal_lists import ID as LIST
from sekisho.inspect.personal_lists import PersonalLists
from sekisho.inspect.rules import load_rules
from sekisho.mail.envelope import Envelope
from sekisho.mail.message import Text

GOLDEN = Path(__file__).parents[1] / "golden" / "dlp" / "ja"
LEAST_CONFIDENCE = 0.5

# Identifiers with a check, or with a name that must stand beside them; then what is known by shape and words alone.
LEAST_F1 = {
    "dlp/jp/my-number": 0.98,
    "dlp/jp/corporate-number": 0.98,
    "dlp/jp/drivers-licence": 0.98,
    "dlp/jp/insurer-number": 0.98,
    "dlp/jp/phone": 0.98,
    "dlp/jp/birth-date": 0.98,
    "dlp/jp/passport": 0.98,
    "dlp/jp/pension-number": 0.98,
    "dlp/jp/residence-card": 0.98,
    "dlp/jp/vehicle-plate": 0.98,
    "dlp/jp/health-insurance": 0.95,
    "dlp/jp/bank-account": 0.95,
    "dlp/jp/address": 0.95,
    "dlp/jp/name": 0.90,
    "dlp/jp/medical": 0.90,
    "dlp/jp/customer-list": 0.98,
}


class Score:
    """Labels found and missed, values found that are none."""

    def __init__(self):
        self.found = self.missed = self.false = 0

    @property
    def labels(self):
        return self.found + self.missed

    @property
    def precision(self):
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self):
        return self.found / max(1, self.labels)

    @property
    def f1(self):
        return 2 * self.found / max(1, 2 * self.found + self.missed + self.false)


class Mail:
    """The part of a transaction that the list inspector reads."""

    def __init__(self, text):
        self.texts = (Text(text, "body", "1"),)
        self.envelope = Envelope(None, ())  # to nobody: nothing is quoted
        self.internal_domains = frozenset()


@pytest.fixture(scope="module")
def detect():
    return detector()


@pytest.fixture(scope="module")
def golden():
    return read_golden()


@pytest.fixture(scope="module")
def scores(detect, golden):
    return scored(detect, golden)[0]


def detector():
    """A function from a text to (start, end, rule id) of everything found by the Japanese rules."""
    rules, problems = load_rules([shipped("rules") / "dlp" / "jp"])
    assert problems == []
    engine, lists = Patterns(rules, b"key"), PersonalLists(rules)

    def find(text):
        texts = [Text(text, "body", "1")]
        for finding in engine.search(texts):
            if finding.confidence >= LEAST_CONFIDENCE:
                (values,) = engine.locate(texts, {finding.rule}, "default")
                yield from ((start, end, finding.rule) for start, end in values.spans)
        yield from ((0, len(text), LIST) for _ in lists.inspect(Mail(text)))

    return find


def read_golden():
    files = sorted(GOLDEN.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def scored(detect, golden):
    """Scores by rule, and what went wrong in words."""
    result = {rule: Score() for rule in LEAST_F1}
    wrong = []
    for row in golden:
        seen = list(detect(row["text"]))
        for start, end, rule in row["spans"]:
            if any(r == rule and s < end and e > start for s, e, r in seen):
                result[rule].found += 1
            else:
                result[rule].missed += 1
                wrong.append(("missed", rule, row["text"][start:end], row["note"]))
        for start, end, rule in seen:
            if not any(r == rule and s < end and e > start for s, e, r in row["spans"]):
                result[rule].false += 1
                wrong.append(("false alarm", rule, row["text"][start:end], row["note"]))
    return result, wrong


def test_the_golden_set_is_large_and_half_of_it_look_alikes(golden):
    assert len(golden) >= 400
    assert len({row["text"] for row in golden}) == len(golden)
    assert 0.4 <= sum(not row["spans"] for row in golden) / len(golden) <= 0.6
    labels = [rule for row in golden for _, _, rule in row["spans"]]
    assert {rule: labels.count(rule) for rule in LEAST_F1 if labels.count(rule) < (4 if rule == LIST else 10)} == {}


def test_labels_are_where_they_say(golden):
    for row in golden:
        for start, end, rule in row["spans"]:
            assert rule in LEAST_F1
            assert 0 <= start < end <= len(row["text"])
            assert row["text"][start:end] == row["text"][start:end].strip()


@pytest.mark.parametrize("rule", LEAST_F1)
def test_f1(scores, rule):
    assert scores[rule].f1 >= LEAST_F1[rule]


def test_look_alikes_give_no_finding_that_policy_acts_on(golden):
    rules, _ = load_rules([shipped("rules") / "dlp" / "jp"])
    engine, lists = Patterns(rules, b"key"), PersonalLists(rules)
    acted = [
        (row["note"], finding.rule)
        for row in golden
        if not row["spans"]
        for finding in (*engine.search([Text(row["text"], "body", "1")]), *lists.inspect(Mail(row["text"])))
        if finding.severity.word != "low" and finding.confidence >= LEAST_CONFIDENCE
    ]
    assert acted == []


def main():
    result, wrong = scored(detector(), read_golden())
    for line in wrong:
        print(*line, sep=" | ")
    print(f"{'rule':26}{'labels':>8}{'precision':>11}{'recall':>8}{'F1':>7}")
    for rule, score in result.items():
        print(f"{rule:26}{score.labels:8}{score.precision:11.3f}{score.recall:8.3f}{score.f1:7.3f}")


if __name__ == "__main__":
    main()
