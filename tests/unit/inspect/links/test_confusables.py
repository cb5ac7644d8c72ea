import json
import unicodedata
from pathlib import Path

import pytest

from sekisho.inspect.links.confusables import blurred, deceit, skeleton

TABLE = Path(__file__).parents[5] / "shared" / "data" / "domains" / "confusables" / "confusables.json"
# Letters of these scripts are in Unicode's table; ours has all but rare ones.
SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


@pytest.mark.parametrize(
    ("text", "looks_like"),
    [
        ("раураl", "paypal"),
        ("аррӏе", "apple"),
        ("gοοgle", "google"),
        ("ｇｏｏｇｌｅ", "google"),
        ("mïcrösoft", "microsoft"),
    ],
)
def test_skeleton(text, looks_like):
    assert text != looks_like
    assert skeleton(text) == looks_like


@pytest.mark.parametrize(("one", "other"), [("ニッポン", "二ッポン"), ("ロート", "口一ト"), ("カード", "力―ド")])
def test_japanese_strokes(one, other):
    assert skeleton(one) == skeleton(other)


def test_japanese_voice_marks_stay():
    assert skeleton("ハ") != skeleton("バ")


@pytest.mark.parametrize(("one", "other"), [("rnicrosoft", "microsoft"), ("paypa1", "paypal"), ("g00gle", "google")])
def test_blurred(one, other):
    assert blurred(one) == blurred(other)


@pytest.mark.parametrize("label", ["раypal", "gοogle", "google.comノlogin", "аррӏе", "mиcrosoft"])
def test_deceit(label):
    assert deceit(label)


@pytest.mark.parametrize(
    "label",
    [
        "example",
        "日本語",
        "東京tower",
        "カード会社",
        "お名前com",
        "münchen",
        "пример",
        "한국어",
        "한국cafe",
        "ราคาhd",
        "ελλάδα",
    ],
)
def test_ordinary_names(label):
    assert deceit(label) == ""


@pytest.mark.skipif(not TABLE.exists(), reason="../shared/data/domains is not there")
def test_agrees_with_unicode():
    def folded(text):
        return text.lower().translate(str.maketrans("i10", "llo"))

    compared, different = 0, []
    for character, others in json.loads(TABLE.read_text()).items():
        name = unicodedata.name(character, "") if len(character) == 1 else ""
        ours = name.split(" ")[0] in SCRIPTS and character.islower() and not character.isascii()
        latin = {folded(o["c"]) for o in others if len(o["c"]) == 1 and o["c"].isascii() and o["c"].isalnum()}
        if ours and latin and unicodedata.normalize("NFKC", character) == character:
            compared += 1
            if folded(skeleton(character)) not in latin:
                different.append(name)
    assert compared > 50
    assert len(different) <= 0.3 * compared, different
