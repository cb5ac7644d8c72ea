"""What a file's name says about it, and whether the content agrees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.kinds import PROGRAMS
from sekisho.parse.unpack.opening import LONGEST_NAME, Opening

_LONGEST_PATH: Final = 1024
_LONGEST_EXTENSION: Final = 17  # settingcontent-ms


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Direction marks that turn text around (UAX #9 2): overrides, embeddings and isolates. LRM, RLM and ALM only nudge.
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Characters nobody sees. Joiners and variation selectors are left out: emoji and Indic names have them.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b\u2060-\u2064\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
)
_BLANKS: Final = re.compile(r"[\s\u2800\u3164._]{8}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.|$)", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[/\\]")
_ABSOLUTE: Final = re.compile(r"[/\\]|[A-Za-z]:[/\\]")

_RUN_BY_CLICK: Final = _words(
    "exe scr com pif cpl dll ocx sys msi msp msix appx bat cmd ps1 psm1 vbs vbe js jse wsf wsh wsc sct hta jar apk "
    "lnk url reg inf scf msc chm hlp gadget application appref-ms xll library-ms search-ms searchconnector-ms "
    "settingcontent-ms jnlp rdp command app dmg pkg desktop website webloc iqy diagcab msu drv"
)
_SCRIPT_EXTENSIONS: Final = _words("sh bash zsh ksh csh py pyw pl php rb mjs cjs")
_RUN: Final = _RUN_BY_CLICK | _SCRIPT_EXTENSIONS
# Extensions that people open without a thought; before a program's extension they are there to deceive.
_DECOYS: Final = _words(
    "pdf doc docx docm xls xlsx xlsm ppt pptx rtf odt ods odp txt csv jpg jpeg png gif bmp tif tiff heic webp mp3 "
    "mp4 mov wav avi eml msg jtd xdw xbd one"
)

_ZIPS: Final = frozenset(
    {"zip", "jar", "apk", "appx", "vsdx", "odt", "ods", "odp", "odg"}
    | {f"{a}{b}" for a in ("doc", "dot") for b in "xm"}
    | {f"xl{a}" for a in ("sx", "sm", "sb", "tx", "tm", "am")}
    | {f"{a}{b}" for a in ("ppt", "pps", "pot") for b in "xm"}
)
_WORD: Final = _words("doc docx docm dotx dotm rtf odt html xml text encrypted-office ole eml")
_SHEET: Final = _words("xls xlsx xlsm xlsb xltx xltm xlam ods html xml text csv slk encrypted-office ole eml")
_SLIDES: Final = _words("ppt pptx pptm ppsx ppsm potx potm odp encrypted-office ole xml html")
_IMAGES: Final = _words("png jpeg gif bmp tiff webp heic ico svg emf wmf")
_SOUND: Final = frozenset({"audio", "video"})
_TEXTS: Final = _words("text csv html xml svg eml mbox rtf slk uu pgp p7m")
# Extension → kinds that are no surprise behind it.
_EXPECTED: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(_words("doc dot docx docm dotx dotm rtf"), _WORD),
    **dict.fromkeys(_words("xls xlt xlsx xlsm xlsb xltx xltm xlam xla"), _SHEET),
    **dict.fromkeys(_words("ppt pps pot pptx pptm ppsx ppsm potx potm"), _SLIDES),
    **dict.fromkeys(_words("png jpg jpeg jpe jfif gif bmp tif tiff webp heic heif ico emf wmf"), _IMAGES),
    **dict.fromkeys(_words("mp3 wav m4a ogg flac wma mp4 mov avi mkv wmv m4v mpg mpeg webm 3gp"), _SOUND),
    "pdf": frozenset({"pdf"}),
    "odt": frozenset({"odt"}), "ods": frozenset({"ods"}), "odp": frozenset({"odp"}), "odg": frozenset({"odg"}),
    "csv": frozenset({"csv", "text"}), "tsv": frozenset({"csv", "text"}),
    "txt": _TEXTS, "html": _TEXTS, "htm": _TEXTS, "xml": _TEXTS, "svg": _TEXTS, "eml": _TEXTS,
    "zip": _ZIPS, "7z": frozenset({"7z"}), "rar": frozenset({"rar"}), "lzh": frozenset({"lha"}),
    "gz": frozenset({"gzip"}), "tgz": frozenset({"gzip"}), "cab": frozenset({"cab"}), "tar": frozenset({"tar"}),
    "msg": frozenset({"msg", "ole"}), "one": frozenset({"onenote", "cab"}), "iso": frozenset({"iso", "udf", "disk"}),
}  # fmt: skip
# Behind these extensions people expect something that lies still.
_STILL: Final = _WORD | _SHEET | _SLIDES | _IMAGES | _SOUND | {"pdf"}
_NO_DECOY: Final = frozenset({"html", "htm", "zip", "7z", "rar", "lzh", "gz", "tgz", "cab", "tar"})
_PRETENDED: Final = frozenset(_DECOYS | {"log"} | set(_EXPECTED)) - _NO_DECOY
# Containers and pages that a mail filter treats otherwise than the document their name promises.
_ACTIVE: Final = _words(
    "zip 7z rar lha cab iso udf disk vhd vhdx vmdk wim dmg html onenote chm arj ace archive tar gzip"
)
# Settings and scripts that are XML or text: behind .xml or .txt they are shown, not run.
_SHOWN_AS_TEXT: Final = frozenset({"xml", "svg", "txt", "log", "csv", "dat", "eml"})
_TEXT_PROGRAMS: Final = _words(
    "library-ms search-ms settingcontent-ms msc jnlp sct wsf webloc desktop inf reg scf url rdp shell python perl "
    "php powershell vbscript javascript batch hta"
)
_SHELL_KINDS: Final = frozenset({"shell", "python", "perl", "php", "class", "wasm", "elf", "deb", "rpm"})


class Oddity(NamedTuple):
    """A finding about a name: its rule, severity and explanation."""

    rule: str
    severity: Severity
    why: str


def look_at_name(opening: Opening) -> None:
    """A look at the name of every file, and at whether its type is the one the name promises."""
    for oddity in name_oddities(opening.name, opening.kind):
        opening.finding(*oddity)


def name_oddities(name: str, kind: str = "") -> Iterator[Oddity]:
    """What is odd about a name; `kind` is the type by content, "" where the content was not seen. Raises nothing."""
    whole = name if len(name) <= 2 * _LONGEST_PATH else name[:_LONGEST_PATH] + name[-_LONGEST_PATH:]
    last = _SEPARATORS.split(whole)[-1]
    yield from _unsafe(whole, last)
    if len(last) > LONGEST_NAME or len(name) > _LONGEST_PATH:
        yield Oddity("attachment/long-name", Severity.MEDIUM, f"a name of {len(name)} characters")
    turned = _TURNING.search(last)
    parts = unicodedata.normalize("NFKC", _plain(last)).lower().split(".")
    extension = parts[-1].strip() if len(parts) > 1 and len(parts[-1]) <= _LONGEST_EXTENSION else ""
    program = extension in _RUN or (kind in PROGRAMS and kind not in _TEXT_PROGRAMS)
    deceit = list(_deceit(last, parts, extension, turned=bool(turned)))
    yield from deceit
    if any(o.severity > Severity.LOW for o in deceit) and program and _harmful(extension, kind):
        yield Oddity(
            "attachment/disguised-program",
            Severity.CRITICAL,
            f"a program named like a document: {extension if extension in _RUN else kind}",
        )
    elif kind:
        yield from _mismatch(extension, kind)


def extension_of(name: str) -> str:
    """The extension as an operating system reads it, in lower case, without blanks and unseen characters."""
    parts = _plain(_SEPARATORS.split(name)[-1]).lower().split(".")
    return parts[-1].strip() if len(parts) > 1 else ""


def _plain(name: str) -> str:
    """The name without what cannot be seen; Windows drops blanks and dots at the end."""
    return _INVISIBLE.sub("", _TURNING.sub("", _CONTROL.sub("", name))).rstrip(" .\u3000\u00a0")


def _harmful(extension: str, kind: str) -> bool:
    """Whether a click runs it. Scripts for a shell are opened in an editor by most systems."""
    return extension not in _SCRIPT_EXTENSIONS and kind not in _SHELL_KINDS


def _unsafe(whole: str, last: str) -> Iterator[Oddity]:
    rule = "attachment/unsafe-name"
    parts = _SEPARATORS.split(whole)
    if ".." in parts:
        yield Oddity(rule, Severity.MEDIUM, "a name that leads out of the folder it is unpacked into")
    elif _ABSOLUTE.match(whole):
        yield Oddity(rule, Severity.LOW, "a name that starts at the root of a disk")
    elif "\0" in whole:
        yield Oddity(rule, Severity.MEDIUM, "a name with a NUL, which ends it for some programs")
    elif _CONTROL.search(whole):
        yield Oddity(rule, Severity.LOW, "a name with control characters")
    elif _DEVICE.match(last) or re.search(r"[^.\s]:[^\s:]+\.\w+$", last):
        yield Oddity(rule, Severity.LOW, "a name that Windows reads as a device or a hidden stream")


def _deceit(last: str, parts: list[str], extension: str, *, turned: bool) -> Iterator[Oddity]:
    """Signs that the name is meant to be read as another one."""
    if turned:
        yield Oddity(
            "attachment/bidi-name", Severity.MEDIUM, "a name with characters that turn the reading direction"
        )
    elif _INVISIBLE.search(last.strip("\ufeff")):
        yield Oddity("attachment/bidi-name", Severity.LOW, "a name with invisible characters")
    before = parts[-2].strip(" _") if len(parts) > 2 else ""
    blanks = _BLANKS.search(last.rstrip())
    if before in _DECOYS and extension in _RUN:
        yield Oddity("attachment/double-extension", Severity.MEDIUM, f"two extensions: .{before} and .{extension}")
    elif blanks and extension in _RUN:
        yield Oddity("attachment/double-extension", Severity.MEDIUM, f"blanks that push .{extension} out of sight")


def _mismatch(extension: str, kind: str) -> Iterator[Oddity]:
    """Content that the extension does not announce."""
    expected = _EXPECTED.get(extension)
    if kind in PROGRAMS and kind not in (expected or ()):
        yield from _hidden_program(extension, kind)
    elif expected is not None and kind not in expected and kind != "unknown":
        grave = kind in _ACTIVE and bool(
            expected & {"pdf"} or (expected in {_IMAGES, _SOUND, _TEXTS} and kind != "html")
        )
        severity = Severity.MEDIUM if grave else Severity.LOW
        yield Oddity("attachment/type-mismatch", severity, f"named .{extension}, but its content is {kind}")


def _hidden_program(extension: str, kind: str) -> Iterator[Oddity]:
    why = f"named .{extension}, but its content is {kind}"
    if extension in {"dat", "bin"} and kind == "exe":
        yield Oddity("attachment/type-mismatch", Severity.LOW, why)
    if extension not in _PRETENDED or (kind in _TEXT_PROGRAMS and extension in _SHOWN_AS_TEXT):
        return
    # A script runs by its name: behind another one it only lies there, and the kind is told by idioms.
    if kind in {"deb", "rpm", "class", "wasm", "flash"} or kind in _TEXT_PROGRAMS:
        yield Oddity("attachment/type-mismatch", Severity.MEDIUM, why)
    else:
        yield Oddity("attachment/disguised-program", Severity.CRITICAL, f"a program {why}")
