from pathlib import Path

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.allowed import Allowed
from sekisho.inspect.located import BEGINNINGS
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
    assert set(rules.by_id) >= BEGINNINGS
    text = "【社外秘】 CONFIDENTIAL"
    assert shown(patterns, text, {id_ for id_ in rules.by_id if id_.startswith("dlp/mark/")}) == text
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx9Zr3vQkTq1sLw8YpBn2DfGhJ4mKcV7\n" * 3
    assert shown(patterns, key, BEGINNINGS) == key


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
