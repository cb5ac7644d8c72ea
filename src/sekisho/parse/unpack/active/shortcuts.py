"""Shortcuts: small files that start something else. What matters is what they start."""

from __future__ import annotations

import plistlib
import re
from xml.parsers.expat import ExpatError

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.links import text_links
from sekisho.parse.unpack.active.scripts import script_text
from sekisho.parse.unpack.active.shell_link import ShellLink, read_shell_link
from sekisho.parse.unpack.cues import cues_in
from sekisho.parse.unpack.opening import CorruptError, Opening

_RULE = "attachment/shortcut"
_LONGEST = 200_000
_CONTROLS = re.compile(r"[\0-\x1f]+")
# Programs of Windows that run what they are given.
_LAUNCHERS = re.compile(
    r"(?:^|[\\/\"'\s%;&|(])(?:cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|forfiles"
    r"|wmic|schtasks|conhost|explorer|curl|ftp|ssh|hh|installutil|msbuild|regasm|odbcconf|pcalua|control|scriptrunner"
    r"|syncappvpublishingserver|finger|bash|wsl|python|javaw?|node|comspec)(?:\.exe)?(?:$|[\s\"'%;&|,/])",
    re.IGNORECASE,
)
_PROGRAM = re.compile(
    r"\.(?:exe|scr|com|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|cpl|jar|dll|lnk|sct|application|appref-ms)"
    r"[\"']?(?:$|[\s?#\"'])",
    re.IGNORECASE,
)
_REMOTE = re.compile(
    r"(?:^|[\s\"'=>])(?:\\\\[\w.@-]|(?:file|smb|ws|wss|search-ms|search|ms-[\w-]+|vbscript|javascript):)|\bdavwwwroot\b|@ssl\\",
    re.IGNORECASE,
)
# A share on another computer: \\host\share or file://host; not file:///C:/.
_SHARE = re.compile(r"\\\\[\w.@-]{1,253}\\|file:(?:/{2}[\w.@-]|/{4,5}[\w.@-]|\\\\\\\\)|smb://", re.IGNORECASE)
_URL = re.compile(r"^[ \t]*(?:base)?url[ \t]*=[ \t]*(\S[^\r\n]{0,4000})", re.IGNORECASE | re.MULTILINE)
_ICON = re.compile(r"^[ \t]*iconfile[ \t]*=[ \t]*(\S[^\r\n]{0,1000})", re.IGNORECASE | re.MULTILINE)
_FOLDER = re.compile(r"^[ \t]*workingdirectory[ \t]*=[ \t]*(\S[^\r\n]{0,1000})", re.IGNORECASE | re.MULTILINE)
_EXEC = re.compile(
    r"^[ \t]*(?:try)?exec(?:\[[^\]\n]{0,20}\])?[ \t]*=[ \t]*(\S[^\r\n]{0,4000})", re.IGNORECASE | re.MULTILINE
)
_WEBLOC_URL = re.compile(r"<key>\s{0,40}URL\s{0,40}</key>\s{0,40}<string>([^<]{1,4096})</string>", re.IGNORECASE)
_GIVES_AWAY = re.compile(
    r"^(?:drivestoredirect:s:\s{0,8}\*|remoteapplicationprogram:s:\s{0,8}\S)", re.IGNORECASE | re.MULTILINE
)
# The elements of the XML kinds that name what is opened or run.
_ELEMENT = re.compile(
    r"<(?:\w{1,20}:)?(?:url|deeplink|icon|path|location|serialized|deploymentprovider|dependentassembly|scope|include)\b"
    r"([^>]{0,2000})>([^<]{0,4000})",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"\b(?:codebase|path|url)\s{0,8}=\s{0,8}[\"']([^\"']{1,2000})", re.IGNORECASE)


def open_lnk(opening: Opening) -> None:
    """A Windows shortcut: with a command or to another computer it is an attack, to a folder it is lost property."""
    try:
        link = read_shell_link(opening.content)
    except CorruptError:
        _broken_lnk(opening)
        raise
    command = link.command
    opening.text("\n".join(filter(None, (link.name, command, link.folder, link.icon))))
    _links(opening, " ".join((command, link.icon, link.environment, *link.items)))
    why = _danger(link)
    if why:
        opening.finding(_RULE, Severity.HIGH, f"{why}: {said.command(command)}")
    else:
        opening.finding(_RULE, Severity.MEDIUM, f"shortcut to {said.command(command)}")


def _broken_lnk(opening: Opening) -> None:
    """Windows reads past errors that we do not: the words of a command are enough."""
    content = opening.content[:_LONGEST]
    wide = (content[start:].decode("utf-16-le", "ignore") for start in (0, 1))
    for octets in (content.decode("latin-1"), *wide):
        text = _CONTROLS.sub(" ", octets)
        if _LAUNCHERS.search(text) or cues_in(text).alarming:
            opening.finding(_RULE, Severity.HIGH, "broken shortcut with a command in it")
            return


def _danger(link: ShellLink) -> str:
    """What is wrong with a shortcut, in words, or ""."""
    command, everything = link.command, " ".join((link.command, link.environment, link.relative, *link.items))
    if cues_in(f"{everything} {link.arguments}").alarming:
        return "downloads or runs hidden code"
    if link.arguments and _LAUNCHERS.search(everything):
        return "runs a command"
    if link.appended > 10_000:
        return "carries other data behind its end"
    if _SHARE.search(everything) or _SHARE.search(link.icon):
        return "opens something on another computer, which is told the reader's password hash"
    if _LAUNCHERS.search(everything) or _PROGRAM.search(f"{command} ") or link.arguments.strip():
        return "starts a program"
    return ""


def open_url(opening: Opening) -> None:
    """An Internet shortcut: its address is a link like others, unless it is no web page at all."""
    text = script_text(opening.content[:_LONGEST])
    targets = [m[1].strip() for m in _URL.finditer(text)][:20]
    others = [m[1].strip() for pattern in (_ICON, _FOLDER) for m in pattern.finditer(text)][:20]
    for target in targets:
        opening.link(target)
    bad = next((t for t in targets if _REMOTE.search(t) or (_PROGRAM.search(t) and not _is_web(t))), "")
    if bad:
        opening.finding(_RULE, Severity.HIGH, f"opens a program or another computer: {said.target(bad)}")
    elif any(_SHARE.search(o) for o in others):
        opening.finding(_RULE, Severity.HIGH, "loads its icon from another computer, told the reader's password hash")
    elif any(_PROGRAM.search(t.partition("?")[0]) for t in targets):
        opening.finding(_RULE, Severity.HIGH, f"downloads a program: {said.target(targets[0])}")
    else:
        opening.finding(_RULE, Severity.LOW, f"link to {said.target(targets[0])}" if targets else "link to nothing")


def open_desktop(opening: Opening) -> None:
    """A freedesktop.org entry: Exec is a command, URL a link (Desktop Entry Specification, Recognized keys)."""
    text = script_text(opening.content[:_LONGEST])
    commands = [m[1] for m in _EXEC.finditer(text)]
    _links(opening, text)
    if commands:
        opening.finding(_RULE, Severity.HIGH, f"runs a command: {said.command(commands[0])}")
        return
    targets = [m[1].strip() for m in _URL.finditer(text)]
    bad = any(_REMOTE.search(t) or _PROGRAM.search(t) for t in targets)
    opening.finding(
        _RULE, Severity.HIGH if bad else Severity.LOW, f"link to {said.target(targets[0]) if targets else 'nothing'}"
    )


def open_webloc(opening: Opening) -> None:
    """A macOS link file, as XML or binary property list."""
    url = _webloc_address(opening.content)
    if not url:
        raise CorruptError("link file without an address")
    opening.link(url)
    bad = bool(_REMOTE.search(url) or _PROGRAM.search(url))
    opening.finding(_RULE, Severity.HIGH if bad else Severity.LOW, f"link to {said.target(url)}")


def _webloc_address(content: bytes) -> str:
    if content.startswith(b"bplist"):
        try:
            found = plistlib.loads(content[:_LONGEST], fmt=plistlib.FMT_BINARY)
        except (
            plistlib.InvalidFileException,
            ValueError,
            OverflowError,
            RecursionError,
            ExpatError,
            IndexError,
            KeyError,
        ):
            return ""
        return str(found.get("URL", "")) if isinstance(found, dict) else ""
    text = script_text(content[:_LONGEST])
    match = _WEBLOC_URL.search(text) or _URL.search(text)
    return match[1].strip().replace("&amp;", "&") if match else ""


def open_windows_xml(opening: Opening) -> None:
    """library-ms, search-ms, settingcontent-ms, contact and the like: Windows opens what they name by itself."""
    text = script_text(opening.content[:_LONGEST])
    named = [*(m[1] + " " + m[2] for m in _ELEMENT.finditer(text)), *(m[1] for m in _ATTRIBUTE.finditer(text))]
    joined = " ".join(named)
    _links(opening, joined)
    if _SHARE.search(text) or re.search(r"https?://", joined, re.IGNORECASE):
        opening.finding(_RULE, Severity.HIGH, f"opens files on another computer ({opening.kind})")
    elif _LAUNCHERS.search(joined) or cues_in(text).alarming:
        opening.finding(_RULE, Severity.HIGH, f"runs a command ({opening.kind})")
    else:
        opening.finding(_RULE, Severity.MEDIUM, f"Windows settings file ({opening.kind})")


def open_rdp(opening: Opening) -> None:
    """A remote desktop connection: to whom it gives the reader's drives is the question (RDP properties)."""
    text = script_text(opening.content[:_LONGEST])
    _links(opening, text)
    if _GIVES_AWAY.search(text):
        opening.finding(_RULE, Severity.HIGH, "remote desktop that is given all drives, or starts a program")
    else:
        opening.finding(_RULE, Severity.MEDIUM, "remote desktop connection")


def open_web_query(opening: Opening) -> None:
    """Excel's web query (.iqy) fetches cells from an address; a formula among them is run."""
    _links(opening, script_text(opening.content[:_LONGEST]))
    opening.finding(_RULE, Severity.HIGH, "Excel loads cells and formulas from an address")


def open_theme(opening: Opening) -> None:
    """Windows themes, ClickOnce references and others by name: a path to another computer leaks the password hash."""
    text = script_text(opening.content[:_LONGEST])
    _links(opening, text)
    if _SHARE.search(text):
        opening.finding(
            _RULE, Severity.HIGH, "loads something from another computer, told the reader's password hash"
        )


def look_at_named_files(opening: Opening) -> None:
    """Text files that Windows treats as commands by their name alone: .theme, .appref-ms, .application, .contact."""
    if opening.kind not in ("text", "xml", "unknown"):
        return
    suffix = opening.name.lower().strip().rpartition(".")[2]
    if suffix in ("theme", "themepack", "contact", "diagcab"):
        open_theme(opening)
    elif suffix in ("appref-ms", "application", "searchconnector-ms"):
        text = script_text(opening.content[:_LONGEST])
        _links(opening, text)
        opening.finding(_RULE, Severity.HIGH, "installs or opens a program from the network (ClickOnce)")


def _links(opening: Opening, text: str) -> None:
    for url in text_links(text):
        opening.link(url, origin="other")


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http:", "https:"))


WINDOWS_XML_KINDS = ("library-ms", "search-ms", "settingcontent-ms")
