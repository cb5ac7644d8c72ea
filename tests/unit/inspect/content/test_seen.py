import pytest

from sekisho.inspect.content.seen import MOST_SURE, Seen, severity, shown_address
from sekisho.mail.finding import Severity


def test_doubts_are_multiplied():
    seen = Seen()
    seen.add(0.5, "one")
    seen.add(0.4, "two")
    assert seen.confidence == pytest.approx(1 - 0.5 * 0.6)
    assert len(seen) == 2


def test_the_same_sign_counts_once():
    seen = Seen()
    for _ in range(5):
        seen.add(0.5, "one")
    assert seen.confidence == 0.5


def test_never_quite_sure():
    seen = Seen()
    for number in range(9):
        seen.add(0.9, str(number))
    assert seen.confidence == MOST_SURE


def test_a_finding_says_all():
    seen = Seen()
    seen.add(0.5, "one")
    seen.add(0.5, "two")
    finding = seen.finding("bec/impersonation", "x", share=0.5)
    assert (finding.confidence, finding.severity, finding.count) == (0.375, Severity.LOW, 2)
    assert finding.explanation == "one; two"


@pytest.mark.parametrize(("sure", "word"), [(0.75, "high"), (0.74, "medium"), (0.5, "medium"), (0.49, "low")])
def test_severity(sure, word):
    assert severity(sure).word == word


def test_an_address_is_not_shown_whole():
    assert shown_address("taro.yamada@example.co.jp") == "ta***@example.co.jp"
