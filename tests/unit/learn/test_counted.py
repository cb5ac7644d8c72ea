"""Which decisions count: texts once, nobody's own, and no sender and no reviewer for more than his share."""

from datetime import timedelta

import pytest
from support.taught import NOW, decision, garden, phishing

from sekisho.config.settings import LearningSettings
from sekisho.learn.counted import count, same_person

SETTINGS = LearningSettings()


def counted(decisions, settings=SETTINGS, now=NOW):
    return count(decisions, settings, now)


def honest(number=12, **more):
    """Released by two reviewers in turn, from several senders."""
    return [
        decision(n, garden(n), reviewer=("ann", "bob")[n % 2], sender=f"s{n % 4}@corp.example", **more)
        for n in range(number)
    ]


def test_a_dozen_by_two_reviewers_count_whole():
    found = counted(honest())
    assert found.totals == {"fine": pytest.approx(12.0), "bad": 0}
    assert found.why_not["fine"] == ""
    assert found.why_not["bad"] == "0.0 of 6 decisions count"


def test_five_are_too_few_and_none_of_them_counts():
    found = counted(honest(5))
    assert (found.rows, found.why_not["fine"]) == ((), "5.0 of 6 decisions count")


def test_one_reviewer_alone_changes_nothing():
    found = counted([decision(n, garden(n), sender=f"s{n}@corp.example") for n in range(200)])
    assert (found.rows, found.why_not["fine"]) == ((), "1 reviewer; one alone changes nothing")


@pytest.mark.parametrize("many", [20, 100])
def test_one_of_two_reviewers_counts_for_six_tenths(many):
    few = [decision(f"b{n}", garden(1000 + n), reviewer="bob", sender=f"s{n}@corp.example") for n in range(4)]
    much = [decision(f"a{n}", garden(n), reviewer="ann", sender=f"s{n}@corp.example") for n in range(many)]
    found = counted(few + much)
    of_ann = sum(row.weight for row in found.rows if row.decision.reviewer == "ann")
    assert of_ann == pytest.approx(6.0)  # 6 of 6 + 4
    assert found.totals["fine"] == pytest.approx(10.0)


def test_where_one_may_count_for_all_a_single_reviewer_is_enough():
    alone = [decision(n, garden(n), sender=f"s{n}@corp.example") for n in range(6)]
    assert counted(alone, LearningSettings(most_share=1.0)).totals["fine"] == pytest.approx(6.0)


def test_a_sender_counts_for_no_more_than_his_number():
    found = counted([decision(n, garden(n), reviewer=f"r{n % 5}", sender="one@corp.example") for n in range(100)])
    assert found.totals["fine"] == pytest.approx(SETTINGS.most_per_sender)


def test_one_reviewer_and_one_sender_together_count_for_six_tenths_of_the_least():
    others = honest()
    pair = [decision(f"p{n}", phishing(n), reviewer="cat", sender="p@corp.example") for n in range(50)]
    found = counted(others + pair)
    assert sum(row.weight for row in found.rows if row.decision.reviewer == "cat") == pytest.approx(3.6)


def test_what_is_bad_is_not_bounded_by_sender():
    bad = [
        decision(n, phishing(n), "bad", reviewer=("ann", "bob")[n % 2], sender="x@corp.example") for n in range(40)
    ]
    assert counted(bad).totals["bad"] == pytest.approx(40.0)


def test_one_text_counts_once_however_often_and_by_however_many():
    same = [decision(n, garden(1), reviewer=f"r{n % 7}", sender=f"s{n}@corp.example") for n in range(300)]
    assert counted(same).totals["fine"] == pytest.approx(1.0)


def test_where_reviewers_disagree_the_text_counts_less_or_not():
    def said(*labels):
        return [
            decision(n, garden(1), label, reviewer=f"r{n}", sender=f"s{n}@corp.example")
            for n, label in enumerate(labels)
        ]

    assert counted(said("fine", "bad")).totals == {"fine": 0, "bad": 0}
    assert counted(said("fine", "fine", "fine", "bad")).totals == {"fine": pytest.approx(0.5), "bad": 0}


def test_the_last_word_of_a_reviewer_counts():
    first = decision("1", garden(1), "fine", at=NOW - timedelta(days=1))
    last = decision("2", garden(1), "bad", at=NOW)
    assert [
        row.decision.id for row in count([first, last], LearningSettings(least_decisions=1, most_share=1), NOW).rows
    ] == ["2"]


def test_old_decisions_fade_and_end():
    assert counted(honest(), now=NOW + timedelta(days=120)).totals["fine"] == pytest.approx(6.0)
    assert counted(honest(), now=NOW + timedelta(days=121)).rows == ()
    assert counted(honest(), now=NOW + timedelta(days=900)).totals["fine"] == 0


def test_ones_own_mail_teaches_nothing():
    own = [decision(n, garden(n), reviewer="corp\\Eve", sender="eve@corp.example") for n in range(1000)]
    assert counted(own).totals["fine"] == 0
    assert counted(honest() + own).rows == counted(honest()).rows


def test_features_of_another_version_teach_nothing():
    assert counted(honest(bits=18)).totals["fine"] == 0
    assert counted(honest(features=b"")).totals["fine"] == 0


def test_switched_off():
    found = counted(honest(), LearningSettings(enabled=False))
    assert (found.rows, found.why_not["fine"]) == ((), "switched off")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("eve", "eve@corp.example", True),
        ("EVE@corp.example", "<Eve+news@corp.example>", True),
        ("CORP\\eve", "eve@corp.example", True),
        ("eve@corp.example", "eve@other.example", False),
        ("eve", "ann@corp.example", False),
        ("", "", False),
        ("", "@corp.example", False),
    ],
)
def test_who_is_one_person(one, other, same):
    assert same_person(one, other) is same
    assert same_person(other, one) is same


@pytest.mark.parametrize("other", ["ｂｏｂ", "bob\u200b", "Bob Berg <bob@corp.example>", "CORP\\Bob"])
def test_one_reviewer_in_two_spellings_is_one(other):
    decisions = [
        decision(n, garden(n), reviewer=("bob", other)[n % 2], sender=f"s{n % 4}@corp.example") for n in range(20)
    ]
    assert counted(decisions).why_not["fine"] == "1 reviewer; one alone changes nothing"
    assert same_person(other, "bob@corp.example")
