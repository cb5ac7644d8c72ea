"""Fingerprints of passwords."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords.preparation import PreparationError
from sekisho.accounts.passwords.reuse import OCTETS, PURPOSE, Reuse, fingerprint, reused, words_fingerprints
from sekisho.store.keys import Keys

KEY = bytes(range(32))


def test_hmac_under_a_key_of_the_tenant():
    """RFC 2104, twice: the tenant's key of ours, the fingerprint of that."""
    own = hmac.new(KEY, b"tenant\0default", "sha256").digest()
    assert fingerprint(KEY, "default", "pencil") == hmac.new(own, b"pencil", "sha256").digest()[:OCTETS]


def test_equal_passwords_only():
    one = fingerprint(KEY, "a", "caf\u00e9 au lait")
    assert one == fingerprint(KEY, "a", "cafe\u0301 au lait")
    assert one != fingerprint(KEY, "b", "caf\u00e9 au lait")
    assert one != fingerprint(KEY, "a", "Caf\u00e9 au lait")
    assert one != fingerprint(bytes(32), "a", "caf\u00e9 au lait")


def test_key_of_the_key_file(tmp_path):
    keys = Keys.open(tmp_path / "keys" / "hold.key")
    again = Keys.open(tmp_path / "keys" / "hold.key")
    prints = [fingerprint(one.derived(PURPOSE), "a", "pencil") for one in (keys, again)]
    assert prints[0] == prints[1]


def test_no_password():
    with pytest.raises(PreparationError):
        fingerprint(KEY, "a", "")


@given(st.lists(st.text(max_size=20)))
def test_words_in_their_order(words):
    found = words_fingerprints(KEY, "a", words)
    assert len(found) == len(words)
    for word, one in zip(words, found, strict=True):
        if one:
            assert one == fingerprint(KEY, "a", word)
        else:
            with pytest.raises(PreparationError):
                fingerprint(KEY, "a", word)


def test_reused():
    one, other, new = (fingerprint(KEY, "a", text) for text in ("one", "other", "new"))
    assert reused(new, [one], [other]) == Reuse()
    assert reused(one, [one, new], [other]) == Reuse(previous=True)
    assert reused(other, [one], [new, other]) == Reuse(shared=True)
