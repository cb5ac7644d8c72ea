"""What mechanisms ask shows no secret."""

import pytest

from sekisho.wire.sasl.steps import CheckPassword, CheckToken, SaslError, text_of


@pytest.mark.parametrize("question", [CheckPassword("tim", "secret"), CheckToken("tim", "secret")])
def test_no_secret_is_shown(question):
    assert "secret" not in f"{question} {question!r} {[question]}"
    assert "tim" in repr(question)


def test_text_is_utf8_without_nul():
    assert text_of("関所".encode()) == "関所"
    for octets in (b"\xff", b"a\0b"):
        with pytest.raises(SaslError):
            text_of(octets)
