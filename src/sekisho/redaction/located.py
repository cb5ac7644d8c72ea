"""Where in a text the values are that were found in the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.message import Text
from sekisho.mail.ports import Locator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sekisho.mail.ports import Inspector, Located
    from sekisho.mail.transaction import Transaction

# The family of those findings that are about a value; an inspector that cannot point at it may have found it.
VALUES = "dlp/"


class Found:
    """What all locators together found in one text."""

    def __init__(self) -> None:
        self.hidden: set[int] = set()
        self.ids: set[str] = set()
        self.complete = True

    def add(self, located: Located) -> None:
        """Add what one of them found."""
        self.hidden.update(located.hidden)
        self.ids.update(located.ids)
        self.complete &= located.complete


def located(
    transaction: Transaction, texts: Sequence[Text], ids: Collection[str], inspectors: Iterable[Inspector]
) -> list[Found]:
    """What all locators together find in each of these texts, to which the subject gives context."""
    found = [Found() for _ in texts]
    subject = Text(transaction.message.subject, "subject")
    asked = texts if not subject.text or any(text.where == "subject" for text in texts) else (*texts, subject)
    for locator in inspectors:
        if isinstance(locator, Locator):
            for one, answer in zip(found, locator.locate(asked, ids, transaction.session.tenant), strict=False):
                one.add(answer)
    return found


def masked(text: str, hidden: Collection[int]) -> str:
    """The text with these characters masked, each by one as wide."""
    return "".join((("*" if c.isascii() else "\uff0a") if i in hidden else c) for i, c in enumerate(text))


def failed_checks(inspectors: Iterable[Inspector]) -> frozenset[str]:
    """The findings that say that one of the locators could not look through everything."""
    return frozenset(
        f"inspection.failed/{inspector.name}" for inspector in inspectors if isinstance(inspector, Locator)
    )
