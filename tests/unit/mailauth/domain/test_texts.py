import re
from pathlib import Path

import sekisho.mailauth.domain as package
from sekisho.mailauth.domain.texts import TEXTS

HOLE = re.compile(r"\{(\w+)\}")


def test_both_languages_have_the_same_codes_and_values():
    assert TEXTS["en"].keys() == TEXTS["ja"].keys()
    for code, texts in TEXTS["en"].items():
        assert set(HOLE.findall("".join(texts))) == set(HOLE.findall("".join(TEXTS["ja"][code]))), code


def test_every_code_has_a_text():
    sources = "".join(path.read_text() for path in Path(package.__path__[0]).glob("*.py"))
    codes = set(re.findall(r'Finding\(\s*"([a-z-]+)"', sources))
    assert len(codes) > 30
    assert codes <= TEXTS["en"].keys()
