"""What RAR 4 and RAR 5 have in common once their headers are read: members to be written without encryption."""

from __future__ import annotations

from typing import Final, Protocol

from msgspec import Struct

Octets = bytes | memoryview
MOST_HEADER: Final = 2 << 20  # octets, RAR's own limit


class Lock(Struct, frozen=True):
    """How something is encrypted: `check` is what the right password gives, b"" where nothing tells.

    `power` and `vector` are of RAR 5 only. `tweaked`: the checksums are no checksums of the content.
    """

    salt: bytes
    power: int = 0
    check: bytes = b""
    vector: bytes = b""
    tweaked: bool = False


class RarMember(Struct):
    """A file or folder: its `head` as it is written before encryption is taken out, and where its data are."""

    name: str
    head: bytes
    start: int
    packed: int
    size: int
    stored: bool
    solid: bool
    split: bool
    lock: Lock | None = None
    crc: int | None = None
    known: bool = True  # whether the kind of encryption is one that we know


class Contents(Struct):
    """An archive as far as its headers are read.

    `locked`: they are encrypted; `broken`: they end in garbage, or are more than are read.
    """

    front: bytes
    members: list[RarMember]
    back: bytes
    several: bool = False
    locked: Lock | None = None
    broken: bool = False


class Format(Protocol):
    """One version of RAR."""

    @property
    def formats(self) -> tuple[str, ...]:
        """As libarchive names them."""

    def contents(self, password: str | None = None) -> Contents:
        """Read the headers, with a password where they are encrypted."""

    def fits(self, lock: Lock, password: str) -> bool | None:
        """Whether a password is the one of a lock, None where only the content tells."""

    def opens_headers(self, contents: Contents, password: str) -> bool:
        """Whether a password opens encrypted headers."""

    def decrypted(self, member: RarMember, lock: Lock, password: str) -> Octets:
        """The packed data of a member."""

    def head(self, member: RarMember, size: int) -> bytes:
        """Its header without encryption, before `size` octets of packed data."""
