import pytest
import yara_x

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack import yara
from sekisho.parse.unpack.opening import Budget, Opening


def looked_at(source, content):
    opening = Opening(content, "file.bin", budget=Budget(OpenLimits()))
    yara.look(yara_x.compile(source))(opening)
    return [(f.rule, f.severity, f.explanation) for f in opening.findings]


OURS = (
    'rule r { meta: finding = "malware/thing" severity = "critical" title = "a thing" '
    'strings: $a = "abc" condition: $a }'
)


def test_metadata_names_the_finding():
    assert looked_at(OURS, b"..abc..") == [("malware/thing", Severity.CRITICAL, "a thing")]


def test_no_match():
    assert looked_at(OURS, b"..ab..") == []


def test_foreign_rule_is_named_in_the_explanation():
    source = 'rule Some_Family { meta: severity = 80 score = 75 strings: $a = "abc" condition: $a }'
    assert looked_at(source, b"abc") == [("malware/yara", Severity.HIGH, "YARA rule Some_Family")]


@pytest.mark.parametrize("bad", ["malware/Ünsafe", "dlp/jp/my-number", "malware/a/b", "malware/", "x"])
def test_ids_of_other_families_or_letters_are_not_taken_over(bad):
    source = f'rule r {{ meta: finding = "{bad}" condition: true }}'
    assert looked_at(source, b"abc")[0][0] == "malware/yara"


def test_two_rules_of_one_finding_are_told_once_with_the_graver_severity():
    source = OURS + OURS.replace("rule r", "rule s").replace("critical", "low").replace("a thing", "another")
    assert looked_at(source, b"abc") == [("malware/thing", Severity.CRITICAL, "a thing; another")]


def test_the_rest_of_a_very_large_file_is_a_finding(monkeypatch):
    monkeypatch.setattr(yara, "MOST_OCTETS", 10)
    assert looked_at(OURS, b"." * 10 + b"abc")[0][0] == "attachment/over-limit"


def test_empty_file():
    assert looked_at("rule r { condition: true }", b"") == []
