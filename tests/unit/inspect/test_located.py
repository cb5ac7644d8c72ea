import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect import matches
from sekisho.inspect import patterns as engine
from sekisho.inspect.allowed import Allowed
from sekisho.inspect.located import Values
from sekisho.inspect.matches import Matches
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import load_rules
from sekisho.mail.message import Text
from sekisho.mail.ports import Locator


@pytest.fixture(scope="module")
def rules():
    found, problems = load_rules([shipped("rules")])
    assert not problems
    return found


@pytest.fixture(scope="module")
def patterns(rules):
    return Patterns(rules, b"key", {"own": Allowed(["4111-1111-1111-1111"])})


def shown(patterns, text, ids, *, where="body", tenant="default", subject=""):
    """The text with what is located in it masked."""
    looked = Text(text, where, "1")
    texts = [Text(subject, "subject"), looked] if subject else [looked]
    hidden = patterns.locate(texts, ids, tenant)[-1].hidden
    return "".join("*" if i in hidden else c for i, c in enumerate(text))


def test_it_is_a_locator(patterns):
    assert isinstance(patterns, Locator)


def test_every_value_and_each_time(patterns):
    text = "card 4111-1111-1111-1111, 5555555555554444 and again 4111 1111 1111 1111"
    masked = "card 41**-****-****-**11, 55************44 and again 41** **** **** **11"
    assert shown(patterns, text, {"dlp/card"}) == masked
    assert shown(patterns, text, {"dlp/iban"}) == text


def test_full_width_digits(patterns):
    assert shown(patterns, "カード番号 ４１１１－１１１１－１１１１－１１１１", {"dlp/card"}) == (
        "カード番号 ４１**－****－****－**１１"
    )


def test_the_subject_gives_context(patterns):
    number = "1234 5678 9018"
    assert shown(patterns, number, {"dlp/jp/my-number"}, subject="個人番号") == "12** **** **18"


def test_what_a_tenant_allows_is_nobodys_business(patterns):
    text = "card 4111 1111 1111 1111, card 5555 5555 5555 4444"
    assert shown(patterns, text, {"dlp/card"}, tenant="own") == "card 4111 1111 1111 1111, card 55** **** **** **44"


def test_a_secret_is_hidden_whole(patterns):
    assert shown(patterns, "password: kT9#vLq2!xZr", {"dlp/secret/password"}) == "password: ************"


def test_marks_and_beginnings_cannot_be_masked(patterns, rules):
    beginnings = {rule.id for rule in rules.with_patterns if not rule.maskable}
    assert beginnings == {"dlp/secret/password-table", "dlp/secret/private-key"}
    text = "【社外秘】 CONFIDENTIAL"
    assert shown(patterns, text, {id_ for id_ in rules.by_id if id_.startswith("dlp/mark/")}) == text
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx9Zr3vQkTq1sLw8YpBn2DfGhJ4mKcV7\n" * 3
    assert shown(patterns, key, beginnings) == key


def test_fewer_than_a_rule_wants_are_no_finding(tmp_path):
    Path(tmp_path, "a.toml").write_text(
        """id = "dlp/list"
title = { en = "x", ja = "x" }
why = { en = "x", ja = "x" }
severity = "low"
pattern = "x[0-9]"
least = 2
positive = [{ text = "x1 x2" }]
negative = [{ text = "x1" }]
"""
    )
    found, problems = load_rules([tmp_path])
    assert not problems
    engine = Patterns(found, b"key")
    assert shown(engine, "x1 x1", {"dlp/list"}) == "x1 x1"
    assert shown(engine, "x1 x1 x2", {"dlp/list"}) == "** ** **"


def test_only_what_is_asked_for_is_searched(patterns, monkeypatch):
    """What the rules of other ids would find costs nothing, nor do ids of other inspectors."""
    counted = []
    count_into = Matches.count_into

    def counting(one, tally):
        counted.append(tally.rule.id)
        count_into(one, tally)

    monkeypatch.setattr(Matches, "count_into", counting)
    texts = [Text("card 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00, password: kT9#vLq2!xZr", "filename")]
    (found,) = patterns.locate(texts, {"dlp/iban", "dlp/exact/list"}, "default")
    assert (set(counted), found.ids) == ({"dlp/iban"}, {"dlp/iban"})
    monkeypatch.delattr(Patterns, "_count")
    assert patterns.locate(texts, {"dlp/exact/list", "attachment/x"}, "default") == (Values(),)


def test_the_subject_is_not_searched_again_for_each_text(patterns, monkeypatch):
    counted = []
    monkeypatch.setattr(Matches, "count_into", lambda one, _: counted.append(one.looked.source.where))
    card = "card 4111 1111 1111 1111"
    patterns.locate([Text(card, "filename"), Text(card, "filename"), Text(card, "subject")], {"dlp/card"}, "default")
    assert set(counted) == {"filename", "subject"}
    assert counted.count("subject") == counted.count("filename") / 2


def test_marks_are_found_and_not_hidden(patterns):
    (found,) = patterns.locate([Text("STRICTLY CONFIDENTIAL", "body")], {"dlp/mark/confidential"}, "default")
    assert (found.spans, found.hidden, found.ids) == (((0, 21),), frozenset(), {"dlp/mark/confidential"})


def test_a_text_with_more_than_is_counted_is_not_complete(patterns):
    cards = [f"4{i:014d}" for i in range(1100)]
    cards = [c + str(-sum(sum(divmod(int(d) * (2 - j % 2), 10)) for j, d in enumerate(c)) % 10) for c in cards]
    few, many = patterns.locate([Text(f"card {c}", "body") for c in (cards[0], " ".join(cards))], {"dlp/card"}, "x")
    assert (few.complete, many.complete) == (True, False)


def test_a_text_with_more_candidates_than_are_tried_is_not_complete(patterns, monkeypatch):
    text = Text("card " + "4111 1111 1111 1112 " * 9 + "4111 1111 1111 1111", "body")
    assert [one.complete for one in patterns.locate([text], {"dlp/card"}, "default")] == [True]
    monkeypatch.setattr(matches, "MOST_CANDIDATES", 5)
    assert [one.complete for one in patterns.locate([text], {"dlp/card"}, "default")] == [False]


def test_all_texts_together_have_the_time_of_one_search(patterns, monkeypatch):
    """A clock that moves by a second whenever it is read."""
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    found = patterns.locate([Text("card 4111 1111 1111 1111", "body") for _ in range(9)], {"dlp/card"}, "default")
    assert found[0].complete
    assert found[0].hidden
    assert not any(one.complete or one.hidden for one in found[5:])
