"""Scripts: source code is everyday business, a script that Windows runs at a double click is not.

What a script would do is told by `cues`; this module weighs it by language and by what a double click does.
"""

from __future__ import annotations

import re

from sekisho.mail.finding import Severity
from sekisho.parse.charsets import detect
from sekisho.parse.links import text_links
from sekisho.parse.unpack.cue_list import STARTS_PROGRAMS
from sekisho.parse.unpack.cues import LONGEST, Seen, cues_in
from sekisho.parse.unpack.kinds import PROGRAMS
from sekisho.parse.unpack.names import extension_of
from sekisho.parse.unpack.opening import Opening

_RULE = "attachment/script"
# What Microsoft's Script Encoder makes, and the names that Windows decodes it for.
_ENCODED = re.compile(rb"\A\s*#@~\^|#@~\^[A-Za-z0-9+/]{6}==")
_ENCODED_NAMES = frozenset(("jse", "vbe"))
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_OVERLAP = 1_000  # characters that are looked at twice, so that no cue is cut in two
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
# Windows goes by the name, whatever the content looks like to others.
_BY_NAME = {
    "bat": "batch", "cmd": "batch", "vbs": "vbscript", "vbe": "vbscript", "js": "javascript", "jse": "javascript",
    "wsf": "wsf", "wsc": "sct", "sct": "sct", "hta": "hta", "ps1": "powershell",
}  # fmt: skip
# Windows runs one of these at a double click, and hardly any by mail is to start, fetch or write anything.
_RUN_BY_WINDOWS = frozenset(("vbscript", "wsf", "sct", "batch", "powershell", "hta"))
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
    if _is_encoded(opening):
        opening.finding(_RULE, Severity.HIGH, f"{_name(opening.kind)}, encoded so that it cannot be read")
        return
    text = script_text(opening.content)
    opening.text(text)
    seen = _seen(opening, text)
    for layer in (text[:LONGEST], *seen.layers):
        opening.budget.check_time()
        for url in text_links(layer):
            opening.link(url, origin="text")
    severity, why = _weigh(opening.kind, opening.depth, text, seen)
    name = _name(opening.kind)
    opening.finding(_RULE, severity, f"{name}: {why}" if why else name)


def look_at_named_script(opening: Opening) -> None:
    """A look for scripts that begin like something else: Windows runs them by their name all the same."""
    kind = _BY_NAME.get(extension_of(opening.name), "")
    if not kind or not opening.content or opening.kind in PROGRAMS:
        return
    text = opening.content.decode("latin-1")
    if b"\0" in opening.content or opening.content.startswith(_UTF_16):
        text = f"{script_text(opening.content)}\n{text}"
    severity, why = _weigh(kind, opening.depth, text, _seen(opening, text))
    opening.finding(_RULE, severity, f"{_name(kind)} that looks like {opening.kind}: {why}")


def _is_encoded(opening: Opening) -> bool:
    return extension_of(opening.name) in _ENCODED_NAMES or bool(_ENCODED.search(opening.content))


def _seen(opening: Opening, text: str) -> Seen:
    """The cues in all of the text: what matters may stand behind megabytes of rubbish."""
    if opening.kind == "batch" and opening.content.startswith(_UTF_16):
        text += "\n" + opening.content.decode("latin-1")  # the mark is for the reader; cmd.exe takes single octets
    seen = cues_in(text)
    for at in range(LONGEST - _OVERLAP, len(text), LONGEST - _OVERLAP):
        opening.budget.check_time()
        seen += cues_in(text[at : at + LONGEST])
    return seen


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


def _name(kind: str) -> str:
    return _NAMES.get(kind, "script")


def _weigh(kind: str, depth: int, text: str, seen: Seen) -> tuple[Severity, str]:
    """How bad, and why, in words."""
    if kind in _OF_PROGRAMMERS:
        return _source(depth, seen)
    if kind == "javascript":
        return _javascript(text, seen)
    if seen.alarming or "pipe" in seen.deeds or (kind in _RUN_BY_WINDOWS and seen.acts):
        return Severity.HIGH, seen.why
    if kind in ("hta", "sct"):
        return Severity.HIGH, "runs outside of the browser, with all rights of the reader"
    settings = _settings(kind, text)
    if settings:
        return Severity.HIGH, settings
    return (Severity.MEDIUM, "runs when it is opened") if kind in _RUNS_WHEN_OPENED else (Severity.LOW, "")


def _source(depth: int, seen: Seen) -> tuple[Severity, str]:
    """Languages that nothing runs at a double click; installers that pipe a download into a shell are widespread."""
    if "strong" in seen.deeds:
        return Severity.HIGH, seen.why
    if "pipe" in seen.deeds:
        return (Severity.MEDIUM if depth else Severity.HIGH), seen.why
    return Severity.LOW, ""


def _javascript(text: str, seen: Seen) -> tuple[Severity, str]:
    """Windows runs .js files at a double click; those for browsers and Node.js do nothing there but fail."""
    for_windows, for_web = "wsh" in seen.deeds, "web" in seen.deeds
    obfuscated = _is_obfuscated(text[:LONGEST])
    # Old libraries for browsers name ActiveXObject, too, but no shell.
    shell = STARTS_PROGRAMS in seen.deeds.get("run", ())
    if "strong" in seen.deeds or (for_windows and (seen.alarming if for_web else seen.acts or obfuscated)):
        return Severity.HIGH, seen.why or "obfuscated, for Windows Script Host"
    if (for_windows and shell) or (not for_web and "decode" in seen.deeds):
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
