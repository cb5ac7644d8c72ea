"""Hashes that other systems have made."""

import base64
import hashlib

import pytest

from sekisho.accounts.passwords.hashing import verify
from sekisho.accounts.passwords.schemes import SchemeError, foreign, known_schemes, scheme_of, verify_foreign

PASSWORD = "tr4umatic Öl 日本"
# `doveadm pw -s SCHEME` (Dovecot 2.3) and, the last two, `slappasswd -h` (OpenLDAP 2.5), each of PASSWORD.
HASHES = [
    "{SSHA}xObBRNs3aIdE+tW5zm2/81Y2PdSilwEA",
    "{SHA}rXUhdGSqfcLQ+ZMGwnte/Ec1K7o=",
    "{SSHA256}jqTlhsSFe+MExIJuWQFvUj8G561maWfaMk8R4rPgB0I9C7dH",
    "{SSHA512}jO7QKmkDI4h4m16pBFnusgE4vN8JyVT3PWcdMWrUVpOvApSeFTwDKoPxmTJduOZrY4tew6W+IgaFV9IzuKkING5ZPKQ=",
    "{SHA256}mKokA/o3Bc064N+6EK7ep/nafy/8tKaWRUdYF5HuUew=",
    "{SHA512}AjHoLr2eKg8P3VlDfHHCke7RBLMiDWxx/KjkoHhXIF4mILcX+lnS81P4TNaUBRv8osJ+8mrMfLAwb7JCHL9tog==",
    "{SSHA}nXS9sjhumxZngFbdBlRXsHnoWKYDy+Yg",
    "{SHA}rXUhdGSqfcLQ+ZMGwnte/Ec1K7o=",
]
ARGON2 = "$argon2id$v=19$m=65536,t=3,p=1$yu0TbujZccvsh1Xtdw5qrA$uyUyEKFe3sRrVuR4szcT+/go3l2KZLRsGqVp1YbkeP8"


@pytest.mark.parametrize("made", HASHES)
def test_what_dovecot_and_openldap_made(made):
    assert foreign(made)
    assert verify_foreign(made, PASSWORD)
    assert verify_foreign(made.lower().split("}")[0] + "}" + made.split("}")[1], PASSWORD)
    for wrong in ("", PASSWORD.upper(), PASSWORD + " ", "tr4umatic"):
        assert not verify_foreign(made, wrong)


@pytest.mark.parametrize("made", [ARGON2, "{ARGON2ID}" + ARGON2, "{argon2}" + ARGON2])
def test_argon2id_is_taken_as_it_is(made):
    scheme, rest = scheme_of(made)
    assert scheme in ("ARGON2", "ARGON2ID")
    assert rest == ARGON2
    assert not foreign(rest)
    assert verify(rest, PASSWORD)


@pytest.mark.parametrize("scheme", ["PLAIN", "CLEARTEXT", "CLEAR"])
def test_passwords_in_clear_are_never_good_by_themselves(scheme):
    text = f"{{{scheme}}}{PASSWORD}"  # `doveadm pw -s PLAIN` puts blanks in as they are
    assert scheme_of(text) == (scheme, PASSWORD)
    assert not verify_foreign(text, PASSWORD)


def sha(octets):
    return base64.b64encode(hashlib.sha1(octets, usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret-word",
        "{}secret-word",
        "{MD5}secret-word",
        "{CRYPT}$2y$05$WEVsgIrCmHTuN/0hS883u.iIo9.RtBIWPm4N/SNKjCIcZw0tFxL4C",
        "{SSHA}secret-word",
        "{SSHA}" + sha(b"secret-word"),  # no salt
        "{SHA}" + base64.b64encode(b"x" * 24).decode(),
        "{SHA}" + base64.b64encode(b"x" * 19).decode(),
        "{SHA}" + sha(b"secret-word")[:-1],
        "{SHA}" + sha(b"secret-word") + "\n",
        "{ARGON2ID}$argon2i$v=19$m=65536,t=3,p=1$yu0TbujZccvsh1Xtdw5qrA$uyUyEKFe3sRrVuR4szcT",
        "$argon2id$v=19$m=4294967295,t=3,p=1$yu0TbujZccvsh1Xtdw5qrA$uyUyEKFe3sRrVuR4szcT+/go3l2KZLRsGqVp1YbkeP8",
        "{PLAIN}",
        "{SHA}" + "A" * 100_000,
    ],
)
def test_what_cannot_be_used_and_the_reason_without_the_hash(text):
    with pytest.raises(SchemeError) as refused:
        scheme_of(text)
    rest = text.partition("}")[2] or text
    assert not rest.strip() or rest.strip() not in str(refused.value)
    assert not verify_foreign(text, "secret-word")


def test_known_schemes():
    assert {made[1:].split("}")[0] for made in HASHES} < set(known_schemes())
