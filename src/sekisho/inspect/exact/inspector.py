"""The inspector "exact": messages that carry rows of a list that the company has registered as its own."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from msgspec import Struct

from sekisho.inspect.exact.heads import without_participants
from sekisho.inspect.exact.match import TYPE_OF_TAG, Hit, Row, Rows, TooLongError, rows_in
from sekisho.inspect.exact.normalise import email_of
from sekisho.inspect.exact.plain import arabic
from sekisho.inspect.exact.spots import Wanted, spots
from sekisho.inspect.quoted import PLACE, SHARE, split_quotes
from sekisho.mail.address import domain_of, same_or_below
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sekisho.inspect.exact.lists import ExactList, ExactLists
    from sekisho.mail.message import Link
    from sekisho.mail.transaction import Transaction

RULE = "dlp/exact/list"
CRITICAL_ROWS = 100
INSPECT_SECONDS = 10.0  # the last resort against a text made of numbers; finding, not silence

_SHARED_BY = 2  # what fits more rows than this (a company's own telephone and address) tells none of them
_LINK_CHARACTERS = 2_000_000  # of all links that ask something
_MOST_HITS = 200_000  # of one list in one text
_MOST_KNOWN = 50_000
_REST_OF_VALUE = re.compile(r"[^\s,;|<>\"\u3001\uff0c]{0,64}")


class ExactMatches:
    """Finds `dlp/exact/list`. `lists` may be replaced at any time."""

    name = "exact"

    def __init__(self, lists: ExactLists) -> None:
        self.lists = lists

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """One finding for each list, with the number of rows, at the place of the first.

        Where there was more of a list than is looked at, the number is said to be the least. One more finding, half
        as sure, for the rows that the message quotes of its recipient's own words.
        """
        lists = self.lists.of(transaction.session.tenant)
        if not lists:
            return ()
        looking = _Looking(lists, transaction)
        try:
            for text, whole in _texts(transaction):
                looking.at(text, whole)
        except TooLongError:
            return (*looking.findings(), inspection_failed(self.name, "took too long"))
        if sum(len(link.url) for link in _asking(transaction)) > _LINK_CHARACTERS:
            return (*looking.findings(), inspection_failed(self.name, "more and longer links than are looked at"))
        return looking.findings()


class _Carried(Struct, frozen=True):
    """A row and the text that carries it."""

    row: Row
    text: Text

    @property
    def place(self) -> tuple[str, str, str]:
        return self.text.part, self.text.where, self.text.path

    @property
    def span(self) -> tuple[int, int] | None:
        """From its first value to the end of its last; None in what is not as the message has it."""
        shown = self.text.text
        if self.text.where == "link" or len(arabic(shown)) != len(shown):
            return None
        rest = _REST_OF_VALUE.match(shown, self.row.last)
        return self.row.first, rest.end() if rest else self.row.last


class _Tally:
    """What was found of one list; `cut` is a text that had more of it than is looked at."""

    def __init__(self) -> None:
        self.rows: dict[int, _Carried] = {}
        self.cut: Text | None = None

    def add(self, rows: Rows, text: Text) -> None:
        if not rows.complete:
            self.cut = self.cut or text
        for row in rows.found:
            known = self.rows.get(row.number)
            if known is None or row.fields > known.row.fields:
                self.rows[row.number] = _Carried(row, text)


class _Looking:
    """One message under way."""

    def __init__(self, lists: Sequence[ExactList], transaction: Transaction) -> None:
        self._lists = lists
        self._transaction = transaction
        self._deadline = time.monotonic() + INSPECT_SECONDS
        self._wanted = Wanted()
        for of in lists:
            self._wanted = self._wanted.together(of.wanted)
        self._hashers = tuple(dict.fromkeys(of.hash_of for of in lists))  # one, until the key file is another
        self._tallies = [_Tally() for _ in lists]
        self._quoted = [_Tally() for _ in lists]

    def at(self, text: Text, whole: str) -> None:
        """Look through one text, the part of `whole` that is not blanked in it. Raises TooLongError."""
        found = self._rows(text.text)
        if any(rows.found for rows in found) and text.where == "body":
            shown = without_participants(text.text, whole)
            found = found if shown == text.text else self._rows(shown)
        tallies = self._quoted if text.place == PLACE else self._tallies
        for rows, tally in zip(found, tallies, strict=True):
            tally.add(rows, text)

    def findings(self) -> tuple[Finding, ...]:
        """What has been found so far."""
        seen = (*zip(self._lists, self._tallies, strict=True), *zip(self._lists, self._quoted, strict=True))
        found = (self._finding(of, tally) for of, tally in seen)
        return tuple(finding for finding in found if finding is not None)

    def _rows(self, text: str) -> list[Rows]:
        """The rows of each list."""
        found = []
        for (hits, complete), of in zip(self._hits(text), self._lists, strict=True):
            rows = rows_in(text, hits, of, self._deadline)
            found.append(rows if complete else Rows(rows.found, complete=False))
        return found

    def _hits(self, text: str) -> list[tuple[list[Hit], bool]]:
        """What is in each list, in the order of the places, and whether this is all."""
        hits: list[list[Hit]] = [[] for _ in self._lists]
        cut: set[int] = set()
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
                else:
                    cut.add(of)
        return [(sorted(found, key=lambda hit: hit.place), of not in cut) for of, found in enumerate(hits)]

    def _look_up(self, key: str) -> Iterator[tuple[int, Hit]]:
        values = {hash_of: hash_of(key) for hash_of in self._hashers}
        for number, of in enumerate(self._lists):
            value = values[of.hash_of]
            low, high = of.table.find(value)
            if low < high:
                yield number, Hit(0, value, low, high, TYPE_OF_TAG[key[0]])

    def _finding(self, of: ExactList, tally: _Tally) -> Finding | None:
        sets = _by_values(carried for carried in tally.rows.values() if self._counts(carried.row, of))
        whole = [group for group in sets if group[0].row.fields >= of.head.least_fields]
        if len(sets) >= of.head.least_rows or whole:
            return _found(of, sets if len(sets) >= of.head.least_rows else whole, complete=tally.cut is None)
        if tally.cut is None:
            return None
        why = f'more values of the list "{of.head.name}" in one text than are looked at ({_MOST_HITS:,})'
        return inspection_failed(ExactMatches.name, why, part=tally.cut.part, where=tally.cut.where)

    def _counts(self, row: Row, of: ExactList) -> bool:
        """Whether a row is one that somebody might miss: not the sender's or a recipient's own."""
        keys = of.head.key_columns
        if keys and row.columns.isdisjoint(keys):
            return False
        return row.number not in _own_rows(self._transaction, of)


def _found(of: ExactList, counted: Sequence[Sequence[_Carried]], *, complete: bool) -> Finding:
    count = len(counted)
    columns = sorted({column for group in counted for column in group[0].row.columns})
    named = ", ".join(of.head.columns[column].name for column in columns)
    most = max(group[0].row.fields for group in counted)
    places = len({carried.place for group in counted for carried in group})
    rows = f"{'' if complete else 'at least '}{count} row{'s' if count > 1 else ''}"
    sure = 0.99 if count >= of.head.least_rows or most > of.head.least_fields else 0.95
    first = counted[0][0]
    quoted = first.text.place == PLACE
    return Finding(
        RULE,
        Severity.CRITICAL if count >= CRITICAL_ROWS else Severity.HIGH,
        confidence=sure * SHARE if quoted else sure,
        count=count,
        part=first.text.part,
        where=first.text.where,
        span=first.span,
        path=PLACE if quoted else first.text.path,
        excerpt=f"{of.head.name}: {named}",
        explanation=f'{rows} of the list "{of.head.name}"{f" in {places} places" if places > 1 else ""}, '
        f"up to {most} fields of each ({named})",
    )


def _by_values(rows: Iterable[_Carried]) -> list[list[_Carried]]:
    """Rows by what was seen of them: the same values count once, and not at all where they fit many rows."""
    sets: dict[frozenset[int], list[_Carried]] = {}
    for carried in rows:
        sets.setdefault(carried.row.values, []).append(carried)
    return [group for group in sets.values() if len(group) <= _SHARED_BY]


def _own_rows(transaction: Transaction, of: ExactList) -> frozenset[int]:
    """The rows with an e-mail address of those who send or get the message: what they know of themselves.

    Of those outside who get it only where that is one alone: what others get of him he would miss. Of those inside
    only where they are too few to be a list themselves.
    """
    made: dict[str, frozenset[int]] = transaction.memo.setdefault("exact own rows", {})
    key = of.head.name
    if key not in made:
        inside, outside = _recipients(transaction)
        rows = _rows_of(_senders(transaction), of)
        if len(outside) == 1:
            rows |= _rows_of(outside, of)
        colleagues = _rows_of(inside, of)
        if len(colleagues) < of.head.least_rows:
            rows |= colleagues
        made[key] = frozenset(rows)
    return made[key]


def _rows_of(addresses: Iterable[str], of: ExactList) -> set[int]:
    width = len(of.head.columns)
    rows: set[int] = set()
    for address in addresses:
        low, high = of.table.find(of.hash_of(f"e{email_of(address)}"))
        rows.update(reference // width for reference in of.table.references(low, high))
    return rows


def _senders(transaction: Transaction) -> Iterator[str]:
    """The envelope's sender, and the first that the message says it is from."""
    yield transaction.envelope.mail_from or ""
    for header in transaction.message.headers_named("from")[:1]:
        yield from (mailbox.address for mailbox in header.mailboxes[:1])


def _recipients(transaction: Transaction) -> tuple[set[str], set[str]]:
    """Those inside and those outside."""
    everybody = {address.lower() for address in transaction.envelope.rcpt_to}
    own = transaction.internal_domains
    inside = {a for a in everybody if any(same_or_below(domain_of(a), name) for name in own)}
    return inside, everybody - inside


def _asking(transaction: Transaction) -> Iterator[Link]:
    return (link for link in transaction.links if "?" in link.url or link.url.startswith("mailto:"))


def _texts(transaction: Transaction) -> Iterator[tuple[Text, str]]:
    """The texts to look through, each with the whole that it is a part of.

    That is all but the headers that name those who take part, and what links ask.
    """
    whole = iter(transaction.texts)
    of = ""
    for text in split_quotes(transaction):
        if text.place != PLACE:  # a quotation follows what it was taken from
            of = next(whole).text
        if text.where != "header":
            yield text, of
    asked: dict[tuple[str, str], list[str]] = {}
    left = _LINK_CHARACTERS
    for link in _asking(transaction):
        asked.setdefault((link.part, link.path), []).append(unquote_plus(link.url[: max(left, 0)]))
        left -= len(link.url)
    for (part, path), urls in asked.items():
        shown = "\n".join(urls)
        yield Text(shown, "link", part, path), shown
