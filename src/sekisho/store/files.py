"""Files that get their names once they are whole, and folders, for the user that owns what is around them."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


@contextmanager
def whole_file(path: Path, *, replace: bool = True, like: Path | None = None) -> Iterator[BinaryIO]:
    """A file of mode 0600 that gets its name when it is whole and on disk. Raises OSError.

    What root writes belongs to the owner of `like`, or of the file's folder. Without `replace` a file that is there
    stays: the first of several processes wins.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as stream:
            yield stream
            stream.flush()
            hand_over(temporary, like or path.parent)
            os.fsync(fd)
        if replace:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder of mode 0700 and those above it, each for the owner of the one around it. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        hand_over(path, path.parent)


def hand_over(path: Path, like: Path) -> None:
    """What root makes is for the user that the gateway runs as: the owner of `like`. Raises OSError."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
