"""7z archives that are encrypted: the same archive without encryption, made with a password that fits.

libarchive reads 7z but knows no 7zAES. Its steps are taken out of the header, what is packed is decrypted, and
libarchive reads the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from sekisho.parse.unpack.archive import slow_keys
from sekisho.parse.unpack.archive.library import Reader
from sekisho.parse.unpack.archive.seven_zip_headers import (
    AES,
    ENCODED_HEADER,
    FILES,
    HEADER,
    PACK,
    START,
    STREAMS,
    Coder,
    First,
    Folder,
    Octets,
    Streams,
    first_files,
    main_streams,
    next_header,
    read_streams,
    single,
    written,
)
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening, UnreadableError
from sekisho.parse.unpack.passwords import PasswordSearch

_MOST_HEADER: Final = 8_000_000
_DEEPEST: Final = 4  # headers packed in headers
_SLACK: Final = 1 << 20  # packed octets that a method may read ahead
_PROOF: Final = 1 << 22  # octets that no wrong key unpacks to, but by a method that takes any
_MOST_KEYS: Final = 500
_COPY: Final = b"\0"
_STRICT: Final = frozenset({b"\x03\x01\x01", b"\x21", b"\x04\x01\x08", b"\x04\x02\x02"})  # LZMA, Deflate, bzip2


def unlock(opening: Opening) -> bytes | None:
    """The archive with all that a password opens decrypted; None where it is as well read as it is.

    Folders of which no password is known stay encrypted. Raises OverLimitError, LibraryMissingError, EncryptedError
    where the header itself stays closed.
    """
    if not opening.passwords:
        return None
    locked = _Locked(opening)
    try:
        header = locked.header()
        return locked.rewritten(header) if header else None
    except CorruptError:
        return None  # libarchive says what is wrong with it


class _Locked:
    """One archive, and the passwords and keys that were found for it."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._keys: dict[tuple[str, bytes, int], bytes] = {}
        self._passwords = PasswordSearch(opening)

    def header(self) -> bytes:
        """The header, unpacked and decrypted; b"" where nothing at all is in it. Raises EncryptedError."""
        header = next_header(self._opening.content)
        for _ in range(_DEEPEST):
            if len(header) > _MOST_HEADER:
                break
            if header[:1] == bytes([HEADER]):
                return header
            if header[:1] != bytes([ENCODED_HEADER]):
                break
            streams, _ = read_streams(header)
            if len(streams.folders) != 1 or streams.folders[0].size > _MOST_HEADER:
                break
            header = self._unpacked_header(streams)
        raise CorruptError("the header of a 7z archive cannot be read")

    def _unpacked_header(self, streams: Streams) -> bytes:
        folder, sealed = streams.folders[0], self._sealed(streams)
        if not _is_locked(folder):
            return self._collected(folder, sealed)

        def fits(password: str) -> bool:
            try:
                header = self._collected(*self._decrypted(folder, sealed, password))
            except (CorruptError, EncryptedError):
                return False
            return _is_header(header) if folder.crc is None else zlib.crc32(header) == folder.crc

        password = self._passwords.find(fits)
        if password is None:
            raise EncryptedError("the list of files of the 7z archive needs a password")
        return self._collected(*self._decrypted(folder, sealed, password))

    def _collected(self, folder: Folder, packed: list[Octets]) -> bytes:
        return self._opening.budget.collect(_unpacked(folder, packed), len(self._opening.content))

    def rewritten(self, header: bytes) -> bytes | None:
        """The archive with a plain header and without encryption, None where no password was found or needed."""
        streams, rest = main_streams(header)
        if not self._passwords.known and not any(map(_is_locked, streams.folders)):
            return None
        sealed = self._sealed(streams)
        folders: list[Folder] = []
        packed: list[Octets] = []
        for folder, first in zip(streams.folders, first_files(rest, streams.folders), strict=True):
            own, sealed = sealed[: len(folder.packed)], sealed[len(folder.packed) :]
            password = self._password(folder, own, first) if _is_locked(folder) else None
            plain, own = (folder, own) if password is None else self._decrypted(folder, own, password)
            folders.append(plain)
            packed += own
        return written(packed, folders, rest) if self._passwords.known else None

    def _sealed(self, streams: Streams) -> list[Octets]:
        """What is packed, stream by stream. Raises CorruptError where it is cut off."""
        at, content = START + streams.position, memoryview(self._opening.content)
        pieces: list[Octets] = []
        for size in streams.packed:
            pieces.append(content[at : at + size])
            at += size
        if at > len(content):
            raise CorruptError("the 7z archive is cut off")
        return pieces

    def _password(self, folder: Folder, sealed: list[Octets], first: First) -> str | None:
        """One that opens the folder."""
        if len(sealed) == 1:
            sealed = [sealed[0][: _SLACK + 2 * _looked_at(folder, first)]]
        return self._passwords.find(lambda password: self._fits(folder, sealed, first, password))

    def _fits(self, folder: Folder, sealed: list[Octets], first: First, password: str) -> bool:
        """Whether the first file with content comes out with its checksum."""
        left, crc = _looked_at(folder, first), 0
        whole = left == first.size and first.crc is not None
        try:
            for piece in _unpacked(*self._decrypted(folder, sealed, password)):
                self._opening.budget.check_time()
                crc, left = zlib.crc32(piece[:left], crc), left - len(piece[:left])
                if not left:
                    return crc == first.crc if whole else _is_strict(folder)
        except (CorruptError, EncryptedError):
            pass
        return False

    def _decrypted(self, folder: Folder, sealed: list[Octets], password: str) -> tuple[Folder, list[Octets]]:
        """The folder without its steps of 7zAES. Raises UnreadableError where they are none that we know."""
        packed = sealed.copy()
        while (step := _find_aes(folder)) is not None:
            number, into, out = step
            if into not in folder.packed:
                raise UnreadableError("a 7z archive encrypts in an order that is not known")
            slot = folder.packed.index(into)
            key, vector = self._key(folder.coders[number].properties, password)
            packed[slot] = slow_keys.decrypt(key, vector, packed[slot])[: folder.sizes[out]]
            folder = _without(folder, number, into, out)
        return folder, packed

    def _key(self, properties: bytes, password: str) -> tuple[bytes, bytes]:
        """Key and first block of 7zAES by its properties: rounds, salt and first block, with their sizes."""
        first, second = (properties + b"\0\0")[:2]
        salt_size, vector_size = (first >> 7) + (second >> 4), (first >> 6 & 1) + (second & 15)
        salt, vector = properties[2 : 2 + salt_size], properties[2 + salt_size : 2 + salt_size + vector_size]
        name = password, salt, first & 63
        if name not in self._keys:
            if len(self._keys) > _MOST_KEYS:
                self._keys.clear()
            try:
                self._keys[name] = slow_keys.seven_zip_key(*name, self._opening.budget.check_time)
            except ValueError:
                raise UnreadableError("a key of a 7z archive takes too long to make") from None
        return self._keys[name], vector.ljust(slow_keys.BLOCK, b"\0")


def _is_header(octets: bytes) -> bool:
    """Whether these are a list of files, where no checksum tells: it begins, can be read, and ends as one."""
    try:
        if octets[:2] == bytes([ENCODED_HEADER, PACK]):
            read_streams(octets)
        elif octets[:3] == bytes([HEADER, STREAMS, PACK]):
            main_streams(octets)
        elif octets[:2] != bytes([HEADER, FILES]):
            return False
    except CorruptError:
        return False
    return octets.endswith(b"\0")


def _looked_at(folder: Folder, first: First) -> int:
    """How much of the first file is unpacked to know that the password is right."""
    return min(first.size, _PROOF) if _is_strict(folder) else first.size


def _is_strict(folder: Folder) -> bool:
    """Whether the octets of a wrong key cannot be unpacked for long."""
    return any(coder.method in _STRICT for coder in folder.coders)


def _is_locked(folder: Folder) -> bool:
    return any(coder.method == AES for coder in folder.coders)


def _find_aes(folder: Folder) -> tuple[int, int, int] | None:
    """The number of the first step of 7zAES, and of its in and its out."""
    into = out = 0
    for number, coder in enumerate(folder.coders):
        if coder.method == AES and coder.ins == coder.outs == 1:
            return number, into, out
        into, out = into + coder.ins, out + coder.outs
    return None


def _without(folder: Folder, number: int, into: int, out: int) -> Folder:
    """The folder without a step that reads what is packed: the step behind it does so, or it becomes a copy."""
    coders = folder.coders.copy()
    reader = next((reader for reader, read in folder.binds if read == out), None)
    if reader is None:
        coders[number] = Coder(_COPY)
        return Folder(coders, folder.binds, folder.packed, folder.sizes, folder.crc)
    del coders[number]
    packed = [reader if n == into else n for n in folder.packed]
    return Folder(
        coders,
        [(n - (n > into), read - (read > out)) for n, read in folder.binds if read != out],
        [n - (n > into) for n in packed],
        folder.sizes[:out] + folder.sizes[out + 1 :],
        folder.crc,
    )


def _unpacked(folder: Folder, packed: list[Octets]) -> Iterator[bytes]:
    """What comes out of a folder. Raises CorruptError, EncryptedError."""
    with Reader(single(packed, folder), ("7zip",)) as reader:
        for _ in reader.members():
            yield from reader.data()
            return
