"""Which kind of text a text is: markup, mail, settings that act when opened, and scripts.

An operating system runs a script because of its name, so the name decides between scripts. The idioms of a language
decide only where the name says nothing; a program listing sent as .txt is text.
"""

from __future__ import annotations

import re
from typing import Final

_HEAD: Final = 4096
_FAR_HEAD: Final = 16 * 1024
_MOST_PROLOG: Final = 20

# Octets that are in no text: C0 controls but tab, line feed, vertical tab, form feed, CR, SUB (end of DOS texts) and
# ESC (ISO-2022-JP). C1 and 0x80-0xFF are letters in some encoding.
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 11, 12, 13, 0x1A, 0x1B}) + b"\x7f"
_FEW: Final = 200  # one control octet in so many is still text

_EXTENSIONS: Final = {
    "ps1": "powershell", "psm1": "powershell", "psd1": "powershell", "ps1xml": "powershell", "pssc": "powershell",
    "vbs": "vbscript", "vbe": "vbscript", "vb": "vbscript",
    "js": "javascript", "jse": "javascript", "mjs": "javascript", "cjs": "javascript",
    "bat": "batch", "cmd": "batch",
    "sh": "shell", "bash": "shell", "zsh": "shell", "ksh": "shell", "csh": "shell", "command": "shell",
    "run": "shell",
    "py": "python", "pyw": "python", "pl": "perl", "php": "php", "phtml": "php",
    "wsf": "wsf", "wsh": "wsf", "ws": "wsf", "wsc": "sct", "sct": "sct",
    "reg": "reg", "inf": "inf", "scf": "scf", "applescript": "applescript", "scpt": "applescript",
    "url": "url", "website": "url", "desktop": "desktop", "webloc": "webloc", "hta": "hta", "rdp": "rdp",
    "library-ms": "library-ms", "search-ms": "search-ms", "searchconnector-ms": "search-ms",
    "settingcontent-ms": "settingcontent-ms", "msc": "msc", "jnlp": "jnlp",
    "html": "html", "htm": "html", "shtml": "html", "xhtml": "html", "xht": "html", "svg": "svg",
    "csv": "csv", "tsv": "csv", "slk": "slk", "iqy": "iqy", "eml": "eml", "mbox": "mbox",
}  # fmt: skip
# Endings of texts: what is inside them is not run, whatever it is.
_PLAIN_WORDS: Final = (
    "txt text log md rst json yml yaml toml ini cfg conf c h cpp hpp cs java go rs rb ts tsx jsx css scss sql tex "
    "diff patch ics vcf srt properties gitignore ipynb r bas cls frm vba xsl xslt xsd dtd po "
)
_PLAIN: Final = frozenset(_PLAIN_WORDS.split())
_SHEBANG: Final = re.compile(rb"#!\s?/\S*?(?:env\s+(?:-S\s+)?)?([a-z]+)[\d.]*(?:\s|$)")
_INTERPRETERS: Final = {
    b"sh": "shell", b"bash": "shell", b"zsh": "shell", b"ksh": "shell", b"dash": "shell", b"csh": "shell",
    b"tcsh": "shell", b"fish": "shell", b"python": "python", b"perl": "perl", b"php": "php", b"node": "javascript",
    b"pwsh": "powershell", b"osascript": "applescript", b"ruby": "shell", b"awk": "shell",
}  # fmt: skip
# Section lines that make a text a file that acts, wherever in the head they are: Windows reads them past rubbish.
_SECTIONS: Final = re.compile(
    rb"^[ \t]*\[(InternetShortcut|Desktop Entry|Shell|DefaultInstall[^\]\r\n]{0,40}|Version)\][ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_REGISTRY: Final = re.compile(rb"\s{0,200}(?:Windows Registry Editor Version|REGEDIT4\s)", re.IGNORECASE)
_RDP: Final = re.compile(rb"^(?:full address|alternate full address):s:", re.IGNORECASE | re.MULTILINE)
_FIELD: Final = re.compile(rb"[A-Za-z][A-Za-z0-9\-]{1,70}:[ \t]?")
_MAIL_FIELD: Final = re.compile(
    rb"^(from|to|subject|date|message-id|mime-version|received|return-path|delivered-to|content-type|x-mailer):",
    re.IGNORECASE | re.MULTILINE,
)
_UUENCODED: Final = re.compile(rb"begin(?:-base64)? [0-7]{3,4} \S")
# The WHATWG MIME Sniffing standard, 7.1, with iframe, form, meta, svg-less names added that mail worms begin with.
_HTML: Final = re.compile(
    rb"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|form|meta|img|center|"
    rb"object|embed|span|link|base)(?=[\s>/])",
    re.IGNORECASE,
)
_PROLOG: Final = re.compile(
    rb"\s*(?:<\?[^>]{0,2000}>|<!--.{0,4000}?-->|<![^>\[]{0,2000}(?:\[[^\]]{0,4000}\])?\s*>)", re.DOTALL
)
_ROOT: Final = re.compile(rb"\s*<(?:[A-Za-z_][\w.\-]{0,60}:)?([A-Za-z_][\w.\-]{0,60})(?=[\s>/])")
_ROOTS: Final = {
    b"html": "html", b"svg": "svg", b"librarydescription": "library-ms", b"persistedquery": "search-ms",
    b"searchconnectordescription": "search-ms", b"searchconnectordescriptiontype": "search-ms",
    b"pcsettings": "settingcontent-ms", b"scriptlet": "sct", b"job": "wsf", b"mmc_consolefile": "msc",
    b"jnlp": "jnlp",
    b"component": "sct",
}  # fmt: skip
_HTA: Final = re.compile(rb"<hta:application\b", re.IGNORECASE)
_SCRIPT: Final = re.compile(rb"<script\b", re.IGNORECASE)
_ENCODED_SCRIPT: Final = b"#@~^"  # what the Windows script encoder begins with

_IDIOMS: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for kind, pattern in (
        (
            "powershell",
            (
                rb"\b(Invoke-Expression|Invoke-WebRequest|DownloadString|Start-Process|New-Object|Set-ExecutionPolicy"
                rb"|FromBase64String|Write-Host|Get-ChildItem|Add-Type|Start-BitsTransfer)\b"
                rb"|(?<![\w$])\$(env:\w|[A-Za-z_]\w*\s*=)|\[(System\.|Convert\]|Net\.)"
            ),
        ),
        (
            "vbscript",
            (
                rb"\b(CreateObject\s*\(|WScript\.\w|On\s+Error\s+Resume\s+Next|Set\s+\w+\s*=|End\s+(?:Sub|Function|If)\b"
                rb"|Dim\s+\w|Execute(?:Global)?\s*\(|MsgBox\b|Chr\s*\()"
            ),
        ),
        (
            "javascript",
            (
                rb"\b(new\s+ActiveXObject|WScript\.\w+|eval\s*\(|function\s*\w*\s*\(|String\.fromCharCode|var\s+\w+\s*="
                rb"|document\.write|require\s*\()"
            ),
        ),
        (
            "batch",
            (
                rb"^\s*@?(echo\s+off|setlocal|rem\s|goto\s+\w|set\s+/?\w+|start\s+/?\w|if\s+(?:not\s+)?exist)"
                rb"|(%~?[dpnx]*0|%\w+%|>\s*nul\b|\bpowershell(?:\.exe)?\s+-)"
            ),
        ),
    )
)
_ENOUGH_IDIOMS: Final = 3
# What one of the idioms at least has in it, in lower case: most texts have none of it and are done.
_HINTS: Final[dict[str, tuple[bytes, ...]]] = {
    "powershell": (b"$", b"invoke-", b"new-object", b"[system", b"write-host", b"start-"),
    "vbscript": (b"createobject", b"wscript", b"dim ", b"end sub", b"end function", b"msgbox", b"chr("),
    "javascript": (b"activex", b"wscript", b"function", b"eval(", b"var ", b"document."),
    "batch": (b"echo off", b"setlocal", b"%", b"powershell", b"goto "),
}
_SEARCHED: Final = 2048


def text_kind(content: bytes, name: str = "") -> str:
    """The kind of a text, or "" where the file is no text. Looks at its first octets only."""
    head = _as_octets(content[:_FAR_HEAD])
    if head is None:
        return ""
    start = head[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n\f\v\0")
    extension = name.rsplit(".", 1)[-1].strip(" .").lower() if "." in name else ""
    return (
        _markup(start, head, extension)
        or _by_first_line(start)
        or _by_section(head, extension)
        or _EXTENSIONS.get(extension)
        or _mail(start)
        or _script(start, extension)
        or "text"
    )


def _as_octets(head: bytes) -> bytes | None:
    """The text with one octet for each ASCII character, None for what is no text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace").encode("utf-8", "replace")
    near = head[:_HEAD]
    controls = len(near) - len(near.translate(None, _CONTROLS))
    if controls * _FEW <= len(near) and b"\0" not in near:
        return head
    return _without_mark(near, head)


def _without_mark(near: bytes, head: bytes) -> bytes | None:
    """UTF-16 without a byte order mark: every other octet is zero in the first words."""
    even, odd = near[0:64:2], near[1:64:2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(zeros) > 3 and not any(zeros) and 0 not in others and not others.translate(None, _TEXT):
            return head.decode(encoding, "replace").encode("utf-8", "replace")
    return None


_TEXT: Final = bytes(set(range(256)) - set(_CONTROLS))


def _markup(start: bytes, head: bytes, extension: str) -> str:
    if not start.startswith(b"<"):
        return ""
    if start.startswith((b"<?php", b"<?=")):
        return "php"
    kind = _by_root(start) or ("html" if _HTML.match(start) else "")
    if extension == "hta" or (_HTA.search(head) and kind in {"", "html", "xml"}):
        return "hta"
    return _refined(kind, head, extension)


def _refined(kind: str, head: bytes, extension: str) -> str:
    """XML whose name says how it is used."""
    if kind in {"", "xml"} and extension in {
        "webloc",
        "svg",
        "wsf",
        "sct",
        "wsc",
        "html",
        "htm",
        "xhtml",
        "eml",
        "msc",
    }:
        return _EXTENSIONS[extension]
    if kind == "xml" and b"<plist" in head and b"<key>URL</key>" in head:
        return "webloc"
    if kind == "sct" and not _SCRIPT.search(head):
        return "xml"
    return kind


def _by_root(start: bytes) -> str:
    """The kind that the root element names; "xml" for others, "" for what is no XML."""
    at = 0
    for _ in range(_MOST_PROLOG):
        prolog = _PROLOG.match(start, at)
        if prolog is None:
            break
        at = prolog.end()
    root = _ROOT.match(start, at)
    if root is None:
        return "html" if _HTML.match(start[at:].lstrip()) else ("xml" if start.startswith(b"<?xml") else "")
    kind = _ROOTS.get(root[1].lower(), "")
    if kind or start.startswith(b"<?xml"):
        return kind or "xml"
    if _HTML.match(start) or _HTML.match(start, root.start() + len(root[0]) - len(root[0].lstrip())):
        return "html"
    return "xml" if b"xmlns" in start[root.end() : root.end() + 400] or b"</" + root[1] + b">" in start else ""


def _by_first_line(start: bytes) -> str:
    if start.startswith(b"#!"):
        shebang = _SHEBANG.match(start)
        return _INTERPRETERS.get(shebang[1], "") if shebang else ""
    if start.startswith(b"{\\rt"):
        return "rtf"
    if start.startswith(b"ID;P"):
        return "slk"
    if start.startswith((b"WEB\r\n1\r\n", b"WEB\n1\n")):
        return "iqy"
    if _REGISTRY.match(start):
        return "reg"
    return "uu" if _UUENCODED.match(start) else ""


def _by_section(head: bytes, extension: str) -> str:
    """Settings files that Windows or a desktop acts on."""
    if b"[" in head and extension not in _PLAIN:
        sections = {found.lower() for found in _SECTIONS.findall(head)}
        kind = _of_sections(sections, head)
        if kind:
            return kind
    return "rdp" if b":s:" in head and _RDP.search(head) and extension not in _PLAIN else ""


def _of_sections(sections: set[bytes], head: bytes) -> str:
    if b"internetshortcut" in sections:
        return "url"
    if b"desktop entry" in sections:
        return "desktop"
    if b"shell" in sections and re.search(rb"^(?:command|iconfile)\s*=", head, re.IGNORECASE | re.MULTILINE):
        return "scf"
    installs = any(name.startswith(b"defaultinstall") for name in sections)
    if installs or (
        b"version" in sections and re.search(rb"^signature\s*=\s*\"?\$", head, re.IGNORECASE | re.MULTILINE)
    ):
        return "inf"
    return ""


def _mail(start: bytes) -> str:
    """A mail (RFC 5322 2.2: fields first) or a mailbox (RFC 4155: a line that starts with "From ")."""
    mailbox = start.startswith(b"From ")
    if not mailbox and not _FIELD.match(start):
        return ""
    block = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
    fields = {found.lower() for found in _MAIL_FIELD.findall(block)}
    multipart = re.search(rb"(?im)^content-type:[ \t]*multipart/[^;\r\n]{1,40};\s*[^\r\n]{0,200}boundary=", block)
    enough = len(fields) >= 3 or multipart or fields & {b"received", b"message-id", b"mime-version", b"return-path"}
    return ("mbox" if mailbox else "eml") if enough else ""


def _script(start: bytes, extension: str) -> str:
    """A script that its name does not tell, by three different idioms of its language."""
    if extension in _PLAIN:
        return ""
    if start.startswith(_ENCODED_SCRIPT):
        return "vbscript"
    best, most, start = "", _ENOUGH_IDIOMS - 1, start[:_SEARCHED].lower()
    for kind, idioms in _IDIOMS:
        if not any(hint in start for hint in _HINTS[kind]):
            continue
        found = {b"".join(m[0].split()).lower()[:20] for m in idioms.finditer(start)}
        if len(found) > most:
            best, most = kind, len(found)
    return best
