"""OpaqueString and SASLprep, by the tables and examples of their RFCs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords.preparation import MOST_OCTETS, PreparationError, for_scram, prepared, saslprep


@pytest.mark.parametrize(
    ("password", "form"),
    [  # RFC 8265 4.3, table 4
        ("correct horse battery staple", "correct horse battery staple"),
        ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
        ("\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"),
        ("Jack of \u2666s", "Jack of \u2666s"),
        ("foo\u1680bar", "foo bar"),
    ],
)
def test_opaque_string_examples(password, form):
    assert prepared(password) == form


@pytest.mark.parametrize("password", ["", "my cat is a \u0009by"])  # RFC 8265 4.3, table 5
def test_opaque_string_refuses(password):
    with pytest.raises(PreparationError):
        prepared(password)


@pytest.mark.parametrize(
    ("text", "form"),
    [  # RFC 4013 3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # RFC 4013 2.1: non-ASCII blanks become blanks
        ("a\u3000b", "a b"),
    ],
)
def test_saslprep_examples(text, form):
    assert saslprep(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "\u0007",  # RFC 4013 3: prohibited
        "\u0627\u0031",  # RFC 4013 3: directions
        "a\ud800",  # RFC 3454 C.5: surrogate
        "\ue000",  # RFC 3454 C.3: private use
        "\ufffe",  # RFC 3454 C.4: no character
        "\u0221",  # RFC 3454 A.1: not assigned in Unicode 3.2
        "\u00ad",  # nothing is left
    ],
)
def test_saslprep_refuses(text):
    with pytest.raises(PreparationError):
        saslprep(text)


@pytest.mark.parametrize(
    ("password", "allowed"),
    [
        # RFC 5892 A.2, A.1: joiners only behind a virama
        ("\u0915\u094d\u200d\u0937", True),
        ("\u0915\u200d\u0937", False),
        ("\u200ca", False),
        # RFC 5892 A.3: middle dot between two l
        ("col\u00b7laborar", True),
        ("col\u00b7aborar", False),
        ("\u00b7l", False),
        # RFC 5892 A.4: keraia before Greek
        ("\u0375\u03b1", True),
        ("\u0375a", False),
        ("\u03b1\u0375", False),
        # RFC 5892 A.5, A.6: geresh and gershayim behind Hebrew
        ("\u05d0\u05f3", True),
        ("a\u05f4", False),
        # RFC 5892 A.7: katakana middle dot with Japanese
        ("ジョン\u30fbレノン", True),
        ("漢\u30fb字", True),
        ("ab\u30fbc", False),
        # RFC 5892 A.8, A.9: one kind of Arabic digits
        ("\u0661\u0662", True),
        ("\u0661\u06f2", False),
        ("\u06f1\u06f2", True),
        ("\u06f1\u0662", False),
        # RFC 8264 9.6
        ("\u3007", True),
        ("\u0640", False),
        ("\u3031", False),
        # RFC 8264 9.9, 9.10, 9.12, 9.13
        ("\u1100", False),
        ("\u0378", False),
        ("\u0085", False),
        ("a\ufe0f", False),
        ("\ufdd0", False),
        # RFC 8264 9.15, 9.16, 9.17, 9.18
        ("\U0001f600", True),
        ("…「」", True),
        ("①ｆｕｌｌ", True),
        ("\u0488", True),
        # neither: format, private use
        ("\u0601", False),
        ("\ue000", False),
    ],
)
def test_what_freeform_class_allows(password, allowed):
    if allowed:
        assert prepared(password) == unicodedata.normalize("NFC", password)
    else:
        with pytest.raises(PreparationError):
            prepared(password)


def test_both_ways_to_type_an_accent_are_one_password():
    assert prepared("cafe\u0301") == prepared("caf\u00e9")
    assert prepared("ハ\u309aスワード") == prepared("パスワード")


def test_width_is_kept_by_us_and_not_by_scram():
    # RFC 8265 4.2.2: no width mapping; RFC 4013 2.2: NFKC
    assert prepared("ｐａｓｓ") == "ｐａｓｓ"
    assert for_scram("ｐａｓｓ") == "pass"


def test_what_saslprep_has_no_form_for_goes_as_it_is():
    assert for_scram("horse \U0001f996 staple") == "horse \U0001f996 staple"


def test_length_is_bounded():
    assert prepared("x" * MOST_OCTETS)
    for long in ("x" * (MOST_OCTETS + 1), "山" * (MOST_OCTETS // 3 + 1)):
        with pytest.raises(PreparationError):
            prepared(long)
    with pytest.raises(PreparationError):
        saslprep("x" * 10_000_000)


@given(st.text())
def test_idempotent_and_no_other_error(text):
    """RFC 8265 4.2.2: enforcing twice changes nothing (RFC 8264 7 asks for as much)."""
    for prepare in (prepared, saslprep, for_scram):
        try:
            form = prepare(text)
        except PreparationError:
            continue
        assert form
        if prepare is not for_scram:
            assert prepare(form) == form
