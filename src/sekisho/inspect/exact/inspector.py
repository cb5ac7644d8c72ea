"""The inspector "exact": messages that carry rows of a list that the company has registered as its own."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from sekisho.inspect.exact.match import TYPE_OF_TAG, Hit, Row, TooLongError, rows_in
from sekisho.inspect.exact.normalise import email_of
from sekisho.inspect.exact.spots import Wanted, spots
from sekisho.inspect.quoted import PLACE, SHARE, split_quotes
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sekisho.inspect.exact.lists import ExactList, ExactLists
    from sekisho.mail.transaction import Transaction

RULE = "dlp/exact/list"
CRITICAL_ROWS = 100
INSPECT_SECONDS = 10.0  # the last resort against a text made of numbers; finding, not silence

_SHARED_BY = 2  # what fits more rows than this (a company's own telephone and address) tells none of them
_MOST_LINKS = 500
_MOST_HITS = 200_000  # of one list in one text
_MOST_KNOWN = 50_000
_LONGEST_LINK = 4000
# The lines with which mail programs begin a quoted message: those who took part, not a list of people.
_TOOK_PART = re.compile(
    r"^[>\s|]{0,20}\*?(?:from|to|cc|bcc|reply-to|sender|差出人|送信者|宛先|返信先)\*?[ \t]*[:：]"  # noqa: RUF001
    r"(?:[^\n]*[,;][ \t]*\n[>\s|]{0,20}){0,200}[^\n]*",
    re.IGNORECASE | re.MULTILINE,
)


class ExactMatches:
    """Finds `dlp/exact/list`. `lists` may be replaced at any time."""

    name = "exact"

    def __init__(self, lists: ExactLists) -> None:
        self.lists = lists

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """One finding for each list, with the number of rows, at the place of the first.

        One more, half as sure, for the rows that the message quotes of its recipient's own words.
        """
        lists = self.lists.of(transaction.session.tenant)
        if not lists:
            return ()
        looking = _Looking(lists, transaction)
        try:
            for text in _texts(transaction):
                looking.at(text)
        except TooLongError:
            return (*looking.findings(), inspection_failed(self.name, "took too long"))
        return looking.findings()


class _Tally:
    """What was found of one list."""

    def __init__(self) -> None:
        self.first: Text | None = None
        self.rows: dict[int, Row] = {}

    def add(self, rows: Iterable[Row], text: Text) -> None:
        for row in rows:
            self.first = self.first or text
            known = self.rows.get(row.number)
            if known is None or row.fields > known.fields:
                self.rows[row.number] = row


class _Looking:
    """One message under way."""

    def __init__(self, lists: Sequence[ExactList], transaction: Transaction) -> None:
        self._lists = lists
        self._transaction = transaction
        self._deadline = time.monotonic() + INSPECT_SECONDS
        self._wanted = Wanted()
        for of in lists:
            self._wanted = self._wanted.together(of.wanted)
        self._hash_of = lists[0].hash_of  # all lists of an installation have one key
        self._tallies = [_Tally() for _ in lists]
        self._quoted = [_Tally() for _ in lists]

    def at(self, text: Text) -> None:
        """Look through one text. Raises TooLongError."""
        found = self._rows(text.text)
        if any(found):
            shown = _TOOK_PART.sub(_blank, text.text)
            found = found if shown == text.text else self._rows(shown)
        tallies = self._quoted if text.place == PLACE else self._tallies
        for rows, tally in zip(found, tallies, strict=True):
            tally.add(rows, text)

    def findings(self) -> tuple[Finding, ...]:
        """What has been found so far."""
        seen = (*zip(self._lists, self._tallies, strict=True), *zip(self._lists, self._quoted, strict=True))
        found = (self._finding(of, tally) for of, tally in seen)
        return tuple(finding for finding in found if finding is not None)

    def _rows(self, text: str) -> list[list[Row]]:
        """The rows of each list."""
        hits = self._hits(text)
        return [rows_in(text, found, of, self._deadline) for found, of in zip(hits, self._lists, strict=True)]

    def _hits(self, text: str) -> list[list[Hit]]:
        """What is in each list, in the order of the places."""
        hits: list[list[Hit]] = [[] for _ in self._lists]
        known: dict[str, tuple[tuple[int, Hit], ...]] = {}
        for number, (place, key) in enumerate(spots(text, self._wanted)):
            if number % 1000 == 999:
                if time.monotonic() > self._deadline:
                    raise TooLongError
                if len(known) > _MOST_KNOWN:
                    known.clear()
            found = known.get(key)
            if found is None:
                found = known[key] = tuple(self._look_up(key))
            for of, hit in found:
                if len(hits[of]) < _MOST_HITS:
                    hits[of].append(Hit(place, hit.value, hit.low, hit.high, hit.kind))
        return [sorted(found, key=lambda hit: hit.place) for found in hits]

    def _look_up(self, key: str) -> Iterator[tuple[int, Hit]]:
        value = self._hash_of(key)
        for number, of in enumerate(self._lists):
            low, high = of.table.find(value)
            if low < high:
                yield number, Hit(0, value, low, high, TYPE_OF_TAG[key[0]])

    def _finding(self, of: ExactList, tally: _Tally) -> Finding | None:
        rows = [row for row in tally.rows.values() if self._counts(row, of)]
        sets = _by_values(rows)
        whole = [group for group in sets if group[0].fields >= of.head.least_fields]
        if tally.first is None or (len(sets) < of.head.least_rows and not whole):
            return None
        return _found(of, sets, whole, tally.first)

    def _counts(self, row: Row, of: ExactList) -> bool:
        """Whether a row is one that somebody might miss: not the sender's or a recipient's own."""
        keys = of.head.key_columns
        if keys and row.columns.isdisjoint(keys):
            return False
        return row.number not in _own_rows(self._transaction, of)


def _found(of: ExactList, sets: Sequence[Sequence[Row]], whole: Sequence[Sequence[Row]], first: Text) -> Finding:
    counted = sets if len(sets) >= of.head.least_rows else whole
    count = len(counted)
    columns = sorted({column for group in counted for column in group[0].columns})
    named = ", ".join(of.head.columns[column].name for column in columns)
    most = max(group[0].fields for group in counted)
    rows = f"{count} row{'s' if count > 1 else ''}"
    sure = 0.99 if count >= of.head.least_rows or most > of.head.least_fields else 0.95
    quoted = first.place == PLACE
    return Finding(
        RULE,
        Severity.CRITICAL if count >= CRITICAL_ROWS else Severity.HIGH,
        confidence=sure * SHARE if quoted else sure,
        count=count,
        part=first.part,
        where=first.where,
        path=PLACE if quoted else first.path,
        excerpt=f"{of.head.name}: {named}",
        explanation=f'{rows} of the list "{of.head.name}", up to {most} fields of each ({named})',
    )


def _by_values(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows by what was seen of them: the same values count once, and not at all where they fit many rows."""
    sets: dict[frozenset[int], list[Row]] = {}
    for row in rows:
        sets.setdefault(row.values, []).append(row)
    return [group for group in sets.values() if len(group) <= _SHARED_BY]


def _own_rows(transaction: Transaction, of: ExactList) -> frozenset[int]:
    """The rows with an e-mail address of those who send or get the message: what they know of themselves."""
    made: dict[str, frozenset[int]] = transaction.memo.setdefault("exact own rows", {})
    key = of.head.name
    if key not in made:
        width = len(of.head.columns)
        rows: set[int] = set()
        for address in _participants(transaction):
            low, high = of.table.find(of.hash_of(f"e{email_of(address)}"))
            rows.update(reference // width for reference in of.table.references(low, high))
        made[key] = frozenset(rows)
    return made[key]


def _participants(transaction: Transaction) -> Iterator[str]:
    yield transaction.envelope.mail_from or ""
    yield from transaction.envelope.rcpt_to
    for header in transaction.message.headers_named("from"):
        yield from (mailbox.address for mailbox in header.mailboxes)


def _texts(transaction: Transaction) -> Iterator[Text]:
    """The texts to look through: all but the headers that name those who take part, and what links ask."""
    yield from (text for text in split_quotes(transaction) if text.where != "header")
    asked: dict[tuple[str, str], list[str]] = {}
    for link in transaction.links[:_MOST_LINKS]:
        if "?" in link.url or link.url.startswith("mailto:"):
            asked.setdefault((link.part, link.path), []).append(unquote_plus(link.url[:_LONGEST_LINK]))
    for (part, path), urls in asked.items():
        yield Text("\n".join(urls), "link", part, path)


def _blank(match: re.Match[str]) -> str:
    """As many characters that say nothing, so that places stay."""
    return "\n" * len(match[0])
