"""Says in findings which registered documents a message has parts of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.fingerprints.match import Match, matches
from sekisho.inspect.quoted import PLACE, SHARE, split_quotes
from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.inspect.fingerprints.library import Fingerprints
    from sekisho.mail.transaction import Transaction

RULE = "dlp/fingerprint/document"
HIGH_SHARE = 0.30
# Pieces in order. Measured on mail and articles: whoever has 6 (45 words, or 100 characters of Japanese) has copied
# them; where they are much of the document 5 are enough. With 4, lists of the same people and forms come in.
_ENOUGH = 6
_ENOUGH_OF_SHORT = 5
_MUCH = 0.08


class FingerprintInspector:
    """Compares all texts with the tenant's registered documents: finding `dlp/fingerprint/document`.

    `documents` may be replaced at any time.
    """

    name = "fingerprints"

    def __init__(self, documents: Fingerprints) -> None:
        self.documents = documents

    def inspect(self, transaction: Transaction) -> Sequence[Finding]:
        """One finding for each document, with the place that has the most of it. Never a word of the text.

        One more, half as sure, for what the message quotes of its recipient's own words.
        """
        return [_finding(match) for match in self.matches(transaction) if tells(match)]

    def matches(self, transaction: Transaction) -> list[Match]:
        """The documents that the message has pieces of, also where these are too few for a finding."""
        registered = self.documents.of(transaction.session.tenant)
        if registered is None:
            return []
        texts = split_quotes(transaction)
        own = [text for text in texts if text.place != PLACE]
        quoted = [text for text in texts if text.place == PLACE]
        return [match for part in (own, quoted) for match in matches(registered.index, registered.shingler, part)]


def tells(match: Match) -> bool:
    """Whether so much of a document is no chance."""
    return match.in_order >= (_ENOUGH_OF_SHORT if match.share >= _MUCH else _ENOUGH)


def severity(match: Match) -> Severity:
    """High from 30 % of the document."""
    return Severity.HIGH if match.share >= HIGH_SHARE else Severity.MEDIUM


def explanation(match: Match) -> str:
    """How much of which document, in words."""
    place = f", {match.text.place}" if match.text.place else ""
    return (
        f"registered document {match.document.name!r}: {_percent(match.share)} of it is in this message; "
        f"{_percent(match.text_share)} of this text{place} comes from it; "
        f"longest passage {match.longest} letters of {match.passages} passage{'s' if match.passages > 1 else ''}"
    )


def _finding(match: Match) -> Finding:
    sure = 0.97 if match.share >= HIGH_SHARE else 0.9
    quoted = match.text.place == PLACE
    return Finding(
        RULE,
        severity(match),
        confidence=sure * SHARE if quoted else sure,
        count=match.passages,
        part=match.text.part,
        where=match.text.where,
        path=PLACE if quoted else match.text.path,
        keyed_hash=match.document.id,
        explanation=explanation(match),
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1 %"
