"""What is kept and shown of names of files and of the subject: without the values that were found in them."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sekisho.inspect.file_names import names_inside, stem
from sekisho.inspect.quoted import PLACE as QUOTED
from sekisho.mail.message import Text
from sekisho.redaction.located import VALUES, failed_checks, located, masked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sekisho.mail.finding import Finding
    from sekisho.mail.ports import Inspector
    from sekisho.mail.transaction import Transaction

_MOST_NAME_CHARACTERS = 500_000  # of the names in one message, with those beside them
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


def without_values(
    transaction: Transaction, findings: tuple[Finding, ...], inspectors: Sequence[Inspector]
) -> tuple[Finding, ...]:
    """The findings as they may be kept and shown: names of files are masked where they hold what was found.

    Where an inspector could not look through everything, nothing is known of any name.
    """
    if all(f.path in ("", QUOTED) for f in findings):
        return findings
    names = _Names(transaction, findings)
    blind = not failed_checks(inspectors).isdisjoint(f.rule for f in findings)
    shown = names.kinds() if blind else names.shown(inspectors)
    return tuple(
        replace(f, path="/".join(shown.get(name, name) for name in f.path.split("/"))) if f.path else f
        for f in findings
    )


_Attachment = tuple[str, str]  # part and name


class _Lines(Struct, frozen=True):
    """Names of one attachment as an inspector looks at them: one beside the other, with and without their endings.

    `names` are by line those that begin with it.
    """

    attachment: _Attachment
    lines: tuple[str, ...]
    names: Mapping[str, Sequence[str]]

    @property
    def text(self) -> Text:
        """All of them as a text."""
        part, outer = self.attachment
        return Text("\n".join(self.lines), "filename", part, outer)

    def places(self, hidden: Iterable[int]) -> Iterator[tuple[str, int]]:
        """Which characters of which names these characters of the text are."""
        starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        for place in hidden:
            line = bisect_right(starts, place) - 1
            for name in self.names.get(self.lines[line], ()):
                yield name, place - starts[line]


class _Names:
    """The names of files in the paths of findings."""

    def __init__(self, transaction: Transaction, findings: Sequence[Finding]) -> None:
        self._transaction = transaction
        self._findings = findings
        self._inside: dict[_Attachment, dict[str, None]] = {}
        for finding in findings:
            if finding.path not in ("", QUOTED):
                outer, *names = finding.path.split("/")
                known = self._inside.setdefault((finding.part, outer), {})
                known.update(dict.fromkeys(name for name in names if name not in ("", QUOTED)))

    def shown(self, inspectors: Sequence[Inspector]) -> dict[str, str]:
        """What to show instead of those names that cannot be shown as they are.

        Where it is not known what stands in a name, or nobody can point at what was found in it, that is its kind.
        """
        looked = list(self._looked_at())
        texts = [lines.text for lines in looked]
        found = located(self._transaction, texts, {f.rule for f in self._findings}, inspectors)
        hidden: dict[str, set[int]] = {}
        ids: dict[_Attachment, set[str]] = {attachment: set() for attachment in self._inside}
        known: set[tuple[_Attachment, str]] = set()
        for lines, one in zip(looked, found, strict=True):
            ids[lines.attachment] |= one.ids
            known.update((lines.attachment, line) for line in lines.lines if one.complete)
            for name, place in lines.places(one.hidden):
                hidden.setdefault(name, set()).add(place)
        unknown = (n for a in ids for n in self._names(a) if any((a, line) not in known for line in _both(n)))
        shown = {name: masked(name, places) for name, places in hidden.items()}
        return shown | {name: _kind(name) for name in (*unknown, *self._not_pointed_at(ids))}

    def kinds(self) -> dict[str, str]:
        """The kind of every name, to be shown instead of it."""
        return {name: _kind(name) for attachment in self._inside for name in self._names(attachment)}

    def _names(self, attachment: _Attachment) -> tuple[str, ...]:
        return (attachment[1], *self._inside[attachment])

    def _looked_at(self) -> Iterator[_Lines]:
        """What to look at, no more than there is room for."""
        beside = names_inside(self._transaction)
        room = _MOST_NAME_CHARACTERS
        for attachment, names in self._inside.items():
            outer = attachment[1]
            lines = dict.fromkeys((*beside.get(attachment, ()), *(line for name in names for line in _both(name))))
            groups = [((line,), (outer,)) for line in _both(outer)] + [(tuple(lines), tuple(names))]
            for group, of in groups:
                fits = tuple(
                    line for line, end in zip(group, accumulate(map(len, group)), strict=True) if end <= room
                )
                room -= sum(map(len, fits))
                if fits:
                    yield _Lines(attachment, fits, _by_line(fits, of))

    def _not_pointed_at(self, ids: Mapping[_Attachment, Collection[str]]) -> Iterator[str]:
        """The names of those attachments in whose names something was found that nobody can point at."""
        for finding in self._findings:
            if finding.where == "filename" and finding.rule.startswith(VALUES):
                of = [(finding.part, finding.path.partition("/")[0])] if finding.path else list(ids)
                if not any(finding.rule in ids[attachment] for attachment in of):
                    yield from (name for attachment in of for name in self._names(attachment))


def _by_line(lines: Collection[str], names: Iterable[str]) -> dict[str, list[str]]:
    """By line the names that it is, with or without its ending. Of a name that is cut off nothing is known."""
    by_line: dict[str, list[str]] = {line: [] for line in lines}
    for name in names:
        for line in _both(name) if len(lines) == 1 or name in by_line else ():
            if line in by_line:
                by_line[line].append(name)
    return by_line


def _both(name: str) -> tuple[str, ...]:
    """A name with its ending and without."""
    return (name, stem(name)) if stem(name) else (name,)


def _kind(name: str) -> str:
    """All that is shown of a name that may hold anything."""
    ending = _EXTENSION.search(name)
    return f"*{ending[0].lower()}" if ending else "*"


def shown_subject(
    transaction: Transaction, findings: Iterable[Finding], inspectors: Iterable[Inspector]
) -> str | None:
    """The subject with what was found in it masked, all of it where nobody can point at that; None for nothing."""
    ids = {f.rule for f in findings if f.where == "subject"}
    if not ids:
        return None
    subject = Text(transaction.message.subject, "subject")
    (found,) = located(transaction, [subject], ids, inspectors)
    if not found.complete or any(id_.startswith(VALUES) and id_ not in found.ids for id_ in ids):
        return "*"
    return masked(subject.text, found.hidden)
