import re

import pytest

from sekisho.inspect.samples import MAKERS, filled_in

# The shapes that the vendors document.
SHAPES = {
    "aws-access-key": r"AKIA[A-Z2-7]{16}",
    "aws-secret-key": r"[A-Za-z0-9+/]{40}",
    "github-token": r"ghp_[A-Za-z0-9]{36}",
    "github-fine-grained-token": r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "slack-token": r"xoxb-[0-9]{12}-[0-9]{12}-[A-Za-z0-9]{24}",
    "slack-webhook": r"https://hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{24}",
    "google-api-key": r"AIza[A-Za-z0-9_-]{35}",
    "stripe-key": r"sk_live_[A-Za-z0-9]{24}",
    "json-web-token": r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+",
    "rsa-private-key": r"-----BEGIN RSA PRIVATE KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END RSA PRIVATE KEY-----",
    "private-key": r"-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PRIVATE KEY-----",
    "openssh-private-key": r"-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END OPENSSH PRIVATE KEY-----",
    "certificate": r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----",
    "password": r"[a-z]{5}[A-Z]{2}[0-9]{3}#",
    "npm-token": r"npm_[A-Za-z0-9]{36}",
    "basic-credentials": r"ZGVwbG95O[A-Za-z0-9+/]+={0,2}",
    "curve-key": r"[A-Za-z0-9+/]{43}=",
    "discord-token": r"[A-Za-z0-9]{24}\.[A-Za-z0-9]{6}\.[A-Za-z0-9_-]{38}",
    "bitlocker-key": r"[0-9]{6}(-[0-9]{6}){7}",
    "age-key": r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
    "wallet-key": r"5[1-9A-HJ-NP-Za-km-z]{50}",
    "word-password": r"[A-Z][a-z]+[#_@]?[0-9]{2,4}!?",
    "wrapped-private-key": r"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt[A-Za-z0-9+/]+={0,2}",
}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_each_sample_has_its_vendors_shape(name):
    assert re.fullmatch(SHAPES[name], filled_in("{{" + name + "}}"))


def test_a_text_always_gives_the_same_sample_and_another_text_another():
    assert filled_in("a {{password}}") == filled_in("a {{password}}")
    assert filled_in("a {{password}}")[2:] != filled_in("b {{password}}")[2:]


def test_other_text_stays():
    assert filled_in("a {b} {{ c }} %") == "a {b} {{ c }} %"


def test_an_unknown_maker_is_a_key_error():
    with pytest.raises(KeyError):
        filled_in("{{no-such-maker}}")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("hex-40", r"[0-9a-f]{40}"),
        ("upper-digits-7", r"[0-9A-Z]{7}"),
        ("base64url-95", r"[\w-]{95}"),
        ("digits-1", r"\d"),
        ("base58-300", r"[1-9A-HJ-NP-Za-km-z]{300}"),
    ],
)
def test_a_run_of_an_alphabet(name, shape):
    assert re.fullmatch(shape, filled_in("{{" + name + "}}"), re.ASCII)


@pytest.mark.parametrize("name", ["hex-", "hex", "octal-8", "hex--4"])
def test_what_is_no_alphabet_and_length_is_a_key_error(name):
    with pytest.raises(KeyError):
        filled_in("{{" + name + "}}")
