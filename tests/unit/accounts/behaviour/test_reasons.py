from sekisho.accounts.behaviour.profile import DAILY, EACH, SPANS
from sekisho.accounts.behaviour.reasons import SIGNALS, reasons


def test_every_sign_has_words_in_both_languages():
    for reason in reasons(dict.fromkeys(SIGNALS, 1.0), most=100):
        assert reason.en.isascii()
        assert not reason.ja.isascii()
    assert {*DAILY, *EACH, *SPANS} - SIGNALS == {"invalid"}  # which only weighs within "failed"


def test_the_strongest_come_first_and_what_speaks_against_abuse_is_not_named():
    found = reasons({"network": 1.0, "content": 3.0, "country": -1.0, "hour": 0.1})
    assert [reason.signal for reason in found] == ["content", "network"]
