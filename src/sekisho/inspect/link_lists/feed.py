"""Our own format of a list of links, made to be fetched anew by a timer (`docs/operate/link-lists.md`).

    # sekisho-feed: 1
    # updated: 2026-11-24T06:00:00Z
    # expires-days: 7
    host<TAB>login-example.top<TAB>phishing<TAB>2026-11-23
    prefix<TAB>files.example.com/u/8213<TAB>malware<TAB>
    url<TAB>https://www.example.net/a.php?id=3<TAB>phishing<TAB>2026-11-24T01:02:03Z

Whoever writes it means every line: one that is wrong is a problem.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sekisho.inspect.link_lists.lines import LONGEST_LINE, Kind, key_of, plain_host, plain_page, read_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FIRST_LINE = b"# sekisho-feed:"

_VERSION = b"1"
_KINDS: dict[bytes, Kind] = {b"url": "url", b"host": "host", b"prefix": "prefix"}
_HEADER = re.compile(rb"#\s*(updated|expires-days)\s*:\s*(\S+)\s*")
_CATEGORY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LONGEST_LIFE = 3660  # days
_DAY = len("2026-11-24")
_MOST_KEPT = 10_000

FeedAbout = tuple[str, str]


class Feed:
    """Reads one file in our format. `report` is told of what is wrong: the line's number, and why.

    `updated` and `expires` (both aware) are known once the lines have been read; None where the header lacks them.
    """

    def __init__(self, report: Callable[[int, str], None]) -> None:
        self._report = report
        self._days: int | None = None
        self._about: dict[tuple[bytes, ...], FeedAbout] = {}
        self.updated: datetime | None = None

    @property
    def expires(self) -> datetime | None:
        """When the entries stop counting."""
        if self.updated is None or self._days is None:
            return None
        return self.updated + timedelta(days=self._days)

    def entries(self, lines: Iterable[bytes]) -> Iterator[tuple[bytes, FeedAbout]]:
        """The key of every entry, with its category and the day it was first seen on. Raises what `lines` raises."""
        for number, line in enumerate(lines, 1):
            said = line.strip(b" \r\n\xef\xbb\xbf")
            if number == 1:
                self._first(said)
            elif said.startswith(b"#"):
                self._header(number, said)
            elif said:
                entry = self._entry(number, said)
                if entry is not None:
                    yield entry
        if self.expires is None:
            self._report(1, 'needs "# updated: TIME" and "# expires-days: NUMBER"')

    def _first(self, line: bytes) -> None:
        version = line.removeprefix(FIRST_LINE).strip()
        if version != _VERSION:
            self._report(1, f"expected version 1 of the format, got {_shown(version)}")

    def _header(self, number: int, line: bytes) -> None:
        match = _HEADER.fullmatch(line)
        if match is None:
            return
        text = match[2].decode("utf-8", "replace")
        if match[1] == b"updated":
            self.updated = read_time(text)
            if self.updated is None:
                self._report(number, f"updated: expected a time like 2026-11-24T06:00:00Z, got {text[:40]!r}")
        elif text.isascii() and text.isdigit() and 0 < int(text[:8]) <= _LONGEST_LIFE:
            self._days = int(text[:8])
        else:
            self._report(number, f"expires-days: expected a number from 1 to {_LONGEST_LIFE}, got {text[:40]!r}")

    def _entry(self, number: int, line: bytes) -> tuple[bytes, FeedAbout] | None:
        try:
            return self._read(line)
        except ValueError as error:
            self._report(number, str(error))
            return None

    def _read(self, line: bytes) -> tuple[bytes, FeedAbout]:
        if len(line) > LONGEST_LINE:
            raise ValueError(f"longer than {LONGEST_LINE} octets")
        columns = line.split(b"\t")
        if not 3 <= len(columns) <= 4:
            what = "expected kind, value, category and first-seen between tabs"
            raise ValueError(f"{what}, got {len(columns)} columns")
        said = tuple(columns[2:])
        known = self._about.get(said)
        if known is None:
            known = (_category(said[0]), _day(said[1] if len(said) > 1 else b""))
            if len(self._about) < _MOST_KEPT:
                self._about[said] = known
        return _key(columns[0], columns[1]), known


def read_time(text: str) -> datetime | None:
    """A time as RFC 3339 5.6 writes it, with its offset; None where it is not one."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo is not None and 1970 < time.year < 9000 else None


def _key(word: bytes, value: bytes) -> bytes:
    kind = _KINDS.get(word)
    if kind == "host" and (key := plain_host(value)):
        return key
    if kind == "url" and (page := plain_page(value)):
        return b"u" + page[0] + page[1]
    if kind is None:
        raise ValueError(f'expected "url", "host" or "prefix", got {_shown(word)}')
    address = read_entry(value.decode("utf-8", "replace"))
    if address is None or address.host is None:
        raise ValueError(f"expected an address or a host, got {_shown(value)}")
    if kind == "host" and (address.path != "/" or address.query):
        raise ValueError(f"expected a host without path, got {_shown(value)}")
    if kind == "prefix" and address.query:
        raise ValueError(f"expected a path without query, got {_shown(value)}")
    return key_of(kind, address)


def _category(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    if not _CATEGORY.fullmatch(text):
        raise ValueError(f"category: expected lower case, digits and hyphens, got {_shown(value)}")
    return text


def _day(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    if not text:
        return ""
    if read_time(text if len(text) > _DAY else f"{text}T00:00:00Z") is None:
        raise ValueError(f"first-seen: expected a day like 2026-11-24 or a time with its offset, got {_shown(value)}")
    return text[:_DAY]


def _shown(value: bytes) -> str:
    return repr(value[:60].decode("utf-8", "replace"))
