"""7z archives that are encrypted or packed by zstd: the same archive without that, made with a password that fits.

libarchive reads 7z but knows no 7zAES, and no zstd before 3.8. Their steps are taken out of the header, what is
packed is decrypted and unpacked, and libarchive reads the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    Content,
    Folder,
    Octets,
    Streams,
    contents,
    main_streams,
    next_header,
    read_streams,
    single,
    written,
)
from sekisho.parse.unpack.archive.streams import unzstded
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening, UnreadableError
from sekisho.parse.unpack.passwords import PasswordSearch

_MOST_HEADER: Final = 8_000_000
_DEEPEST: Final = 4  # headers packed in headers
_SLACK: Final = 1 << 20  # packed octets that a method may read ahead
_PROOF: Final = 1 << 22  # octets that no wrong key unpacks to, but by a method that takes any
_UNPACKED: Final = 4096  # as many tell something where there is no checksum
_SURE: Final = 4  # octets that a wrong key gets right by chance once in 2^32, as a checksum is
_MOST_KEYS: Final = 500
_COPY: Final = b"\0"
_ZSTD: Final = b"\x04\xf7\x11\x01"
_LZMA_2: Final = b"\x21"
_STRICT: Final = frozenset({b"\x03\x01\x01", _LZMA_2, b"\x04\x01\x08", b"\x04\x02\x02", _ZSTD})  # and Deflate, bzip2


def unlock(opening: Opening) -> bytes | None:
    """The archive with what a password opens decrypted, and zstd unpacked; None where it is as well read as it is.

    Folders of which no password is known stay encrypted. Raises OverLimitError, LibraryMissingError, EncryptedError
    where the header itself stays closed.
    """
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
        has_zstd = any(coder.method == _ZSTD for folder in streams.folders for coder in folder.coders)
        if not self._passwords.known and not has_zstd and not any(map(_is_locked, streams.folders)):
            return None
        sealed = self._sealed(streams)
        folders: list[Folder] = []
        packed: list[Octets] = []
        for folder, files in zip(streams.folders, contents(rest, streams.folders), strict=True):
            own, sealed = sealed[: len(folder.packed)], sealed[len(folder.packed) :]
            password = self._password(folder, own, files) if _is_locked(folder) else None
            plain, own = (folder, own) if password is None else self._decrypted(folder, own, password)
            plain, own = self._expanded(plain, own)
            folders.append(plain)
            packed += own
        return written(packed, folders, rest) if self._passwords.known or has_zstd else None

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

    def _password(self, folder: Folder, sealed: list[Octets], files: list[Content]) -> str | None:
        """One that opens the folder."""
        if len(sealed) == 1:
            sealed = [sealed[0][: _SLACK + 2 * sum(_looked_at(folder, file) for file in _first(folder, files))]]
        return self._passwords.find(lambda password: self._fits(folder, sealed, files, password))

    def _fits(self, folder: Folder, sealed: list[Octets], files: list[Content], password: str) -> bool:
        """Whether files come out with their checksums: as many as it takes for more than chance."""
        try:
            plain = self._expanded(*self._decrypted(folder, sealed, password))
            pieces = _Pieces(_unpacked(*plain), self._opening.budget.check_time)
            sure = 0
            for file in _first(folder, files):
                crc = pieces.checksum(_looked_at(folder, file))
                if _looked_at(folder, file) == file.size and file.crc is not None:
                    if crc != file.crc:
                        return False
                    sure += file.size
                elif _is_strict(folder):
                    sure += _SURE
            return sure > 0 and (sure >= _SURE or sure + self._padding(folder, sealed, password) >= _SURE)
        except (CorruptError, EncryptedError):
            return False

    def _padding(self, folder: Folder, sealed: list[Octets], password: str) -> int:
        """How many zeros fill the last block behind what is packed; 0 where anything else does."""
        step = _find(folder, AES)
        if step is None or step[1] not in folder.packed:
            return 0
        number, into, out = step
        packed = bytes(sealed[folder.packed.index(into)])
        rest = len(packed) - folder.sizes[out]
        if not 0 < rest < slow_keys.BLOCK <= len(packed):
            return 0
        key, vector = self._key(folder.coders[number].properties, password)
        before = (vector + packed)[-2 * slow_keys.BLOCK : -slow_keys.BLOCK]
        return 0 if any(slow_keys.decrypt(key, before, packed[-slow_keys.BLOCK :])[-rest:]) else rest

    def _decrypted(self, folder: Folder, sealed: list[Octets], password: str) -> tuple[Folder, list[Octets]]:
        """The folder without its steps of 7zAES. Raises UnreadableError where they are none that we know."""
        packed = sealed.copy()
        while (step := _find(folder, AES)) is not None:
            number, into, out = step
            if into not in folder.packed:
                raise UnreadableError("a 7z archive encrypts in an order that is not known")
            slot = folder.packed.index(into)
            key, vector = self._key(folder.coders[number].properties, password)
            packed[slot] = slow_keys.decrypt(key, vector, packed[slot])[: folder.sizes[out]]
            folder = _without(folder, number, into, out)
        return folder, packed

    def _expanded(self, folder: Folder, packed: list[Octets]) -> tuple[Folder, list[Octets]]:
        """The folder without the step of zstd that reads what is packed, as far as that can be unpacked."""
        step = _find(folder, _ZSTD)
        if step is None or step[1] not in folder.packed:
            return folder, packed
        number, into, out = step
        slot, expanded = folder.packed.index(into), packed.copy()
        pieces = _until_broken(unzstded(bytes(packed[slot])))
        plain = self._opening.budget.collect(pieces, len(packed[slot]))[: folder.sizes[out]]
        if not plain:
            return folder, packed
        coders = folder.coders.copy()
        is_read = any(read == out for _, read in folder.binds)
        coders[number] = Coder(_LZMA_2, properties=b"\0") if is_read else Coder(_COPY)
        expanded[slot] = _unpacked_lzma_2(plain) if is_read else plain
        return Folder(coders, folder.binds, folder.packed, folder.sizes, folder.crc), expanded

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


class _Pieces:
    """What comes out of a folder, file by file."""

    def __init__(self, pieces: Iterator[bytes], check: Callable[[], None]) -> None:
        self._pieces = pieces
        self._check = check
        self._left = memoryview(b"")

    def checksum(self, size: int) -> int:
        """The CRC-32 of so many octets more. Raises CorruptError where there are fewer."""
        crc = 0
        while size:
            if not self._left:
                self._check()
                self._left = memoryview(next(self._pieces, b""))
                if not self._left:
                    raise CorruptError("a folder of a 7z archive ends early")
            piece, self._left = self._left[:size], self._left[size:]
            crc, size = zlib.crc32(piece, crc), size - len(piece)
        return crc


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


def _first(folder: Folder, files: list[Content]) -> Iterator[Content]:
    """The files whose checksums tell that a password is right: the first, and more where that is too small."""
    sure = 0
    for file in files:
        yield file
        sure += _proof(folder, file)
        if sure >= _SURE:
            return


def _proof(folder: Folder, file: Content) -> int:
    """How many octets a wrong key would have to get right by chance."""
    if _has_checksum(folder, file):
        return file.size
    return _SURE if _is_strict(folder) and file.size >= _UNPACKED else 0


def _has_checksum(folder: Folder, file: Content) -> bool:
    return file.crc is not None and _looked_at(folder, file) == file.size


def _looked_at(folder: Folder, file: Content) -> int:
    """How much of a file is unpacked to know that the password is right."""
    return min(file.size, _PROOF) if _is_strict(folder) else file.size


def _is_strict(folder: Folder) -> bool:
    """Whether the octets of a wrong key cannot be unpacked for long."""
    return any(coder.method in _STRICT for coder in folder.coders)


def _is_locked(folder: Folder) -> bool:
    return any(coder.method == AES for coder in folder.coders)


def _unpacked_lzma_2(octets: bytes) -> bytes:
    """As LZMA2 that is not compressed: libarchive reads filters, like BCJ, behind that, but not behind a copy."""
    pieces: list[bytes] = []
    for at in range(0, len(octets), 1 << 16):
        piece = octets[at : at + (1 << 16)]
        pieces += bytes([2 if at else 1]), (len(piece) - 1).to_bytes(2, "big"), piece
    return b"".join((*pieces, b"\0"))


def _until_broken(pieces: Iterator[bytes]) -> Iterator[bytes]:
    with suppress(CorruptError):
        yield from pieces


def _find(folder: Folder, method: bytes) -> tuple[int, int, int] | None:
    """The number of the first step of this method, and of its in and its out."""
    into = out = 0
    for number, coder in enumerate(folder.coders):
        if coder.method == method and coder.ins == coder.outs == 1:
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
