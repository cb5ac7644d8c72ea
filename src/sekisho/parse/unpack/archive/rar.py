"""RAR archives that are encrypted: the same archive without encryption, made with a password that fits.

libarchive reads RAR but decrypts nothing. Headers are written anew, what is packed is decrypted, and libarchive
reads the rest. What stays closed is left away.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from heapq import nsmallest
from itertools import islice
from typing import Final

from msgspec import Struct

from sekisho.parse.unpack.archive.library import Reader
from sekisho.parse.unpack.archive.rar_4 import Rar4
from sekisho.parse.unpack.archive.rar_5 import Rar5
from sekisho.parse.unpack.archive.rar_headers import RAR_5
from sekisho.parse.unpack.archive.rar_members import Contents, Format, Lock, Octets, RarMember
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, Opening
from sekisho.parse.unpack.passwords import MOST_SEARCHES, PasswordSearch

_SURE: Final = 4  # octets that a wrong password gets right by chance once in 2^32, as a checksum is
_SMALL: Final = 1 << 22  # octets that may be read twice


class Unlocked(Struct):
    """The archive without encryption, and the names of what is left away.

    `doubtful`: nothing but broken content tells that a file had another password. `several` and `broken` are those
    of `Contents`.
    """

    content: bytes
    closed: list[str]
    doubtful: bool
    several: bool
    broken: bool


def unlock(opening: Opening) -> Unlocked | None:
    """Decrypt what a password opens; None where nothing is encrypted.

    Raises EncryptedError where the headers stay closed, UnreadableError for encryption of another version,
    OverLimitError, LibraryMissingError.
    """
    content, budget = opening.content, opening.budget
    version: Format = Rar5(content, budget) if content.startswith(RAR_5) else Rar4(content, budget)
    return _Locked(opening, version).unlocked()


class _Locked:
    """One archive, and the passwords that were found for it."""

    def __init__(self, opening: Opening, version: Format) -> None:
        self._opening = opening
        self._version = version
        self._passwords = PasswordSearch(opening)
        self._found: dict[tuple[bytes, int, bytes], str | None] = {}
        self._is_tried = False
        self._for_content: str | None = None

    def unlocked(self) -> Unlocked | None:
        contents = self._version.contents()
        if contents.locked:
            contents = self._with_headers(contents)
        elif not any(member.lock for member in contents.members):
            return None
        pieces: list[Octets] = [contents.front]
        closed: list[str] = []
        gap = False
        for member in contents.members:
            self._opening.budget.check_time()
            gap = gap and member.solid  # what is packed with files before it needs them
            data = None if gap else self._data(member, contents)
            if data is None:
                closed.append(member.name)
                gap = True
            else:
                pieces += self._version.head(member, len(data)), data
        doubtful = bool(self._passwords.known) and self._version.formats == Rar4.formats
        content = b"".join((*pieces, contents.back))
        return Unlocked(content, closed, doubtful, contents.several, contents.broken)

    def _with_headers(self, contents: Contents) -> Contents:
        def opens(password: str) -> bool:
            return self._version.opens_headers(contents, password)

        password = self._passwords.find(opens)
        if password is None:
            raise EncryptedError("the list of files of the RAR archive needs a password")
        return self._version.contents(password)

    def _data(self, member: RarMember, contents: Contents) -> Octets | None:
        """What is packed, decrypted, None without the password."""
        if member.lock is None:
            return self._plain(member)
        password = self._password(member, member.lock, contents)
        if password is None:
            return None
        data = self._version.decrypted(member, member.lock, password)
        return data if member.lock.check or not _is_other(member, data) else None

    def _plain(self, member: RarMember) -> Octets:
        return memoryview(self._opening.content)[member.start : member.start + member.packed]

    def _password(self, member: RarMember, lock: Lock, contents: Contents) -> str | None:
        """By the check value, once for all files that have the same; else by the content of one for all."""
        if not member.known:
            return None
        if not lock.check:
            return self._passwords.known[0] if contents.locked else self._by_content(member, contents)
        name = lock.salt, lock.power, lock.check
        if name not in self._found:

            def fits(password: str) -> bool:
                return bool(self._version.fits(lock, password))

            self._found[name] = self._passwords.find(fits)
        return self._found[name]

    def _by_content(self, member: RarMember, contents: Contents) -> str | None:
        """A small file of its own tells itself; for the others one of those tells that are read fastest."""
        if _is_telling(member) and not member.solid and member.packed + member.size <= _SMALL:
            return self._passwords.find(self._check(contents, [member]))
        if not self._is_tried:
            self._is_tried = True
            found = (self._passwords.find(self._check(contents, chain)) for chain in _chains(contents.members))
            self._for_content = next(filter(None, found), None)
        return self._for_content

    def _check(self, contents: Contents, chain: list[RarMember]) -> Callable[[str], bool]:
        def fits(password: str) -> bool:
            return self._comes_out(contents, chain, password)

        return fits

    def _comes_out(self, contents: Contents, chain: list[RarMember], password: str) -> bool:
        """Whether the last of the members has its checksum, if all are decrypted with this password."""
        if any(m.lock and self._version.fits(m.lock, password) is False for m in chain):
            return False
        pieces: list[Octets] = [contents.front]
        for member in chain:
            data = self._version.decrypted(member, member.lock, password) if member.lock else self._plain(member)
            pieces += self._version.head(member, len(data)), data
        try:
            crc, size = self._last(b"".join((*pieces, contents.back)), len(chain))
        except (CorruptError, EncryptedError):
            return False
        return (crc, size) == (chain[-1].crc, chain[-1].size)

    def _last(self, archive: bytes, count: int) -> tuple[int, int]:
        """Checksum and size of the last of `count` members. Raises CorruptError, EncryptedError."""
        crc = size = 0
        with Reader(archive, self._version.formats) as reader:
            for member in islice(reader.members(), count):
                crc = size = 0
                for piece in reader.data() if member.kind == "file" else ():
                    self._opening.budget.check_time()
                    crc, size = zlib.crc32(piece, crc), size + len(piece)
        return crc, size


def _is_telling(member: RarMember) -> bool:
    """Whether the content of an encrypted file tells that a password is right: more of it than comes by chance."""
    tells = member.size >= _SURE and member.crc is not None and not member.split
    return bool(member.lock and member.known and tells)


def _is_other(member: RarMember, data: Octets) -> bool:
    """Whether a file that is not compressed has another checksum, about which libarchive is silent."""
    return member.stored and not member.split and member.crc is not None and zlib.crc32(data) != member.crc


def _chains(members: list[RarMember]) -> list[list[RarMember]]:
    """Encrypted files whose content tells the password, each with those before that it is packed with."""
    chains: list[tuple[int, int, int]] = []
    first = cost = 0
    for number, member in enumerate(members):
        if not member.solid:
            first, cost = number, 0
        cost += member.packed + member.size
        if _is_telling(member):
            chains.append((cost, first, number))
    return [members[first : number + 1] for _, first, number in nsmallest(MOST_SEARCHES, chains)]
