import random
from itertools import pairwise

from sekisho.accounts.behaviour.events import Origin
from sekisho.accounts.behaviour.profile import is_strange
from sekisho.accounts.behaviour.recent import MOST_HELD, MOST_HELD_TARGETS
from sekisho.accounts.behaviour.state import decode, encode, observe, settle

ABROAD = Origin(99, 990, 999, "NG")
DAY = 86400.0


def attacked(owner, number=30):
    rng = random.Random(1)
    for n in range(number):
        to = [owner.stranger() for _ in range(20)]
        at = owner.now + 15 * 3600 + n * 5
        yield owner.message(at, ABROAD, to, links=1, score=rng.uniform(0.5, 1), script="latin")


def test_what_comes_under_suspicion_is_not_learned(owner):
    for message in attacked(owner):
        assessment = observe(owner.state, message)
    profile = owner.state.profile
    assert assessment.probability > 0.95
    assert message.targets[0].address not in profile.addresses
    assert len(owner.state.recent.held) == MOST_HELD
    assert all(len(event.targets) <= MOST_HELD_TARGETS for event in owner.state.recent.held)


def test_after_abuse_it_is_forgotten(owner):
    for message in attacked(owner):
        observe(owner.state, message)
    settle(owner.state, honest=False)
    profile = owner.state.profile
    assert not owner.state.recent.held
    assert is_strange(profile, owner.now + 3 * DAY, ABROAD, profile.weight(owner.now))
    assert observe(owner.state, owner.message(owner.now + DAY + 7200)).probability < 0.01


def test_what_the_owner_says_was_his_is_usual(owner):
    for message in attacked(owner):
        observe(owner.state, message)
    settle(owner.state, honest=True)
    profile = owner.state.profile
    assert not is_strange(profile, owner.now + DAY, ABROAD, profile.weight(owner.now))
    assert message.targets[0].address in profile.addresses


def test_what_came_to_nothing_is_learned_later(owner):
    # A journey with a word too many: suspicious for a moment, and then three calm days.
    for n in range(40):
        to = [owner.stranger() for _ in range(2)]
        if observe(owner.state, owner.message(owner.now + 7200 + n, ABROAD, to, score=0.3)).probability >= 0.15:
            break
    assert owner.state.recent.held
    observe(owner.state, owner.message(owner.now + 3 * DAY))
    assert not owner.state.recent.held
    assert to[0].address in owner.state.profile.addresses


def test_a_row_comes_back_as_it_was(owner):
    for message in attacked(owner):
        observe(owner.state, message)
    data = encode(owner.state)
    again = decode(data)
    assert encode(again) == data
    assert len(data) < 20_000


def test_a_broken_row_or_one_of_another_version_is_none(owner):
    data = encode(owner.state)
    assert decode(b"") is None
    assert decode(data[:-10]) is None
    owner.state.profile.version = 99
    assert decode(encode(owner.state)) is None


def test_events_may_come_out_of_order(owner):
    """Two workers bring a row forward in either order: the outcome is nearly the same."""
    messages = [owner.message(owner.now + 7200 + n * 40) for n in range(10)]
    one, other = decode(encode(owner.state)), decode(encode(owner.state))
    for message in messages:
        observe(one, message)
    for a, b in pairwise(range(0, 11, 2)):
        for message in reversed(messages[a:b]):
            observe(other, message)
    assert one.profile.messages == other.profile.messages
    near = zip(one.profile.hours, other.profile.hours, strict=True)
    assert all(abs(a - b) < 1e-6 for a, b in near)
    assert one.profile.networks.uses.keys() == other.profile.networks.uses.keys()
    assert one.profile.addresses == other.profile.addresses
