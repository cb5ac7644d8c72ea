"""What a mail is about, in a few dozen concepts (`lists/concepts.toml`): urgency, secrecy, a payment.

A phrase that the models never met in training still belongs to its concept; two concepts together say what neither
says alone.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MOST_CHARS = 12_000
_MEMORY = 64_000_000  # octets for the automaton; with too few it gives up and finds nothing
_MOST_PAIRED = 12  # a mail about more than this is about everything; its pairs would say nothing
_WILD = re.compile(r"\.\.\.|[*~]")
_INSTEAD = {"...": "[^\\n]{0,30}", "*": "\\w*", "~": "[ -]?"}


class Concepts:
    """The concepts with their phrases, compiled. Shared by all threads."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self._names = tuple(phrases)
        options = re2.Options()
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        for name in self._names:
            self._set.Add("|".join(_pattern(phrase) for phrase in phrases[name]))
        self._set.Compile()

    @classmethod
    def load(cls, file: Path) -> Concepts:
        """Read the file. Raises OSError, and ValueError that names the file."""
        try:
            return cls(tomllib.loads(file.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, re2.error, TypeError) as error:
            raise ValueError(f"{file}: {error}") from error

    def facts(self, text: str) -> list[str]:
        """The concepts in a cleaned text and the pairs of them, as names of facts."""
        octets = text[:_MOST_CHARS].encode("utf-8", "replace")
        found = sorted(self._names[number] for number in self._set.Match(octets) or ())
        single = [f"about:{name}" for name in found]
        if len(found) > _MOST_PAIRED:
            return single
        return single + [f"about:{one}+{other}" for i, one in enumerate(found) for other in found[i + 1 :]]


def _pattern(phrase: str) -> str:
    """A phrase as RE2 reads it. Words of Latin letters end at a word's end; Japanese has no such ends."""
    pieces: list[str] = []
    at = 0
    for wild in _WILD.finditer(phrase):
        pieces += (re2.escape(phrase[at : wild.start()]), _INSTEAD[wild[0]])
        at = wild.end()
    pieces.append(re2.escape(phrase[at:]))
    before = r"\b" if phrase[0].isascii() and phrase[0].isalnum() else ""
    after = r"\b" if phrase[-1].isascii() and phrase[-1].isalnum() else ""
    return f"{before}{''.join(pieces)}{after}"
