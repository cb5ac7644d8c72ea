"""Messages from wherever they lie: a file, an mbox, a Maildir, a directory, a tar of them, or standard input."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

from msgspec import Struct

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

_TAR = re.compile(r"\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst))$", re.IGNORECASE)
_MESSAGE_NAME = re.compile(r"\.(eml|mbox|mbx|msg)$", re.IGNORECASE)
# A header field's first line, or mbox's; what in a directory looks otherwise is somebody's notes.
_LOOKS_LIKE_MAIL = re.compile(rb"(?:>?From |[!-9;-~]{1,76}[ \t]*:)")
_COMPRESSIONS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": ZstdFile,
}
_CHUNK = 1 << 20
_MBOX_START = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\n]*\n")


class Source(Struct, frozen=True):
    """One message: where it lies, its number there (from 0), and its bytes as they stand."""

    path: str
    index: int
    data: bytes


class Unreadable(Exception):  # noqa: N818 - it is yielded, not raised
    """A file that could not be read; the text says which and why. Others go on."""


def messages(path: str) -> Iterator[Source | Unreadable]:
    """Every message below a path ("-": standard input), in a stable order. Never raises for a bad file."""
    if path == "-":
        yield from _split("-", sys.stdin.buffer.read())
        return
    place = Path(path)
    try:
        directory = place.is_dir()
    except OSError as error:  # above it is a folder that we may not enter
        yield Unreadable(f"{place}: {error.strerror or error}")
        return
    yield from _directory(place) if directory else _file(place, asked_for=True)


def wire_form(data: bytes) -> bytes:
    """The message as it would stand on the wire: CRLF, where the file has line feeds alone."""
    return data if b"\r\n" in data else data.replace(b"\n", b"\r\n")


def _directory(place: Path) -> Iterator[Source | Unreadable]:
    maildir = _is_maildir(place)
    folders = [place]
    if maildir:  # and the folders below it, as Maildir++ has them
        boxes = [place, *(box for box in sorted(place.glob(".*")) if _is_maildir(box))]
        folders = [box / name for box in boxes for name in ("cur", "new")]
    for folder in folders:
        yield from _below(folder, asked_for=maildir)


def _below(folder: Path, *, asked_for: bool) -> Iterator[Source | Unreadable]:
    """Every file below a folder; pipes and devices are not waited for."""
    closed: list[OSError] = []
    for name, below, files in os.walk(folder, onerror=closed.append):
        below.sort()
        for file in sorted(files):
            path = Path(name, file)
            try:
                regular = path.is_file()
            except OSError as error:
                closed.append(error)
                continue
            if regular:
                yield from _file(path, asked_for=asked_for)
    yield from (Unreadable(f"{error.filename}: {error.strerror}") for error in closed)


def _is_maildir(place: Path) -> bool:
    return (place / "cur").is_dir() and (place / "new").is_dir()


def _file(file: Path, *, asked_for: bool) -> Iterator[Source | Unreadable]:
    try:
        if _TAR.search(file.name):
            yield from _tar(file)
            return
        data = file.read_bytes()
    except OSError as error:
        yield Unreadable(f"{file}: {error.strerror or error}")
        return
    if asked_for or _MESSAGE_NAME.search(file.name) or _LOOKS_LIKE_MAIL.match(data):
        yield from _split(str(file), data)


def _tar(file: Path) -> Iterator[Source | Unreadable]:
    try:
        with _decompressed(file) as stream:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isfile() else None
                    data = content.read() if content else b""
                    if _MESSAGE_NAME.search(member.name) or _LOOKS_LIKE_MAIL.match(data):
                        yield from _split(f"{file}/{member.name}", data)
            while stream.read(_CHUNK):  # to the end, where the checksum is
                pass
    except (OSError, EOFError, tarfile.TarError, ValueError, zlib.error, lzma.LZMAError, ZstdError) as error:
        yield Unreadable(f"{file}: {error}")


class _Member(tarfile.TarInfo):
    """A damaged header is an error; `tarfile` takes it for the archive's end, unless it is the first."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # the type stubs leave it out
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}; what follows is not read") from error


def _decompressed(file: Path) -> IO[bytes]:
    """The file's bytes, decompressed by what it starts with, whatever its name says."""
    with file.open("rb") as raw:
        start = raw.read(6)
    for magic, opened in _COMPRESSIONS.items():
        if start.startswith(magic):
            stream: IO[bytes] = opened(file)
            return stream
    return file.open("rb")


def _split(path: str, data: bytes) -> Iterator[Source]:
    """An mbox is cut at its "From " lines; anything else is one message."""
    starts = list(_MBOX_START.finditer(data)) if data.startswith(b"From ") else []
    if not starts:
        yield Source(path, 0, data)
        return
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(data)
        yield Source(path, number, data[start.end() : end])
