"""Makes a breach list of a download: in one pass over any number of lines, in bounded memory.

Entries are dealt out to 256 files by their first octet, and each file is then sorted: SHA-1 spreads evenly whatever
the passwords are, so a file is a 256th of the whole. Beside the output it takes as much disk again while it runs.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sekisho.accounts.passwords.breaches import WIDTH, truncated
from sekisho.accounts.passwords.preparation import MOST_OCTETS, PreparationError, prepared
from sekisho.config.password_checks import BREACH_MAGIC
from sekisho.store.files import whole_file

Format = Literal["sha1", "plain"]

_BLOCK = 8_388_608  # octets read at a time
_SHA1_DIGITS = 40
_SHA1 = re.compile(rb"[0-9A-Fa-f]{40}(?::\d{1,20})?\s*")
_NTLM = re.compile(rb"[0-9A-Fa-f]{32}(?::\d{1,20})?\s*")
_LOOKED_AT = 100  # lines from which the format is told
_PARTS = 256
_HELD = 4_194_304  # entries kept before they are dealt out
_DIGITS = np.full(256, 255, np.uint8)
for _value, _both in enumerate((*"0123456789", "Aa", "Bb", "Cc", "Dd", "Ee", "Ff")):
    for _digit in _both:
        _DIGITS[ord(_digit)] = _value

Hashes = NDArray[np.uint64]


class BreachSourceError(ValueError):
    """The download is in a format that cannot be used; the message says why and where."""


class Built(Struct, frozen=True):
    """What came of it: lines read, entries written (equal ones once), lines that can be no password."""

    lines: int
    entries: int
    skipped: int


def build(source: Path, target: Path, form: Format | None = None) -> Built:
    """Write the breach list `target` of `source`; `form` None: told by the lines. Raises OSError, BreachSourceError.

    `target` is written beside itself first: a list that is in use stays whole.
    """
    with source.open("rb") as stream, tempfile.TemporaryDirectory(dir=target.parent, prefix=".breach-list-") as name:
        form = form or _format_of(stream)
        parts = _Parts(Path(name))
        lines = skipped = 0
        for hashes, read in _hashed(stream) if form == "sha1" else _plain(stream):
            parts.add(hashes)
            lines, skipped = lines + read, skipped + read - len(hashes)
        return Built(lines, parts.write(target), skipped)


def _format_of(stream: BinaryIO) -> Format:
    first = [line for line in stream.read(65_536).splitlines()[: _LOOKED_AT + 1] if line.strip()][:_LOOKED_AT]
    stream.seek(0)
    if not first:
        raise BreachSourceError("it is empty")
    if first[0][:2] in (b"\x1f\x8b", b"PK", b"7z"):
        raise BreachSourceError("it is compressed: unpack it first")
    if all(_NTLM.fullmatch(line) for line in first):
        raise BreachSourceError("these are NTLM hashes, of which nothing can be told here: take the SHA-1 download")
    return "sha1" if all(_SHA1.fullmatch(line) for line in first) else "plain"


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    rest = b""
    while block := stream.read(_BLOCK):
        cut = block.rfind(b"\n") + 1
        if not cut and len(rest) > _BLOCK:
            raise BreachSourceError("a line is longer than 8 MiB")
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        else:
            rest += block
    if rest:
        yield rest + b"\n"


def _hashed(stream: BinaryIO) -> Iterator[tuple[Hashes, int]]:
    """The hashes of lines "SHA1:count"."""
    before = 0
    for block in _blocks(stream):
        octets = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(octets == ord("\n"))
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        full = (ends > starts) & ((ends - starts > 1) | (octets[starts] != ord("\r")))
        yield _read(octets, starts[full], ends[full], np.flatnonzero(full) + before), int(full.sum())
        before += len(ends)


def _read(
    octets: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], numbers: NDArray[np.int64]
) -> Hashes:
    sound = ends - starts >= _SHA1_DIGITS
    values = np.zeros(len(starts), np.uint64)
    for place in range(_SHA1_DIGITS):
        digit = _DIGITS[octets[np.minimum(starts + place, ends)]]
        sound &= digit < 16
        if place < WIDTH * 2:
            values = values << np.uint64(4) | digit
    after = octets[np.minimum(starts + _SHA1_DIGITS, ends)]
    sound &= np.isin(after, np.frombuffer(b":\r\n", np.uint8))
    if not sound.all():
        raise BreachSourceError(f"line {numbers[np.argmin(sound)] + 1} is no SHA-1 hash")
    return values


def _plain(stream: BinaryIO) -> Iterator[tuple[Hashes, int]]:
    """The hashes of passwords, one a line; those that nobody could have here are left out."""
    for block in _blocks(stream):
        lines = [line.removesuffix(b"\r") for line in block.split(b"\n") if line not in (b"", b"\r")]
        found = [one for line in lines if (one := _of_line(line))]
        yield np.frombuffer(b"".join(found), ">u8").astype(np.uint64), len(lines)


def _of_line(line: bytes) -> bytes:
    if len(line) > MOST_OCTETS:
        return b""
    try:
        return truncated(prepared(line.decode()).encode())
    except (UnicodeDecodeError, PreparationError):
        return b""


class _Parts:
    """The files that entries are dealt out to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[Hashes] = []
        self._count = 0

    def add(self, hashes: Hashes) -> None:
        """Take entries in."""
        self._held.append(hashes)
        self._count += len(hashes)
        if self._count >= _HELD:
            self._deal()

    def _deal(self) -> None:
        if not self._count:
            return
        # in order: those of a part are then one piece, and a sorted download needs no more
        hashes = np.sort(np.concatenate(self._held))
        firsts = (np.arange(_PARTS + 1, dtype=np.uint64) << np.uint64(56))[1:_PARTS]
        for part, piece in enumerate(np.split(hashes, np.searchsorted(hashes, firsts))):
            if len(piece):
                with (self._folder / f"{part:02x}").open("ab") as stream:
                    stream.write(piece.tobytes())
        self._held, self._count = [], 0

    def write(self, target: Path) -> int:
        """Write the list. Returns how many entries it has."""
        self._deal()
        entries = 0
        with whole_file(target) as stream:
            stream.write(BREACH_MAGIC + bytes(8))
            for part in range(_PARTS):
                entries += self._one(self._folder / f"{part:02x}", stream)
            stream.seek(len(BREACH_MAGIC))
            stream.write(entries.to_bytes(8, "big"))
        return entries

    def _one(self, file: Path, stream: BinaryIO) -> int:
        if not file.exists():
            return 0
        hashes = np.unique(np.fromfile(file, np.uint64))
        stream.write(hashes.astype(">u8").tobytes())
        file.unlink()
        return len(hashes)
