"""What was found in attachments, kept for every process of an installation: one encrypted file for each result.

The processes' own memory comes first; a file is read only for what this process has not opened yet. Whatever goes
wrong here is as if nothing were kept: the attachment is opened again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

import sekisho
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.opened import AttachmentKey, Opened
from sekisho.store.files import make_folder
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)

PURPOSE = "opened"
_SECONDS = 86400.0  # contents of mail are kept for a reason, and this one is over by then
_MOST_FILES = 10_000
_LARGEST_SHARE = 8  # one result takes no more than an eighth of the room
_TIDY_SHARE = 16  # room is made each time that this process has written a sixteenth of it
_LEFT_BEHIND = 600.0  # seconds after which nobody is writing a temporary file any more
_decoder = msgspec.msgpack.Decoder(Opened)


class OpenedFiles:
    """A folder of results, about `most_bytes` in all, for a day; 0 keeps none. Implements `mail.ports.OpenedMemory`.

    `generation` stands for everything beside the attachment that a result depends on: code, rules and limits.
    """

    def __init__(self, directory: Path, keys: Keys, generation: str, most_bytes: int) -> None:
        self._directory = directory
        self._keys = keys
        self._generation = generation
        self._most_bytes = most_bytes
        self._written = 0

    async def recall(self, keys: Collection[AttachmentKey], words: bytes) -> dict[AttachmentKey, Opened]:
        """Those of these results that are kept; one that passwords had to do with only for the same `words`."""
        if not self._most_bytes:
            return {}
        return await asyncio.to_thread(self._recall, tuple(keys), words)

    async def keep(self, results: Sequence[tuple[AttachmentKey, bytes, Opened]]) -> None:
        """Keep results, each with the digest of the words that it depends on, b"" for none."""
        if self._most_bytes:
            await asyncio.to_thread(self._keep, results)

    def tidy(self) -> int:
        """Delete what is too old, and the oldest where there is too much; how many files that were."""
        with contextlib.suppress(OSError):
            gone = list(self._superfluous())
            for path in gone:
                path.unlink(missing_ok=True)
            return len(gone)
        return 0

    def _recall(self, keys: Sequence[AttachmentKey], words: bytes) -> dict[AttachmentKey, Opened]:
        found: dict[AttachmentKey, Opened] = {}
        for key in keys:
            for depends_on in dict.fromkeys((b"", words)):
                opened = self._read(self._name(key, depends_on))
                if opened is not None:
                    found[key] = opened
                    break
        return found

    def _read(self, name: str) -> Opened | None:
        path = self._directory / name
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_mtime < time.time() - _SECONDS or status.st_size > self._most_bytes:
                    return None
                return _decoder.decode(self._keys.unseal(PURPOSE, "", name, file.read()))
        except FileNotFoundError:
            return None
        except (OSError, StoreAwayError, msgspec.DecodeError) as error:
            log.info("a kept result of opening is of no use: %s", error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None

    def _keep(self, results: Sequence[tuple[AttachmentKey, bytes, Opened]]) -> None:
        try:
            make_folder(self._directory)
            for key, words, opened in results:
                self._write(self._name(key, words), opened)
        except (OSError, StoreAwayError) as error:
            log.info("a result of opening is not kept: %s", error)
        if self._written > self._most_bytes // _TIDY_SHARE:
            self._written = 0
            self.tidy()

    def _write(self, name: str, opened: Opened) -> None:
        """Whole or not at all, but not flushed: what a power cut leaves of it does not authenticate."""
        data = msgspec.msgpack.encode(opened)
        free = shutil.disk_usage(self._directory).free
        if len(data) > self._most_bytes // _LARGEST_SHARE or free < self._most_bytes:
            return  # what is left of the disk is for messages
        sealed = self._keys.seal(PURPOSE, "", name, data)
        temporary = self._directory / f".{name}.{os.urandom(4).hex()}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
            temporary.replace(self._directory / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._written += len(sealed)

    def _name(self, key: AttachmentKey, words: bytes) -> str:
        digest, name, content_type = key
        asked = f"{self._generation}\0{digest.hex()}\0{words.hex()}\0{content_type}\0{name}"
        return self._keys.keyed_hash(PURPOSE, asked)

    def _superfluous(self) -> Iterator[Path]:
        """The oldest first to go; of files being written only what a crash has left."""
        now, kept = time.time(), []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    seconds = _LEFT_BEHIND if entry.name.startswith(".") else _SECONDS
                    if not self._most_bytes or status.st_mtime < now - seconds:
                        yield Path(entry.path)
                    else:
                        kept.append((status.st_mtime, status.st_size, entry.path))
        kept.sort(reverse=True)
        octets = 0
        for count, (_, size, path) in enumerate(kept):
            octets += size
            if octets > self._most_bytes or count >= _MOST_FILES:
                yield Path(path)


@cache
def code_version() -> str:
    """Names the code that opens attachments, as it lies on the disk when this is first called, with its libraries.

    To be called before a process forks: what is installed later is not what its children run.
    """
    digest = hashlib.sha256()
    package = Path(sekisho.__file__).parent
    for path in sorted(p for name in ("mail", "parse") for p in (package / name).rglob("*.py")):
        digest.update(path.read_bytes())
    libraries = Path(msgspec.__file__).parents[1]
    digest.update("\0".join(sorted(path.name for path in libraries.glob("*.dist-info"))).encode())
    return digest.hexdigest()
