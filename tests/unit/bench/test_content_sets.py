"""What is held out is not trained on."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from content_sets import KNOWN, NEVER_TRAINED, Sample, Scored, family, first, folds
from corpora import SOURCES


def sample(source, group, label="spam", *, ship_safe=True):
    return Sample(source, label, "en", ship_safe=ship_safe, raw=b"", group=group, headers=True)


FOUND = [
    sample("osst_users_deadlist", "same"),
    sample("osst_users_deadlist", "other"),
    sample("ja_phishing_lists", "same", "phishing"),
    sample("ja_phishing_lists", "third", "phishing"),
    sample("enron_berkeley_raw", "a", "ham"),
    sample("enron_spam_preprocessed", "b", "ham"),
    sample("bec_rdube", "c", "bec", ship_safe=False),
    sample("golden_bec_ja", "d", "bec", ship_safe=False),
]


def made(train=10, test=10):
    return {fold.family: fold for fold in folds(FOUND, train, test)}


def test_every_message_is_scored_once():
    scored = [s for fold in made().values() for s in fold.held_out]
    assert sorted((s.source, s.group) for s in scored) == sorted((s.source, s.group) for s in FOUND)


def test_no_fold_trains_on_its_family_or_on_a_near_duplicate_of_it():
    for fold in made().values():
        assert not {family(s) for s in fold.training} & {fold.family}
        assert not {s.group for s in fold.training} & {s.group for s in fold.held_out}


def test_both_forms_of_one_company_s_mail_are_one_family():
    assert {s.source for s in made()["enron"].held_out} == {"enron_berkeley_raw", "enron_spam_preprocessed"}


def test_what_may_not_ship_never_trains():
    assert {s.group for s in made()[NEVER_TRAINED].held_out} == {"c", "d"}
    assert all(s.ship_safe for fold in made().values() for s in fold.training)


def test_a_message_of_two_sources_trains_once():
    training = made()[NEVER_TRAINED].training
    assert sorted(s.group for s in training) == ["a", "b", "other", "same", "third"]


def test_a_near_duplicate_is_left_out_even_where_it_is_not_scored():
    few = made(test=1)
    assert "same" not in {s.group for s in few["osst"].training}
    assert "same" not in {s.group for s in few["ja_phishing"].training}


def test_a_part_of_a_source_is_the_same_part_whatever_the_order():
    many = [sample("s", str(n)) for n in range(500)] + [sample("s", str(n), "ham") for n in range(500)]
    part = list(first(many, 50))
    assert [s.group for s in part] == [s.group for s in first(reversed(many), 50)][50:] + [
        s.group for s in first(reversed(many), 50)
    ][:50]
    assert len(part) == 100
    assert {s.group for s in first(many, 20)} <= {s.group for s in part}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_that_may_train_has_a_family(source):
    if SOURCES[source].ship_safe:
        assert family(sample(source, "x")) != source


def test_articles_talk_and_what_we_wrote_are_counted_only_by_name():
    assert Scored("f", "ja_ham_notify", "ham", "ja", 0.5).is_of()
    for source in ("ja_ham_livedoor_news", "ja_ham_business_dialogue", "written_bec_ja"):
        assert not Scored("f", source, "ham", "ja", 0.5).is_of(language="ja")
        assert Scored("f", source, "ham", "ja", 0.5).is_of(source)
    assert Scored("f", "golden_bec_ja", "bec", "ja", 0.5).is_of(family="f")
    assert not Scored("f", "golden_bec_ja", "bec", "ja", 0.5).is_of(family="g")


def test_the_model_as_shipped_is_asked_about_ham_that_it_did_not_see_of_sources_that_it_knows():
    many = [sample("usrp_users_ham", f"h{n}", "ham") for n in range(300)] + [sample("osst_users_deadlist", "x")]
    many.append(sample("golden_bec_ja", "d", "bec", ship_safe=False))
    shipped = {fold.family: fold for fold in folds(many, 150, 60)}[NEVER_TRAINED]
    assert len(shipped.known) == 60
    assert {s.label for s in shipped.known} == {"ham"}
    assert not {s.group for s in shipped.known} & {s.group for s in shipped.training}
    assert {s.source for s in shipped.training} == {"usrp_users_ham", "osst_users_deadlist"}
    assert [fold.known for fold in folds(many, 150, 60) if fold.family != NEVER_TRAINED] == [(), ()]


def test_ham_of_known_sources_is_no_left_out_ham():
    known = Scored(KNOWN, "usrp_users_ham", "ham", "en", 0.5)
    assert known.is_of(family=KNOWN)
    assert not known.is_of()
    assert not known.is_of("usrp_users_ham")
    assert Scored(KNOWN, "written_ham_ja", "ham", "ja", 0.5).is_of(family=KNOWN)
