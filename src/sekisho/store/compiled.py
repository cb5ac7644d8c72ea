"""Compiled patterns kept between starts: a folder of files that only this user may write."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

_MOST_FILES = 64
_LARGEST = 64 << 20  # octets


class CompiledFiles:
    """A cache of what can be made anew: whatever goes wrong with it is as if nothing were kept.

    `directory` is made when first written to. A folder or file that another user owns or may write to is not read,
    since hyperscan trusts what it is given.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> bytes | None:
        """What was kept under this name, or None."""
        if not _own(self._directory):
            return None
        with contextlib.suppress(OSError), (self._directory / name).open("rb") as file:
            status = os.fstat(file.fileno())
            if _is_own(status) and stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
                os.utime(file.fileno())
                return file.read()
        return None

    def put(self, name: str, data: bytes) -> None:
        """Keep it, whole or not at all; the files used longest ago make room."""
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _own(self._directory):
                self._write(name, data)
                self._make_room()

    def _write(self, name: str, data: bytes) -> None:
        descriptor, written = tempfile.mkstemp(prefix=".", dir=self._directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(written).replace(self._directory / name)
        except OSError:
            Path(written).unlink(missing_ok=True)
            raise

    def _make_room(self) -> None:
        files = sorted(self._directory.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[_MOST_FILES:]:
            path.unlink(missing_ok=True)


def compiled_files(state_directory: Path) -> CompiledFiles:
    """In the user's folder for caches (systemd's, else the XDG base directory), or below the state where none is.

    Below the state only where that is there: a command makes no state.
    """
    named = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    home = os.environ.get("XDG_CACHE_HOME") or _home_cache()
    for base in filter(None, (named, home and f"{home}/sekisho")):
        if _may_be_made(Path(base)):
            return CompiledFiles(Path(base) / "patterns")
    return CompiledFiles(state_directory / "cache" / "patterns" if state_directory.is_dir() else Path(os.devnull))


def _home_cache() -> str:
    try:
        return str(Path.home() / ".cache")
    except RuntimeError:
        return ""


def _may_be_made(directory: Path) -> bool:
    there = next((path for path in (directory, *directory.parents) if path.exists()), None)
    return directory.is_absolute() and there is not None and os.access(there, os.W_OK) and _own(there)


def _own(directory: Path) -> bool:
    try:
        return _is_own(directory.stat())
    except OSError:
        return False


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
