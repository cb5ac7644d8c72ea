"""Who took part in a quoted message, by the head that mail programs put before it: not a list of people. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FOLDED = 200  # lines that one line goes on over
_LINE = re.compile(
    r"[> \t|]{0,20}\*?(?:(?P<author>from|差出人|送信者)|(?P<other>to|cc|bcc|reply-to|sender|宛先|返信先)"
    r"|(?P<about>date|sent|subject|件名|日時|日付|送信日時))\*?[ \t]*[:\uff1a]",
    re.IGNORECASE,
)


def without_participants(text: str, whole: str) -> str:
    """The text with the lines blanked that name who took part; all places stay. Linear.

    `whole` is what to tell the heads by: a text as long as this one, of which this one may be a part with the rest
    blanked. A head is lines one below the other, of which one says who wrote (From, 差出人), one when or about what.
    """
    pieces, at = [], 0
    for start, end in _participants(whole):
        pieces += [text[at:start], "\n" * len(text[start:end])]
        at = end
    return "".join([*pieces, text[at:]])


def _participants(text: str) -> Iterator[tuple[int, int]]:
    """Where each line stands that names somebody, in heads only."""
    head: list[tuple[int, int]] = []
    said: set[str] = set()
    folded, place = 0, 0
    for line in text.split("\n"):
        start, place = place, place + len(line) + 1
        match = _LINE.match(line)
        kind = match.lastgroup or "" if match else "more" if folded and "@" in line else ""
        if not kind:
            if said >= {"author", "about"}:
                yield from head
            head, said, folded = [], set(), 0
            continue
        said.add(kind)
        if kind != "about":
            head.append((start, start + len(line)))
        goes_on = kind != "about" and line.rstrip().endswith((",", ";", "、"))
        folded = (_MOST_FOLDED if match else folded - 1) if goes_on else 0
    if said >= {"author", "about"}:
        yield from head
