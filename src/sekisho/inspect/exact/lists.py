"""All lists that are in force, by tenant: files in one directory, in memory that all processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.exact.phrases import Tag
from sekisho.inspect.exact.spots import Wanted
from sekisho.inspect.exact.table import Head, ListFileError, Table, hasher
from sekisho.store.tenant_files import TenantFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sekisho.config.locations import Problem

SUFFIX = ".idx"
PURPOSE = "exact data matching"  # of the key: `Keys.derived(PURPOSE)`

_MOST_KNOWN = 100_000  # beginnings of phrases whose lengths are kept ready, for each list

_ADVICE = "`sekisho dlp index` makes the list anew, `sekisho dlp remove` removes it"


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
    """The lists of all tenants. Immutable: a change makes new ones (`again`)."""

    def __init__(
        self, files: TenantFiles[ExactList], key: bytes = b"", hash_of: Callable[[str], int] | None = None
    ) -> None:
        self._files = files
        self._key = key
        self._hash_of = hash_of
        self._lists = files.by_tenant()

    @classmethod
    def none(cls, directory: Path) -> ExactLists:
        """Before anything was opened below a directory."""
        return cls(TenantFiles(directory, _is_list))

    @classmethod
    def open(cls, directory: Path, key: bytes) -> tuple[ExactLists, list[Problem]]:
        """Map every `TENANT/NAME.idx` below a directory into memory; a list that cannot be read is a problem.

        `key` is what the lists were made under: `Keys.derived(PURPOSE)`. Never raises; a millisecond for a list.
        """
        return cls.none(directory).again(key)

    def again(self, key: bytes) -> tuple[ExactLists, list[Problem]]:
        """Take up what is new and has changed. A list that cannot be read is a problem and stays as it was."""
        same = key == self._key and self._hash_of is not None
        hash_of = self._hash_of if same and self._hash_of else hasher(key)

        def opened(path: Path) -> ExactList:
            try:
                return ExactList(Table.open(path, key), hash_of)
            except (ListFileError, ValueError) as error:
                raise ListFileError(f"{error}; {_ADVICE}") from error

        files, problems = self._files.again(opened, (ListFileError,), all_anew=not same)
        return ExactLists(files, key, hash_of), problems

    def of(self, tenant: str) -> Sequence[ExactList]:
        """The lists of a tenant, by name."""
        return self._lists.get(tenant, ())

    def changed(self) -> bool:
        """Whether a list was made, made anew or removed since. Lists get their names whole, so none is half there."""
        return self._files.changed()

    def __iter__(self) -> Iterator[ExactList]:
        """All lists."""
        return (one for lists in self._lists.values() for one in lists)

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


def _is_list(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")
