"""Scripts: source code is everyday business, a script that Windows runs at a double click is not.

What a script would do is told by `cues`; this module weighs it by language and by what a double click does.
"""

from __future__ import annotations

import re

from sekisho.mail.finding import Severity
from sekisho.parse.charsets import detect
from sekisho.parse.links import text_links
from sekisho.parse.unpack.cues import LONGEST, Seen, cues_in
from sekisho.parse.unpack.opening import Opening

_RULE = "attachment/script"
_ENCODED = b"#@~^"  # Microsoft's Script Encoder (.vbe, .jse)
_NAMES = {
    "powershell": "PowerShell",
    "vbscript": "VBScript",
    "javascript": "JavaScript",
    "batch": "batch file",
    "wsf": "Windows Script File",
    "hta": "HTML application",
    "sct": "script component",
    "reg": "registry file",
    "scf": "Explorer command file",
    "inf": "setup information",
    "applescript": "AppleScript",
    "shell": "shell script",
    "python": "Python",
    "perl": "Perl",
    "php": "PHP",
}
# Opening one of these in Windows or macOS runs it, or offers to.
_RUNS_WHEN_OPENED = frozenset(("vbscript", "batch", "wsf", "powershell", "applescript", "reg", "scf"))
_OF_PROGRAMMERS = frozenset(("shell", "python", "perl", "php"))
_SETTINGS = re.compile(
    r"\\currentversion\\(?:run|runonce|policies\\explorer\\run)\b|\\image file execution options\\"
    r"|\\shell\\(?:open|runas)\\command|\\winlogon\]|\\command processor\]|\\inprocserver32\]"
    r"|disableantispyware|\\windows defender\\|\"enablelua\"|\\appinit_dlls",
    re.IGNORECASE,
)
_REMOTE_ICON = re.compile(r"^[ \t]*(?:iconfile|url)[ \t]*=[ \t]*(?:\\\\|//|file:)", re.IGNORECASE | re.MULTILINE)
_AUTORUN = re.compile(r"^[ \t]*(?:open|shellexecute|shell\\\w+\\command)[ \t]*=", re.IGNORECASE | re.MULTILINE)
_SETUP = re.compile(
    r"^[ \t]*(?:runpresetupcommands|runpostsetupcommands|unregisterocxs|registerocxs)(?:section)?[ \t]*=",
    re.IGNORECASE | re.MULTILINE,
)
_OBFUSCATED = re.compile(r"_0x[0-9a-f]{4,6}\b|\\x[2-7][0-9a-f]\\x[2-7][0-9a-f]")
_FEW_MARKS = 40
_LENGTH_PER_MARK = 100


def open_script(opening: Opening) -> None:
    """Tell what a script of any language would do (`attachment/script`), its text and its addresses."""
    content = opening.content
    if content.lstrip()[:4] == _ENCODED:
        opening.finding(_RULE, Severity.HIGH, f"{_name(opening)}, encoded so that it cannot be read")
        return
    text = script_text(content)
    opening.text(text)
    seen = cues_in(text)
    for layer in (text[:LONGEST], *seen.layers):
        opening.budget.check_time()
        for url in text_links(layer):
            opening.link(url, origin="text")
    severity, why = _weigh(opening, text, seen)
    opening.finding(_RULE, severity, f"{_name(opening)}: {why}" if why else _name(opening))


def script_text(content: bytes) -> str:
    """The characters of a script in UTF-16, UTF-8 or an old charset; a compiled AppleScript's readable octets."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if content.startswith(b"\xef\xbb\xbf"):
        return content[3:].decode("utf-8", "replace")
    if content[:400].count(0) * 3 > len(content[:400]):
        codec = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(codec, "replace")
    if b"\0" in content:
        return content.replace(b"\0", b"").decode("latin-1")
    return detect(content)


def _name(opening: Opening) -> str:
    return _NAMES.get(opening.kind, "script")


def _weigh(opening: Opening, text: str, seen: Seen) -> tuple[Severity, str]:
    """How bad, and why, in words."""
    kind = opening.kind
    if kind in _OF_PROGRAMMERS:
        return _source(opening, seen)
    if kind == "javascript":
        return _javascript(text, seen)
    if seen.alarming or "pipe" in seen.deeds:
        return Severity.HIGH, seen.why
    if kind in ("hta", "sct"):
        return Severity.HIGH, "runs outside of the browser, with all rights of the reader"
    settings = _settings(kind, text)
    if settings:
        return Severity.HIGH, settings
    return (Severity.MEDIUM, "runs when it is opened") if kind in _RUNS_WHEN_OPENED else (Severity.LOW, "")


def _source(opening: Opening, seen: Seen) -> tuple[Severity, str]:
    """Languages that nothing runs at a double click; installers that pipe a download into a shell are widespread."""
    if "strong" in seen.deeds:
        return Severity.HIGH, seen.why
    if "pipe" in seen.deeds:
        return (Severity.MEDIUM if opening.depth else Severity.HIGH), seen.why
    return Severity.LOW, ""


def _javascript(text: str, seen: Seen) -> tuple[Severity, str]:
    """Windows runs .js files at a double click; those for browsers and Node.js do nothing there but fail."""
    for_windows, for_web = "wsh" in seen.deeds, "web" in seen.deeds
    obfuscated = _is_obfuscated(text[:LONGEST])
    if "strong" in seen.deeds or (for_windows and not for_web and (seen.alarming or obfuscated)):
        return Severity.HIGH, seen.why or "obfuscated, for Windows Script Host"
    if for_windows and {"run", "fetch"} & seen.deeds.keys() and seen.alarming:
        return Severity.HIGH, seen.why
    if for_web:
        return (Severity.MEDIUM, "obfuscated") if obfuscated else (Severity.LOW, "for a browser or Node.js")
    if obfuscated:
        return Severity.HIGH, "obfuscated, and not for a browser"
    return Severity.MEDIUM, "Windows Script Host runs it when it is opened"


def _is_obfuscated(text: str) -> bool:
    """Whether names and strings are hidden all over the text, not in a table somewhere in it."""
    marks = len(_OBFUSCATED.findall(text))
    return marks >= _FEW_MARKS and marks * _LENGTH_PER_MARK >= len(text)


def _settings(kind: str, text: str) -> str:
    """What is bad about a file of settings, in words, or ""."""
    text = text[:LONGEST]
    if kind == "reg" and _SETTINGS.search(text):
        return "changes what starts by itself, or the protection of the system"
    if kind == "scf" and _REMOTE_ICON.search(text):
        return "loads its icon from another computer, which is told the reader's password hash"
    if kind == "inf" and "[autorun]" in text.lower() and _AUTORUN.search(text):
        return "starts a program when the medium is inserted"
    if kind == "inf" and _SETUP.search(text):
        return "runs commands when it is installed"
    return ""


SCRIPT_KINDS = (*_NAMES,)
