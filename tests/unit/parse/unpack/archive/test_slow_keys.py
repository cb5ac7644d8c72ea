import hashlib
import os
from types import SimpleNamespace

import pytest
from tests.support import rars, seven_zips

from sekisho.parse.unpack.archive import slow_keys


def passed():
    pass


@pytest.mark.parametrize("power", [0, 1, 7, 8, 13, 14, 15, 16, 17, 63])
@pytest.mark.parametrize(("password", "salt"), [("secret", b""), ("パス", b"salt"), ("", b""), ("x" * 90, b"s" * 16)])
def test_seven_zip_key_is_that_of_the_plain_loop(power, password, salt):
    assert slow_keys.seven_zip_key(password, salt, power, passed) == seven_zips.key(password, salt, power)


def test_all_three_octets_of_the_counter():
    """Over the 65536 at which the third octet changes, and the 16777216 that it holds."""
    assert slow_keys.seven_zip_key("a", b"", 18, passed) == seven_zips.key("a", b"", 18)
    whole = hashlib.sha256(b"".join(b"a\0" + n.to_bytes(8, "little") for n in range(1 << 20)))
    assert slow_keys.seven_zip_key("a", b"", 20, passed) == whole.digest()


@pytest.mark.parametrize("power", [25, 40, 62])
def test_what_would_take_too_long(power):
    with pytest.raises(ValueError, match=r"^$"):
        slow_keys.seven_zip_key("a", b"", power, passed)


def test_a_long_derivation_can_be_stopped():
    def stop():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        slow_keys.seven_zip_key("a", b"", 24, stop)


@pytest.mark.parametrize("password", ["secret", "パスワード", "", "x" * 27])
def test_rar_3_key_is_that_of_the_plain_loop(password):
    assert slow_keys.rar_3_key(password, b"12345678") == rars.key_4(password, b"12345678")


def test_rar_5_check_of_a_public_archive():
    """From the header of libarchive's test_read_format_rar5_encrypted.rar, whose password is public."""
    salt = bytes.fromhex("c7445ee180f8b59fd62b433708bc57cd")
    assert slow_keys.rar_5_check("password", salt, 15).hex() == "ea35671d70f12d4b"
    assert slow_keys.rar_5_check("Password", salt, 15).hex() != "ea35671d70f12d4b"


def test_rar_5_key():
    assert slow_keys.rar_5_key("パス", b"s" * 16, 3) == hashlib.pbkdf2_hmac("sha256", "パス".encode(), b"s" * 16, 8)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 33])
def test_decrypt_leaves_a_part_of_a_block_away(size):
    content = os.urandom(size)
    sealed = rars.seal(bytes(32), bytes(16), content)
    assert slow_keys.decrypt(bytes(32), bytes(16), sealed)[:size] == content
    assert len(slow_keys.decrypt(bytes(32), bytes(16), sealed + b"x")) == len(sealed)


class Counting:
    """A hash that counts how often it is called."""

    def __init__(self, digest, calls):
        self._digest = digest
        self._calls = calls

    def update(self, octets):
        self._calls.append(len(octets))
        self._digest.update(octets)

    def copy(self):
        return self._digest.copy()

    def digest(self):
        return self._digest.digest()


@pytest.mark.parametrize(
    "derive",
    [
        lambda: slow_keys.seven_zip_key("password", b"", 19, passed),
        lambda: slow_keys.rar_3_key("password", b"12345678"),
    ],
    ids=["7z", "rar3"],
)
def test_a_candidate_is_few_calls_of_the_hash(derive, monkeypatch):
    """Thousands of rounds in each: a call for every round takes a second for a candidate."""
    calls, key = [], derive()
    hashes = {name: lambda name=name, **_: Counting(hashlib.new(name), calls) for name in ("sha1", "sha256")}
    monkeypatch.setattr(slow_keys, "hashlib", SimpleNamespace(**hashes))
    assert derive() == key
    assert sum(calls) > 1 << 22
    assert len(calls) <= 32
