"""The JSON log: one object a line, for each message and for what the daemon itself has to say.

A file is written in place, with one write a line. Standard output may be a pipe that nobody reads just now, so lines
for it go through a bounded queue and a thread: a stuck log never stops mail.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sekisho.store.audit import clean

_QUEUE = 10_000
_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_encode = msgspec.json.Encoder().encode


class Journal:
    """Writes lines to "stdout", "stderr" or a file. Never raises and never blocks on a pipe.

    `failed` is called for each line that is lost.
    """

    def __init__(self, target: str, failed: Callable[[], None] = lambda: None) -> None:
        self._path = None if target in ("stdout", "stderr") else Path(target)
        self._fd = {"stdout": 1, "stderr": 2}.get(target, -1)
        self._failed = failed
        self._torn = False
        self._stale = False
        self._looked_at = 0.0
        self._lock = threading.Lock()
        self._failure = ""
        self._unread = False
        self._queue = None if self._is_file() else _Queue(self._write)

    def write(self, entry: object) -> None:
        """Write one entry (anything that msgspec encodes to a JSON object)."""
        line = _encode_line(entry)
        if self._queue is None:
            self._write(line)
            return
        self._unread = not self._queue.put(line)
        if self._unread:
            self._failed()

    @property
    def trouble(self) -> str:
        """Why the last line was lost, "" when it was not."""
        return "nobody reads the log" if self._unread else self._failure

    def reopen(self) -> None:
        """Open the file anew before the next line: after it was rotated, or at SIGHUP."""
        self._stale = True

    def close(self) -> None:
        """Write what is queued, for a short time, and close the file."""
        if self._queue is not None:
            self._queue.close()
        # The thread may hang in a write to a pipe that nobody reads, and hold the lock for it.
        if self._path is not None and self._lock.acquire(timeout=_CLOSE_SECONDS):
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            self._lock.release()

    def _is_file(self) -> bool:
        if self._path is not None:
            return not self._path.exists() or self._path.is_file()
        try:
            return stat.S_ISREG(os.fstat(self._fd).st_mode)
        except OSError:
            return True

    def _write(self, line: bytes) -> None:
        try:
            with self._lock:
                self._write_whole(line)
            self._failure = ""
        except OSError as error:
            self._failure = error.strerror or type(error).__name__
            self._failed()

    def _write_whole(self, line: bytes) -> None:
        """One write; a line that was cut short by a full disk is ended before the next one."""
        if self._path is not None:
            self._look()
        data = b"\n" + line if self._torn else line
        written = os.write(self._fd, data)
        if written < len(data):
            self._torn = True
            written += os.write(self._fd, data[written:])
        self._torn = written < len(data)

    def _look(self) -> None:
        """Once a second: is the file under our name still the one that we write to?"""
        now = time.monotonic()
        if self._fd >= 0 and not self._stale and now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        if self._fd < 0 or self._stale or not _is_same(self._path, self._fd):
            self._reopen()

    def _reopen(self) -> None:
        old = self._fd
        path = self._path or Path(os.devnull)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._torn = self._stale = False
        if old >= 0:
            os.close(old)


def _is_same(path: Path | None, fd: int) -> bool:
    try:
        there, here = (path or Path(os.devnull)).stat(), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _encode_line(entry: object) -> bytes:
    try:
        return _encode(entry) + b"\n"
    except UnicodeEncodeError:
        return _encode(_cleaned(msgspec.to_builtins(entry))) + b"\n"


def _cleaned(value: object) -> object:
    """The same with octets that were no UTF-8 written as escapes."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


class _Queue:
    """Lines on their way to a pipe or terminal."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, line: bytes) -> bool:
        """Queue a line; False where too many wait already."""
        with self._changed:
            if len(self._lines) >= _QUEUE:
                return False
            self._lines.append(line)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
                self._thread.start()
        return True

    def close(self) -> None:
        """Wait a moment for what is queued."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                line = self._lines.popleft()
            self._write(line)


class JournalHandler(logging.Handler):
    """Python's logging as lines of the journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; never raises."""
        with suppress(Exception):
            self._journal.write(_log_entry(record))


def _log_entry(record: logging.LogRecord) -> dict[str, object]:
    entry: dict[str, object] = {
        "event": "log",
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname.lower(),
        "logger": record.name,
        "pid": record.process,
        "message": record.getMessage(),
    }
    if record.exc_info and record.exc_info[1] is not None:
        entry["exception"] = type(record.exc_info[1]).__name__
        entry["traceback"] = _frames(record.exc_info[1])
    return entry


def _frames(error: BaseException) -> list[str]:
    """Where it happened, without the exception's text: that may quote the message."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
