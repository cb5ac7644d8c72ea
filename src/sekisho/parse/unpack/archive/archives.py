"""Archives that libarchive reads: 7z, RAR, tar, cabinets, LHA, CD images, cpio, ar and what is built on them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.archive import rar, seven_zip
from sekisho.parse.unpack.archive.library import Member, Reader
from sekisho.parse.unpack.archive.members import tell_closed, tell_device, tell_link, tell_names
from sekisho.parse.unpack.archive.rar_headers import read_headers
from sekisho.parse.unpack.archive.zip import open_listed
from sekisho.parse.unpack.archive.zip_directory import read_directory
from sekisho.parse.unpack.opening import (
    CorruptError,
    EncryptedError,
    Opening,
    OverLimitError,
    UnreadableError,
    clean_name,
)

# Kind → libarchive's formats and filters.
_FORMATS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "7z": (("7zip",), ()),
    "rar": (("rar", "rar5"), ()),
    "tar": (("tar",), ()),
    "cab": (("cab",), ()),
    "lha": (("lha",), ()),
    "iso": (("iso9660",), ()),
    "cpio": (("cpio",), ()),
    "ar": (("ar",), ()),
    "deb": (("ar",), ()),
    "rpm": (("cpio",), ("rpm", "gzip", "bzip2", "xz", "lzma", "zstd")),
}
KINDS: Final = " ".join(_FORMATS)
# Formats that nobody may read without their makers' programs, or that need a whole disk driver.
_UNREADABLE: Final = {
    "ace": (Severity.HIGH, "an ACE archive: nothing ordinary makes them any more, attacks do"),
    "arj": (Severity.HIGH, "an ARJ archive: nothing ordinary makes them any more, attacks do"),
    "archive": (Severity.MEDIUM, "an archive of a kind that cannot be opened here"),
    "lzop": (Severity.MEDIUM, "an lzop file, which cannot be opened here"),
}
UNREADABLE_KINDS: Final = " ".join(_UNREADABLE)
_TAIL: Final = 1 << 24  # where a zip may have its end record
_MOST_MARKS: Final = 20
_AR_TABLES: Final = frozenset({"/", "//", "/SYM64/", "__.SYMDEF"})  # lists of symbols and long names
_MOST_CORRUPT: Final = 20
_NO_KEY: Final = "no password at hand opens them"


def open_archive(opening: Opening) -> None:
    """An `Opener` for the kinds of `KINDS`."""
    if opening.kind == "rar":
        _open_rar(opening)
    elif opening.kind == "7z":
        _open_seven_zip(opening)
    else:
        _read(opening, _Seen(opening.content))


def open_unreadable(opening: Opening) -> None:
    """An `Opener` for the kinds of `UNREADABLE_KINDS`: says that nobody looked inside."""
    severity, why = _UNREADABLE[opening.kind]
    opening.finding("attachment/unreadable", severity, why)


def open_self_extracting(opening: Opening) -> None:
    """An `Opener` for programs: the archive that an unpacking program carries behind itself."""
    content = opening.content
    if content.rfind(b"PK\x05\x06", max(0, len(content) - _TAIL)) > 0 and b"PK\x03\x04" in content:
        with suppress(CorruptError):  # no zip after all
            open_listed(opening, read_directory(content, opening.budget))
            return
    at = _attached(content)
    if at > 0:
        opening.budget.take_bytes(len(content) - at)
        opening.inner("attached archive", content[at:])


def _attached(content: bytes) -> int:
    """Where a 7z with a right start header or a RAR begins, -1 for none. The program's own constants look alike."""
    at = -1
    for _ in range(_MOST_MARKS):
        at = content.find(b"7z\xbc\xaf\x27\x1c\0", at + 1)
        if at < 0:
            break
        if zlib.crc32(content[at + 12 : at + 32]) == int.from_bytes(content[at + 8 : at + 12], "little"):
            return at
    return max(content.find(b"Rar!\x1a\x07\x01\0"), content.find(b"Rar!\x1a\x07\0\xcf\x90s"))


def _open_seven_zip(opening: Opening) -> None:
    plain = seven_zip.unlock(opening)
    _read(opening, _Seen(opening.content if plain is None else plain, secret=plain is not None))


def _open_rar(opening: Opening) -> None:
    unlocked = rar.unlock(opening)
    if unlocked is None:
        _open_plain_rar(opening)
        return
    if unlocked.several:
        _tell_several(opening)
    if unlocked.broken:
        _tell_unread(opening)
    seen = _Seen(unlocked.content, secret=opening.opened_by_password, doubtful=unlocked.doubtful)
    seen.names += unlocked.closed
    seen.closed += unlocked.closed
    _read(opening, seen)


def _open_plain_rar(opening: Opening) -> None:
    """One in which nothing is encrypted, as far as its headers are sound."""
    headers, seen = read_headers(opening.content, opening.budget), _Seen(opening.content)
    try:
        _read(opening, seen)
    except (CorruptError, EncryptedError) as error:
        if isinstance(error, EncryptedError) or headers.locked or headers.encrypted:
            tell_closed(opening, headers.encrypted)
            raise EncryptedError(f"encrypted files behind broken headers; {_NO_KEY}") from error
        if not headers.several:
            tell_closed(opening, headers.names)
            raise UnreadableError(str(error)) from error
    # The library takes some garbage for the end, and passes over a file of RAR 5 behind which nothing is.
    if headers.unread or (len(seen.names) < len(headers.names) and not headers.several):
        _tell_unread(opening)
    if headers.several:
        _tell_several(opening)


def _tell_unread(opening: Opening) -> None:
    """Say that there is more in a RAR than was seen. libarchive hands on what is encrypted but not compressed."""
    opening.finding("attachment/unreadable", Severity.MEDIUM, "what follows in the archive cannot be read")


def _tell_several(opening: Opening) -> None:
    """Say that a RAR begins or ends in another file: what is cut was not seen, though nothing looks broken."""
    opening.finding("attachment/unreadable", Severity.MEDIUM, "one part of an archive in several parts")


def _read(opening: Opening, seen: _Seen) -> None:
    """Hand on all members. One that cannot be read is told, and the next is tried."""
    formats, filters = _FORMATS[opening.kind]
    try:
        with Reader(seen.archive, formats, filters) as reader:
            for member in _limited(opening, reader.members()):
                seen.names.append(member.name)
                _take(opening, reader, member, seen)
    except CorruptError as error:
        if not seen.closed:
            raise UnreadableError(str(error)) from error
        opening.finding("attachment/unreadable", Severity.MEDIUM, str(error))
    finally:
        tell_names(opening, seen.names)
        tell_closed(opening, seen.closed)
    if seen.closed:
        raise EncryptedError(f"{len(seen.closed)} encrypted files; {_NO_KEY}")


class _Seen:
    """What was met in one archive.

    `secret`: it was decrypted. `doubtful`: what is broken in it may as well have another password.
    """

    def __init__(self, archive: bytes, *, secret: bool = False, doubtful: bool = False) -> None:
        self.archive = archive
        self.secret = secret
        self.doubtful = doubtful
        self.names: list[str] = []
        self.closed: list[str] = []
        self.corrupt = 0


def _limited(opening: Opening, members: Iterator[Member]) -> Iterator[Member]:
    """The members up to the limits; folders and links, which are no files to open, count like files."""
    left = opening.budget.limits.files
    for member in members:
        left -= 1
        if left < 0:
            raise OverLimitError("files: in one archive")
        opening.budget.check_time()
        yield member


def _take(opening: Opening, reader: Reader, member: Member, seen: _Seen) -> None:
    if opening.kind in {"ar", "deb"} and member.name in _AR_TABLES:
        return
    if member.kind == "link":
        tell_link(opening, member.name, member.target)
    elif member.kind == "device":
        tell_device(opening, member.name)
    elif member.encrypted:
        seen.closed.append(member.name)
    elif member.kind == "file":
        _take_file(opening, reader, member, seen)


def _take_file(opening: Opening, reader: Reader, member: Member, seen: _Seen) -> None:
    broken: list[Exception] = []
    content = opening.budget.collect(_until_broken(reader.data(), broken), len(opening.content))
    if broken and (seen.doubtful or isinstance(broken[0], EncryptedError)):
        seen.closed.append(member.name)
        return
    if broken:
        seen.corrupt += 1
        whole = 0 < member.size <= len(content)
        rule = "attachment/corrupt" if whole else "attachment/unreadable"
        opening.finding(rule, Severity.MEDIUM, str(broken[0]), clean_name(member.name))
    if content or not broken:
        opening.inner(member.name, content, secret=seen.secret)
    if seen.corrupt > _MOST_CORRUPT:
        raise UnreadableError("too many members that cannot be read")


def _until_broken(pieces: Iterator[bytes], broken: list[Exception]) -> Iterator[bytes]:
    try:
        yield from pieces
    except (CorruptError, EncryptedError) as error:
        broken.append(error)
