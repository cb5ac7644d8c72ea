"""What a finding says of a name, address or command that a message holds: enough to see the danger, nothing personal.

An explanation is kept in audit records and logs, so none repeats what a sender wrote. All these functions answer
with our own words, and of the sender's with what tells the danger: scheme and host of an address, the type of a file,
programs and functions that are known. A test holds every explanation below `parse` to them.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LONGEST = 8192
_LONGEST_HOST = 80
_MOST_TOLD = 4
_WEB = re.compile(r"(?:https?|ftps?|wss?|webdavs?):[\\/]{2}[^\s\"'<>|]+", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}):")
# Not in the middle of a path, where doubled separators stand before the names of folders.
_SHARE = re.compile(
    r"(?:(?<![^\s\"'=(,;|])|\A)(?:file:)?[\\/]{2,5}(?![A-Za-z][:|])([A-Za-z0-9._-]+)(?:@[^\\/\s\"']*)?(?=[\\/])",
    re.IGNORECASE,
)
_HOST = re.compile(r"\[?[\w.:-]+\]?")
_DIGITS = re.compile(r"[0-9]{5,}")
_ENDING = re.compile(r"\.([A-Za-z0-9-]{1,17})(?=$|[\s\"'?#!,;)])")
# What can be run, opened or loaded: an ending of any other letters might be a part of a name.
_ENDINGS = _words(
    "exe com bat cmd ps1 psm1 vbs vbe js jse wsf wsh wsc hta lnk scr pif msi msp cpl dll jar sct reg inf "
    "chm iso img scf url app command sh py pl php asp aspx jsp cgi html htm xhtml mht svg xml txt csv "
    "rtf pdf doc docx docm dot dotx dotm xls xlsx xlsm xlsb xlt xltx xltm xla xlam ppt pptx pptm pot "
    "potx potm pps ppsx odt ods odp zip rar 7z gz tar cab one eml msg png jpg jpeg gif tif tiff bmp webp "
    "emf wmf dwg dxf mp3 mp4 avi mdb accdb application ics vcf settingcontent-ms library-ms search-ms "
    "appref-ms"
)
_PROGRAM = re.compile(
    r"\b(cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|forfiles|wmic|schtasks"
    r"|conhost|explorer|curl|ftp|ssh|installutil|msbuild|regasm|odbcconf|pcalua|scriptrunner|finger|bash|wsl|python|javaw?"
    r"|node|comspec|calc|msexcel|excel|winword|msaccess|ddeauto|hyperlink|webservice|importxml|importdata|importhtml"
    r"|importfeed|importrange|register|exec)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SCHEMES = _words(
    "http https ftp ftps ws wss file mailto tel data javascript vbscript script mhtml mk its ms-its "
    "ms-itss hcp shell res ldap jar ms-help ms-msdt ms-officecmd ms-search ms-word ms-excel "
    "ms-powerpoint ms-visio ms-access ms-publisher ms-project ms-appinstaller ms-cxh search-ms search "
    "webdav webdavs smb"
)
_MAIN_TYPES = _words("application audio font image message model multipart text video")
_TYPES = _words(
    "text/plain text/html text/xml text/javascript text/csv text/rtf text/calendar image/svg+xml "
    "image/png image/jpeg image/gif application/pdf application/zip application/xhtml+xml "
    "application/javascript application/octet-stream application/msword multipart/mixed "
    "multipart/alternative multipart/related multipart/signed multipart/encrypted multipart/report "
    "message/rfc822 message/partial message/external-body"
)
_PART = re.compile(
    r"(?:word/|xl/|ppt/|docProps/|META-INF/|_rels/|worksheets/|slides/|macrosheets/|theme/|drawings/|embeddings/|activeX/)*"
    r"(?:content|styles|meta|settings|manifest|document|footnotes|endnotes|comments|header|footer|numbering|fontTable"
    r"|webSettings|theme|workbook|sharedStrings|sheet|connections|externalLink|presentation|slide|notesSlide|core|app|custom"
    r"|vbaProject|activeX|oleObject|drawing|vmlDrawing|\[Content_Types\])[0-9]{0,4}\.(?:xml|bin|rels|xml\.rels)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"(package|(?:excel|word|powerpoint|visio|msgraph|paint|equation|acroexch|msproject|access|outlook)\b|ole2link"
    r"|otkloadr|mscomctllib|forms|shell\.explorer|htmlfile|pbrush|mspaint|static|opendocument|wordpad|soundrec)",
    re.IGNORECASE,
)
_CLASS_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_STARTER = re.compile(
    r"(?:_xlnm\.)?auto_?(?:open|exec|close|new|exit|activate|deactivate|add|remove)"
    r"|document(?:_open|_new|_close|open|beforeclose|_beforeclose|_contentcontrolonenter)"
    r"|workbook_(?:open|activate|windowactivate|beforeclose|deactivate|newsheet|addininstall|beforesave|sheetactivate"
    r"|sheetcalculate|beforeprint)|(?:on)?slideshow(?:pagechange|begin|next)|(?:app|presentation|onpresentation)_?open"
    r"|onload|ribbon_?onload|application_(?:startup|quit|newmail|mapilogoncomplete)"
    r"|(?:dom|office|form):(?:load|unload|view-[a-z-]{1,20}|[a-z]{1,12})",
    re.IGNORECASE,
)
_ENCODINGS = _words("7bit 8bit binary base64 quoted-printable uuencode x-uuencode x-uue uue yenc")
_FIELDS = _words(
    "from to cc bcc subject date sender reply-to message-id in-reply-to references received return-path "
    "mime-version content-type content-transfer-encoding content-disposition content-id "
    "content-description comments keywords dkim-signature authentication-results list-id "
    "list-unsubscribe thread-topic thread-index user-agent x-mailer arc-seal arc-message-signature "
    "arc-authentication-results received-spf autocrypt face x-face"
)
_REASON = re.compile(r"[A-Za-z ,-]{0,100}")
_CALL = re.compile(r"[A-Za-z]+(?:\s*\.\s*[A-Za-z]+)*")


def target(text: str) -> str:
    """Where something leads: scheme and host of an address, the server of a share, else the type of the file."""
    text = text[:_LONGEST].strip("\0 \t\r\n\"'")
    if _WEB.match(text) or text.startswith("//"):
        return _address(text)
    if share := _SHARE.match(text):
        return f"\\\\{_host(share[1])}\\…{_of_type(text)}"
    if scheme := _scheme(text):
        return f"{scheme}:…"
    return command(text)


def command(text: str) -> str:
    """What a command or formula starts or calls: known programs and functions, types of files, where they lead."""
    text = text[:_LONGEST]
    programs = [match[1].lower() for match in _PROGRAM.finditer(_WEB.sub(" ", text))]
    places = [_address(match[0]) for match in _WEB.finditer(text)]
    places += [f"\\\\{_host(match[1])}\\…" for match in _SHARE.finditer(_WEB.sub(" ", text))]
    told = list(dict.fromkeys((*programs, *_types(_WEB.sub(" ", text)), *places)))
    return ", ".join(told[:_MOST_TOLD]) or "something not named here"


def file_name(name: str) -> str:
    """The type that a name of a file promises, "*.exe"; "*" where its ending might be a part of the name."""
    ending = ending_of(name)
    return f"*.{ending}" if ending else "*"


def ending_of(name: str) -> str:
    """The last ending of a name where it is a known one, in lower case, else ""."""
    ending = name[-20:].rpartition(".")[2].strip().lower()
    return ending if ending in _ENDINGS else ""


def part_name(name: str) -> str:
    """A part of an office document where its name is a program's own, "word/document.xml", else its type."""
    return name if _PART.fullmatch(name) else file_name(name)


def media_type(text: str) -> str:
    """A content type that is a common one; of others the main type, "image/*"."""
    text = text.strip().lower()
    main = text.partition("/")[0]
    return text if text in _TYPES else f"{main}/*" if main in _MAIN_TYPES else "another type"


def object_class(name: str) -> str:
    """The beginning of the class of an embedded object where it is one of a known program."""
    known = _CLASS.match(name)
    return f"of class {known[1]}" if known else "of another class"


def class_id(text: str) -> str:
    """A class identifier, or that it is none."""
    return text if _CLASS_ID.fullmatch(text) else "without a proper identifier"


def call(text: str) -> str:
    """The function that a known expression found: its name, no arguments."""
    if text.startswith(("\\", "%")):
        return "escaped characters"
    name = _CALL.search(text)
    return re.sub(r"\s", "", name[0])[:40] if name else "a function"


def starter(name: str) -> str:
    """The event or the name by which a macro starts, where it is one of those that programs know."""
    started = _STARTER.match(name)
    return started[0] if started else "an event"


def field(name: str) -> str:
    """The name of a header field where it is a common one."""
    return name if name.lower() in _FIELDS else "another field"


def encoding(name: str) -> str:
    """A transfer encoding where there is such a one (RFC 2045 6.1)."""
    return known(name, _ENCODINGS, "another encoding")


def reason(text: str) -> str:
    """The words that a library's message begins with: what it quotes stands behind a sign."""
    return _REASON.match(text)[0].strip()  # type: ignore[index] # the expression takes "" too


def known(word: str, words: frozenset[str] | tuple[str, ...], other: str = "another") -> str:
    """A word where it is one of these, else `other`."""
    return word if word in words else other


def _address(text: str) -> str:
    """Scheme and host of an address."""
    try:
        parts = urlsplit(text.replace("\\", "/"))
        host = parts.hostname or ""
    except ValueError:
        return "an address that cannot be read"
    scheme = known(parts.scheme.lower(), _SCHEMES, "")
    return f"{scheme}:" * bool(scheme) + f"//{_host(host)}/…"


def _host(host: str) -> str:
    """A host as it may be kept: long numbers in it may be anybody's."""
    host = host.lower()[:_LONGEST_HOST]
    return _DIGITS.sub("*", host) if _HOST.fullmatch(host) else "a host that cannot be read"


def _scheme(text: str) -> str:
    match = _SCHEME.match(text)
    return known(match[1].lower(), _SCHEMES, "") if match else ""


def _types(text: str) -> list[str]:
    return [f"*.{match[1].lower()}" for match in _ENDING.finditer(text) if match[1].lower() in _ENDINGS]


def _of_type(text: str) -> str:
    types = _types(text)
    return types[-1] if types else ""
