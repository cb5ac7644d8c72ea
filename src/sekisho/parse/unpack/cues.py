"""Signs in a script or a command line of what it will do: fetch, write, run, hide, stay, destroy.

One pass of hyperscan finds which cues occur. A cue is strong (alarming by itself) or belongs to a deed; some deeds
together are what a downloader does, and each of them alone is everyday work.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

import hyperscan
from msgspec import Struct

from sekisho.parse.unpack.cue_list import CUES

LONGEST = 1_000_000  # characters looked at of one script
_MOST_DECODED = 8  # blobs decoded in one script
_LONGEST_DECODED = 500_000


class Seen(Struct, frozen=True):
    """What a script shows: `deeds` → the cues seen for each, in words; `layers` are the texts that were base64."""

    deeds: dict[str, tuple[str, ...]]
    layers: tuple[str, ...] = ()

    @property
    def alarming(self) -> bool:
        """Whether it does what a downloader or a destroyer does, rather than administration."""
        deeds = self.deeds.keys()
        return (
            "strong" in deeds
            or ("fetch" in deeds and bool(deeds & {"run", "write"}))
            or ("decode" in deeds and "run" in deeds)
            or ("hide" in deeds and bool(deeds & {"fetch", "decode"}))
        )

    @property
    def acts(self) -> bool:
        """Whether it shows any deed at all: it starts, downloads, writes, hides or encodes something."""
        return any(deed not in {"wsh", "web"} for deed in self.deeds)

    def __add__(self, other: Seen) -> Seen:
        """Both together."""
        deeds = dict(self.deeds)
        for deed, says in other.deeds.items():
            deeds[deed] = tuple(dict.fromkeys((*deeds.get(deed, ()), *says)))
        return Seen(deeds, (*self.layers, *other.layers)[:_MOST_DECODED])

    @property
    def why(self) -> str:
        """The cues in words, the gravest first."""
        order = ("strong", "pipe", "fetch", "decode", "run", "start", "write", "hide", "encode")
        return ", ".join([says for deed in order for says in self.deeds.get(deed, ())][:6])


_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={0,2}")
_JOINTS = re.compile(r"""(["'])\s{0,8}[+&]\s{0,8}\1""")


_BLOB = len(CUES)  # the number of the pattern for what may be base64


def _compiled() -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_MULTILINE
    patterns = [*(cue.pattern for cue in CUES), r"[A-Za-z0-9+/]{40}"]
    database.compile(
        expressions=[p.encode() for p in patterns], ids=list(range(len(patterns))), flags=[flags] * len(patterns)
    )
    return database


_DATABASE = _compiled()
_SCRATCH = hyperscan.Scratch(_DATABASE)


def cues_in(text: str, *, decode: bool = True) -> Seen:
    """The cues in a script or command line, also where it is pieced together, and one base64 layer down.

    At most 1,000,000 characters are looked at; linear in them.
    """
    text = text[:LONGEST]
    plain = _plain(text)
    numbers = _scan(text)
    if plain != text:
        numbers |= _scan(plain)
    layers = decoded(plain) if decode and _BLOB in numbers else []
    for inner in layers:
        numbers |= _scan(inner) | _scan(_plain(inner))
    deeds: dict[str, tuple[str, ...]] = {}
    for number in sorted(numbers - {_BLOB}):
        cue = CUES[number]
        if cue.says not in deeds.get(cue.deed, ()):
            deeds[cue.deed] = (*deeds.get(cue.deed, ()), cue.says)
    return Seen(deeds, tuple(layers))


def _plain(text: str) -> str:
    """Without the marks that cmd.exe and PowerShell skip in the middle of words, pieces of strings joined."""
    return _JOINTS.sub("", text.replace("^", "").replace("`", ""))


def decoded(text: str) -> list[str]:
    """The texts hidden as base64 of UTF-8 or UTF-16, or of those packed with gzip: at most 8."""
    texts: list[str] = []
    for match in _BASE64.finditer(text):
        if len(texts) >= _MOST_DECODED:
            break
        inner = _undone(match[0])
        if inner:
            texts.append(inner)
    return texts


def _undone(blob: str) -> str:
    """What base64 hides, if it is text."""
    blob = blob.rstrip("=")[:_LONGEST_DECODED]
    blob = blob[: len(blob) - (len(blob) % 4 == 1)]
    try:
        octets = base64.b64decode(blob + "=" * (-len(blob) % 4))
    except binascii.Error:
        return ""
    if octets.startswith(b"\x1f\x8b"):
        octets = _unpacked(octets)
    sample = octets[:200]
    if sample.count(0) * 3 > len(sample):
        return octets.decode("utf-16-le", "ignore")
    printable = sum(32 <= o < 127 or o in b"\t\r\n" for o in sample)
    return octets.decode("utf-8", "ignore") if printable * 10 > len(sample) * 9 else ""


def _unpacked(octets: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(octets, _LONGEST_DECODED)
    except zlib.error:
        return b""


def _scan(text: str) -> set[int]:
    found: set[int] = set()

    def on_match(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        found.add(number)

    _DATABASE.scan(text.encode("utf-8", "replace"), match_event_handler=on_match, scratch=_SCRATCH)
    return found
