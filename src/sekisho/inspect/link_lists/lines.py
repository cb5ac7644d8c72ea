"""Lines of lists that others publish: addresses, hosts, `hosts` files, CSV.

What stands on a line that cannot be read is nobody's business but its publisher's: such lines are counted.
"""

from __future__ import annotations

import csv
import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

from sekisho.inspect.link_lists.keys import host_key, page_key, place, prefix_key
from sekisho.inspect.links.host import read_host
from sekisho.inspect.links.url import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from sekisho.inspect.links.url import Address

Kind = Literal["url", "host", "prefix"]
Match = Literal["url", "host", "domain"]

LONGEST_LINE = 8192  # octets
_LONGEST_NETWORK = 50
_LOOKED_AT = 20  # lines, to see whether a file is CSV
_NULL_ADDRESSES = frozenset((b"0.0.0.0", b"127.0.0.1", b"::", b"::1", b"255.255.255.255", b"fe80::1%lo0"))
_HOST = rb"(?:[a-z0-9_][a-z0-9_-]{0,62}\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
# Already in the one form that `normalise` would give, which it would take ten times as long to find out.
_PLAIN_HOST = re.compile(_HOST)
_PLAIN_PAGE = re.compile(
    rb"https?://(" + _HOST + rb")(/[A-Za-z0-9/._~!$&()*+,;=:@%-]*)?(\?[A-Za-z0-9/._~!$&()*+,;=:@%?-]+)?(?:#[!-~]*)?"
)
_PLAIN_NULLED = re.compile(rb"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]+(" + _HOST + rb")[ \t]*(?:#.*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://")
_NETWORK = re.compile(r"[0-9.]+/[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*/[0-9]+")
_ADBLOCK = re.compile(r"\|\|([^\s/^$]+)\^?")


class Reader:
    """Reads the lines of one file. `match` says how far entries reach; those of `shared` hosts reach to themselves.

    `unreadable` counts lines that say nothing that can be used.
    """

    def __init__(self, match: Match, shared: Callable[[str], bool]) -> None:
        self._match = match
        self._shared = shared
        self._column = 0
        self.unreadable = 0

    def keys(self, lines: Iterable[bytes], *, named_csv: bool) -> Iterator[bytes]:
        """The key of every entry. `named_csv`: the file's name says that it is CSV. Raises what `lines` raises."""
        said = _saying(lines)
        first = list(islice(said, _LOOKED_AT))
        read = self._row if first and (named_csv or _is_csv(first[0])) else self._line
        header = read == self._row
        for line in chain(first, said):
            found = read(line) if len(line) <= LONGEST_LINE else None
            if found is not None:
                yield from found
            elif not header:
                self.unreadable += 1
            header = False

    def _line(self, line: bytes) -> Iterable[bytes] | None:
        """The keys of a line that is not CSV; None where it says nothing."""
        if _PLAIN_HOST.fullmatch(line):
            return (self._host(line),)
        if nulled := _PLAIN_NULLED.fullmatch(line):
            return (self._host(nulled[1]),)
        if key := self._plain_page(line):
            return (key,)
        words = line.split()
        if words[0] in _NULL_ADDRESSES and len(words) > 1:
            return self._nulled(words[1:])
        key = self._entry(words[0].decode("utf-8", "replace"))
        return None if key is None else (key,)

    def _row(self, line: bytes) -> Iterable[bytes] | None:
        """The key of the first column that is an address, or else of the first that is a host."""
        cells = _cells(line)
        if self._column < len(cells) and _SCHEME.match(cells[self._column]):
            key = self._entry(cells[self._column])
            return None if key is None else (key,)
        for wanted in (_is_address, _is_host):
            for number, cell in enumerate(cells):
                if wanted(cell) and (key := self._entry(cell)) is not None:
                    self._column = number
                    return (key,)
        return None

    def _nulled(self, words: list[bytes]) -> list[bytes]:
        """The names of a line of a `hosts` file. "localhost" and the like are no entries, and no faults."""
        keys = []
        for word in words:
            if word.startswith(b"#"):
                break
            address = normalise(f"http://{word.decode('utf-8', 'replace')}/")
            if address is not None and address.host is not None and "." in address.host.ascii:
                keys.append(self._host(address.host.ascii.encode()))
        return keys

    def _plain_page(self, line: bytes) -> bytes | None:
        found = plain_page(line)
        if found and self._match != "url" and not self._shared(found[0].decode("ascii")):
            return self._host(found[0])
        return b"u" + found[0] + found[1] if found else None

    def _host(self, name: bytes) -> bytes:
        """The key of a host, or of its registrable domain."""
        if self._match == "domain" and not self._shared(text := name.decode("ascii", "replace")):
            site = read_host(text).site
            if site and not self._shared(site):
                return host_key(site)
        return b"h" + name

    def _entry(self, text: str) -> bytes | None:
        if match := _ADBLOCK.fullmatch(text):
            text = match[1]
        if (key := self._plain_page(text.encode("utf-8", "replace"))) is not None:
            return key
        scheme = bool(_SCHEME.match(text))
        kind: Kind = "host" if not scheme and "/" not in text else "url" if scheme else "prefix"
        if text.endswith("/*"):
            kind, text = "prefix", text[:-1]
        address = read_entry(text.removeprefix("*.") if not scheme else text)
        if address is None or address.host is None:
            return None
        name = address.host.ascii
        if kind == "host" or (kind == "url" and self._match != "url" and not self._shared(name)):
            return self._host(name.encode("utf-8", "replace"))
        return key_of(kind, address)


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only the beginning, a little longer than lines may be."""
    most = LONGEST_LINE + 2
    while line := file.readline(most):
        yield line
        while len(line) == most and not line.endswith(b"\n"):
            line = file.readline(most)


def plain_host(line: bytes) -> bytes | None:
    """The key of a host that is already in its one form, None where that has to be found out."""
    return b"h" + line if _PLAIN_HOST.fullmatch(line) else None


def plain_page(line: bytes) -> tuple[bytes, bytes] | None:
    """The host and the rest of a page that is already in its one form, None where that has to be found out."""
    match = _PLAIN_PAGE.fullmatch(line)
    # "." and ".." between slashes are resolved by `normalise`, and "%2" may be the beginning of "%2e"
    if match is None or b"/." in line or b"%2" in line or line.endswith(b"/*"):
        return None
    return match[1], (match[2] or b"/") + (match[3] or b"")


def read_entry(text: str) -> Address | None:
    """The address that an entry names, with or without scheme. Never raises."""
    if _SCHEME.match(text):
        address = normalise(text)
        named = address is not None and address.host is not None and ("." in address.host.ascii or address.host.ip)
        return address if named else None
    text = text.lstrip(".")
    name = text.partition("/")[0]
    if (len(text) < _LONGEST_NETWORK and _NETWORK.fullmatch(text)) or not ("." in name or ":" in name):
        return None
    address = normalise(f"http://{text}")
    if address is None or address.host is None:
        return None
    # A browser reads "2026/11/24" as an IP address and a path; whoever lists an IP address writes it in full.
    whole = address.host.ip is None or name.count(".") == 3 or ":" in name
    return address if whole else None


def key_of(kind: Kind, address: Address) -> bytes:
    """The key of an entry. All pages below "/" are a host."""
    where = place(address)
    if kind == "host" or (kind == "prefix" and address.path == "/"):
        return host_key(address.host.ascii if address.host else "")
    if kind == "prefix":
        return prefix_key(where, address.path)
    return page_key(where, address.path, address.query)


def _saying(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that are neither empty nor comments."""
    for number, line in enumerate(lines):
        said = (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line).strip()
        if said and said[0] not in b"#!;":
            yield said


def _is_csv(line: bytes) -> bool:
    """Whether a file's first line is one of CSV: it has columns, and the first is not simply an address."""
    before, comma, _ = line.partition(b",")
    if not comma:
        return False
    return before.startswith(b'"') or read_entry(before.decode("utf-8", "replace")) is None


def _cells(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:
        return []


def _is_address(cell: str) -> bool:
    return bool(_SCHEME.match(cell))


def _is_host(cell: str) -> bool:
    return "." in cell and " " not in cell and read_entry(cell) is not None
