"""Turns a transaction into what the content models read. The same at training and at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.content.facts import facts
from sekisho.inspect.content.parties import body_of
from sekisho.learn.clean import cleaned
from sekisho.learn.model import Reading
from sekisho.mail.message import once

if TYPE_CHECKING:
    from sekisho.inspect.content.concepts import Concepts
    from sekisho.inspect.links.inspector import Links
    from sekisho.mail.transaction import Transaction


class Reader:
    """Reads mail for the content models. Shared by all threads."""

    def __init__(self, links: Links, concepts: Concepts) -> None:
        self._links = links
        self._concepts = concepts

    def read(self, transaction: Transaction) -> Reading:
        """The mail's text and facts; done once for a transaction."""
        reading: Reading = once(transaction.memo, "content-reading", lambda: self._read(transaction))
        return reading

    def _read(self, transaction: Transaction) -> Reading:
        message = transaction.message
        body = body_of(transaction)
        signs = (finding.rule for finding in self._links.inspect(transaction))
        text = cleaned(message.subject, body.own)
        return Reading(text, (*facts(message, body, signs), *self._concepts.facts(text)))
