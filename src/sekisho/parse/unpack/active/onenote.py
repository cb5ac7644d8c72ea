"""OneNote sections: the files embedded in them, which open at a click behind a picture, and their text."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.opening import CorruptError, Opening

# {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC}, the header of a FileDataStoreObject (MS-ONESTORE 2.6.13)
_FILE_DATA = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")
_DATA_AT = 36  # guid 16, length 8, unused 4, reserved 8
_MOST_FILES = 500
_MOST_RUNS = 20_000
_LONGEST_RUN = 2_000
# Latin or East Asian characters; a zero octet before "A\\0" is the end of something else, not half a character.
_TEXT = re.compile(
    rb"(?:[\x20-\x7e\t]\0|(?!\0[\x20-\x7e]\0)[\0-\xff][\x01-\x06\x30-\x9f\xac-\xd7\xff]){4,%d}" % _LONGEST_RUN
)
_FILE_NAME = re.compile(r"[\w .()\[\]&+,@=#~^-]{1,120}\.[A-Za-z0-9]{1,6}")
_FEW_WIDE = 0.6


def open_onenote(opening: Opening) -> None:
    """Open each embedded file as an inner file, and tell the text as far as it stands in the open."""
    content = opening.content
    texts = list(_texts(opening))
    names = list(dict.fromkeys(t for t in texts if _FILE_NAME.fullmatch(t)))
    count = 0
    for count, data in enumerate(_embedded(opening), 1):
        opening.budget.take_bytes(len(data))
        if data:
            opening.inner(names[count - 1] if count <= len(names) else f"embedded-{count}", data)
    opening.text("\n".join(texts))
    if count:
        opening.finding("attachment/onenote", Severity.MEDIUM, f"OneNote section with {count} embedded files")
    elif len(content) < 1024:
        raise CorruptError("OneNote section without content")


def _embedded(opening: Opening) -> Iterator[bytes]:
    """The contents of the FileDataStoreObjects, in the order of the file (MS-ONESTORE 2.6.13)."""
    content = opening.content
    at = content.find(_FILE_DATA)
    found = 0
    while at >= 0 and found < _MOST_FILES:
        opening.budget.check_time()
        start = at + _DATA_AT
        if len(content) >= start:
            (size,) = struct.unpack_from("<Q", content, at + 16)
            data = content[start : start + min(size, len(content) - start)]
            found += 1
            yield data
            at = content.find(_FILE_DATA, start + len(data))
        else:
            break


def _texts(opening: Opening) -> Iterator[str]:
    """Runs of UTF-16 that look like text outside of the embedded files."""
    end = opening.content.find(_FILE_DATA)
    outside = opening.content[: end if end >= 0 else None]
    for total, run in enumerate(_TEXT.finditer(outside)):
        if total >= _MOST_RUNS:
            return
        if total % 1000 == 0:
            opening.budget.check_time()
        text = run[0].decode("utf-16-le", "ignore").strip()
        if sum(c.isalnum() or c.isspace() for c in text) > len(text) * _FEW_WIDE:
            yield text
