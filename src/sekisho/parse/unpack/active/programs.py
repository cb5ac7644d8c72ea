"""Programs: what a computer or a phone runs when the file is opened, and how much of one it is."""

from __future__ import annotations

import re
import struct
import zlib

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.opening import Opening

_RULE = "attachment/program"
_PLAIN = {
    "msi": (Severity.HIGH, "Windows installer"),
    "apk": (Severity.HIGH, "Android app"),
    "dex": (Severity.MEDIUM, "Android program code"),
    "class": (Severity.LOW, "Java class"),
    "wasm": (Severity.LOW, "WebAssembly module"),
    "deb": (Severity.MEDIUM, "Debian package, installed by the administrator"),
    "rpm": (Severity.MEDIUM, "RPM package, installed by the administrator"),
    "chm": (Severity.HIGH, "compiled help, whose pages can run programs"),
    "flash": (Severity.MEDIUM, "Flash program, which old players run"),
    "jnlp": (Severity.HIGH, "Java Web Start, downloads a program and runs it"),
    "msc": (Severity.HIGH, "management console, which can run commands"),
    "hlp": (Severity.HIGH, "Windows help, whose macros can run programs"),
}
# Names that Windows treats as programs although the header says library.
_LOADED_WHEN_OPENED = {
    ".cpl": "control panel item",
    ".scr": "screen saver",
    ".xll": "Excel add-in",
    ".ocx": "control",
}
_MACHINES = {0x14C: "x86", 0x8664: "x64", 0xAA64: "ARM64", 0x1C0: "ARM", 0x1C4: "ARM"}
_DLL, _HEADER, _CERTIFICATES, _CLR = 0x2000, 24, 4, 14
_NATIVE = 1  # subsystem of drivers
# Marks of self-extracting archives and installers, near the start or in the resources.
_INSTALLERS = (
    (b"Nullsoft.NSIS", "NSIS installer"),
    (b"Inno Setup", "Inno Setup installer"),
    (b"InstallShield", "InstallShield installer"),
    (b"\x37\x7a\xbc\xaf\x27\x1c", "self-extracting 7-Zip archive"),
    (b"Rar!\x1a\x07", "self-extracting RAR archive"),
    (b"AutoIt v3", "AutoIt script"),
    (b"AU3!EA06", "AutoIt script"),
    (b"PyInstaller", "PyInstaller program"),
    (b"_MEIPASS", "PyInstaller program"),
    (b"Electron", "Electron program"),
    (b"Go build ID:", "Go program"),
)
_SEARCHED = 4_000_000
_LONGEST_MANIFEST = 65_536
_TAIL = 200_000  # where a zip has its directory
_SPARSE = 64  # sections, program headers and fields looked at
_MAIN_CLASS = re.compile(rb"^(?:Main-Class|Launcher-Agent-Class):[ \t]*([\w.$]{1,200})", re.MULTILINE)


def open_exe(opening: Opening) -> None:
    """A DOS or Windows program: signed, installer, .NET, library (Microsoft's PE Format)."""
    told = _portable_executable(opening.content)
    if told is None:
        opening.finding(_RULE, Severity.MEDIUM, "begins like a Windows program, but is none that could run")
        return
    suffix = _suffix(opening.name)
    if suffix in _LOADED_WHEN_OPENED:
        told = [f"{_LOADED_WHEN_OPENED[suffix]} for Windows", *told[1:]]
    opening.finding(_RULE, Severity.HIGH, ", ".join(told))


def open_elf(opening: Opening) -> None:
    """A Linux or Unix program; libraries and object files do not run by themselves (System V ABI, chapter 4)."""
    content = opening.content
    if len(content) < 52:
        opening.finding(_RULE, Severity.MEDIUM, "begins like a Linux program, but is none that could run")
        return
    order = "<" if content[5] == 1 else ">"
    (sort,) = struct.unpack_from(order + "H", content, 16)
    library = sort == 1 or (sort == 3 and not _has_interpreter(content, order))
    if library:
        opening.finding(_RULE, Severity.MEDIUM, "Linux library or object file")
    else:
        opening.finding(_RULE, Severity.HIGH, "Linux program")


def open_macho(opening: Opening) -> None:
    """A macOS program or library (mach-o/loader.h: filetype 2 is an executable)."""
    content = opening.content
    order = "<" if content[:1] in (b"\xce", b"\xcf") else ">"
    fat = content[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
    (sort,) = struct.unpack_from(order + "I", content, 12) if len(content) >= 28 and not fat else (2,)
    if len(content) < 28:
        opening.finding(_RULE, Severity.MEDIUM, "begins like a macOS program, but is none that could run")
    elif sort == 2:
        opening.finding(_RULE, Severity.HIGH, "macOS program" + (" for several processors" if fat else ""))
    else:
        opening.finding(_RULE, Severity.MEDIUM, "macOS library or object file")


def open_jar(opening: Opening) -> None:
    """A Java archive: with a main class a double click runs it. The classes are not told one by one."""
    manifest = _MAIN_CLASS.search(_manifest(opening.content))
    if manifest:
        opening.finding(_RULE, Severity.HIGH, "Java program, with a class to start")
    else:
        opening.finding(_RULE, Severity.MEDIUM, "Java library")


def open_package(opening: Opening) -> None:
    """A zip that Windows installs as an app: .msix, .appx and bundles of them (Microsoft's MSIX SDK)."""
    tail = opening.content[-_TAIL:]
    if b"AppxManifest.xml" in tail or b"AppxBundleManifest.xml" in tail:
        opening.finding(_RULE, Severity.HIGH, "Windows app package")


def open_xar(opening: Opening) -> None:
    """A macOS installer package is a xar archive with a Distribution or PackageInfo in its table of contents."""
    try:
        contents = zlib.decompressobj().decompress(opening.content[28:_TAIL], _TAIL)
    except zlib.error:
        contents = b""
    if b"<name>Distribution</name>" in contents or b"<name>PackageInfo</name>" in contents:
        opening.finding(_RULE, Severity.HIGH, "macOS installer package")
    else:
        opening.finding("attachment/unreadable", Severity.MEDIUM, "a xar archive, which cannot be opened here")


def open_unknown(opening: Opening) -> None:
    """A .com file has no header: whatever is in it is run as 16-bit code, where that is still possible."""
    if _suffix(opening.name) == ".com" and 0 < len(opening.content) < 65_280:
        opening.finding(_RULE, Severity.MEDIUM, "DOS program by its name")


def open_plain(opening: Opening) -> None:
    """Formats whose kind says all there is to say."""
    severity, why = _PLAIN[opening.kind]
    opening.finding(_RULE, severity, why)


PLAIN_KINDS = (*_PLAIN,)


def _suffix(name: str) -> str:
    _, dot, last = name.rpartition(".")
    return dot + last.lower().strip()


def _portable_executable(content: bytes) -> list[str] | None:
    """What a PE file is, in words, the sort first; None where Windows would not load it."""
    if len(content) < 64:
        return None
    (at,) = struct.unpack_from("<I", content, 60)
    if content[at : at + 4] != b"PE\0\0" or len(content) < at + _HEADER + 96:
        return _dos(content)
    machine, sections = struct.unpack_from("<HH", content, at + 4)
    size, flags = struct.unpack_from("<HH", content, at + 20)
    if not sections or size < 96:
        return None
    subsystem = struct.unpack_from("<H", content, at + _HEADER + 68)[0]
    sort = "library" if flags & _DLL else "driver" if subsystem == _NATIVE else "program"
    told = [f"Windows {sort}", _MACHINES.get(machine, f"machine {machine:#x}")]
    if _directory(content, at, _CLR):
        told.append(".NET")
    told += _marks(content)
    told.append("signed" if _directory(content, at, _CERTIFICATES) else "not signed")
    return told


def _dos(content: bytes) -> list[str] | None:
    """A program for DOS or 16-bit Windows: its pages have to be in the file."""
    last, pages = struct.unpack_from("<HH", content, 2)
    size = pages * 512 - (512 - last if last else 0)
    return ["DOS program"] if 512 <= size <= len(content) and last < 512 else None


def _directory(content: bytes, at: int, index: int) -> bool:
    """Whether the optional header's data directory has this entry (Microsoft's PE Format, Optional Header)."""
    magic = struct.unpack_from("<H", content, at + _HEADER)[0]
    start = at + _HEADER + (112 if magic == 0x20B else 96)
    if len(content) < start + index * 8 + 8 or struct.unpack_from("<I", content, start - 4)[0] <= index:
        return False
    return all(struct.unpack_from("<II", content, start + index * 8))


def _marks(content: bytes) -> list[str]:
    searched = content[:_SEARCHED]
    told = dict.fromkeys(name for mark, name in _INSTALLERS if mark in searched)
    if b"UPX0" in content[:2048] and b"UPX!" in content[:4096]:
        told["packed with UPX"] = None
    return list(told)[:3]


def _has_interpreter(content: bytes, order: str) -> bool:
    """Whether one of the program headers is PT_INTERP: a position-independent program, not a library."""
    wide = content[4] == 2
    layout, place, count_at = ("Q", 32, 54) if wide else ("I", 28, 42)
    if len(content) < 64:
        return False
    (start,) = struct.unpack_from(order + layout, content, place)
    size, count = struct.unpack_from(order + "HH", content, count_at)
    entries = range(start, start + size * min(count, _SPARSE), size or 1)
    return any(content[e : e + 4] == struct.pack(order + "I", 3) for e in list(entries)[:_SPARSE])


def _manifest(content: bytes) -> bytes:
    """META-INF/MANIFEST.MF of a jar, read by its local header; b"" where it cannot be (APPNOTE 4.3.7)."""
    at = content.find(b"META-INF/MANIFEST.MF") - 30
    if at < 0 or content[at : at + 4] != b"PK\3\4":
        return b""
    method, size = struct.unpack_from("<H8xI", content, at + 8)
    start = at + 30 + sum(struct.unpack_from("<HH", content, at + 26))
    if method == 0:
        return content[start : start + min(size, _LONGEST_MANIFEST)]
    try:
        return zlib.decompressobj(-15).decompress(content[start : start + _LONGEST_MANIFEST], _LONGEST_MANIFEST)
    except zlib.error:
        return b""
