"""What anybody decides, a tenant's layer keeps within its limits."""

from datetime import timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.taught import GROUND, NOW, decision, features, garden, office, phishing

from sekisho.config.settings import LearningSettings
from sekisho.learn.ground import CERTAIN, PROBABLE
from sekisho.learn.layer import Layer, most_of_one
from sekisho.learn.model import probability

_TEXTS = (garden, phishing, office)
_text = cache(lambda kind, number: _TEXTS[kind](number))
_read = cache(lambda kind, number: features(_text(kind, number)).indices)
_made = cache(lambda kind, number, label: decision("x", _text(kind, number), label))
_WHICH = st.tuples(st.integers(0, 2), st.integers(0, 12))


@st.composite
def _decisions(draw, names="abcd", labels=("fine", "bad"), senders=4):
    found = []
    for number in range(draw(st.integers(0, 40))):
        made = _made(*draw(_WHICH), draw(st.sampled_from(labels)))
        found.append(
            replace(
                made,
                id=f"{names}{number}",
                reviewer=draw(st.sampled_from(names)),
                sender=f"s{draw(st.integers(0, senders - 1))}@{names}.example",
                at=NOW - timedelta(days=draw(st.integers(0, 300))),
                logit=draw(st.floats(-12, 12)),
            )
        )
    return found


_LIMITS = st.builds(
    LearningSettings,
    most_shift=st.floats(0.1, 4),
    least_decisions=st.integers(1, 12),
    most_per_sender=st.integers(1, 20),
    most_share=st.floats(0.1, 1),
)


@settings(deadline=None, max_examples=60)
@given(_decisions(), _LIMITS, _WHICH, st.floats(-12, 12))
def test_no_set_of_decisions_moves_a_message_beyond_the_limit(decisions, limits, which, logit):
    assert abs(Layer(GROUND, decisions, limits, NOW).shift(_read(*which), logit)) <= limits.most_shift


@settings(deadline=None, max_examples=60)
@given(_decisions(), _LIMITS, _WHICH, st.floats(-12, 12))
def test_certain_stays_probable_and_nothing_becomes_certain(decisions, limits, which, logit):
    before = probability(logit)
    after = probability(logit + Layer(GROUND, decisions, limits, NOW).shift(_read(*which), logit))
    assert after > PROBABLE if before >= CERTAIN else after < CERTAIN


@settings(deadline=None, max_examples=40)
@given(_decisions(names="e"), _WHICH, st.floats(-4, 4))
def test_one_reviewer_alone_changes_nothing(decisions, which, logit):
    assert Layer(GROUND, decisions, LearningSettings(), NOW).shift(_read(*which), logit) == 0.0


@settings(deadline=None, max_examples=40)
@given(_decisions(names="ab"), _decisions(names="e", labels=("fine",), senders=1))
def test_one_reviewer_and_one_sender_pull_less_than_the_whole(honest, attack):
    """Beside honest reviewers: whatever the two do pulls no message by as much as decisions may."""
    limits = LearningSettings()
    influence = Layer(GROUND, honest + attack, limits, NOW).influence
    pulled = sum(abs(influence.get(d.id, 0.0)) for d in attack)
    assert pulled <= limits.most_share * limits.least_decisions * most_of_one(limits) + 1e-6 < limits.most_shift


@settings(deadline=None, max_examples=40)
@given(_decisions(names="ab"), st.integers(1, 30), _WHICH, st.floats(-4, 4))
def test_own_mail_released_changes_nothing(honest, many, which, logit):
    own = [
        replace(_made(1, n % 12, "fine"), id=f"own{n}", reviewer="eve", sender="Eve@corp.example")
        for n in range(many)
    ]
    limits = LearningSettings()
    with_own = Layer(GROUND, honest + own, limits, NOW).shift(_read(*which), logit)
    assert with_own == Layer(GROUND, honest, limits, NOW).shift(_read(*which), logit)
