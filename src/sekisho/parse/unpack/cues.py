"""Signs in a script or a command line of what it will do: fetch, write, run, hide, stay, destroy.

One pass of hyperscan finds which cues occur. A cue is strong (alarming by itself) or belongs to a deed; some deeds
together are what a downloader does, and each of them alone is everyday work.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Literal

import hyperscan
from msgspec import Struct

LONGEST = 1_000_000  # characters looked at of one script
_MOST_DECODED = 8  # blobs decoded in one script
_LONGEST_DECODED = 500_000

Deed = Literal["strong", "fetch", "write", "run", "hide", "decode", "wsh", "web", "pipe"]


class Cue(Struct, frozen=True):
    """A pattern over UTF-8 text in any case, what it is a sign of, and how to say so."""

    pattern: str
    deed: Deed
    says: str


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
    def why(self) -> str:
        """The cues in words, the gravest first."""
        order = ("strong", "pipe", "fetch", "decode", "run", "write", "hide")
        return ", ".join([says for deed in order for says in self.deeds.get(deed, ())][:6])


_CUES = (
    Cue(
        r"(?:powershell|pwsh)(?:\.exe)?\b[^\n]*[\s\"'](?:[-/]|\xe2\x80\x93)e(?:c|"
        r"nc|nco|ncod\w*)?\s+[\"']?[a-z0-9+/=]{16}",
        "strong",
        "PowerShell with an encoded command",
    ),
    Cue(
        r"\b(?:iex|invoke-expression)\s*[(\"'$&.-][^\n]*(?:download(?:string|data)|"
        r"\biwr\b|invoke-webrequest|\birm\b|invoke-restmethod|net\.webclient|"
        r"frombase64string)",
        "strong",
        "runs what it downloads or decodes",
    ),
    Cue(
        r"(?:download(?:string|data)\s*\(|\biwr\b|invoke-webrequest|"
        r"\birm\b|invoke-restmethod)[^\n]*\|\s*(?:iex|invoke-expression)\b",
        "strong",
        "runs what it downloads",
    ),
    Cue(
        r"certutil(?:\.exe)?\b[^\n]*[-/](?:decode|urlcache|decodehex)\b",
        "strong",
        "certutil to fetch or decode",
    ),
    Cue(
        r"bitsadmin(?:\.exe)?\b[^\n]*/(?:transfer|addfile|setnotifycmdline)",
        "strong",
        "bitsadmin to fetch",
    ),
    Cue(
        r"\bmshta(?:\.exe)?[\"']?\s+[^\n]*(?:https?:|vbscript:|javascript:|"
        r"about:|\\\\)",
        "strong",
        "mshta with a remote or inline script",
    ),
    Cue(
        r"regsvr32(?:\.exe)?\b[^\n]*/i:\s*[\"']?(?:https?:|\\\\)",
        "strong",
        "regsvr32 with a remote script",
    ),
    Cue(
        r"rundll32(?:\.exe)?[\"']?\s+[^\n]*(?:javascript:|\\\\[^\s\\]+\\|"
        r"https?:)",
        "strong",
        "rundll32 with a script or remote library",
    ),
    Cue(
        r"vssadmin(?:\.exe)?\s+(?:delete|resize)\s+shadow",
        "strong",
        "deletes shadow copies",
    ),
    Cue(
        r"wmic(?:\.exe)?\s+shadowcopy\s+delete|wbadmin\s+delete\s+(?:catalog|"
        r"systemstatebackup)|bcdedit\b[^\n]*recoveryenabled\s+no",
        "strong",
        "disables recovery",
    ),
    Cue(
        r"(?:add|set)-mppreference\b[^\n]*-(?:exclusion\w+|disable\w+)|"
        r"disableantispyware|amsiinitfailed|amsiutils|amsiscanbuffer",
        "strong",
        "switches off the virus scanner",
    ),
    Cue(
        r"\b(?:wmic|wmiprvse)\b[^\n]*process\s+call\s+create|winmgmts:[^\n]*win32_process\b",
        "run",
        "starts a process by WMI",
    ),
    Cue(
        r"schtasks(?:\.exe)?\s+[^\n]*/create\b[^\n]*(?:powershell|wscript|"
        r"cscript|mshta|rundll32|\\appdata\\|%temp%|%appdata%|\\users\\public)",
        "strong",
        "a scheduled task for a script or a program in a user's folder",
    ),
    Cue(
        r"reg(?:\.exe)?\s+add\s[^\n]*\\currentversion\\run",
        "strong",
        "starts itself at every log-on",
    ),
    Cue(
        r"\bregwrite\b[^\n]*\\currentversion\\run",
        "strong",
        "starts itself at every log-on",
    ),
    Cue(
        r"/dev/tcp/[\w.\-]+/\d+",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"\bn(?:et)?cat?\b\s+[^\n]*-e\s+/bin/(?:ba)?sh|\bbash\s+-i\s*>&",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"base64\s+(?:-d|-D|--decode)\b[^\n]*\|\s*(?:ba|z|da)?sh\b",
        "strong",
        "a shell runs what was base64",
    ),
    Cue(
        r"(?:curl|wget)\b[^\n|]*\|\s*(?:sudo\s+)?(?:/bin/)?(?:ba|z|da)?sh\b",
        "pipe",
        "a shell runs what was downloaded",
    ),
    Cue(
        r"\bos\.dup2\s*\([^\n]*fileno\(\)[^\n]*\)[\s\S]*(?:/bin/(?:ba)?sh|"
        r"pty\.spawn)",
        "strong",
        "a shell over the network",
    ),
    Cue(
        r"\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:__import__\s*\(\s*[\"']|"
        r")(?:base64|zlib|marshal|codecs|gzip|bz2|lzma)[\"')]{0,2}\.\s*(?:b64decode|"
        r"b32decode|b85decode|decompress|loads|decode)\s*\(",
        "strong",
        "runs what was packed",
    ),
    Cue(
        r"\b(?:eval|assert)\s*\(\s*(?:@?(?:base64_decode|gzinflate|gzuncompress|"
        r"str_rot13|hex2bin)\s*\(|\$_(?:post|get|request|cookie)\b)",
        "strong",
        "runs what was packed or sent",
    ),
    Cue(
        r"\b(?:system|shell_exec|passthru|popen|proc_open|exec)\s*\(\s*(?:base64_decode\s*\(\s*)?\$_(?:"
        r"post|get|request|cookie)\b",
        "strong",
        "runs commands that are sent",
    ),
    Cue(
        r"eval\s*\(\s*(?:unescape|atob|string\.fromcharcode)\s*\(",
        "decode",
        "runs what was encoded",
    ),
    Cue(
        r"(?:chrw?\(\d+\)\s*[&+]\s*){8}",
        "strong",
        "text built from character codes",
    ),
    Cue(
        r"(?:\[char\]\s*(?:0x)?[0-9a-f]+\s*\+\s*){5}|-join\s*\(?\(?[^\n]*\[char\]",
        "decode",
        "text built from character codes",
    ),
    Cue(
        r"string\.fromcharcode\s*\(\s*(?:(?:0x)?[0-9a-f]+\s*,\s*){16}",
        "decode",
        "text built from character codes",
    ),
    Cue(
        r"frombase64string\s*\(",
        "decode",
        "decodes base64",
    ),
    Cue(
        r"io\.compression\.(?:deflate|gzip)stream",
        "decode",
        "unpacks in memory",
    ),
    Cue(
        r"reflection\.assembly\]?::load\s*\(|\.invokemember\s*\(",
        "run",
        "loads a program in memory",
    ),
    Cue(
        r"virtualalloc(?:ex)?\b[\s\S]*createthread|writeprocessmemory",
        "strong",
        "writes machine code into memory",
    ),
    Cue(
        r"msxml2\.(?:server)?xmlhttp|winhttp\.winhttprequest|microsoft\.xmlhttp\b[\"']\s*\)?[\s\S]*(?:sa"
        r"vetofile|wscript\.shell)",
        "fetch",
        "downloads",
    ),
    Cue(
        r"net\.webclient|download(?:file|string|data)\s*\(|invoke-webrequest|"
        r"start-bitstransfer|\biwr\s+|invoke-restmethod|urldownloadtofile",
        "fetch",
        "downloads",
    ),
    Cue(
        r"\b(?:curl|wget)(?:\.exe)?\s+[^\n]*https?://",
        "fetch",
        "downloads",
    ),
    Cue(
        r"adodb\.stream|\.savetofile\b",
        "write",
        "writes files through ADODB.Stream",
    ),
    Cue(
        r"[\"']wscript\.shell[\"']|[\"']shell\.application[\"']|\bshellexecute\b|"
        r"start-process\b|\binvoke-item\b|\bdo shell script\b",
        "run",
        "starts programs",
    ),
    Cue(
        r"(?:^|[&|\n])\s*start\s+(?:/\w+\s+)*(?:\"[^\"\n]*\"\s+)?[\"']?(?:%temp%|"
        r"%appdata%|%public%|%tmp%|%localappdata%|%userprofile%|c:\\users\\public|"
        r"c:\\programdata)",
        "run",
        "starts a program from a user's folder",
    ),
    Cue(
        r"-w(?:i|in|ind|indo\w*)?\s+(?:hidden|hid)\b|[\"']-windowstyle[\"']\s*,\s*[\"']hidden|"
        r"\.run\s*\(?[^\n]*,\s*(?:0|vbhide)\s*[,)]",
        "hide",
        "a hidden window",
    ),
    Cue(
        r"-(?:ep|exec|executionpolicy|ex)\s+bypass",
        "hide",
        "PowerShell's safeguards off",
    ),
    Cue(
        r"\bwscript\.(?:createobject|shell|sleep|scriptfullname|arguments|"
        r"echo|quit)|new\s+activexobject\s*\(|\bscripting\.filesystemobject|"
        r"\bgetobject\s*\(",
        "wsh",
        "made for Windows Script Host",
    ),
    Cue(
        r"\b(?:document|window)\.\w|module\.exports|\brequire\s*\(|\bexport\s+(?:default|"
        r"const|function|class|\{)|\bimport\s+[\w{*][^\n]*\bfrom\s+[\"']|"
        r"\bjquery\b|addeventlistener|\bconsole\.log|typeof\s+define|"
        r"\bprocess\.env|\bdefine\s*\(\s*\[",
        "web",
        "made for a browser or Node.js",
    ),
)

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={0,2}")
_JOINTS = re.compile(r"""(["'])\s{0,8}[+&]\s{0,8}\1""")


_BLOB = len(_CUES)  # the number of the pattern for what may be base64


def _compiled() -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_MULTILINE
    patterns = [*(cue.pattern for cue in _CUES), r"[A-Za-z0-9+/]{40}"]
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
        cue = _CUES[number]
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
