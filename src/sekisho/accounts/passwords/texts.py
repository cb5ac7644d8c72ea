"""What a new password is told, in Japanese and English, with advice. Nothing of the password itself is in it."""

from __future__ import annotations

from msgspec import Struct
from zxcvbn_rs_py import Feedback


class Text(Struct, frozen=True):
    """One text in both languages."""

    en: str
    ja: str

    def in_language(self, language: str) -> str:
        """The text in "ja" or "en", or both for anything else."""
        return {"en": self.en, "ja": self.ja}.get(language, f"{self.ja}\n{self.en}")


_WORDS_ADVICE = Text(
    "Use several words that have nothing to do with each other, or have a password manager make one.",
    "互いに関係のない単語をいくつか組み合わせるか、パスワード管理ソフトに作らせてください。",
)
_ANOTHER_ADVICE = Text(
    "Choose another one that is used nowhere else.", "ほかのどこでも使っていない別のものにしてください。"
)

# What is wrong, and how to do better, by code.
REASONS: dict[str, tuple[Text, Text]] = {
    "characters": (
        Text("It has a character that cannot be used.", "使えない文字が含まれています。"),
        Text(
            "Use letters, digits, signs and blanks of any language; no control characters, and no composed emoji.",
            "文字・数字・記号・空白は言語を問わず使えます。制御文字と合成された絵文字は使えません。",
        ),
    ),
    "short": (
        Text("It has fewer than {least} characters.", "{least}文字に足りません。"),
        Text(
            "Make it longer: a sentence or four or five words are easy to remember, and blanks are allowed.",
            "長くしてください。文や4〜5個の単語なら覚えやすく、空白も使えます。",
        ),
    ),
    "long": (
        Text("It has more than {most} characters.", "{most}文字を超えています。"),
        Text("Make it shorter.", "短くしてください。"),
    ),
    "common": (
        Text(
            "It is too common: many people use it, or something close to it.",
            "よく使われるもの、またはそれに近いものです。",
        ),
        _WORDS_ADVICE,
    ),
    "breached": (
        Text(
            "It is in a list of passwords that became known in a breach.",
            "漏えいしたパスワードの一覧に載っています。",
        ),
        Text(
            "Choose another one, and change it wherever else you use it.",
            "別のものにして、ほかで使っている場合はそちらも変更してください。",
        ),
    ),
    "context": (
        Text("It is made of {kinds}, and little else.", "{kinds}のほかにほとんど何もありません。"),
        Text(
            "Leave out what others know of you and your company.",
            "ご自身や会社について人が知っていることは避けてください。",
        ),
    ),
    "repeated": (
        Text("It repeats the same characters.", "同じ文字の繰り返しです。"),
        _WORDS_ADVICE,
    ),
    "sequence": (
        Text(
            "It follows a row, of the alphabet, of numbers or of keys.",
            "アルファベット、数字またはキーの並びのとおりです。",
        ),
        _WORDS_ADVICE,
    ),
    "guessable": (
        Text("It can be guessed.", "推測されやすいものです。"),
        _WORDS_ADVICE,
    ),
    "class-missing": (
        Text("It has no {classes}.", "{classes}がありません。"),
        Text("Add what is missing.", "足りない種類の文字を加えてください。"),
    ),
    "used-before": (
        Text("You have used it before.", "以前に使ったものです。"),
        _ANOTHER_ADVICE,
    ),
    "shared": (
        Text("Another account of the company has the same one.", "社内の別のアカウントと同じものです。"),
        _ANOTHER_ADVICE,
    ),
}

CLASSES = {
    "lower": Text("small letter", "英小文字"),
    "upper": Text("capital letter", "英大文字"),
    "digit": Text("digit", "数字"),
    "symbol": Text("sign or blank", "記号"),
}
KINDS = {
    "login": Text("your login", "ログイン名"),
    "name": Text("your name", "お名前"),
    "company": Text("the company's name", "会社名"),
    "domain": Text("the company's domain", "会社のドメイン名"),
    "product": Text("the product's name", "製品名"),
    "words": Text("words used in the company", "社内で使われる言葉"),
}

_ROW = Text("Rows of keys are guessed early.", "キーの並びはすぐに推測されます。")
_REPEAT = Text("Repeats are guessed early.", "繰り返しはすぐに推測されます。")
_TOP = Text("This is among the most common passwords.", "最もよく使われるパスワードの一つです。")
_NAME = Text("Names are guessed early.", "名前はすぐに推測されます。")
_HINTS = {
    "StraightRowsOfKeysAreEasyToGuess": _ROW,
    "ShortKeyboardPatternsAreEasyToGuess": _ROW,
    "RepeatsLikeAaaAreEasyToGuess": _REPEAT,
    "RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess": _REPEAT,
    "ThisIsATop10Password": _TOP,
    "ThisIsATop100Password": _TOP,
    "ThisIsACommonPassword": _TOP,
    "ThisIsSimilarToACommonlyUsedPassword": Text(
        "It is close to a common password.", "よく使われるパスワードに似ています。"
    ),
    "SequencesLikeAbcAreEasyToGuess": Text("Sequences are guessed early.", "連続する文字はすぐに推測されます。"),
    "RecentYearsAreEasyToGuess": Text("Years are guessed early.", "西暦はすぐに推測されます。"),
    "AWordByItselfIsEasyToGuess": Text("One word alone is guessed early.", "単語一つはすぐに推測されます。"),
    "DatesAreOftenEasyToGuess": Text("Dates are guessed early.", "日付はすぐに推測されます。"),
    "NamesAndSurnamesByThemselvesAreEasyToGuess": _NAME,
    "CommonNamesAndSurnamesAreEasyToGuess": _NAME,
}
_YEARS = Text("Avoid years and dates.", "年や日付は避けてください。")
_SUGGESTIONS = {
    "UseAFewWordsAvoidCommonPhrases": Text(
        "Use a few words, but no common phrase.", "決まり文句ではない、いくつかの単語を使ってください。"
    ),
    "NoNeedForSymbolsDigitsOrUppercaseLetters": Text(
        "Signs, digits and capitals are not needed.", "記号・数字・大文字は必要ありません。"
    ),
    "AddAnotherWordOrTwo": Text(
        "Add another word or two; unusual ones are better.", "単語をもう一つか二つ、珍しいものを加えてください。"
    ),
    "CapitalizationDoesntHelpVeryMuch": Text("Capitals do not help much.", "大文字にしても大差ありません。"),
    "AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase": Text(
        "All capitals are as easy to guess as small letters.", "すべて大文字にしても小文字と変わりません。"
    ),
    "ReversedWordsArentMuchHarderToGuess": Text(
        "Words written backwards are not much harder to guess.", "単語の逆さ読みでも大差ありません。"
    ),
    "PredictableSubstitutionsDontHelpVeryMuch": Text(
        "Substitutions like @ for a do not help much.", "a を @ にするような置き換えでは大差ありません。"
    ),
    "UseALongerKeyboardPatternWithMoreTurns": Text(
        "Do not follow the rows of the keyboard.", "キーボードの並びに沿わないでください。"
    ),
    "AvoidRepeatedWordsAndCharacters": Text(
        "Avoid repeated words and characters.",
        "単語や文字の繰り返しは避けてください。",
    ),
    "AvoidSequences": Text("Avoid sequences.", "連続する文字は避けてください。"),
    "AvoidRecentYears": _YEARS,
    "AvoidYearsThatAreAssociatedWithYou": _YEARS,
    "AvoidDatesAndYearsThatAreAssociatedWithYou": _YEARS,
}


def feedback_texts(feedback: Feedback | None) -> tuple[Text, ...]:
    """What the strength estimate has to say, each text once; nothing of what it does not explain."""
    if feedback is None:
        return ()
    warning = _HINTS.get(_name(feedback.warning))
    advice = (_SUGGESTIONS.get(_name(one)) for one in feedback.suggestions)
    return tuple(dict.fromkeys(text for text in (warning, *advice) if text is not None))


def _name(member: object) -> str:
    """The library's members are no keys of a dictionary; their names are."""
    return repr(member).rpartition(".")[2]


def listed(texts: list[Text]) -> Text:
    """Several things in one: "a, b and c"."""
    *first, last = [text.en for text in texts]
    en = f"{', '.join(first)} and {last}" if first else last
    return Text(en, "・".join(text.ja for text in texts))
