"""The texts about keys."""

import re
from typing import get_args

from sekisho.act.key_texts import TEXTS
from sekisho.mail.signing_key import AlertCode


def test_both_languages_say_the_same_with_the_same_values():
    assert TEXTS["en"].keys() == TEXTS["ja"].keys()
    for key, text in TEXTS["en"].items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", TEXTS["ja"][key])), key


def test_every_alert_has_its_texts():
    for code in filter(None, get_args(AlertCode)):
        assert {f"subject.{code}", f"what.{code}"} <= TEXTS["en"].keys()
