"""Names of files as texts of their own: those inside attachments, and all of them without what tells their type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.transaction import Transaction

_MOST_CHARS = 200_000  # of the names inside one attachment


def name_texts(transaction: Transaction) -> tuple[Text, ...]:
    """One text for each attachment whose name has an ending, and one for the names of all that is inside it.

    A number is not recognised before ".xlsx", since what goes on behind a point is another number.
    """
    return (*_stems(transaction), *_inner(transaction))


def stem(name: str) -> str:
    """A name without what tells its type; "" where nothing does."""
    return name.rpartition(".")[0]


def names_inside(transaction: Transaction) -> dict[tuple[str, str], dict[str, None]]:
    """By part and name of an attachment: the names of all that is inside it, each with its stem behind it."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for file in transaction.opened.files:
        outer, *names = file.path.split("/")
        if names:
            known = found.setdefault((file.part, outer), {})
            for name in names:
                known[name] = None
                known[stem(name) or name] = None
    return found


def _stems(transaction: Transaction) -> Iterator[Text]:
    for part in transaction.message.parts:
        name = part.filename or ""
        if stem(name):
            yield Text(stem(name), "filename", part.path, name)


def _inner(transaction: Transaction) -> Iterator[Text]:
    for (part, outer), known in names_inside(transaction).items():
        yield Text("\n".join(known)[:_MOST_CHARS], "filename", part, outer)
