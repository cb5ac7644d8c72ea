"""The bytes of held messages: one encrypted file for each, complete on disk before it has its name."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sekisho.mail.kept import StoreAwayError
from sekisho.store.keys import Keys

_TEMPORARY = ".tmp"
_PROBE_BYTES = 65536
PURPOSE = "message"


class Blobs:
    """A directory of encrypted files named by id. Raises OSError for what the disk says."""

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory = directory
        self._keys = keys
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, tenant: str, blob_id: str, data: bytes) -> None:
        """Encrypt and make durable: file and directory are fsynced when this returns. Raises FileExistsError."""
        path = self._path(blob_id)
        if path.exists():
            raise FileExistsError(f"{blob_id} is kept already")
        temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}{_TEMPORARY}")
        try:
            _write_file(temporary, self._keys.seal(PURPOSE, tenant, blob_id, data))
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        try:
            self._sync()
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def read(self, tenant: str, blob_id: str) -> bytes:
        """The bytes as they came in. Raises StoreAwayError where they are gone or damaged."""
        try:
            sealed = self._path(blob_id).read_bytes()
        except FileNotFoundError:
            raise StoreAwayError(f"the bytes of {blob_id} are not there") from None
        return self._keys.unseal(PURPOSE, tenant, blob_id, sealed)

    def remove(self, blob_id: str) -> None:
        """Delete the file; no error where there is none."""
        self._path(blob_id).unlink(missing_ok=True)

    def exists(self, blob_id: str) -> bool:
        """Whether the file is there."""
        return self._path(blob_id).exists()

    def probe(self) -> None:
        """Write, fsync and delete a small file, to see whether the disk takes anything."""
        temporary = self._directory / f".probe.{os.urandom(4).hex()}{_TEMPORARY}"
        try:
            _write_file(temporary, bytes(_PROBE_BYTES))
        finally:
            temporary.unlink(missing_ok=True)

    def older_than(self, seconds: float) -> Iterator[str]:
        """The ids of files that have not been touched for so long."""
        for entry in self._old(seconds):
            if not entry.name.startswith("."):
                yield entry.name

    def clean_temporary(self, seconds: float) -> int:
        """Delete what a crash left half written. A writer that still sleeps over it fails and reports so."""
        removed = 0
        for entry in self._old(seconds):
            if entry.name.endswith(_TEMPORARY) and entry.name.startswith("."):
                Path(entry.path).unlink(missing_ok=True)
                removed += 1
        return removed

    def _old(self, seconds: float) -> Iterator[os.DirEntry[str]]:
        limit = time.time() - seconds
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime <= limit:
                        yield entry

    def _path(self, blob_id: str) -> Path:
        # Ids are ours, but one that is not a plain name must never become a path.
        if not blob_id or blob_id.startswith(".") or "/" in blob_id or "\0" in blob_id:
            raise StoreAwayError("not an id of a kept message")
        return self._directory / blob_id

    def _sync(self) -> None:
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _write_file(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
