"""A Maildir as next hop: where mail lands while no mail server is configured, and for tests."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sekisho.act.handed import Handed, same_for_all
from sekisho.mail.reply import Reply

if TYPE_CHECKING:
    from sekisho.mail.envelope import Envelope

_log = logging.getLogger(__name__)
_count = itertools.count(1)

STORED = Reply(250, "0.0", "Stored in the local Maildir")
FULL = Reply(452, "3.1", "Insufficient system storage")
UNWRITABLE = Reply(451, "3.0", "The local Maildir cannot be written")


class MaildirRelay:
    """Writes each message as one file into `path`/new, durable before it says 250.

    `path` is made on first use. The envelope stands on top of the file, in Return-Path (RFC 5321 4.4) and one
    X-Envelope-To for each recipient. A full disk is 452 4.3.1, any other failure 451 4.3.0.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    async def send(self, envelope: Envelope, data: bytes) -> Handed:
        """Store one message. Never raises for what the disk does."""
        try:
            file = await asyncio.to_thread(store, self._path, envelope_header(envelope), data)
        except OSError as error:
            _log.warning("cannot store a message in %s: %s", self._path, error)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            return same_for_all(envelope, str(self._path), FULL if full else UNWRITABLE)
        return same_for_all(envelope, str(file), STORED)

    async def close(self) -> None:
        """Nothing to close: every message is whole when `send` returns."""


def envelope_header(envelope: Envelope) -> bytes:
    """The envelope as header fields; a line end inside an address, which nothing should let in, becomes "?"."""
    fields = [("Return-Path", f"<{envelope.mail_from or ''}>")]
    fields += [("X-Envelope-To", address) for address in envelope.rcpt_to]
    lines = (f"{name}: {value}".replace("\r", "?").replace("\n", "?") for name, value in fields)
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def store(path: Path, *pieces: bytes) -> Path:
    """Write a file by way of tmp/ into new/, so that readers only see whole ones. Blocks; raises OSError."""
    for folder in ("tmp", "cur", "new"):
        _make_folder(path / folder)
    name = f"{time.time_ns()}.P{os.getpid()}Q{next(_count)}.{socket.gethostname().replace('/', '_')}"
    temporary, final = path / "tmp" / name, path / "new" / name
    try:
        with temporary.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(final)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path / "new")
    return final


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable in the one that holds it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
