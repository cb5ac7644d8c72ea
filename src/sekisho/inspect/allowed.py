"""Values that a tenant allows in its mail: its own telephone numbers and addresses, test cards and the like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import translate

_SEPARATORS = re.compile("[\\s()\\-\u2010-\u2015\u2212\u30fc]+")


class Allowed:
    """A set of values, compared without case, width, blanks, hyphens and brackets. `*` stands for any characters."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        plain = [_plain(entry) for entry in entries]
        self._exact = frozenset(entry for entry in plain if "*" not in entry)
        globs = [translate(entry) for entry in plain if "*" in entry]
        self._globs = re.compile("|".join(globs)) if globs else None

    def has(self, value: str) -> bool:
        """Whether a value is allowed."""
        if not self._exact and self._globs is None:
            return False
        plain = _plain(value)
        return plain in self._exact or (self._globs is not None and self._globs.match(plain) is not None)


def _plain(value: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", value)).lower()


NOTHING = Allowed()
