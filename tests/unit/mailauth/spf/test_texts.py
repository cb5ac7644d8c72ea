from typing import get_args

from sekisho.mailauth.spf.record import FlawCode
from sekisho.mailauth.spf.result import Outcome, Reason, SpfCode
from sekisho.mailauth.spf.texts import TEXTS


def test_both_languages_say_the_same():
    assert TEXTS["en"].keys() == TEXTS["ja"].keys()
    for key, text in TEXTS["en"].items():
        for name in ("{count}", "{most}", "{offset}"):
            assert (name in text) == (name in TEXTS["ja"][key]), key


def test_every_code_has_a_text():
    wanted = [
        *(f"result.{code}" for code in get_args(SpfCode)),
        *(f"reason.{code}" for code in get_args(Reason) if code),
    ]
    wanted += [f"flaw.{code}" for code in get_args(FlawCode)] + [f"outcome.{one}" for one in get_args(Outcome)]
    assert [key for key in wanted if key not in TEXTS["en"]] == []
