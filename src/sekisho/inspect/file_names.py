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


def _stems(transaction: Transaction) -> Iterator[Text]:
    for part in transaction.message.parts:
        name = part.filename or ""
        stem = name.rpartition(".")[0]
        if stem:
            yield Text(stem, "filename", part.path, name)


def _inner(transaction: Transaction) -> Iterator[Text]:
    found: dict[tuple[str, str], dict[str, None]] = {}
    for file in transaction.opened.files:
        outer, *names = file.path.split("/")
        if names:
            known = found.setdefault((file.part, outer), {})
            for name in names:
                known[name] = None
                known[name.rpartition(".")[0] or name] = None
    for (part, outer), known in found.items():
        yield Text("\n".join(known)[:_MOST_CHARS], "filename", part, outer)
