"""The binary form of a Windows shortcut (.lnk), read into words (MS-SHLLINK)."""

from __future__ import annotations

import struct

from msgspec import Struct

from sekisho.parse.unpack.opening import CorruptError

_HEADER = 76
_HAS_IDS, _HAS_INFO, _HAS_NAME, _HAS_RELATIVE, _HAS_FOLDER, _HAS_ARGUMENTS, _HAS_ICON, _UNICODE = (
    1 << n for n in range(8)
)
_ENVIRONMENT, _ICON_ENVIRONMENT = 0xA0000001, 0xA0000007
_MOST_BLOCKS = 100
_MOST_ITEMS = 200


class ShellLink(Struct, frozen=True):
    """What a shortcut starts and with what; all "" where it does not say. `show` 7 is minimised."""

    target: str = ""
    name: str = ""
    relative: str = ""
    folder: str = ""
    arguments: str = ""
    icon: str = ""
    environment: str = ""
    items: tuple[str, ...] = ()
    show: int = 1
    appended: int = 0

    @property
    def command(self) -> str:
        """What is started, with its arguments, as one line."""
        started = self.target or self.environment or self.relative or "/".join(self.items)
        return f"{started} {self.arguments}".strip()


def read_shell_link(content: bytes) -> ShellLink:
    """Read a shortcut. Raises CorruptError where the header or a length is wrong (MS-SHLLINK 2)."""
    if len(content) < _HEADER or content[:4] != b"\x4c\0\0\0":
        raise CorruptError("shortcut header")
    try:
        return _read(content)
    except struct.error as error:
        raise CorruptError("shortcut ends too early") from error


def _read(content: bytes) -> ShellLink:
    (flags,) = struct.unpack_from("<I", content, 20)
    (show,) = struct.unpack_from("<I", content, 60)
    at = _HEADER
    items: tuple[str, ...] = ()
    target = ""
    if flags & _HAS_IDS:
        (size,) = struct.unpack_from("<H", content, at)
        items = _item_names(content[at + 2 : at + 2 + size])
        at += 2 + size
    if flags & _HAS_INFO:
        (size,) = struct.unpack_from("<I", content, at)
        target = _local_path(content[at : at + size])
        at += max(size, 4)
    strings, at = _strings(content, at, flags)
    blocks, end = _blocks(content, at)
    return ShellLink(
        target=target,
        **strings,
        environment=blocks.get(_ENVIRONMENT, "") or blocks.get(_ICON_ENVIRONMENT, ""),
        items=items,
        show=show,
        appended=max(0, len(content) - end),
    )


def _strings(content: bytes, at: int, flags: int) -> tuple[dict[str, str], int]:
    """The counted strings behind the link info (MS-SHLLINK 2.4)."""
    wide = bool(flags & _UNICODE)
    found: dict[str, str] = {}
    fields = (("name", _HAS_NAME), ("relative", _HAS_RELATIVE), ("folder", _HAS_FOLDER),
              ("arguments", _HAS_ARGUMENTS), ("icon", _HAS_ICON))  # fmt: skip
    for field, flag in fields:
        if not flags & flag:
            continue
        (count,) = struct.unpack_from("<H", content, at)
        size = count * (2 if wide else 1)
        raw = content[at + 2 : at + 2 + size]
        found[field] = raw.decode("utf-16-le" if wide else "cp1252", "replace").rstrip("\0")
        at += 2 + size
    return found, at


def _blocks(content: bytes, at: int) -> tuple[dict[int, str], int]:
    """The extra data blocks that hold a path, and where they end (MS-SHLLINK 2.5)."""
    found: dict[int, str] = {}
    for _ in range(_MOST_BLOCKS):
        if at + 4 > len(content):
            return found, len(content)
        (size,) = struct.unpack_from("<I", content, at)
        if size < 8:
            return found, at + 4
        if at + 8 > len(content):
            break
        (signature,) = struct.unpack_from("<I", content, at + 4)
        if signature in (_ENVIRONMENT, _ICON_ENVIRONMENT) and size >= 788:
            wide = content[at + 268 : at + 788].decode("utf-16-le", "replace").partition("\0")[0]
            found[signature] = wide or _narrow(content[at + 8 : at + 268])
        at += size
    return found, min(at, len(content))


def _local_path(info: bytes) -> str:
    """The path of the target on its disk, or in the network (MS-SHLLINK 2.3)."""
    size, header, flags, _volume, base, network, suffix = struct.unpack_from("<7I", info, 0)
    if size < 28:
        return ""
    if header >= 36:
        wide_base, wide_suffix = struct.unpack_from("<II", info, 28)
        local = _wide(info, wide_base) + _wide(info, wide_suffix)
        if local and flags & 1:
            return local
    path = _narrow(info[base:]) if flags & 1 and base else ""
    if flags & 2 and network and network + 20 <= len(info):
        (name_at,) = struct.unpack_from("<I", info, network + 8)
        path = _narrow(info[network + name_at :]).rstrip("\\") + "\\"
    return path + (_narrow(info[suffix:]) if suffix else "")


def _item_names(ids: bytes) -> tuple[str, ...]:
    """The readable names in the item ids, one for each folder, drive or address (undocumented, best effort)."""
    names: list[str] = []
    at = 0
    for _ in range(_MOST_ITEMS):
        if at + 3 > len(ids):
            break
        (size,) = struct.unpack_from("<H", ids, at)
        if size < 3:
            break
        item = ids[at + 2 : at + size]
        names += filter(None, (_item_name(item),))
        at += size
    return tuple(names)


def _item_name(item: bytes) -> str:
    kind = item[0] & 0x70
    if kind == 0x20:
        return _narrow(item[1:]) if item[0] & 1 else ""
    if kind == 0x30:
        text = item[12:]
        return text.decode("utf-16-le", "replace").partition("\0")[0] if item[0] & 4 else _narrow(text)
    if kind == 0x40:
        return _narrow(item[3:])
    if kind == 0x60:
        text = item[6:] if len(item) > 6 else b""
        return text.decode("utf-16-le", "ignore").replace("\0", "") if item[1] & 0x80 else _narrow(text)
    return ""


def _narrow(octets: bytes) -> str:
    return octets[:1024].partition(b"\0")[0].decode("cp1252", "replace")


def _wide(octets: bytes, at: int) -> str:
    return octets[at : at + 2048].decode("utf-16-le", "replace").partition("\0")[0] if at else ""
