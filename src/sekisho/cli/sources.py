"""Messages from wherever they lie: a file, an mbox, a Maildir, a directory, a tar of them, or standard input."""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdFile
else:
    from backports.zstd import ZstdFile

_TAR = re.compile(r"\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst))$", re.IGNORECASE)
_MESSAGE_NAME = re.compile(r"\.(eml|mbox|mbx|msg)$", re.IGNORECASE)
# A header field's first line, or mbox's; what in a directory looks otherwise is somebody's notes.
_LOOKS_LIKE_MAIL = re.compile(rb"(?:>?From |[!-9;-~]{1,76}[ \t]*:)")
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
    if place.is_dir():
        yield from _directory(place)
    else:
        yield from _file(place, asked_for=True)


def wire_form(data: bytes) -> bytes:
    """The message as it would stand on the wire: CRLF, where the file has line feeds alone."""
    return data if b"\r\n" in data else data.replace(b"\n", b"\r\n")


def _directory(place: Path) -> Iterator[Source | Unreadable]:
    maildir = (place / "cur").is_dir() and (place / "new").is_dir()
    folders = [place / "cur", place / "new"] if maildir else [place]
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                yield from _file(file, asked_for=maildir)


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
        with _opened(file) as stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                data = content.read() if content else b""
                if _MESSAGE_NAME.search(member.name) or _LOOKS_LIKE_MAIL.match(data):
                    yield from _split(f"{file}/{member.name}", data)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        yield Unreadable(f"{file}: {error}")


def _opened(file: Path) -> BinaryIO | ZstdFile:
    if file.suffix.lower() in (".zst", ".tzst"):
        return ZstdFile(file)
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
