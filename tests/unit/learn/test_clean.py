"""Texts as the models read them."""

from __future__ import annotations

import time

import pytest

from sekisho.learn.clean import ADDRESS, LINE, LINK, MONEY, bare_subject, cleaned, looks_alike, unseen_characters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://login.bank.example/verify?id=3 now", f"see {LINK} now"),
        ("詳しくはhttps://a.example/b。または", f"詳しくは {LINK} 。または"),
        ("Write to Anna.Berg@lindwerk.example today", f"write to {ADDRESS} today"),
        ("It costs $1,250.00 or 3,000円", f"it costs {MONEY} or {MONEY}"),
        ("Order 4471 of 12", "order 0000 of 00"),
        ("ＡＢＣ　振込", "abc 振込"),
        ("pass\u200bword", "password"),
        ("hello , this is ( new )", "hello, this is (new)"),
        ("-----------\nnext\n\n\n  line", "--\nnext\nline"),
    ],
)
def test_one_spelling(text, expected):
    assert cleaned("", text) == f"{LINE}  {LINE} {expected}"


def test_letters_of_other_alphabets_are_folded_only_in_mixed_words():
    assert cleaned("", "раypal аccount") == cleaned("", "paypal account")  # Cyrillic letters in Latin words
    assert "привет" in cleaned("", "Привет")
    assert looks_alike("Раypal and account") == 1
    assert looks_alike("Привет мир") == 0


def test_the_subject_stands_first_without_marks():
    assert cleaned("Re: [Tag] Invoice", "x").startswith(f"{LINE} invoice {LINE}")


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: Fwd: hello", "hello"),
        ("AW: [list] Re: hello", "hello"),
        ("返信：ご請求", "ご請求"),
        ("【重要】ご案内", "【重要】ご案内"),
        ("Recall: x", "Recall: x"),
    ],
)
def test_bare_subject(subject, bare):
    assert bare_subject(subject) == bare


def test_unseen_characters_are_counted():
    assert unseen_characters("a\u200bb\u00adc") == 2
    assert unseen_characters("plain") == 0


@pytest.mark.parametrize(
    "piece", ["a-", "1.", "[", " \n", "x@", "http://", "$1", "аa", "re:", "a.a.", "(", "-=", "\u3000"]
)
def test_hostile_repetition_takes_bounded_time(piece):
    before = time.process_time()
    cleaned(piece * 40_000, piece * 40_000)
    assert time.process_time() - before < 2.0


@pytest.mark.parametrize("piece", ["[a] ", "[a]re:", "re: ", "\u3000", "re"])
def test_a_subject_of_marks_takes_linear_time(piece):
    began = time.process_time()
    bare_subject(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 2
