import base64
import hashlib
import random
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.samples import filled_in
from sekisho.inspect.validators_token import (
    TOKEN_VALIDATORS,
    age_secret_key,
    base58_key,
    bitlocker_key,
    discord_token,
    github_token,
    npm_token,
    otp_secret,
    wireguard_key,
    wrapped_key,
)

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@given(st.text(max_size=300))
def test_any_text_is_answered(text):
    for check in TOKEN_VALIDATORS.values():
        assert check(text) in (True, False)


@pytest.mark.parametrize("check", TOKEN_VALIDATORS.values(), ids=TOKEN_VALIDATORS)
def test_long_runs_are_answered_in_bounded_time(check):
    for text in ("a" * 100_000, "aB3" * 30_000, "_" * 100_000, "1-" * 50_000 + "1", "$" * 100_000):
        check(text)


def test_the_token_that_github_published():
    body, check = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"  # in the vendor's article on its format
    assert github_token("ghp_" + body + check)
    assert npm_token("npm_" + body + check)


@given(st.text(BASE62, min_size=30, max_size=30), st.integers(0, 35), st.sampled_from(BASE62))
def test_one_wrong_character_breaks_a_checked_token(body, place, other):
    number, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        check = BASE62[rest] + check
    token = body + check
    changed = token[:place] + other + token[place + 1 :]
    assert github_token("ghp_" + token)
    assert github_token("ghp_" + changed) == (changed == token)


# Valid and invalid strings of BIP 173, which has no more to do with keys than the checksum.
@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "a12uel5l",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    ],
)
def test_bech32_vectors(text):
    assert age_secret_key(text)


@pytest.mark.parametrize("text", ["A1G7SGD8", "10a06t8", "1qzzfhee", "x1b4n0q5v", "li1dgmt3", "pzry9x0s0muk"])
def test_bech32_strings_that_are_none(text):
    assert not age_secret_key(text)


def test_a_wallet_key_of_the_format_description():
    # 0C28FCA3… of the Bitcoin wiki's page on the wallet import format, encoded here
    data = b"\x80" + bytes.fromhex("0C28FCA386C7A227600B2FE50B7CAE11EC86D3BF1FBE471BE89827E19D72AA1D")
    whole = data + hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    digits, number, text = (
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        int.from_bytes(whole, "big"),
        "",
    )
    while number:
        number, rest = divmod(number, 58)
        text = digits[rest] + text
    assert text.startswith("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvy")
    assert base58_key(text)
    assert not base58_key(text[:-1] + ("K" if text[-1] != "K" else "L"))


def test_discord_tokens_carry_a_number():
    number = base64.b64encode(b"123456789012345678").decode()
    rest = filled_in("{{base62-6}}.{{base62-38}}")
    assert discord_token(f"{number}.{rest}")
    assert not discord_token(f"{base64.b64encode(b'not a number here').decode()}.{rest}")
    assert not discord_token(f"{number}.xxxxxx.{'x' * 38}")


def test_private_keys_in_base64():
    assert wrapped_key(base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\n" + b"x" * 50).decode())
    assert not wrapped_key(base64.b64encode(b"-----BEGIN CERTIFICATE-----\n" + b"x" * 50).decode())


def test_wireguard_keys_are_32_bytes():
    assert wireguard_key(filled_in("{{curve-key}}"))
    assert not wireguard_key(base64.b64encode(bytes(32)).decode())
    assert not wireguard_key(base64.b64encode(random.Random(1).randbytes(31)).decode())


def test_bitlocker_groups_are_multiples_of_eleven():
    key = filled_in("{{bitlocker-key}}")
    first = int(key[:6])
    assert bitlocker_key(key)
    assert not bitlocker_key(f"{first + 1:06}{key[6:]}")
    assert not bitlocker_key("-".join(["000011"] * 8))
    assert not bitlocker_key(f"{11 * 65_536:06}{key[6:]}")


def test_one_time_password_secrets():
    assert otp_secret(filled_in("{{base32-32}}"))
    assert not otp_secret("JBSWY3DPEHPK3PXP")  # the sample of the Key Uri Format
    assert not otp_secret("AAAAAAAAAAAAAAAA")
