"""Says in words what weighed most in a model's judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sekisho.learn.clean import ADDRESS, LINE, LINK, MONEY
from sekisho.learn.grams import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.learn.model import Model, Reading

Language = Literal["en", "ja", "both"]

_MOST_WORDS = 6
_MOST_FACTS = 4
_SHOWN: Final = str.maketrans({LINK: "[link]", ADDRESS: "[address]", MONEY: "[amount]", LINE: ""})
_HEAD: Final = {"en": ("words", "signs", "; "), "ja": ("語句", "特徴", "、")}
# Facts by name (see `facts`), for people. One that ends in ":" stands for all names that begin so.
_FACTS: Final = {
    "form:pictures-only": ("pictures in place of text", "本文が画像のみ"),
    "form:hidden-text": ("hidden text", "隠し文字"),
    "text:unseen-characters": ("invisible characters", "見えない文字"),
    "text:look-alikes": ("letters of other alphabets that look alike", "似た文字の混在"),
    "sign:link/": ("a link that deceives ({})", "不審なリンク({})"),
}


def explained(model: Model, reading: Reading, kind: str, language: Language) -> str:
    """The words and facts that spoke most for a kind of abuse, the strongest first, in one language or both.

    Words are those that the model met in many mails: names and the like are not repeated.
    """
    words = list(_words(model, reading, kind))
    facts = list(_facts(model, reading, kind))
    spoken = ("en", "ja") if language == "both" else (language,)
    return " / ".join(text for one in spoken if (text := _sentence(words, facts, one)))


def _sentence(words: list[str], facts: list[tuple[str, str]], language: str) -> str:
    word_head, fact_head, between = _HEAD[language]
    told = [fact[language == "ja"] for fact in facts]
    pieces = [f"{word_head}: {', '.join(words)}"] if words else []
    pieces += [f"{fact_head}: {between.join(told)}"] if told else []
    return "; ".join(pieces)


def _words(model: Model, reading: Reading, kind: str) -> Iterator[str]:
    found = {index: word for word, index in spelled(reading.text)}
    indices = np.array(list(found), np.int64)
    if not len(indices):
        return
    weights = model.said_by(indices, kind)
    taken: list[str] = []
    for place in np.argsort(-weights)[: _MOST_WORDS * 4]:
        word = found[int(indices[place])].translate(_SHOWN).strip(" '\n")
        if weights[place] <= 0 or len(taken) >= _MOST_WORDS:
            return
        if len(word) > 1 and not any(word in other or other in word for other in taken):
            taken.append(word)
            yield " ".join(word.split())


def _facts(model: Model, reading: Reading, kind: str) -> Iterator[tuple[str, str]]:
    weighed = sorted(((model.said_by_fact(fact, kind), fact) for fact in reading.facts), reverse=True)
    told = [words for weight, fact in weighed if weight > 0 and (words := _told(fact)) is not None]
    yield from told[:_MOST_FACTS]


def _told(fact: str) -> tuple[str, str] | None:
    if fact in _FACTS:
        return _FACTS[fact]
    for start, (en, ja) in _FACTS.items():
        if start.endswith("/") and fact.startswith(start):
            return en.format(fact.removeprefix(start)), ja.format(fact.removeprefix(start))
    return None
