"""What may be shown of a match: enough to recognise it for who knows it, not enough to use it."""

from __future__ import annotations

import re
from typing import Literal

from sekisho.inspect.own_words import only_own_words

Redaction = Literal["middle", "all", "none"]

_LONGEST = 60
_SPACE = re.compile(r"\s+")


def redacted(value: str, how: Redaction, patterns: tuple[str, ...] = ()) -> str:
    """A match made harmless, on one line, at most 60 characters and an ellipsis.

    "middle" keeps two characters at each end where there are at least 10 letters and digits, else one at the
    beginning from 6 on; "all" keeps nothing but the length up to 8; "none" is for phrases that are no secret: it
    shows the words that stand in the rule's own `patterns`, and hides every digit and whatever stands between them.
    """
    value = _SPACE.sub(" ", value.strip())
    if how == "all":
        return "*" * min(len(value), 8)
    shortened = value if len(value) <= _LONGEST else value[: _LONGEST // 2] + "…" + value[-_LONGEST // 2 :]
    return only_own_words(shortened, patterns) if how == "none" else _middle(shortened)


def hidden(value: str, how: Redaction) -> list[int]:
    """The places in a value that masking it takes, in a text where all else stays.

    As in `redacted`, but for "all": every character that is no white space.
    """
    if how == "all":
        return [i for i, c in enumerate(value) if not c.isspace()]
    shown = _shown(value) if how == "middle" else frozenset()
    return [i for i, c in enumerate(value) if c.isalnum() and i not in shown]


def _shown(value: str) -> frozenset[int]:
    places = [i for i, c in enumerate(value) if c.isalnum()]
    head, tail = (2, 2) if len(places) >= 10 else (1, 0) if len(places) >= 6 else (0, 0)
    return frozenset(places[:head] + (places[-tail:] if tail else []))


def _middle(value: str) -> str:
    shown = _shown(value)
    return "".join("*" if c.isalnum() and i not in shown else c for i, c in enumerate(value))
