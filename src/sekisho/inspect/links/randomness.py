"""Names that nobody chose to be read: made by a program for a day."""

from __future__ import annotations

import re

_SHORTEST = 5
_LONGEST = 40
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{2,}")
_LONG_RUN = 6
_MIXED = re.compile(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])")
# Two consonants that hardly ever meet in words of European languages, romanised Japanese or Chinese.
_RARE = re.compile(
    r"q[b-df-hj-np-tv-z]|[b-df-hj-np-rtv-z]q|j[b-df-hj-np-tv-z]|[bcfghjklmpqtvwxz]j|x[bdfghjklmnqrsvwxz]|"
    r"[bcdfghjklmpqrstvwz]x|v[bcdfghjkmnpqtwxz]|[bcfghjkmpqtwxz]v|z[bcdfgjkmnpqrstvwx]|[bcfghjkmpqsvwx]z|"
    r"w[bcfgjmpqtvxz]|[bcfgjmpqvxz]w|k[bcdfgjmpqtvxz]|[bdfghjmpqtvwxz]k|[bdfghjkmpqtvwxz]f(?<!ff)|g[bcfjkpqtvxz]|[bcfjkpqvwxz]g"
)  # fmt: skip


def looks_random(label: str) -> bool:
    """Whether an ASCII label looks like a random string. A weak sign: abbreviations look like that as well."""
    if not _SHORTEST <= len(label) <= _LONGEST or "-" in label:
        return False
    if not label.isalnum() or label.isdigit():
        return False
    changes = len(_MIXED.findall(label))
    rare = len(_RARE.findall(label))
    longest = max(map(len, _CONSONANTS.findall(label)), default=0)
    points = rare + max(0, longest - _LONG_RUN + 1) + max(0, changes - 1)
    return points >= 2 or (points == 1 and not re.search("[aeiouy]", label))
