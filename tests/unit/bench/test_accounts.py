"""A short form of `make bench-accounts`, with floors that only a real loss breaks."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from accounts import FAST, SLOW, poisson_interval, report, soon
from accounts_attacks import ATTACKS, STRENGTHS
from accounts_honest import DAY, PERSONAS, START, year
from accounts_play import play

from sekisho.accounts.behaviour.events import Sending

YEARS = 18


@pytest.fixture(scope="module")
def played():
    return [play(seed, 200) for seed in range(50_000, 50_000 + YEARS)]


def test_fast_takeovers_are_caught(played):
    attacks = [a for one in played for a in one.attacks if a.kind in FAST]
    assert len(attacks) >= YEARS * 2 * 3 - 5  # an account may have sent its last before
    assert sum(soon(a) for a in attacks) / len(attacks) >= 0.95


def test_slow_ones_are_caught_within_a_day(played):
    attacks = [a for one in played for a in one.attacks if a.kind in SLOW]
    assert sum(a.seconds is not None and a.seconds <= DAY for a in attacks) / len(attacks) >= 0.85


def test_honest_accounts_are_not_locked(played):
    assert sum(len(one.locks) for one in played) <= 1


def test_the_honest_are_no_easy_ones(played):
    """Each account-year has mailings, strange places and high scores in it, or the numbers would mean nothing."""
    for seed in range(len(PERSONAS)):
        who, events = year(PERSONAS[seed], 50_000 + seed)
        sent = [event for event in events if isinstance(event, Sending)]
        assert sent == sorted(sent, key=lambda event: event.at)
        # A day begins there before it does in UTC.
        assert START - DAY <= sent[0].at < sent[-1].at < START + 370 * DAY
        if not who.persona.machine:
            assert len({event.origin.around for event in sent}) >= 2
    assert sum(one.messages for one in played) / YEARS > 1000


def test_the_report_has_every_attack(played):
    text = report(played, alarms=True)
    for kind in ATTACKS:
        for strength in STRENGTHS:
            assert f"| {kind} | {strength} | " in text


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)])
def test_poisson_intervals(count, low, high):
    # Garwood's table, as in any book of medical statistics.
    assert poisson_interval(count) == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.005))
