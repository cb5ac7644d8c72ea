"""Zip archives: every member by the directory, and the contradictions that fool other readers as findings."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.archive import streams, zip_passwords
from sekisho.parse.unpack.archive.library import LibraryMissingError, Reader
from sekisho.parse.unpack.archive.members import ANOMALY, tell_closed, tell_link, tell_names
from sekisho.parse.unpack.archive.zip_directory import AES, LOCAL, Directory, Entry, read_directory
from sekisho.parse.unpack.archive.zip_headers import hidden_members, members_by_headers
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening, UnreadableError, clean_name
from sekisho.parse.unpack.passwords import spellings, tell_opened, try_passwords

_STORED, _DEFLATED, _BZIP2, _LZMA, _ZSTD, _XZ = 0, 8, 12, 14, 93, 95
_BY_LIBRARY: Final = (98,)  # PPMd
_SMALL: Final = 64 * 1024  # ZipCrypto octets that Python decrypts itself
_HEADER: Final = 12
_LONGEST_TARGET: Final = 4096
_MOST_TOLD: Final = 20


def open_zip(opening: Opening) -> None:
    """An `Opener` for zip archives and what is built on them, by the directory or, without one, by their headers."""
    try:
        directory = read_directory(opening.content, opening.budget)
    except CorruptError as error:
        _open_without_directory(opening, error)
    else:
        open_listed(opening, directory)


def open_listed(opening: Opening, directory: Directory) -> None:
    """Hand on what the directory lists. Members hidden from it are told and handed on, too."""
    _tell_anomalies(opening, directory)
    hidden = hidden_members(opening.content, directory, opening.budget)
    for entry in hidden:
        opening.finding(ANOMALY, Severity.HIGH, "a member that the directory does not list", clean_name(entry.name))
    _open_earlier(opening, directory)
    _open_members(opening, [*directory.entries, *hidden])


def _open_without_directory(opening: Opening, trouble: CorruptError) -> None:
    """Many programs read such a zip from its front. What is cut off may go on in another file."""
    entries = members_by_headers(opening.content, opening.budget)
    if not entries:
        raise UnreadableError(str(trouble)) from trouble
    last = max(entry.data + entry.packed for entry in entries)
    whole = last <= len(opening.content) and not isinstance(trouble, UnreadableError)
    rule = "attachment/corrupt" if whole else "attachment/unreadable"
    opening.finding(rule, Severity.MEDIUM, f"{trouble}; files were found by their own headers")
    _open_members(opening, entries)


def _tell_anomalies(opening: Opening, directory: Directory) -> None:
    for grave, why, name in sorted(directory.anomalies, key=_gravest)[:_MOST_TOLD]:
        opening.finding(ANOMALY, Severity.HIGH if grave else Severity.LOW, why, clean_name(name))


def _gravest(anomaly: tuple[bool, str, str]) -> bool:
    return not anomaly[0]


def _open_earlier(opening: Opening, directory: Directory) -> None:
    """Two zips in a row: some readers take the first, some the last."""
    if directory.start and opening.content.startswith(b"PK\x03\x04"):
        opening.budget.take_bytes(directory.start)
        opening.inner("first of two archives.zip", opening.content[: directory.start])


def _open_members(opening: Opening, entries: list[Entry]) -> None:
    tell_names(opening, (entry.name for entry in entries))
    files = [entry for entry in entries if not entry.is_folder and entry.data >= 0]
    opener = _Members(opening, [entry for entry in files if entry.encrypted])
    for entry in files:
        opening.budget.check_time()
        opener.open(entry)
    if opener.closed:
        tell_closed(opening, opener.closed)
        raise EncryptedError(f"{len(opener.closed)} of {len(files)} files in the zip need a password")


class _Members:
    """Opens the members of one zip, with the password that opened the one before."""

    def __init__(self, opening: Opening, encrypted: list[Entry]) -> None:
        self._opening = opening
        self._encrypted = encrypted
        self._password: bytes | None = None
        self._hopeless = False
        self.closed: list[str] = []

    def open(self, entry: Entry) -> None:
        """Hand on one member; what is wrong with it is told, and the next can be opened all the same."""
        opening, secret = self._opening, entry.encrypted
        try:
            content = self._decrypted(entry) if secret else self._plain(entry)
        except (UnreadableError, LibraryMissingError) as error:
            opening.finding("attachment/unreadable", Severity.MEDIUM, str(error), clean_name(entry.name))
            tell_closed(opening, [entry.name])
            return
        except CorruptError as error:
            opening.finding("attachment/corrupt", Severity.MEDIUM, str(error), clean_name(entry.name))
            return
        if content is None:
            self.closed.append(entry.name)
        elif entry.is_link and len(content) < _LONGEST_TARGET:
            opening.budget.take_file()
            tell_link(opening, entry.name, content.decode("utf-8", "replace"))
        else:
            opening.inner(entry.name, content, secret=secret)

    def _packed(self, entry: Entry) -> bytes:
        """What there is of the member's data: if they are cut off, that shows when they are read."""
        return self._opening.content[entry.data : entry.data + entry.packed]

    def _plain(self, entry: Entry) -> bytes:
        packed = self._packed(entry)
        if entry.method in _BY_LIBRARY:
            return self._collect(_by_library(entry, packed, b""), entry)
        return self._collect(pieces_of(packed, entry.method, entry.size), entry)

    def _collect(self, pieces: Iterator[bytes], entry: Entry, *, checked: bool = True) -> bytes:
        """The content, as far as it can be read. Broken data are told, and the part before is looked into."""
        broken: list[CorruptError | EncryptedError] = []
        content = self._opening.budget.collect(_until_broken(pieces, broken), entry.packed)
        if not broken and checked and (len(content) != entry.size or zlib.crc32(content) != entry.crc):
            broken.append(CorruptError("size or checksum are not as the zip says"))
        if broken and not content:
            raise UnreadableError(str(broken[0]))
        if broken:
            rule = "unreadable" if isinstance(broken[0], UnreadableError) else "corrupt"
            opening, name = self._opening, clean_name(entry.name)
            opening.finding(f"attachment/{rule}", Severity.MEDIUM, str(broken[0]), name)
        return content

    def _decrypted(self, entry: Entry) -> bytes | None:
        """The content of an encrypted member, None where no candidate fits."""
        packed = self._packed(entry)
        if self._password is not None and zip_passwords.passes(entry, packed, self._password):
            content = self._with(entry, packed, self._password)
            if content is not None:
                return content
        return None if self._hopeless else self._searched(entry, packed)

    def _searched(self, entry: Entry, packed: bytes) -> bytes | None:
        """Try all candidates at this member; once none fits, the other members are only told."""
        result: list[bytes] = []

        def check(candidate: str) -> bool:
            for password in spellings(candidate):
                if zip_passwords.passes(entry, packed, password):
                    content = self._with(entry, packed, password)
                    if content is not None:
                        result.append(content)
                        self._password = password
                        return True
            return False

        if try_passwords(self._opening, check) is None:
            self._hopeless = True
            return None
        tell_opened(self._opening)
        return result[0]

    def _with(self, entry: Entry, packed: bytes, password: bytes) -> bytes | None:
        """The content if the password is right: by the authentication code of AES or the checksum."""
        try:
            return (
                self._aes(entry, packed, password) if entry.method == AES else self._crypto(entry, packed, password)
            )
        except UnreadableError:
            if entry.method == AES:  # its authentication code was right, so it was the password
                raise
            return None
        except (CorruptError, EncryptedError):
            return None

    def _aes(self, entry: Entry, packed: bytes, password: bytes) -> bytes:
        plain = zip_passwords.decrypt_aes(entry, packed, password)
        version, _, method = zip_passwords.aes_of(entry)
        if method in _BY_LIBRARY:
            return self._opening.budget.collect(_by_library(entry, packed, password), entry.packed)
        return self._collect(pieces_of(plain, method, entry.size), entry, checked=version == 1)

    def _crypto(self, entry: Entry, packed: bytes, password: bytes) -> bytes:
        """Small ones in Python. Pieces of a wrong password are counted, too: one in 256 passes the quick check."""
        if len(packed) <= _SMALL and entry.method not in _BY_LIBRARY:
            pieces = pieces_of(zip_passwords.zip_crypto(packed, password)[_HEADER:], entry.method, entry.size)
        else:
            pieces = _by_library(entry, packed, password)
        content = self._opening.budget.collect(pieces, entry.packed)
        if zlib.crc32(content) != entry.crc:
            raise CorruptError("not the password")
        return content


def _until_broken(pieces: Iterator[bytes], broken: list[CorruptError | EncryptedError]) -> Iterator[bytes]:
    try:
        yield from pieces
    except (CorruptError, EncryptedError) as error:
        broken.append(error)


def pieces_of(packed: bytes, method: int, size: int) -> Iterator[bytes]:
    """Decompress by the method's number (APPNOTE 4.4.5). Raises CorruptError, UnreadableError for an unknown one."""
    if method == _DEFLATED:
        return streams.inflated(packed)
    if method == _STORED:
        return streams.stored(packed)
    if method == _LZMA:
        return streams.unlzma_zipped(packed, size)
    stream = {_BZIP2: streams.bunzipped, _ZSTD: streams.unzstded, _XZ: streams.unxzed}.get(method)
    if stream is None:
        raise UnreadableError(f"compressed by method {method}, for which there is no reader")
    return stream(packed)


def _by_library(entry: Entry, packed: bytes, password: bytes) -> Iterator[bytes]:
    """The same member as a zip of its own, read by libarchive; `password` is b"" for none."""
    with Reader(_single(entry, packed), ("zip",), passphrase=password) as reader:
        for _ in reader.members():
            yield from reader.data()
            return


def _single(entry: Entry, packed: bytes) -> bytes:
    """A zip with this member only, its sizes in front of it."""
    sizes = (entry.crc, len(packed), min(entry.size, 0xFFFFFFFE), 1, len(entry.extra))
    local = LOCAL.pack(b"PK\x03\x04", 51, entry.flags, entry.method, entry.time, 0x21, *sizes) + b"x" + entry.extra
    fields = b"".join(
        number.to_bytes(size, "little")
        for number, size in (
            (51, 2), (51, 2), (entry.flags, 2), (entry.method, 2), (entry.time, 2), (0x21, 2), (entry.crc, 4),
            (len(packed), 4), (sizes[2], 4), (1, 2), (len(entry.extra), 2), (0, 2), (0, 2), (0, 2), (0, 4), (0, 4),
        )
    )  # fmt: skip
    central = b"PK\x01\x02" + fields + b"x" + entry.extra
    start = len(local) + len(packed)
    end = (
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0" + len(central).to_bytes(4, "little") + start.to_bytes(4, "little") + b"\0\0"
    )
    return local + packed + central + end
