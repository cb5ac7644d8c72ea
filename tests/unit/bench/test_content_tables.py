"""The tables of the content benchmark, on scores whose answers are plain."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from content_sets import KNOWN, NEVER_TRAINED, Scored
from content_tables import (
    Outcome,
    at_policy,
    bad_by_source,
    by_language,
    calibration,
    ham_by_source,
    of_known_ham,
    report,
    summary,
)
from msgspec.structs import replace


def outcome(tool="tool", *, probabilities=True):
    ham = [Scored("family", "ham_a", "ham", "en", n / 2000) for n in range(1000)]
    ham += [Scored("family", "ham_b", "ham", "ja", n / 2000) for n in range(900)] + [
        Scored("family", "ham_b", "ham", "ja", 0.9)
    ] * 100
    news = [Scored("family", "ja_ham_livedoor_news", "ham", "ja", 0.99)] * 10
    bad = [Scored("family", "bad_a", "spam", "en", 0.95)] * 30 + [
        Scored(NEVER_TRAINED, "bad_b", "bec", "ja", 0.7)
    ] * 10
    return Outcome(tool, probabilities, None, [*ham, *news, *bad], 1.25)


def row(text, name):
    line = next(line for line in text.splitlines() if line.startswith(name))
    return re.split(r"\s{2,}", line)


def test_articles_set_no_threshold_but_are_shown():
    assert outcome().limit(0.001) == 0.9
    assert row(ham_by_source([outcome()]), "ja_ham_livedoor_news")[1:3] == ["10", "100.0 %"]


def test_summary():
    cells = row(summary([outcome(), outcome("peer", probabilities=False)]), "tool  ")
    assert cells[2:6] == ["at 0.1 %", "at 0.05 %", "at 0.1 %, mean of sources", "at 0.05 %, mean of sources"]
    text = summary([outcome("ours"), outcome("peer", probabilities=False)])
    assert "40 bad messages of sources left out, 2000 ham mails" in text
    assert row(text, "ours")[2:6] == ["75.0 %", "75.0 %", "50.0 %", "50.0 %"]
    assert row(text, "peer")[-2:] == ["-", "1.25"]


def test_summary_of_one_family():
    text = summary([outcome("ours")], NEVER_TRAINED)
    assert "10 bad messages of sources never trained on, 2000 ham mails" in text
    assert row(text, "ours")[1:4] == ["0.9500", "0.0 %", "0.0 %"]


def test_recall_by_source():
    text = bad_by_source([outcome()])
    assert row(text, "bad_a") == ["bad_a", "30", "1.0000", "100.0 %", "100.0 %"]
    assert row(text, "bad_b") == ["bad_b", "10", "0.9500", "0.0 %", "0.0 %"]


def test_false_alarms_are_counted_at_the_threshold_of_the_other_sources():
    text = ham_by_source([outcome()])
    assert row(text, "ham_a")[2] == "0.0 %"
    # ham_a's highest scores allow one false alarm in a thousand at 0.499; one hundred of ham_b are above.
    assert row(text, "ham_b")[2] == "10.0 %"


def test_by_language():
    assert row(by_language([outcome()]), "ja")[1:] == ["1000", "10", "0.9000", "0.0 %", "0.0 %"]


def test_calibration_rows():
    assert row(calibration(outcome()), "0.9..1.0") == ["0.9..1.0", "30", "0.0147", "0.9500", "1.0000"]
    assert row(calibration(outcome()), "0.8..0.9") == ["0.8..0.9", "100", "0.0490", "0.9000", "0.0000"]


def test_only_probabilities_have_a_calibration_table():
    assert len(report([outcome(), outcome(probabilities=False)])) == 8


def test_what_the_policy_holds():
    text = at_policy(outcome())
    assert row(text, "all ham mail")[1:] == ["ham", "2000", "5.00 %", "0.00 %"]
    assert row(text, "all bad")[1:] == ["bad", "40", "75.00 %", "75.00 %"]
    assert row(text, "bad_b")[1:] == ["bad", "10", "0.00 %", "0.00 %"]


def test_known_ham_gives_a_threshold_of_its_own():
    known = [Scored(KNOWN, "ham_a", "ham", "en", n / 2000) for n in range(1000)]
    with_known = replace(outcome(), scored=[*outcome().scored, *known])
    assert with_known.limit(0.001) == outcome().limit(0.001)
    text = of_known_ham([with_known])
    assert "beside 1000 ham mails of known sources" in text
    assert row(text, "bad_b")[1:] == ["10", "1.0000", "100.0 %", "100.0 %"]
