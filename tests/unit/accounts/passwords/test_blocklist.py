"""The filter of common passwords: a small one of our own, and the one that is shipped."""

import random

import pytest

from sekisho.accounts.passwords.blocklist import CommonPasswords, FilterError, built, is_common, shipped_common
from sekisho.config.shipped import shipped

WORDS = ["password", "sakura", "qwerty", "letmein", "monkey"]
SMALL = CommonPasswords.from_bytes(built(WORDS))


def test_what_was_put_in_is_found():
    assert all(word in SMALL for word in WORDS)
    assert SMALL.entries == len(WORDS)
    assert "horse" not in SMALL


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PASSWORD",
        "P@ssw0rd",
        "password123456",
        "!!!password!!!",
        "passwordpassword",
        "P@ssw0rd!P@ssw0rd!",
        "s.a.k.u.r.a",
        "さくら2026",
        "サクラサクラ",
        "ｐａｓｓｗｏｒｄ",
        "monkey!!!!!!!!!!!!!!",
    ],
)
def test_close_to_a_common_one(password):
    assert is_common(password, SMALL, 8)


@pytest.mark.parametrize("password", ["monkey7391846205", "three monkeys in a password", "correct horse", "", "1234"])
def test_more_than_a_common_one(password):
    assert not is_common(password, SMALL, 8)


def test_damage_is_told():
    data = built(WORDS)
    for broken in (b"", data[:20], data[:-1], data[:30] + b"x" + data[31:], b"y" + data):
        with pytest.raises(FilterError):
            CommonPasswords.from_bytes(broken)


def test_false_positives_are_as_the_theory_has_them():
    """24 bits an entry, 17 hashes: (1 - e^(-17/24))^17 is 1e-5 (Bloom 1970); of 100,000 one is expected."""
    chance = random.Random(6)
    words = {f"{chance.getrandbits(60):015x}" for _ in range(2_000)}
    known = CommonPasswords.from_bytes(built(sorted(words)))
    assert all(word in known for word in words)
    assert sum(f"other {number}" in known for number in range(100_000)) <= 10


def test_an_empty_filter():
    assert "x" not in CommonPasswords.from_bytes(built([]))


def test_the_shipped_one():
    assert shipped("lists/passwords-common.bin").stat().st_size < 1_000_000
    common = shipped_common()
    for password in ("123456", "iloveyou", "aishiteru", "あいしてる", "himitsu", "internationalization", "yamamoto"):
        assert is_common(password, common, 4), password
    for password in ("correct horse battery staple", "vjq8-mmu2-zt4k-wy7x", "明日は晴れたら山へ行こうと思う"):
        assert not is_common(password, common, 8), password
