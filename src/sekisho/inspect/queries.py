"""What links carry in their queries, as texts: "name value", so that the name is context to the value."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.message import Link
    from sekisho.mail.transaction import Transaction

_MOST_LINKS = 500
_MOST_CHARS = 100_000
_LONGEST = 4_000  # of one query; data: and the like are no queries
_MOST_FIELDS = 200


def query_texts(transaction: Transaction) -> tuple[Text, ...]:
    """A text for each part and file whose links carry something; a message without such links costs nothing."""
    found: dict[tuple[str, str], list[str]] = {}
    room = _MOST_CHARS
    for link in transaction.links[:_MOST_LINKS]:
        if "?" not in link.url:
            continue
        lines = list(_lines(link))
        if not lines:
            continue
        room -= sum(map(len, lines))
        if room < 0:
            break
        found.setdefault((link.part, link.path), []).extend(lines)
    return tuple(Text("\n".join(dict.fromkeys(lines)), "link", part, path) for (part, path), lines in found.items())


def _lines(link: Link) -> Iterator[str]:
    try:
        query = urlsplit(link.url).query[:_LONGEST]
        fields = parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return
    for name, value in fields:
        yield f"{name} {value}"
