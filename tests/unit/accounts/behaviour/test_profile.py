import random

import pytest

from sekisho.accounts.behaviour.events import Bounced, LoginSeen, Origin, Sending, Target
from sekisho.accounts.behaviour.profile import Profile, hour_of_week, is_strange, learn, score_class
from sekisho.accounts.behaviour.state import AccountState, encode

DAY = 86400.0


@pytest.mark.parametrize(("at", "hour"), [(0, 72), (4 * DAY, 0), (4 * DAY - 1, 167), (4 * DAY + 3600, 1)])
def test_hours_of_the_week_begin_on_monday(at, hour):
    assert hour_of_week(at) == hour  # 1970-01-01 was a Thursday, 1970-01-05 a Monday


def test_classes_of_scores():
    assert [score_class(score) for score in (0.0, 0.049, 0.05, 0.5, 1.0)] == [0, 0, 1, 4, 7]


def test_recipients_are_remembered(owner):
    profile = owner.state.profile
    assert all(target.address in profile.addresses for target in owner.people)
    assert owner.stranger().address not in profile.addresses


def test_a_place_becomes_usual_with_days(owner):
    profile, office = owner.state.profile, owner.office
    weight = profile.weight(owner.now)
    assert not is_strange(profile, owner.now, office, weight)
    assert is_strange(profile, owner.now, Origin(9, 90, 5, "JP"), weight)
    assert is_strange(profile, owner.now, Origin(1, 10, 6, "JP"), weight)


def test_what_was_usual_fades_with_the_half_life(owner):
    profile = owner.state.profile
    then, later = profile.weight(owner.now), profile.weight(owner.now + 45 * DAY)
    assert profile.active_days(later) == pytest.approx(profile.active_days(then) / 2)


def test_failed_deliveries_and_logins_are_learned(owner):
    profile = owner.state.profile
    learn(profile, Bounced(owner.now, 3, 1))
    learn(profile, LoginSeen(owner.now + DAY, Origin(7, 70, 5, "FR"), 5))
    assert profile.shares["failed"].yes > 0
    assert "FR" in profile.countries.uses
    assert set(profile.today) == {"network", "around", "country", "failures"}


def test_a_profile_stays_below_20_kb_whatever_is_sent():
    rng = random.Random(3)
    state = AccountState.new(0.0, 45 * DAY)
    for n in range(3000):
        origin = Origin(*(rng.getrandbits(64) for _ in range(3)), rng.choice("ABCDEFGHIJ") + rng.choice("ABCDEFGHIJ"))
        targets = tuple(Target(rng.getrandbits(64), rng.getrandbits(64)) for _ in range(3))
        learn(state.profile, Sending(n * 7000.0, origin, targets, script=str(n), template=n, score=rng.random()))
    assert len(encode(state)) < 19_000


@pytest.mark.parametrize("at", [-1e9, 0.0, 1e12, 1e15])
def test_odd_times_and_empty_messages_do_no_harm(at):
    profile = Profile(0.0, 7 * DAY)
    for _ in range(3):
        learn(profile, Sending(at, Origin(0, 0), ()))
    assert profile.messages == 3
