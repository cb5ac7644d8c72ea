import pytest

from sekisho.inspect.own_words import only_own_words

PHRASE = (r"(?i)\bchange\b[^\n.?!]{0,50}\b(?:direct[ -]?deposits?|pay ?che(?:ck|que)s?)\b",)


@pytest.mark.parametrize(
    ("text", "patterns", "shown"),
    [
        ("Change Taro Yamada's direct deposit", PHRASE, "Change **** ******'* direct deposit"),
        ("change 4111 1111 direct deposits", PHRASE, "change **** **** direct deposits"),
        (
            "給与の山田太郎の口座を変更",
            ("(?:給与|給料)[^\n。]{0,12}口座[^\n。]{0,20}(?:変更|変え)",),
            "給与の****の口座を変更",
        ),
        ("Confidential", ("[Cc]onfidential",), "Confidential"),
        ("Board Yamada Confidential", ("Label ?([^\n]{1,80})",), "***** ****** Confidential"),
        ("yamada", (), "******"),
    ],
)
def test_what_stands_between_the_words_of_a_rule_is_masked(text, patterns, shown):
    assert only_own_words(text, patterns) == shown
