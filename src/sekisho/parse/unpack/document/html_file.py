"""Attached HTML: what a body is not suspected of, such as files that a script builds and forms for passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sekisho.mail.finding import Severity
from sekisho.parse import charsets, said
from sekisho.parse.html import Page
from sekisho.parse.unpack import payloads
from sekisho.parse.unpack.document.text_file import text_of
from sekisho.parse.unpack.opening import Opening
from sekisho.parse.unpack.payloads import Payload

_META = re.compile(
    rb"<meta[^>]{0,200}?\bcharset\s{0,20}=\s{0,20}[\"']?\s{0,20}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_META_WITHIN = 4096
_SCRIPT = re.compile(r"<script\b([^<>]{0,4000})>", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script", re.IGNORECASE)
_MOST_SCRIPTS = 500
_HANDLER = re.compile(
    r"\son(?:load|error|click|focus|mouseover|pageshow)\s*=\s*(?:\"([^\"]{1,100000})|'([^']{1,100000}))",
    re.IGNORECASE,
)
_MAKES = re.compile(
    r"new\s+Blob\s*\(|\bBlob\s*\(\s*\[|new\s+File\s*\(|createObjectURL|ms\s?Save(?:OrOpen)?Blob|[\"']Blob[\"']\s*\]"
    r"|data:application/"
)
_DECODES = re.compile(
    r"\batob\b|fromCharCode|charCodeAt|Uint8Array|parseInt\s*\([^()]{1,80},\s*(?:16|0x10)\s*\)|unescape\s*\(|TextDecoder"
)
_STARTS = re.compile(
    r"\.click\s*\(\s*\)|\[\s*[\"']click[\"']\s*\]|dispatchEvent|ms\s?Save(?:OrOpen)?Blob|location(?:\.href)?\s*=(?!=)"
    r"|location\s*\.\s*(?:replace|assign)\s*\(|window\s*\.\s*open\s*\("
)
_WRITES = re.compile(
    r"(?:document\s*\.\s*write(?:ln)?|\beval|\bnew\s+Function|\.innerHTML\s*=|srcdoc\s*=|insertAdjacentHTML|\.html)\s*\(?\s*"
    r"(?:window\s*\.\s*)?(?:decodeURIComponent\s*\(\s*|escape\s*\(\s*)*(?:atob|unescape|decodeURIComponent|String\s*\.\s*fromCharCode"
    r"|[A-Za-z_$][\w$]{0,20}\s*\(\s*[\"'`][A-Za-z0-9+/=%]{400})"
)
_SHELL = re.compile(
    r"WScript\s*\.\s*Shell|Shell\s*\.\s*Application|Scripting\s*\.\s*FileSystemObject|ADODB\s*\.\s*Stream|ms-msdt:"
    r"|search-ms:|ms-officecmd:", re.IGNORECASE
)  # fmt: skip
_REDIRECTS = re.compile(
    r"(?:\blocation(?:\s*\.\s*href)?\s*=\s*|\blocation\s*\.\s*(?:replace|assign)\s*\(\s*|window\s*\.\s*open\s*\(\s*)"
    r"(?:[\"'`]([^\"'`\s]{4,4000})[\"'`]|atob\s*\(\s*[\"'`]([A-Za-z0-9+/=]{8,4000}))"
)
_MARKUP_META = re.compile(r"<meta\b([^<>]{0,4000})>", re.IGNORECASE)
_REFRESH = re.compile(r"http-equiv\s*=\s*[\"']?refresh", re.IGNORECASE)
_ELSEWHERE = re.compile(r"url\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
_PASSWORD = re.compile(
    r"<input\b[^<>]{0,2000}?\btype\s*=\s*[\"']?password|type\s*[=:]\s*\\?[\"']password\\?[\"']", re.IGNORECASE
)
_ASKS = re.compile(
    r"<input\b[^<>]{0,2000}?\b(?:name|id|placeholder|type)\s*=\s*[\"']?[^\"'>]{0,40}(?:user|login|mail|account|card|cvv|pin\b|otp|tel|phone"
    r"|ユーザ|メール|口座|カード|暗証)", re.IGNORECASE
)  # fmt: skip
_FORM = re.compile(r"<form\b([^<>]{0,4000})>", re.IGNORECASE)
_ACTION = re.compile(
    r"\b(?:form)?action\s*=\s*\\?(?:\"([^\"\\]{1,4000})|'([^'\\]{1,4000})|([^\s\"'>]{1,4000}))", re.IGNORECASE
)
_POST = re.compile(r"\bmethod\s*=\s*\\?[\"']?post", re.IGNORECASE)
_SENDS = re.compile(
    r"\bfetch\s*\(|XMLHttpRequest|\$\s*\.\s*(?:ajax|post)\s*\(|axios|sendBeacon|api\.telegram\.org|\bemailjs\b"
)
_ADDRESS = re.compile(r"https?:\\?/\\?/[^\s\"'`<>()\\]{3,2000}")
_SAVED_FROM = re.compile(r"<!--\s{0,5}saved from url=\(\d{1,6}\)(\S{1,4000})", re.IGNORECASE)
_FEW_CHARACTERS = 300


def open_html(opening: Opening) -> None:
    """Tell of an HTML file's text, links, forms and scripts. Raises OverLimitError."""
    html = html_text(opening.content)
    page = Page(html)
    opening.text(page.visible)
    for url, text, origin in page.links:
        if not url.lower().startswith("data:"):
            opening.link(url, text, origin)
    scripts = list(_scripts(html))
    built = _Built(opening, html, page.visible, scripts)
    built.smuggling()
    built.redirects()
    forms(opening, html + "".join(built.decoded), scripts)


def html_text(content: bytes) -> str:
    """The characters of an HTML file: by its mark, by what it declares, or by what it looks like."""
    if content[:4].startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:200]:
        return text_of(content)
    meta = _META.search(content, 0, _META_WITHIN)
    return charsets.decode(content, meta[1].decode("ascii")) if meta else text_of(content)


def _scripts(html: str) -> Iterator[str]:
    """The source of the page's scripts and of handlers that run by themselves."""
    at = 0
    for _ in range(_MOST_SCRIPTS):
        opened = _SCRIPT.search(html, at)
        if opened is None:
            break
        end = _SCRIPT_END.search(html, opened.end())
        at = end.start() if end else len(html)
        if not re.search(r"application/(?:json|ld\+json)", opened[1], re.IGNORECASE):
            yield html[opened.end() : at]
    for number, handler in enumerate(_HANDLER.finditer(html)):
        if number >= _MOST_SCRIPTS:
            return
        yield handler[1] or handler[2]


class _Built:
    """What the scripts of a page build; `decoded` are pages that were written in pieces."""

    def __init__(self, opening: Opening, html: str, visible: str, scripts: list[str]) -> None:
        self.opening = opening
        self.html = html
        self.visible = visible
        self.scripts = scripts
        self.decoded: list[str] = []
        self.handed = 0

    def smuggling(self) -> None:
        """Files in scripts, in data: addresses and in hidden elements."""
        whole = "\n".join(self.scripts)
        makes = _MAKES.search(whole) is not None
        starts = _STARTS.search(whole) is not None
        if shell := _SHELL.search(whole):
            self._found(Severity.HIGH, "html-active", f"its script reaches for {said.call(shell[0])}")
        for script in self.scripts:
            self._script(script, makes=makes, starts=starts)
        for media, payload in payloads.in_data_urls(self.html, self.opening.budget):
            self._data_url(media, payload)
        if makes and starts and not self.handed:
            for payload in payloads.in_script(_SCRIPT_BODY.sub(" ", self.html), self.opening.budget):
                if payload.kind and self._hand(payload):
                    why = f"a hidden {payload.kind} file that its script turns into a download"
                    self._found(Severity.HIGH, "html-smuggling", why)

    def _script(self, script: str, *, makes: bool, starts: bool) -> None:
        """One script: known files in it, files in disguise, and pages that are written by it."""
        if len(script) < payloads.SHORTEST:
            return
        written = 0
        own = _MAKES.search(script) and _DECODES.search(script) and _STARTS.search(script)
        for payload in payloads.in_script(script, self.opening.budget):
            written += payload.written
            if not payload.kind:
                continue
            if payload.kind == "page":
                self.decoded.append(payload.content[:1_000_000].decode("utf-8", "replace"))
            if self._hand(payload) and payload.kind != "page":
                severity = Severity.HIGH if makes and starts else Severity.MEDIUM
                self._found(severity, "html-smuggling", f"its script holds a {payload.kind} file as text")
        if own and written * 2 > len(script):
            self._found(
                Severity.HIGH, "html-smuggling", "a script that is mostly a disguised file makes a download of it"
            )
        if _WRITES.search(script) and written * 3 > len(script):
            severity = Severity.HIGH if len(self.visible) < _FEW_CHARACTERS else Severity.MEDIUM
            self._found(severity, "html-obfuscated", "its script decodes what it shows or runs")

    def _data_url(self, media: str, payload: Payload) -> None:
        """A file or a page in an address."""
        active = media in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml")
        if not payload.kind and not active:
            return
        if self._hand(payload, media) and payload.kind not in ("", "page"):
            self._found(Severity.MEDIUM, "html-smuggling", f"a {payload.kind} file in an address")
        elif media in ("text/html", "application/xhtml+xml"):
            self._found(Severity.MEDIUM, "html-obfuscated", "a page in an address")

    def _hand(self, payload: Payload, media: str = "") -> bool:
        """Hand a payload on to be opened; the first few."""
        if self.handed >= 20:
            return False
        self.handed += 1
        extension = payloads.EXTENSIONS.get(payload.kind, payload.kind) or ("svg" if "svg" in media else "html")
        self.opening.inner(f"script-{self.handed}.{extension}", payload.content)
        return True

    def redirects(self) -> None:
        """A page that is there only to lead somewhere else."""
        leads = any(_REFRESH.search(meta) and _ELSEWHERE.search(meta) for meta in _MARKUP_META.findall(self.html))
        for match in _REDIRECTS.finditer("\n".join(s for s in self.scripts if len(s) < 200_000)):
            target = match[1] or (payloads.decoded_text(match[2], self.opening.budget) or b"").decode("latin-1")
            if target.lower().startswith(("http:", "https:", "//")):
                leads = True
                self.opening.link(target)
            elif target.lower().startswith(("data:text/html", "javascript:")):
                self._found(Severity.HIGH, "html-obfuscated", f"leads to {said.target(target)}")
        if leads and len(self.visible) < _FEW_CHARACTERS:
            self._found(Severity.MEDIUM, "html-redirect", "the file only leads to another page")

    def _found(self, severity: Severity, name: str, why: str) -> None:
        self.opening.finding(f"attachment/{name}", severity, why)


_SCRIPT_BODY = re.compile(
    r"<script\b[^>]{0,4000}>[^<]*+(?:<(?!/script)[^<]*+)*+|<(?:img|source|style)\b[^>]*+>", re.IGNORECASE
)


def forms(opening: Opening, html: str, scripts: list[str]) -> None:
    """Forms that send what is typed to somewhere: high with a password, medium for accounts and cards."""
    password = _PASSWORD.search(html) is not None
    home = _host(saved[1]) if (saved := _SAVED_FROM.search(html[:5000])) else ""
    targets = []
    for number, form in enumerate(_FORM.finditer(html)):
        action = _ACTION.search(form[1])
        address = next((a for a in action.groups() if a), "") if action else ""
        if (
            number < 200
            and address.lower().startswith(("http:", "https:", "//"))
            and (password or _POST.search(form[1]))
        ):
            targets.append(address)
    if password and targets:
        same = bool(home) and all(_related(_host(target), home) for target in targets)
        severity = Severity.MEDIUM if same else Severity.HIGH
        opening.finding(
            "attachment/html-form", severity, f"asks for a password and sends it to {said.target(targets[0])}"
        )
    elif password and not home and (sender := _sender(scripts)):
        opening.finding(
            "attachment/html-form",
            Severity.HIGH,
            f"asks for a password, and a script sends it to {said.target(sender) if '//' in sender else sender}",
        )
    elif targets and _ASKS.search(html):
        opening.finding(
            "attachment/html-form", Severity.MEDIUM, f"a form that sends what is typed to {said.target(targets[0])}"
        )


def _sender(scripts: list[str]) -> str:
    """Where a script of the page's own sends to: libraries are far longer than such scripts."""
    for script in scripts:
        if len(script) < 50_000 and _SENDS.search(script):
            if address := _ADDRESS.search(script):
                return address[0]
            if "atob" in script:
                return "a hidden address"
    return ""


def _host(address: str) -> str:
    try:
        return (urlsplit(address if "//" in address else f"//{address}").hostname or "").lower()
    except ValueError:
        return ""


def _related(host: str, home: str) -> bool:
    """Whether two hosts share their last three labels, or two of a short name."""
    return host.split(".")[-3:] == home.split(".")[-3:] or host.split(".")[-2:] == home.split(".")[-2:]
