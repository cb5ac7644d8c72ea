"""What all archives have in common: names to decode and to tell, links, and files that stay closed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final

from sekisho.mail.finding import Severity
from sekisho.parse.charsets import detect
from sekisho.parse.unpack.names import name_oddities
from sekisho.parse.unpack.opening import LONGEST_NAME, Opening, clean_name

ANOMALY: Final = "attachment/archive-anomaly"
_MOST_ODD: Final = 50
_MOST_NAMES_CHARS: Final = 500_000
_LONGEST_RAW: Final = 4096


def decode_name(raw: bytes) -> str:
    """A name as an archive stores it without a charset: UTF-8, else what it looks like, Japanese before others."""
    raw = raw[:_LONGEST_RAW]
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        shift_jis = raw.decode("cp932")
    except UnicodeDecodeError:
        return detect(raw)
    return detect(raw) if _is_unlikely(shift_jis) else shift_jis


def _is_unlikely(name: str) -> bool:
    """Half-width kana all over: EUC-JP or a Western name read as Shift_JIS."""
    kana = sum("\uff61" <= c <= "\uff9f" for c in name)
    return 2 * kana >= sum(not c.isascii() for c in name)


def tell_names(opening: Opening, names: Iterable[str]) -> None:
    """The list of names as a text of its own, for everything that looks at words."""
    listed = "\n".join(clean_name(name) for name in names if name)
    opening.text(listed[:_MOST_NAMES_CHARS], place="names")


def tell_closed(opening: Opening, names: Iterable[str]) -> None:
    """Look at the names of files whose contents are not seen."""
    told = 0
    for name in names:
        for oddity in name_oddities(name):
            opening.finding(*oddity, place=clean_name(name)[:LONGEST_NAME])
            told += 1
        if told >= _MOST_ODD:
            return


def tell_link(opening: Opening, name: str, target: str) -> None:
    """A symbolic or hard link: named, never followed. One that leads out of the archive is medium."""
    target = target.replace("\\", "/")
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    leaves = reached.startswith(("/", "..")) or target[1:2] == ":"
    # Names stand in paths alone, where values in them are masked.
    if leaves:
        opening.finding(ANOMALY, Severity.MEDIUM, "a link that leads out of the archive", clean_name(name))
    else:
        opening.finding(ANOMALY, Severity.LOW, "a link to another file of the archive", clean_name(name))


def tell_device(opening: Opening, name: str) -> None:
    """A device, pipe or socket: of no use in a mail."""
    opening.finding(ANOMALY, Severity.MEDIUM, "a device file", clean_name(name))
