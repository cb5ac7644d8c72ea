"""The registered documents of all tenants: opened for the inspector, changed by the command line."""

from __future__ import annotations

import fcntl
import hmac
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sekisho.inspect.fingerprints.index import PLACE, PUBLIC, Document, Index, IndexDamagedError
from sekisho.inspect.fingerprints.match import LEFT_OUT
from sekisho.inspect.fingerprints.shingle import Shingler
from sekisho.inspect.fingerprints.writing import IndexFullError, changed_columns, written
from sekisho.store.files import make_folder
from sekisho.store.tenant_files import TenantFiles, tenant_folder, tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sekisho.config.locations import Problem
    from sekisho.mail.message import Text

FILE = "documents.fingerprints"  # `.idx` are the lists of exact data matching
PURPOSE = "document fingerprints"  # of the key: `Keys.derived(PURPOSE)`
FEWEST_PIECES = 6  # a shorter text says too little to be known by
ADVICE = "remove the file, and register the documents again with `sekisho dlp fingerprint add`"
_AT_ONCE = 500_000  # entries held before they are merged into the file


class TooShortError(Exception):
    """The document has fewer than `FEWEST_PIECES` pieces: about 200 letters, or 100 characters of Japanese."""


class Registered:
    """One tenant's documents, ready to be looked up in. Immutable."""

    def __init__(self, index: Index, shingler: Shingler) -> None:
        self.index = index
        self.shingler = shingler


class Fingerprints:
    """The documents of all tenants as they were when opened. Immutable: a change makes new ones (`again`)."""

    def __init__(self, files: TenantFiles[Registered], key: bytes = b"") -> None:
        self._files = files
        self._key = key
        self._tenants = {tenant: found[0] for tenant, found in files.by_tenant().items()}

    @classmethod
    def none(cls, directory: Path) -> Fingerprints:
        """Before anything was opened below a directory."""
        return cls(TenantFiles(directory, FILE.__eq__))

    @classmethod
    def open(cls, directory: Path, key: bytes) -> tuple[Fingerprints, list[Problem]]:
        """Map the files of all tenants below `directory`; `key` is 32 octets. Never raises.

        A file that cannot be used is a problem, the others count.
        """
        return cls.none(directory).again(key)

    def again(self, key: bytes) -> tuple[Fingerprints, list[Problem]]:
        """Take up what is new and has changed. A file that cannot be used is a problem and stays as it was."""

        def opened(path: Path) -> Registered:
            own = tenant_key(key, tenant_of(path))
            try:
                return Registered(Index.open(path, own), Shingler(own))
            except IndexDamagedError as error:
                raise IndexDamagedError(f"{error}; {ADVICE}") from error

        files, problems = self._files.again(opened, (IndexDamagedError,), all_anew=key != self._key)
        return Fingerprints(files, key), problems

    def of(self, tenant: str) -> Registered | None:
        """A tenant's documents; None where it has not registered any."""
        return self._tenants.get(tenant)

    @property
    def states(self) -> list[dict[str, object]]:
        """For `status`: how many documents each tenant has."""
        return [
            {"kind": "documents", "tenant": tenant, "documents": len(one.index.documents)}
            for tenant, one in sorted(self._tenants.items())
        ]

    def changed(self) -> bool:
        """Whether a file is another than the one that was opened, or is new or gone. Microseconds. Never raises."""
        return self._files.changed()


class Register:
    """Changes one tenant's documents. Used as a context: changes are on disk at its end, others wait for it."""

    def __init__(self, directory: Path, key: bytes, tenant: str) -> None:
        self.path = tenant_folder(directory, tenant) / FILE
        self._key = tenant_key(key, tenant)
        self._shingler = Shingler(self._key)
        self._index: Index | None = None
        self._documents: list[Document] = []
        self._added: list[tuple[int, int]] = []
        self._removed: list[Document] = []

    @contextmanager
    def changing(self) -> Iterator[Register]:
        """Hold the file for a change. Raises IndexDamagedError, IndexFullError, OSError."""
        make_folder(self.path.parent)
        fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            self.read()
            yield self
            self.write()
        finally:
            os.close(fd)

    def read(self) -> None:
        """Take what is in the file. Raises IndexDamagedError, OSError."""
        self._index = Index.open(self.path, self._key) if self.path.exists() else None
        self._documents = [] if self._index is None else list(self._index.documents)

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents as they are registered now, with what counts as their own as of the last writing."""
        return tuple(self._documents)

    def add(self, name: str, content: bytes, texts: Sequence[str], *, public: bool = False) -> Document:
        """Register a document under a name, in place of the one that has it. Raises TooShortError, OSError.

        `content` are the file's octets, `texts` what stands in it.
        """
        values: dict[int, None] = {}
        letters = 0
        for text in texts:
            shingles = self._shingler.shingles(text, varied=True)
            values.update(dict.fromkeys(value >> 16 for value in shingles.values))
            letters += shingles.length
        if len(values) < FEWEST_PIECES:
            raise TooShortError(f"{name}: {letters} letters and digits are too few to be known by")
        self.remove(self._id(name))
        start = max((d.end for d in (*self._documents, *self._removed)), default=0)
        if start + len(values) > PLACE:
            raise IndexFullError
        flag = PUBLIC if public else 0
        self._added += ((value, start + number | flag) for number, value in enumerate(values))
        now = datetime.now(UTC).replace(microsecond=0)
        digest = hmac.digest(self._key, content, "sha256")[:16].hex()
        document = Document(self._id(name), name, digest, now, public, start, start + len(values), letters)
        self._documents.append(document)
        if len(self._added) >= _AT_ONCE:
            self.write()
        return document

    def remove(self, given: str) -> Document | None:
        """Take out the document with this id or name. None where there is none."""
        for document in self._documents:
            if given in (document.id, document.name):
                self._documents.remove(document)
                self._removed.append(document)
                self._added = [new for new in self._added if not document.start <= new[1] & PLACE < document.end]
                return document
        return None

    def write(self) -> None:
        """Put the changes on disk. Raises OSError, IndexDamagedError."""
        if not self._added and not self._removed:
            return
        columns = changed_columns(self._index, self._removed, sorted(self._added))
        written(self.path, self._key, self._documents, columns)
        self._added, self._removed = [], []
        self.read()

    def _id(self, name: str) -> str:
        return hmac.digest(self._key, b"name\0" + name.encode("utf-8", "surrogatepass"), "sha256")[:6].hex()


def registrable(text: Text) -> bool:
    """Whether a text of a file is part of what the document says; its name is not."""
    return text.where not in LEFT_OUT


def tenant_key(key: bytes, tenant: str) -> bytes:
    """The key of one tenant's file: no tenant's fingerprints say anything about another's."""
    return hmac.digest(key, b"documents of " + tenant.encode("utf-8", "surrogatepass"), "sha256")
