"""What a file is, by its content: the first octets, a few fixed places, and the directory of a container."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sekisho.parse.unpack.kind_ole import ole_kind
from sekisho.parse.unpack.kind_text import text_kind
from sekisho.parse.unpack.kind_zip import zip_kind

_Check = Callable[[bytes], bool]

_PROGRAM_WORDS: Final = (
    "exe elf macho class jar apk dex wasm msi appx lnk url desktop webloc hta chm hlp powershell vbscript "
    "javascript batch shell python perl php wsf reg inf scf sct applescript library-ms search-ms settingcontent- "
    "ms msc jnlp rdp flash deb rpm "
)
PROGRAMS: Final = frozenset(_PROGRAM_WORDS.split())
_OTHER_WORDS: Final = (
    "zip 7z rar tar gzip bzip2 xz zstd lz4 lzip lzop lzma compress uu cab lha arj ace archive iso udf disk vhd "
    "vhdx vmdk wim ar cpio dmg xar eml mbox msg tnef p7m p7s pgp docx docm dotx dotm xlsx xlsm xlsb xltx xltm "
    "xlam pptx pptm ppsx ppsm potx potm odt ods odp odg doc xls ppt ole rtf pdf onenote vsdx visio publisher html "
    "svg xml csv slk iqy text png jpeg gif bmp tiff webp heic ico emf wmf encrypted-office audio video font "
    "sqlite access unknown "
)
KINDS: Final = PROGRAMS | frozenset(_OTHER_WORDS.split())


def _at(offset: int, *octets: bytes) -> _Check:
    return lambda content: content.startswith(octets, offset)


def _always(_content: bytes) -> bool:
    return True


def _is_dos_program(content: bytes) -> bool:
    """A header of zeros and numbers, not a text that happens to begin with MZ."""
    return b"\0" in content[2:64] or len(content) < 64


def _is_bmp(content: bytes) -> bool:
    """The reserved words are zero and the picture starts after the headers."""
    return len(content) > 26 and content[6:10] == b"\0\0\0\0" and content[11:14] == b"\0\0\0"


def _is_fat_macho(content: bytes) -> bool:
    """A Java class starts alike: its version, 45 or more, is where this has its number of programs."""
    return len(content) > 8 and struct.unpack_from(">I", content, 4)[0] < 45


def _is_icon(content: bytes) -> bool:
    return len(content) > 22 and 0 < content[4] < 64 and content[5] == 0 and content[9] == 0


def _is_arj(content: bytes) -> bool:
    """The header's size is in its bounds, and it is the main header (type 2)."""
    return len(content) > 34 and 30 <= content[2] | content[3] << 8 <= 2600 and content[10] == 2


def _is_lzma(content: bytes) -> bool:
    """The size is unknown (all ones) or below 1 TiB, and the dictionary is a power of two or one and a half."""
    size = content[5:13]
    return len(content) > 13 and (size == b"\xff" * 8 or size[5:] == b"\0\0\0") and content[13] == 0


# First octets, a further check, the kind. The longer of two that begin alike comes first.
_MAGIC: Final[tuple[tuple[bytes, _Check, str], ...]] = (
    (b"7z\xbc\xaf\x27\x1c", _always, "7z"),
    (b"Rar!\x1a\x07", _always, "rar"),
    (b"RE~^", _always, "rar"),
    (b"\x1f\x8b", _always, "gzip"),
    (b"\x1f\x9d", _always, "compress"),
    (b"BZh", _at(4, b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"), "bzip2"),
    (b"\xfd7zXZ\0", _always, "xz"),
    (b"\x28\xb5\x2f\xfd", _always, "zstd"),
    (b"\x04\x22\x4d\x18", _always, "lz4"),
    (b"\x02\x21\x4c\x18", _always, "lz4"),
    (b"LZIP", _always, "lzip"),
    (b"\x89LZO\0\r\n\x1a\n", _always, "lzop"),
    (b"\x5d\0\0", _is_lzma, "lzma"),
    (b"MSCF\0\0\0\0", _always, "cab"),
    (b"\x60\xea", _is_arj, "arj"),
    (b"ALZ\x01", _always, "archive"),
    (b"EGGA", _always, "archive"),
    (b"GCA0", _always, "archive"),
    (b"GCAX", _always, "archive"),
    (b"DGCA", _always, "archive"),
    (b"yz01", _always, "archive"),
    (b"ZOO ", _at(20, b"\xdc\xa7\xc4\xfd"), "archive"),
    (b"ISc(", _always, "archive"),
    (b"ArC\x01", _always, "archive"),
    (b"7kSt", _always, "archive"),
    (b"SIT!", _always, "archive"),
    (b"StuffIt ", _always, "archive"),
    (b"hsqs", _always, "archive"),
    (b"LRZI", _always, "archive"),
    (b"GRZipII\0", _always, "archive"),
    (b"!<arch>\ndebian-binary", _always, "deb"),
    (b"!<arch>\n", _always, "ar"),
    (b"070701", _always, "cpio"),
    (b"070702", _always, "cpio"),
    (b"070707", _always, "cpio"),
    (b"\xc7\x71", _always, "cpio"),
    (b"\x71\xc7", _always, "cpio"),
    (b"\xed\xab\xee\xdb", _always, "rpm"),
    (b"xar!", _always, "xar"),
    (b"MSWIM\0\0\0", _always, "wim"),
    (b"vhdxfile", _always, "vhdx"),
    (b"conectix", _always, "vhd"),
    (b"KDMV", _always, "vmdk"),
    (b"COWD", _always, "vmdk"),
    (b"# Disk DescriptorFile", _always, "vmdk"),
    (b"QFI\xfb", _always, "disk"),
    (b"<<< Oracle VM VirtualBox Disk", _always, "disk"),
    (b"x\x9f>\x22", _always, "tnef"),
    (b"%PDF-", _always, "pdf"),
    (b"{\\rt", _always, "rtf"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", _always, "onenote"),
    (b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", _always, "onenote"),
    (b"\x89PNG\r\n\x1a\n", _always, "png"),
    (b"\xff\xd8\xff", _always, "jpeg"),
    (b"GIF87a", _always, "gif"),
    (b"GIF89a", _always, "gif"),
    (b"BM", _is_bmp, "bmp"),
    (b"II*\0", _always, "tiff"),
    (b"MM\0*", _always, "tiff"),
    (b"II+\0", _always, "tiff"),
    (b"MM\0+", _always, "tiff"),
    (b"RIFF", _at(8, b"WEBP"), "webp"),
    (b"RIFF", _at(8, b"WAVE"), "audio"),
    (b"RIFF", _at(8, b"AVI "), "video"),
    (b"\0\0\x01\0", _is_icon, "ico"),
    (b"\0\0\x02\0", _is_icon, "ico"),
    (b"\x01\0\0\0", _at(40, b" EMF"), "emf"),
    (b"\xd7\xcd\xc6\x9a", _always, "wmf"),
    (b"\x01\0\x09\0\0\x03", _always, "wmf"),
    (b"MZ", _is_dos_program, "exe"),
    (b"\x7fELF", _always, "elf"),
    (b"\xfe\xed\xfa\xce", _always, "macho"),
    (b"\xfe\xed\xfa\xcf", _always, "macho"),
    (b"\xce\xfa\xed\xfe", _always, "macho"),
    (b"\xcf\xfa\xed\xfe", _always, "macho"),
    (b"\xca\xfe\xba\xbe", _is_fat_macho, "macho"),
    (b"\xca\xfe\xba\xbe", _always, "class"),
    (b"dex\n", _at(7, b"\0"), "dex"),
    (b"\0asm", _always, "wasm"),
    (b"FWS", _at(5, b"\0", b"\1", b"\2"), "flash"),
    (b"CWS", _at(6, b"\0", b"\1", b"\2"), "flash"),
    (b"ZWS", _at(6, b"\0", b"\1", b"\2"), "flash"),
    (b"L\0\0\0\x01\x14\x02\0", _always, "lnk"),
    (b"ITSF", _always, "chm"),
    (b"?_\x03\0", _always, "hlp"),
    (b"FasdUAS", _always, "applescript"),
    (b"SQLite format 3\0", _always, "sqlite"),
    (b"\0\x01\0\0Standard ", _always, "access"),
    (b"\0\x01\0\0", _at(4, b"\0"), "font"),
    (b"OTTO", _always, "font"),
    (b"wOFF", _always, "font"),
    (b"wOF2", _always, "font"),
    (b"ttcf", _always, "font"),
    (b"ID3", _always, "audio"),
    (b"\xff\xfb", _always, "audio"),
    (b"\xff\xf3", _always, "audio"),
    (b"OggS", _always, "audio"),
    (b"fLaC", _always, "audio"),
    (b"MThd\0\0\0\x06", _always, "audio"),
    (b"#!AMR", _always, "audio"),
    (b"\x1a\x45\xdf\xa3", _always, "video"),
    (b"FLV\x01", _always, "video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _always, "video"),
    (b"\0\0\x01\xba", _always, "video"),
    (b"\0\0\x01\xb3", _always, "video"),
    (b"-----BEGIN PGP ", _always, "pgp"),
    (b"-----BEGIN PKCS7-----", _always, "p7m"),
    (b"-----BEGIN CMS-----", _always, "p7m"),
)
_BY_FIRST: Final = {
    first: tuple(entry for entry in _MAGIC if entry[0][0] == first) for first in {entry[0][0] for entry in _MAGIC}
}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STILL_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"heif", b"avif", b"avis")
_AUDIO_BRANDS: Final = (b"M4A ", b"M4B ")
_LHA: Final = (b"lh", b"lz", b"pm")
_PKCS7: Final = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
_SMIME_TYPES: Final = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"  # compressed, authenticated-enveloped
_PGP_FIRST: Final = frozenset(b"\x84\x85\x86\x8c\x90\xa3\xc1\xc3\xc4\xcb")
_PGP_NAMES: Final = (".pgp", ".gpg", ".asc", ".sig")
_SECTOR: Final = 2048
_VOLUME: Final = 0x8001  # ECMA-119 6.2: sixteen sectors in, after one octet
_HEAD: Final = 1024


def kind_of(content: bytes, name: str = "") -> str:
    """The kind of a file, a member of `KINDS`; "unknown" for octets that are neither known nor text.

    `name` only tells apart kinds that look alike (scripts, csv). Reads a bounded part of `content`, raises nothing.
    """
    if not content:
        return "unknown"
    return (
        _by_start(content, name)
        or _by_place(content, name)
        or _late_pdf(content)
        or text_kind(content, name)
        or _late_zip(content)
    )


def _by_start(content: bytes, name: str) -> str:
    if content.startswith(_ZIP):
        return zip_kind(content)
    if content.startswith(_OLE):
        return ole_kind(content)
    for magic, check, kind in _BY_FIRST.get(content[0], ()):
        if content.startswith(magic) and check(content):
            return _disguised_disk(content) or kind if kind in {"exe", "unknown"} else kind
    if content[0] == 0x30:
        return _der_kind(content, name)
    return ""


def _disguised_disk(content: bytes) -> str:
    """An image whose unused first sectors hold a program is both; a program this is only with a PE header."""
    if content.startswith(b"CD001", _VOLUME) and b"PE\0\0" not in content[:_VOLUME]:
        return "iso"
    return ""


def _der_kind(content: bytes, name: str) -> str:
    """A CMS content info (RFC 5652 3). A detached signature is known by its name only."""
    if _PKCS7 not in content[:30] and _SMIME_TYPES not in content[:30]:
        return ""
    return "p7s" if name.lower().endswith(".p7s") else "p7m"


def _by_place(content: bytes, name: str) -> str:
    """Kinds that are known by octets further in."""
    return (
        _media_kind(content)
        or _archive_kind(content)
        or _disk_kind(content)
        or ("pgp" if content[0] in _PGP_FIRST and name.lower().endswith(_PGP_NAMES) else "")
    )


def _media_kind(content: bytes) -> str:
    if content.startswith(b"ftyp", 4):
        if content.startswith(_STILL_BRANDS, 8):
            return "heic"
        return "audio" if content.startswith(_AUDIO_BRANDS, 8) else "video"
    return "font" if content.startswith(b"LP", 34) and content.startswith(b"\0\0", 6) else ""


def _archive_kind(content: bytes) -> str:
    if content[2:3] == b"-" == content[6:7] and content[3:5] in _LHA:
        return "lha"
    if content.startswith(b"**ACE**", 7):
        return "ace"
    if content[:3] in {b"\x50\x2a\x4d", b"\x51\x2a\x4d"} and content[3:4] == b"\x18":
        return "zstd"
    if content.startswith(b"ustar", 257) or _is_old_tar(content):
        return "tar"
    return ""


def _is_old_tar(content: bytes) -> bool:
    """A tar header without a magic: its checksum is right (POSIX.1 pax, ustar Interchange Format)."""
    if len(content) < 512 or content[0] == 0 or content[156] not in b"\x000123456789gxLK":
        return False
    try:
        wanted = int(content[148:156].strip(b"\0 ") or b"-1", 8)
    except ValueError:
        return False
    return wanted == sum(content[:148]) + 256 + sum(content[156:512])


def _disk_kind(content: bytes) -> str:
    if len(content) < 512:
        return ""
    if content.startswith(b"koly", len(content) - 512):
        return "dmg"
    if content.startswith(b"conectix", len(content) - 512):
        return "vhd"
    return _optical_kind(content) or ("disk" if _is_disk(content) else "")


def _optical_kind(content: bytes) -> str:
    """ISO 9660 or UDF (ECMA-167 2/8): a volume descriptor in every sector from the sixteenth on."""
    found = {content[at : at + 5] for at in range(_VOLUME, _VOLUME + 8 * _SECTOR, _SECTOR)}
    if b"CD001" in found:
        return "iso"
    return "udf" if found & {b"NSR02", b"NSR03", b"BEA01"} else ""


def _is_disk(content: bytes) -> bool:
    """A partition table or the first sector of a file system that Windows, macOS or Linux mount."""
    if content.startswith((b"NTFS    ", b"EXFAT   "), 3) or content.startswith((b"FAT12   ", b"FAT16   "), 54):
        return True
    if content.startswith(b"FAT32   ", 82) or content.startswith(b"EFI PART", 512):
        return True
    if content.startswith(b"\x53\xef", 0x438) or content.startswith((b"H+\0\x04", b"HX\0\x05"), 1024):
        return True
    return content.startswith(b"\x55\xaa", 510) and _is_partition_table(content)


def _is_partition_table(content: bytes) -> bool:
    entries = [content[at : at + 16] for at in range(446, 510, 16)]
    used = [entry for entry in entries if entry[4]]
    return bool(used) and all(e[0] in {0, 0x80} for e in entries) and all(any(e[12:]) for e in used)


def _late_pdf(content: bytes) -> str:
    """A PDF reader takes a header within the first 1024 octets; a text that only quotes one has no objects behind."""
    at = content.find(b"%PDF-", 0, _HEAD)
    return "pdf" if at > 0 and b" obj" in content[at : at + 4 * _HEAD] else ""


def _late_zip(content: bytes) -> str:
    """A zip reader starts at the end."""
    if b"PK\x05\x06" in content[-_HEAD:] and b"PK\x03\x04" in content[: 64 * _HEAD]:
        return zip_kind(content)
    return "unknown"
