"""Links that stand in a list: files of addresses that are known to be bad, or known to be good.

Lists that others publish are taken as they are; for our own format see `link_list_feed`. What is in an "allow" list
is never reported, however many block lists have it.
"""

from __future__ import annotations

import logging
import time
from errno import EINVAL
from itertools import chain
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.config.locations import Problem
from sekisho.inspect.link_lists.feed import FIRST_LINE, Feed, FeedAbout
from sekisho.inspect.link_lists.keys import keys
from sekisho.inspect.link_lists.lines import Reader, bounded_lines
from sekisho.inspect.link_lists.table import MOST_LABELS, Table
from sekisho.inspect.links.host import above
from sekisho.inspect.links.sign import Sign
from sekisho.inspect.links.tally import Tally
from sekisho.inspect.links.targets import targets
from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sekisho.config.settings import LinkListSettings
    from sekisho.inspect.links.lists import Lists
    from sekisho.inspect.links.url import Address
    from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

LISTED = "link/listed"
MOST_ENTRIES = 5_000_000  # of all lists together
_MOST_PROBLEMS = 100  # of one file: the others are like these
_SETTLED_SECONDS = 2.0  # a file that changed just now may still be written to

Category = Literal["block", "allow"]
_Stamp = tuple[int, int, int]


class LinkListState(Struct, frozen=True):
    """One list as it is in force, for `status`. `updated` and `expires` (seconds since 1970, 0: never) are a feed's.

    `unreadable` counts lines that say nothing that can be used.
    """

    name: str
    file: str
    category: Category
    entries: int
    unreadable: int = 0
    updated: float = 0.0
    expires: float = 0.0

    def expired(self, now: float) -> bool:
        """Whether the list counts no more: nobody has renewed it for so long."""
        return bool(self.expires) and self.expires <= now


class Listed(Struct, frozen=True):
    """Where an address stands: the list's name, and what a feed says of it ("" where it says nothing)."""

    name: str
    category: str = ""
    first_seen: str = ""


class _Label(Struct, frozen=True):
    """What every entry's number stands for. `number` is that of the list's state."""

    number: int
    listed: Listed


class LinkLists:
    """All lists, ready to be looked up in. Immutable: a change makes new ones (`load_link_lists`).

    `clock` counts seconds since 1970.
    """

    def __init__(
        self,
        tables: Mapping[Category, Table],
        labels: Sequence[_Label],
        states: Sequence[LinkListState],
        stamps: Mapping[Path, _Stamp | None],
        clock: Callable[[], float],
    ) -> None:
        self._tables = tables
        self._labels = labels
        self._stamps = stamps
        self._clock = clock
        self.states = tuple(states)

    def __len__(self) -> int:
        """How many entries there are."""
        return sum(map(len, self._tables.values()))

    def find(self, address: Address) -> Listed | None:
        """Where an address is listed as bad. Allow lists win. Microseconds."""
        found = self._find("block", address) if len(self._tables["block"]) else None
        return None if found is None or self.allowed(address) else found

    def allowed(self, address: Address) -> bool:
        """Whether an address is listed as good."""
        return bool(len(self._tables["allow"])) and self._find("allow", address) is not None

    def changed(self) -> bool:
        """Whether a file is another than the one that was read, and was not written to within the last two seconds.

        A file that is gone is not a change: what was read stays in force.
        """
        for path, known in self._stamps.items():
            stamp = _stamp(path)
            if stamp is not None and stamp != known and stamp[0] / 1e9 + _SETTLED_SECONDS <= self._clock():
                return True
        return False

    def _find(self, category: Category, address: Address) -> Listed | None:
        table = self._tables[category]
        for key in keys(address, table.kinds):
            for number in table.labels(key):
                label = self._labels[number]
                if not self.states[label.number].expired(self._clock()):
                    return label.listed
        return None


class ListedLinks:
    """Looks up every link of a message: finding `link/listed`. `lists` may be replaced at any time."""

    name = "link-lists"

    def __init__(self, lists: LinkLists, words: Lists) -> None:
        self.lists = lists
        self._words = words

    def allowed(self, address: Address) -> bool:
        """Whether an address is listed as good, in the lists of the moment: for the look-ups about links."""
        return self.lists.allowed(address)

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """One finding for each part, inner file and host with an address that is listed."""
        lists = self.lists
        if not transaction.links or not len(lists):
            return ()
        tally = Tally()
        for target in targets(transaction, self._words).targets:
            listed = lists.find(target.address)
            if listed is not None:
                tally.add(target, Sign(LISTED, Severity.HIGH, 0.95, _why(listed, target.address)))
        return tally.findings


def load_link_lists(
    settings: Sequence[LinkListSettings],
    path: Callable[[str], Path],
    words: Lists | None = None,
    clock: Callable[[], float] = time.time,
) -> tuple[LinkLists, list[Problem]]:
    """Read every list. `path` makes a file's name absolute. Never raises; about 3 s for a million entries.

    `words` says which sites have pages of many people: of these, `match = "host"` takes single pages still.
    """
    loader = _Loader(words)
    for entry in settings:
        loader.load(entry, path(entry.file))
    return loader.done(clock), loader.problems


class _Loader:
    def __init__(self, words: Lists | None) -> None:
        self.problems: list[Problem] = []
        self._tables: dict[Category, Table] = {"block": Table(), "allow": Table()}
        self._labels: dict[_Label, int] = {}
        self._states: list[LinkListState] = []
        self._stamps: dict[Path, _Stamp | None] = {}
        self._shared = _shared_by(words)
        self._entries = 0

    def load(self, entry: LinkListSettings, path: Path) -> None:
        """Read one file."""
        self._stamps[path] = _stamp(path)  # before it is read: what comes later is a change
        state = LinkListState(entry.name, str(path), entry.category, 0)
        try:
            if path.exists() and not path.is_file():
                raise OSError(EINVAL, "not a file")  # noqa: TRY301 - a pipe would be waited for without end
            with path.open("rb") as file:
                lines = bounded_lines(file)
                first = next(lines, b"")
                ours = first.removeprefix(b"\xef\xbb\xbf").startswith(FIRST_LINE)
                lines = chain((first,), lines)
                state = self._feed(lines, state) if ours else self._foreign(lines, state, entry)
        except OSError as error:
            self.problems.append(Problem(str(path), 0, "", error.strerror or "cannot be read"))
        self._states.append(state)
        log.info("link list %s: %d entries, %d lines unreadable", state.name, state.entries, state.unreadable)

    def done(self, clock: Callable[[], float]) -> LinkLists:
        """The lists, once all are read."""
        for table in self._tables.values():
            table.seal()
        return LinkLists(self._tables, tuple(self._labels), self._states, self._stamps, clock)

    def _foreign(self, lines: Iterable[bytes], state: LinkListState, entry: LinkListSettings) -> LinkListState:
        reader = Reader(entry.match, self._shared)
        named_csv = state.file.endswith(".csv")
        label = self._label(Listed(entry.name))
        add = self._tables[entry.category].add
        count = 0
        for key in reader.keys(lines, named_csv=named_csv):
            if self._full(state):
                break
            add(key, label)
            count += 1
        if reader.unreadable > count:
            what = f"most lines cannot be read ({reader.unreadable} of {reader.unreadable + count})"
            self.problems.append(Problem(state.file, 0, "", what))
        return LinkListState(state.name, state.file, state.category, count, reader.unreadable)

    def _feed(self, lines: Iterable[bytes], state: LinkListState) -> LinkListState:
        wrong = 0

        def report(line: int, why: str) -> None:
            nonlocal wrong
            wrong += 1
            if wrong <= _MOST_PROBLEMS:
                self.problems.append(Problem(state.file, line, "", why))

        feed, count = Feed(report), 0
        add = self._tables[state.category].add
        labels: dict[FeedAbout, int] = {}
        for key, about in feed.entries(lines):
            if self._full(state):
                break
            label = labels.get(about)
            if label is None:
                label = self._label(Listed(state.name, *about))
                if len(labels) < MOST_LABELS:
                    labels[about] = label
            add(key, label)
            count += 1
        updated, expires = (time.timestamp() if time else 0.0 for time in (feed.updated, feed.expires))
        return LinkListState(state.name, state.file, state.category, count, wrong, updated, expires)

    def _label(self, listed: Listed) -> int:
        """The number of what is said about an entry: without the day, then without the category, as room runs out."""
        labels = self._labels
        less = (listed, Listed(listed.name, listed.category), Listed(listed.name))
        for said, most in zip(less, (MOST_LABELS // 2, MOST_LABELS * 3 // 4, MOST_LABELS), strict=True):
            label = _Label(len(self._states), said)
            number = labels.get(label)
            if number is None and len(labels) < most:
                number = labels[label] = len(labels)
            if number is not None:
                return number
        raise AssertionError("there are more lists than labels")  # the settings are no million lines long

    def _full(self, state: LinkListState) -> bool:
        self._entries += 1
        if self._entries <= MOST_ENTRIES:
            return False
        if self._entries == MOST_ENTRIES + 1:
            self.problems.append(Problem(state.file, 0, "", f"more than {MOST_ENTRIES} entries in all lists"))
        return True


def _why(listed: Listed, address: Address) -> str:
    host = address.host.unicode if address.host else ""
    about = ", ".join(filter(None, (listed.category, listed.first_seen and f"since {listed.first_seen}")))
    return f'{host} is in the list "{listed.name}"{f" ({about})" if about else ""}'


def _shared_by(words: Lists | None) -> Callable[[str], bool]:
    """Whether a host has pages of many people, or belongs to somebody well known who has such."""
    if words is None:
        return lambda _: False
    known = {*words.shorteners, *words.content_networks, *words.free_hosting, *words.redirectors}
    owned = {domain for brand in words.brands for domain in brand.domains}

    def shared(host: str) -> bool:
        return host.removeprefix("www.") in known or not owned.isdisjoint(above(host))

    return shared


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
