import random
import time

import pytest

from sekisho.inspect.fingerprints.normalised import normalised
from sekisho.inspect.fingerprints.shingle import (
    CHARACTERS,
    GUARANTEED_CHARACTERS,
    GUARANTEED_LETTERS,
    LETTERS,
    Shingler,
)

KEY = b"k" * 32
LATIN = "abcdefghijklmnopqrstuvwxyz0123456789"
KANA = "".join(map(chr, range(0x3042, 0x3090))) + "".join(map(chr, range(0x4E00, 0x4F00)))
shingler = Shingler(KEY)


def letters(chance, alphabet, count):
    return "".join(chance.choices(alphabet, k=count))


@pytest.mark.parametrize(
    ("alphabet", "guaranteed"), [(LATIN, GUARANTEED_LETTERS), (KANA, GUARANTEED_CHARACTERS)], ids=["latin", "kana"]
)
def test_the_guarantee(alphabet, guaranteed):
    """Winnowing: whatever stands around it, a run of the guaranteed length has a fingerprint in common."""
    chance = random.Random(guaranteed)
    for _ in range(400):
        shared = letters(chance, alphabet, guaranteed)
        one = letters(chance, alphabet, chance.randrange(400)) + shared + letters(chance, alphabet, 200)
        other = letters(chance, LATIN, chance.randrange(400)) + shared + letters(chance, KANA, 200)
        assert set(shingler.shingles(one).values) & set(shingler.shingles(other).values)


@pytest.mark.parametrize("alphabet", [LATIN, KANA], ids=["latin", "kana"])
def test_the_guarantee_where_a_chunk_ends(alphabet):
    chance = random.Random(4)
    for _ in range(12):
        shared = letters(chance, alphabet, GUARANTEED_LETTERS)
        before = letters(chance, alphabet, 65_536 - chance.randrange(GUARANTEED_LETTERS))
        found = set(shingler.shingles(before + shared + letters(chance, alphabet, 300)).values)
        assert found & set(shingler.shingles(shared).values)


@pytest.mark.parametrize(("alphabet", "most"), [(LATIN, 1 / 30), (KANA, 1 / 13)], ids=["latin", "kana"])
def test_how_many_there_are(alphabet, most):
    text = letters(random.Random(1), alphabet, 200_000)
    found = shingler.shingles(text)
    assert found.length == 200_000
    assert 1 / 45 < len(found.values) / found.length < most
    assert len(set(found.places)) == len(found.places) == len(found.values)
    assert len(set(found.values)) == len(found.values)


def test_equal_pieces_have_equal_fingerprints_and_others_have_not():
    chance = random.Random(2)
    mixed = "".join(letters(chance, chance.choice((LATIN, KANA)), chance.randrange(1, 30)) for _ in range(2000))
    pieces = {}
    text = normalised(mixed * 3)
    for place, value in zip(*fields(shingler.shingles(mixed * 3)), strict=True):
        length = CHARACTERS if ord(text[place]) >= 0x0E00 else LETTERS
        assert pieces.setdefault(value, text[place : place + length]) == text[place : place + length]
    assert len(set(pieces.values())) == len(pieces)


def fields(shingles):
    return shingles.places, shingles.values


def test_the_same_english_in_an_english_and_in_a_japanese_text():
    english = letters(random.Random(3), LATIN, 3000)
    alone, within = shingler.shingles(english), shingler.shingles("前の文です。" * 3 + english + "後の文です。" * 3)
    assert set(alone.values) <= set(within.values)


def test_another_key_takes_other_pieces_and_gives_other_values():
    text = letters(random.Random(5), LATIN, 20_000)
    one, other = shingler.shingles(text), Shingler(b"x" * 32).shingles(text)
    assert not set(one.values) & set(other.values)
    assert len(set(one.places) & set(other.places)) < len(one.places) / 3
    assert shingler.shingles(text) == Shingler(KEY).shingles(text)


def test_short_texts():
    for text in ("", "a", "a" * 23, "あ" * 11, "!" * 500):
        assert shingler.shingles(text).values == []


def test_pieces_that_say_nothing_are_left_out_of_documents():
    table = "0 0 0.00 - - - 0 1 0 0\n" * 200
    assert shingler.shingles(table).values
    assert shingler.shingles(table, varied=True).values == []


@pytest.mark.parametrize(
    "unit", ["a", "ab", "あ", "abcdefgh12345", "\u0301", "㌖", "\ufdfa", "\ud800", "🙂", "a\u0301"], ids=ascii
)
def test_hostile_texts_are_bounded(unit):
    text = unit * (300_000 // len(unit))
    started = time.process_time()
    found = shingler.shingles(text)
    assert len(found.values) <= found.length / 4 + 100
    assert time.process_time() - started < 5
