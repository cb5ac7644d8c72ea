"""Lists of persons in Japanese texts: rows that hold a full name beside a telephone number, address or date of birth.

One value is usual in any mail; the same kinds together, row after row, are a customer or personnel list. Signatures
do not count: their lines do not hold a name and a number together, and one person counts once. A company's own
telephone list does not count either: its numbers share one exchange.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import re2
from msgspec import Struct, field

from sekisho.inspect.normalise import normaliser
from sekisho.inspect.quoted import PLACE, SHARE, split_quotes
from sekisho.inspect.redact import redacted
from sekisho.inspect.validators_jp import jp_birth_date, jp_phone
from sekisho.inspect.words_jp import is_full_name
from sekisho.mail.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.inspect.rules import Rules
    from sekisho.mail.message import Text
    from sekisho.mail.transaction import Transaction

ID = "dlp/jp/customer-list"
LEAST_PERSONS = 10
MOST_PERSONS = 2_000
MOST_LINES = 50_000
_LONGEST_LINE = 2_000  # octets
_LONGEST_RECORD = 800
_OWN_SHARE = 0.6

_normal = normaliser(frozenset(("width", "dashes")))
_PHONE = r"\(?0[0-9]{1,4}[)-]{1,2}[0-9]{1,4}-[0-9]{4}|0[5-9]0[0-9]{8}"
_BIRTH = r"(?:19[0-9]{2}|200[0-9]|昭和 ?[0-9]{1,2}|平成 ?[0-9]{1,2}|[SH][0-9]{1,2})[年/.-][0-9]{1,2}[月/.-][0-9]{1,2}"
_ADDRESS = "(?:都|道|府|県|市|区)[^\\s,0-9]{0,20}[市区町村郡][^\\s,0-9]{0,20}[0-9]"
_FACT = re2.compile(f"{_PHONE}|{_BIRTH}|{_ADDRESS}")
# RE2 for all that looks at whole lines: they are the sender's.
_KINDS = (
    ("telephone", re2.compile(_PHONE)),
    ("date of birth", re2.compile(_BIRTH)),
    ("address", re2.compile(_ADDRESS)),
)
_CELLS = re.compile(r"[\t,|\"、/:;\s]+|(?<=[^\s])[(\uff08]")
_HONORIFIC = re.compile(r"(?:様|さま|さん|氏|殿)$")
_LABELLED = re.compile(r"(?:氏 ?名|お?名前)[ :】)|\t]{1,4}([^\n,\t|(\uff08]{2,10})")
_OWN = re.compile("内線|社内|自社|弊社(?:の)?(?:連絡先|電話)")


class People(Struct):
    """The persons found in one text: the kinds of things known about them, and their landline exchanges."""

    names: dict[str, None] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    exchanges: Counter[str] = field(default_factory=Counter)

    @property
    def are_colleagues(self) -> bool:
        """Whether nothing but telephone numbers is known, most of them behind one exchange."""
        most = max(self.exchanges.values(), default=0)
        return self.kinds.keys() == {"telephone"} and most >= _OWN_SHARE * len(self.names)


class PersonalLists:
    """The inspector "personal-lists". `rules` hold the head whose severity by count is used, and what is disabled."""

    name = "personal-lists"

    def __init__(self, rules: Rules) -> None:
        self._rule = None if ID in rules.disabled else rules.by_id.get(ID)

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """A finding for each body and file that lists ten persons or more."""
        if self._rule is None:
            return ()
        texts = (text for text in split_quotes(transaction) if text.where in ("body", "attachment"))
        return tuple(finding for text in texts for finding in self._look(text))

    def _look(self, text: Text) -> Iterator[Finding]:
        people = people_in(text.text)
        count = len(people.names)
        if self._rule is None or count < LEAST_PERSONS:
            return
        if people.are_colleagues or (people.kinds.keys() == {"telephone"} and _OWN.search(text.text[:300])):
            return
        sure = 0.9 if len(people.kinds) > 1 else 0.8
        yield Finding(
            rule=ID,
            severity=self._rule.severity_for(count),
            confidence=sure * SHARE if text.place == PLACE else sure,
            count=count,
            part=text.part,
            where=text.where,
            path="/".join(filter(None, (text.path, text.place))),
            excerpt=redacted(next(iter(people.names)), "all"),
            explanation=f"{count} rows with a name and {', '.join(sorted(people.kinds))}",
        )


def people_in(text: str) -> People:
    """Different full names with something personal in the same row, or in the same record of labelled lines.

    Looks at no more than 50,000 lines with something in them, and stops at 2,000 persons.
    """
    people = People()
    if text.isascii() or text.count("\n") < LEAST_PERSONS - 1:
        return people
    plain = _normal(text)
    for line, before in _lines_with_facts(plain.encode("utf-8", "replace")):
        kinds = list(_kinds(line))
        name = _name_in(line) or _name_above(before) if kinds else ""
        if not name:
            continue
        people.kinds.update(kind for kind, _ in kinds)
        if name not in people.names:
            people.names[name] = None
            people.exchanges.update(v for kind, v in kinds if kind == "telephone" and v)
        if len(people.names) >= MOST_PERSONS:
            break
    return people


def _lines_with_facts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Lines that seem to hold something personal, with the octets before each back to the last empty line."""
    at = 0
    for _ in range(MOST_LINES):
        match = _FACT.search(data, at)
        if match is None:
            return
        start = data.rfind(b"\n", 0, match.start()) + 1
        end = data.find(b"\n", match.end())
        end = end if end >= 0 else len(data)
        if end - start <= _LONGEST_LINE:
            record = max(data.rfind(b"\n\n", max(0, start - _LONGEST_RECORD), start), start - _LONGEST_RECORD, 0)
            yield data[start:end].decode("utf-8", "replace"), data[record:start]
        at = end


def _kinds(line: str) -> Iterator[tuple[str, str]]:
    """What is known in a line: the kind, and for a landline its exchange, the first six digits."""
    for kind, pattern in _KINDS:
        match = pattern.search(line)
        if match is None:
            continue
        if kind == "telephone" and jp_phone(match[0]):
            digits = "".join(c for c in match[0] if c.isdigit())
            yield kind, digits[:6] if len(digits) == 10 else ""
        elif kind == "address" or (kind == "date of birth" and jp_birth_date(match[0] + "日")):
            yield kind, ""


def _name_in(line: str) -> str:
    """The first full name that is a cell, or two cells beside each other; "" for none."""
    previous = ""
    for cell in _CELLS.split(line)[:60]:
        word = _HONORIFIC.sub("", cell)
        if len(word) > 8:
            previous = ""
            continue
        if previous and is_full_name(f"{previous} {word}"):
            return previous + word
        if is_full_name(word):
            return word
        previous = word
    return ""


def _name_above(record: bytes) -> str:
    """The name that stands behind a label further up in the same record; "" for none."""
    named = _LABELLED.findall(record.decode("utf-8", "ignore"))
    name = _HONORIFIC.sub("", named[-1].strip()) if named else ""
    return name.replace(" ", "") if is_full_name(name) else ""
