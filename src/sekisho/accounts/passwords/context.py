"""Words that are expected in a password: the owner's login and names, the company's, its domains, this product."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from sekisho.accounts.passwords.folding import FOLDS, of_word, plain

_PARTS = re.compile(r"[\s\W_\u3000・]+")
_LEAST = 4  # letters; two where they are Chinese characters
_LEAST_KANJI = 2
_MOST_WORDS = 200
_NOT_KANJI = re.compile(r"[\x00-\u2fff\uff00-\uffff]")
# Labels of domains that say nothing of whose they are.
_ORDINARY = frozenset(("mail", "smtp", "info", "www", "example", "test", "local"))


class ContextWord(Struct, frozen=True):
    """One word; `kind` says what it is of ("login", "name", "company", "domain", "product", "words")."""

    kind: str
    text: str


def context_words(
    login: str = "",
    names: Iterable[str] = (),
    companies: Iterable[str] = (),
    domains: Iterable[str] = (),
    words: Iterable[str] = (),
) -> tuple[ContextWord, ...]:
    """The words of all these and of their parts, the longest first. `login` may be an address."""
    local, _, domain = login.partition("@")
    found = [
        *_words("login", (local,)),
        *_words("name", names),
        *_words("company", companies),
        *(word for name in (*domains, domain) for word in _labels(name)),
        *_words("words", words),
        ContextWord("product", "sekisho"),
    ]
    unique = {plain(word.text): word for word in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda word: -len(word.text)))[:_MOST_WORDS]


def _words(kind: str, texts: Iterable[str]) -> list[ContextWord]:
    parts = (part for text in texts for part in (text, *_PARTS.split(text)))
    return [ContextWord(kind, part) for part in parts if _long_enough(part)]


def _labels(domain: str) -> list[ContextWord]:
    """Of a domain what is not its suffix: all labels but the last, and but a short one before it ("co.jp")."""
    labels = [label for label in domain.strip(".").split(".") if label]
    return [word for label in labels[:-1] if label not in _ORDINARY for word in _words("domain", (label,))]


def _long_enough(word: str) -> bool:
    length = len(plain(word))
    return length >= (_LEAST_KANJI if word and not _NOT_KANJI.search(word) else _LEAST)


def rest(password: str, words: Sequence[ContextWord]) -> tuple[float, tuple[str, ...]]:
    """How many letters are left without these words (a digit is half of one), and of which kinds it has some.

    The smallest such number over the forms in which passwords are compared.
    """
    least, kinds = float(len(password)), dict[str, None]()
    for number, fold in enumerate(FOLDS):
        text = fold(password)
        for word in words:
            form = of_word(number, word.text)
            if form in text:
                text = text.replace(form, " ")
                kinds[word.kind] = None
        if " " in text:
            least = min(least, sum(0.5 if c.isdigit() else 1.0 for c in text if c != " "))
    return least, tuple(kinds)
