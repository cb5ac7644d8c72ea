import random

import pytest

from sekisho.accounts.behaviour.events import Bounced, LoginSeen, Origin
from sekisho.accounts.behaviour.recent import Recent
from sekisho.accounts.behaviour.takeover import assess

ABROAD = Origin(99, 990, 999, "NG")
HOUR = 3600.0


def last(owner, messages):
    recent = Recent()
    return [assess(owner.state.profile, recent, message) for message in messages]


def test_an_ordinary_day_is_nothing(owner):
    found = last(owner, [owner.message(owner.now + HOUR + n * 1000) for n in range(20)])
    assert max(assessment.probability for assessment in found) < 0.01
    assert found[-1].reasons == ()


def spam(owner, number, pause, origin=ABROAD, start=15 * HOUR):
    rng = random.Random(7)
    times = [owner.now + start + n * pause for n in range(number)]
    return [
        owner.message(at, origin, [owner.stranger()], links=2, score=rng.uniform(0.4, 1), script="latin")
        for at in times
    ]


def test_a_spam_run_from_abroad_locks_within_a_few_messages(owner):
    found = last(owner, spam(owner, 20, 5))
    assert next(n for n, a in enumerate(found) if a.probability >= 0.95) <= 10
    assert {"around", "country", "client"} & {reason.signal for reason in found[-1].reasons}


def test_a_slow_one_adds_up(owner):
    neighbour = Origin(99, 990, 77, "JP")  # the same country, in working hours
    messages = [
        owner.message(owner.now + 2 * HOUR + n * 1800, neighbour, [owner.stranger()], score=0.15) for n in range(24)
    ]
    found = last(owner, messages)
    assert found[0].probability < 0.95
    assert found[-1].probability >= 0.95


def test_the_owner_s_own_mail_does_not_wash_it(owner):
    mixed = spam(owner, 12, 1800.0, start=HOUR) + [owner.message(owner.now + HOUR + n * 600) for n in range(36)]
    found = last(owner, sorted(mixed, key=lambda message: message.at))
    assert max(assessment.probability for assessment in found) >= 0.95


@pytest.mark.parametrize(
    "odd",
    [
        {"origin": ABROAD},
        {"origin": Origin(1, 10, 77, "JP")},
        {"score": 0.99},
        {"elsewhere": True},
        {"forwarded": True},
        {"other_author": True},
        {"script": "cyrillic"},
        {"attachments": 5, "size": 20_000_000},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_one_odd_thing_never_locks_however_often(owner, odd):
    origin = odd.pop("origin", None)
    found = last(owner, [owner.message(owner.now + 2 * HOUR + n * 900, origin, **odd) for n in range(30)])
    assert max(assessment.probability for assessment in found) < 0.95


def test_a_large_mailing_from_the_office_does_not_lock(owner):
    strangers = [[owner.stranger()] for _ in range(80)]
    found = last(
        owner,
        [
            owner.message(owner.now + 2 * HOUR + n * 5, None, to, template=5, links=1)
            for n, to in enumerate(strangers)
        ],
    )
    assert found[-1].probability < 0.95


def test_impossible_travel_is_a_reason(owner):
    recent = Recent()
    assess(owner.state.profile, recent, owner.message(owner.now + 2 * HOUR))
    found = [
        assess(
            owner.state.profile,
            recent,
            owner.message(owner.now + 2.3 * HOUR + n, ABROAD, [owner.stranger()], score=0.6),
        )
        for n in range(3)
    ]
    assert "flip" in {reason.signal for reason in found[-1].reasons}


def test_a_login_after_many_failures_makes_it_likelier(owner):
    without, recent = last(owner, spam(owner, 2, 60)), Recent()
    assess(owner.state.profile, recent, LoginSeen(owner.now + 15 * HOUR - 60, ABROAD, 80))
    after = [assess(owner.state.profile, recent, message) for message in spam(owner, 2, 60)]
    assert after[-1].probability > without[-1].probability


def test_failed_deliveries_make_it_likelier(owner):
    messages, recent = spam(owner, 4, 60), Recent()
    before = [assess(owner.state.profile, recent, message) for message in messages][-1]
    after = assess(owner.state.profile, recent, Bounced(messages[-1].at + 5, 8, 6, ABROAD.network))
    assert after.probability > before.probability


def test_suspicion_fades(owner):
    recent = Recent()
    for message in spam(owner, 12, 60):
        high = assess(owner.state.profile, recent, message)
    low = assess(owner.state.profile, recent, owner.message(owner.now + 15 * HOUR + 5 * 86400, ABROAD))
    assert high.probability >= 0.95
    assert low.probability < 0.5


def test_a_new_account_may_begin(newcomer):
    found = last(
        newcomer, [newcomer.message(newcomer.now + HOUR + n * 900, None, [newcomer.stranger()]) for n in range(20)]
    )
    assert max(assessment.probability for assessment in found) < 0.5


def test_a_new_account_may_not_flood(newcomer):
    rng = random.Random(2)
    found = []
    recent = Recent()
    for n in range(60):
        to = [newcomer.stranger() for _ in range(10)]
        message = newcomer.message(newcomer.now + HOUR + n * 5, ABROAD, to, score=rng.uniform(0.5, 1), links=1)
        found.append(assess(newcomer.state.profile, recent, message))
        found.append(assess(newcomer.state.profile, recent, Bounced(message.at + 1, 2, 2, ABROAD.network)))
    assert max(assessment.probability for assessment in found) >= 0.95
