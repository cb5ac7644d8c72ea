"""Which registered documents a message has pieces of, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.fingerprints.shingle import CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sekisho.inspect.fingerprints.index import Document, Index
    from sekisho.inspect.fingerprints.shingle import Shingler
    from sekisho.mail.message import Text

MOST_MATCHES = 5  # of one message
_FEWEST_PIECES = 3  # below that nothing is said to anybody
_STEP = 5  # pieces that an edit may have changed inside a passage
_IN_ORDER = 3
LEFT_OUT = frozenset(("subject", "header", "filename"))


class Match(Struct, frozen=True):
    """A document that a message has pieces of.

    `pieces` are different ones that are its own, `share` their part of all its own, 0..1. `text` is the text or the
    file with the most of them; `text_share` the part of that one's pieces that are the document's. `passages` counts
    stretches that follow the document, `longest` the letters and digits of the longest. `in_order` are the pieces
    in passages of three and more: what a copy has, and a few words that many people use have not.
    """

    document: Document
    pieces: int
    share: float
    text: Text
    text_share: float
    passages: int
    longest: int
    in_order: int


class _Hit(Struct, frozen=True):
    """A piece found: its number in the text, the letter it begins at, its place among all documents' pieces."""

    text: int
    number: int
    at: int
    place: int


class _Passage(Struct, frozen=True):
    """A stretch of a text that follows a document."""

    hits: list[_Hit]

    @property
    def length(self) -> int:
        """Letters and digits from its first piece to its last."""
        return self.hits[-1].at - self.hits[0].at + CHARACTERS


def matches(index: Index, shingler: Shingler, texts: Sequence[Text]) -> list[Match]:
    """The documents with at least three pieces in the texts, the one with the most first, at most `MOST_MATCHES`.

    One that adds next to nothing to those before it (an older version, say) is left out.
    """
    by_document: dict[Document, list[_Hit]] = {}
    values: dict[int, Sequence[int]] = {}
    for number, text in enumerate(texts):
        if text.where in LEFT_OUT or len(text.text) < CHARACTERS:
            continue
        shingles = shingler.shingles(text.text)
        found = index.found(shingles.values)
        if found:
            values[number] = shingles.values
        for piece, places in found:
            for place in places:
                document = index.document_at(place)
                if document is not None:
                    hit = _Hit(number, piece, shingles.places[piece], place)
                    by_document.setdefault(document, []).append(hit)
    return [_match(document, hits, texts, values) for document, hits in _telling(by_document)]


def _telling(by_document: dict[Document, list[_Hit]]) -> Iterable[tuple[Document, list[_Hit]]]:
    """The documents that say something that the ones before do not, those with the most pieces first."""
    pieces = {document: {hit.place for hit in hits} for document, hits in by_document.items()}
    order = sorted(by_document, key=lambda d: (len(pieces[d]), len(pieces[d]) / max(1, d.own), d.added), reverse=True)
    said: set[tuple[int, int]] = set()
    told = 0
    for document in order:
        if len(pieces[document]) < _FEWEST_PIECES or told == MOST_MATCHES:
            return
        where = {(hit.text, hit.number) for hit in by_document[document]}
        if len(where - said) * 2 < len(where) or len(where - said) < _FEWEST_PIECES:
            continue
        said |= where
        told += 1
        yield document, by_document[document]


def _match(document: Document, hits: list[_Hit], texts: Sequence[Text], values: dict[int, Sequence[int]]) -> Match:
    found = {hit.place for hit in hits}
    by_file: dict[tuple[str, str], set[int]] = {}
    for hit in hits:
        by_file.setdefault(_file(texts[hit.text]), set()).add(hit.place)
    file = max(by_file, key=lambda f: len(by_file[f]))
    inside = [hit for hit in hits if _file(texts[hit.text]) == file]
    all_pieces = {value for number, text in values.items() if _file(texts[number]) == file for value in text}
    passages = _passages(hits)
    return Match(
        document,
        len(found),
        min(1.0, len(found) / max(1, document.own)),
        texts[_most_common(hit.text for hit in inside)],
        min(1.0, len(by_file[file]) / max(1, len(all_pieces))),
        len(passages),
        max(passage.length for passage in passages),
        len({hit.place for passage in passages if len(passage.hits) >= _IN_ORDER for hit in passage.hits}),
    )


def _file(text: Text) -> tuple[str, str]:
    return text.part, text.path


def _most_common(numbers: Iterable[int]) -> int:
    times: dict[int, int] = {}
    for number in numbers:
        times[number] = times.get(number, 0) + 1
    return max(times, key=lambda number: times[number])


def _passages(hits: Sequence[_Hit]) -> list[_Passage]:
    """Every stretch that follows the document; a piece on its own is one too."""
    passages: list[_Passage] = []
    for hit in hits:
        before = passages[-1].hits[-1] if passages else None
        follows = (
            before is not None
            and hit.text == before.text
            and hit.number - before.number <= _STEP
            and 0 < hit.place - before.place <= _STEP
        )
        if follows:
            passages[-1].hits.append(hit)
        else:
            passages.append(_Passage([hit]))
    return passages
