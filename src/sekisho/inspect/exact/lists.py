"""All lists that are in force, by tenant: files in one directory, in memory that all processes share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sekisho.config.locations import Problem
from sekisho.inspect.exact.phrases import Tag
from sekisho.inspect.exact.spots import Wanted
from sekisho.inspect.exact.table import Head, ListFileError, Table, hasher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

SUFFIX = ".idx"
PURPOSE = "exact data matching"  # of the key: `Keys.derived(PURPOSE)`

_MOST_KNOWN = 100_000  # beginnings of phrases whose lengths are kept ready, for each list

_Stamp = tuple[int, int, int]


class ExactList:
    """One list, ready to be looked up in; shared by all threads.

    `phrases_alone`: rows may be found by names and texts alone; `least_told`: how many other fields a row must show
    before names and texts can make it whole.
    """

    def __init__(self, table: Table, hash_of: Callable[[str], int]) -> None:
        self.table = table
        self.head: Head = table.head
        self.hash_of = hash_of
        lengths = {tag: frozenset(of) for tag, of in self.head.lengths.items()}
        types = {column.type for column in self.head.columns}
        self.wanted = Wanted(
            phones=lengths.get("p", frozenset()),
            numbers=lengths.get("i", frozenset()),
            codes=lengths.get("c", frozenset()),
            addresses=frozenset(self.head.forms),
            emails="email" in types,
            dates="date" in types,
        )
        tags: dict[str, Tag] = {"name": "n", "text": "t"}
        self.tags = frozenset(tags[kind] for kind in types if kind in tags)
        phrases = _phrases(self.head)
        self.phrases_alone = phrases >= 2
        self.least_told = max(1, self.head.least_fields - phrases)
        self._known: dict[str, int] = {}

    def starts(self, beginning: str) -> int:
        """The mask of the lengths of phrases with this beginning."""
        mask = self._known.get(beginning)
        if mask is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            mask = self._known[beginning] = self.table.mask(self.hash_of(beginning))
        return mask


class ExactLists:
    """The lists of all tenants. Immutable: a change makes new ones (`open`)."""

    def __init__(
        self, directory: Path, lists: Mapping[str, Sequence[ExactList]], stamps: Mapping[Path, _Stamp]
    ) -> None:
        self._directory = directory
        self._lists = lists
        self._stamps = stamps

    @classmethod
    def open(cls, directory: Path, key: bytes) -> tuple[ExactLists, list[Problem]]:
        """Map every `TENANT/NAME.idx` below a directory into memory; a list that cannot be read is a problem.

        `key` is what the lists were made under: `Keys.derived(PURPOSE)`. Never raises; a millisecond for a list.
        """
        stamps = _stamps(directory)
        lists: dict[str, list[ExactList]] = {}
        problems = []
        hash_of = hasher(key)
        for path in stamps:
            try:
                table = Table.open(path, key)
            except OSError as error:
                problems.append(Problem(str(path), 0, "", error.strerror or "cannot be read"))
            except (ListFileError, ValueError) as error:
                problems.append(Problem(str(path), 0, "", str(error)))
            else:
                lists.setdefault(path.parent.name, []).append(ExactList(table, hash_of))
                log.info("list %s of %s: %d rows", table.head.name, table.head.tenant, table.head.rows)
        return cls(directory, lists, stamps), problems

    def of(self, tenant: str) -> Sequence[ExactList]:
        """The lists of a tenant, by name."""
        return self._lists.get(tenant, ())

    def changed(self) -> bool:
        """Whether a list was made, made anew or removed since. Lists get their names whole, so none is half there."""
        return _stamps(self._directory) != self._stamps

    @property
    def states(self) -> list[dict[str, object]]:
        """For `status`: each list's name, tenant and number of rows."""
        return [
            {"kind": "list", "name": one.head.name, "tenant": tenant, "rows": one.head.rows}
            for tenant, lists in sorted(self._lists.items())
            for one in lists
        ]


def _phrases(head: Head) -> int:
    """How many fields of a row are names and texts that say anything. A name and its kana are one field."""
    useful = [c for c in head.columns if c.left_out * 2 <= head.rows]
    return sum(1 for c in useful if c.type == "text") + any(c.type == "name" for c in useful)


def _stamps(directory: Path) -> dict[Path, _Stamp]:
    """Every list's file with its time, size and number."""
    found = {}
    try:
        for path in sorted(directory.glob(f"*/*{SUFFIX}")):
            if path.name.startswith("."):
                continue
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        return found  # gone between the two looks: the next look will tell
    return found
