"""A login in one spelling."""

import pytest

from sekisho.mail.account import canonical_login


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Hana@Example.JP ", "hana@example.jp"),
        ("u\u0308ber", "\u00fcber"),  # NFC
        ("", ""),
        ("a\nb", ""),
        ("a\u202eb", ""),
        ("x" * 320, "x" * 320),
        ("x" * 321, ""),
        ("x" * 10_000_000, ""),
    ],
)
def test_canonical_login(text, expected):
    assert canonical_login(text) == expected
