"""The parts of a package (ECMA-376 part 2, and ODF): a zip file that is read with bounds."""

from __future__ import annotations

import encodings.cp437  # noqa: F401 - zipfile decodes names with it; it must be there before the process is confined
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.archive.members import ANOMALY
from sekisho.parse.unpack.archive.zip import open_zip, pieces_of
from sekisho.parse.unpack.archive.zip_directory import ANOTHER_END, find_end
from sekisho.parse.unpack.opening import CorruptError, Opening, OverLimitError, UnreadableError

_MOST_PARTS = 10_000
_END_WITHOUT_COMMENT = 20  # octets of an end record before the length of its comment


class Parts:
    """The parts of the package in `opening`, by name without regard to case and without a leading slash.

    Of several parts with the same name all are in `all`; programs differ in which they take.
    Raises CorruptError and OverLimitError.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        if opening.content.count(b"PK\x01\x02") > 2 * _MOST_PARTS:  # before zipfile makes an object of each
            raise OverLimitError("parts")
        self._zip = _package(opening)
        self.all = [
            (part_name(info.filename), info) for info in self._zip.infolist() if info.filename[-1:] not in ("", "/")
        ]
        if len(self.all) > _MOST_PARTS:
            raise OverLimitError("parts")
        self._by_name = {name.lower(): info for name, info in self.all}
        self._memo: dict[int, bytes] = {}
        self._broken: list[str] = []
        self._unread = False
        if len(self._by_name) < len(self.all):
            opening.finding(
                "attachment/duplicate-part", Severity.MEDIUM, "two parts of the document have the same name"
            )

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def names(self) -> list[str]:
        """The names of the parts, in the order of the file; one that is there twice, twice."""
        return [name for name, _ in self.all]

    def read(self, name: str) -> bytes:
        """A part's content by name, b"" if there is none."""
        info = self._by_name.get(name.lower())
        return self.content(info) if info else b""

    def content(self, info: zipfile.ZipInfo) -> bytes:
        """A part's content as far as it can be read; broken ones are told by `tell_broken`."""
        if info.header_offset not in self._memo:
            self._memo[info.header_offset] = self._unpack(info)
        return self._memo[info.header_offset]

    def forget(self, info: zipfile.ZipInfo) -> None:
        """Release a part that will not be read again."""
        self._memo.pop(info.header_offset, None)

    def tell_broken(self) -> None:
        """Raise CorruptError if a part could not be read to its end, UnreadableError if not at all."""
        if self._broken:
            kind = UnreadableError if self._unread else CorruptError
            raise kind(f"a part of the document cannot be read: {said.part_name(self._broken[0])}")

    def broken(self, name: str, *, unread: bool = False) -> None:
        """Remember that this part is not what it should be, or that nobody looked into it."""
        self._broken.append(name)
        self._unread = self._unread or unread

    def _unpack(self, info: zipfile.ZipInfo) -> bytes:
        packed = max(0, min(info.compress_size, len(self._opening.content)))
        return self._opening.budget.collect(self._chunks(info), packed)

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """Not by zipfile: of a part that is broken or has a wrong checksum it gives nothing."""
        content, at = self._opening.content, info.header_offset
        lengths = content[at + 26 : at + 30]
        start = at + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        checksum = size = 0
        if info.flag_bits & 1 or not content.startswith(b"PK\x03\x04", at):
            self.broken(info.filename, unread=True)
            return
        try:
            for chunk in pieces_of(content[start : start + info.compress_size], info.compress_type, info.file_size):
                checksum, size = zlib.crc32(chunk, checksum), size + len(chunk)
                yield chunk
        except CorruptError as error:
            self.broken(info.filename, unread=isinstance(error, UnreadableError))
        else:
            if (checksum, size) != (info.CRC, info.file_size):
                self.broken(info.filename)


def _package(opening: Opening) -> zipfile.ZipFile:
    """The zip, also with much behind its end. One without a directory is handed on file by file.

    Raises CorruptError, OverLimitError.
    """
    try:
        end, others = find_end(opening.content, opening.budget)
        if others:
            opening.finding(ANOMALY, Severity.HIGH, ANOTHER_END)
        # Without the comment, and nothing in it that looks like an end.
        return zipfile.ZipFile(BytesIO(opening.content[: end + _END_WITHOUT_COMMENT] + b"\0\0"))
    except (CorruptError, zipfile.BadZipFile, ValueError, NotImplementedError, OSError, OverflowError) as error:
        open_zip(opening)
        why = str(error) if isinstance(error, CorruptError) else type(error).__name__
        raise CorruptError(f"the package cannot be read: {why}") from None


def part_name(name: str) -> str:
    """A name as relations write it: forward slashes, none at the beginning."""
    return name.replace("\\", "/").lstrip("/")
