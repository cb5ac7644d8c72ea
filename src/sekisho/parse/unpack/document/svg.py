"""SVG: a picture that is a web page too. Scripts, handlers, HTML inside, payloads; drawings and charts stay clean."""

from __future__ import annotations

import re
from html import unescape

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack import payloads
from sekisho.parse.unpack.document.html_file import forms
from sekisho.parse.unpack.document.text_file import text_of
from sekisho.parse.unpack.opening import Opening

_SCRIPT = re.compile(
    r"<(?:[\w-]{1,40}:)?script\b[^<>]{0,4000}>([^<]*+(?:<(?!/(?:[\w-]{1,40}:)?script)[^<]*+)*+)", re.IGNORECASE
)
_SCRIPT_FROM = re.compile(
    r"<(?:[\w-]{1,40}:)?script\b[^<>]{0,4000}?\bhref\s*=\s*[\"']([^\"']{1,4000})", re.IGNORECASE
)
_HANDLER = re.compile(r"[\s\"'/]on[a-z]{3,24}\s{0,20}=\s{0,20}[\"']([^\"']{1,20000})", re.IGNORECASE)
_JAVASCRIPT = re.compile(
    r"=\s{0,20}[\"']\s{0,200}j\s{0,9}a\s{0,9}v\s{0,9}a\s{0,9}s\s{0,9}c\s{0,9}r\s{0,9}i\s{0,9}p\s{0,9}t\s{0,9}:",
    re.IGNORECASE,
)
_HREF = re.compile(
    r"<((?:[\w-]{1,40}:)?\w{1,40})\b[^<>]{0,20000}?\b(?:xlink:)?(?:href|src)\s{0,20}=\s{0,20}[\"']\s{0,20}([^\"'\s]{1,4096})",
    re.IGNORECASE,
)
_EMBEDS = re.compile(r"<(?:[\w-]{1,40}:)?(iframe|embed|object|form|input|meta|base)\b", re.IGNORECASE)
_TEXT = re.compile(
    r"<(?:[\w-]{1,40}:)?(?:text|title|desc|tspan|textPath|p|div|span|td|a)\b[^<>]{0,20000}>([^<]{1,100000})"
)
_ENTITY = re.compile(
    r"<!ENTITY\s{1,20}%?\s{0,20}\w{1,80}\s{1,20}(?:SYSTEM|PUBLIC|[\"'][^\"']{0,20000}(?:script|&#))", re.IGNORECASE
)
# What a script in a picture does when it is meant to harm: leads away, builds a file, decodes, asks another server.
_HARMS = re.compile(
    r"\blocation(?:\s*\.\s*href)?\s*=(?!=)|location\s*\.\s*(?:replace|assign)\s*\(|window\s*\.\s*open\s*\(|\batob\b|Blob\s*\("
    r"|createObjectURL|\beval\s*\(|\bfetch\s*\(|XMLHttpRequest|fromCharCode|document\s*\.\s*write|unescape\s*\("
    r"|new\s+Function\s*\(|\.setAttribute\s*\(\s*[\"']download|\[\s*[\"'](?:location|eval|atob)[\"']\s*\]|sendBeacon|WebSocket"
    r"|importScripts|\\x[0-9a-f]{2}\\x[0-9a-f]{2}\\x|createElement\w{0,2}\s*\([^)]{0,80}(?:iframe|script)"
)


def open_svg(opening: Opening) -> None:
    """Tell of an SVG's words, links and active content. Raises OverLimitError."""
    source = text_of(opening.content)
    plain = unescape(source) if "&#" in source or "&" in source else source
    opening.text("\n".join(unescape(words).strip() for words in _TEXT.findall(source)))
    for number, match in enumerate(_HREF.finditer(source)):
        if number % 100 == 0:
            opening.budget.check_time()
        address = unescape(match[2])
        if re.match(r"(?:https?:|ftp:|//)", address, re.IGNORECASE):
            opening.link(address, origin="href" if match[1].lower().endswith("a") else "src")
    _active(source, plain, opening)
    _payloads(source, opening)
    forms(opening, source, [])


def _active(source: str, plain: str, opening: Opening) -> None:
    """Scripts: medium, high when they lead away, decode or build a file; other pages inside: high."""
    scripts = [unescape(script) for script in _SCRIPT.findall(source)]
    handlers = [unescape(handler) for handler in _HANDLER.findall(source)]
    code = "\n".join((*scripts, *handlers))
    remote = [unescape(address) for address in _SCRIPT_FROM.findall(source)]
    for address in remote:
        opening.link(address, origin="src")
    if harm := _HARMS.search(code):
        _found(Severity.HIGH, f"its script uses {said.call(harm[0])}", opening)
    elif any(re.match(r"(?:https?:)?//|data:", address, re.IGNORECASE) for address in remote):
        _found(Severity.HIGH, f"loads a script from {said.target(remote[0])}", opening)
    elif _JAVASCRIPT.search(plain):
        _found(Severity.HIGH, "an address in it is a script", opening)
    elif _ENTITY.search(source):
        _found(Severity.HIGH, "its parts are put together by entities", opening)
    elif scripts or handlers:
        _found(Severity.MEDIUM, "has a script", opening)
    if embeds := _EMBEDS.search(source):
        severity = Severity.HIGH if embeds[1].lower() in ("iframe", "embed", "object", "meta") else Severity.MEDIUM
        _found(severity, f"has HTML inside, with <{embeds[1]}>", opening)


def _payloads(source: str, opening: Opening) -> None:
    """Files in "data:" addresses; pictures in pictures are opened too, as they may have scripts."""
    for number, (media, payload) in enumerate(payloads.in_data_urls(source, opening.budget)):
        if number >= 20:
            return
        page = media in ("text/html", "application/xhtml+xml", "text/javascript", "application/javascript")
        if page or payload.kind not in ("", "page"):
            _found(Severity.HIGH, f"carries a file of type {said.media_type(media)} in an address", opening)
        if page or payload.kind or "svg" in media:
            extension = payloads.EXTENSIONS.get(payload.kind, payload.kind) if payload.kind != "page" else ""
            opening.inner(f"data-{number + 1}.{extension or ('svg' if 'svg' in media else 'html')}", payload.content)


def _found(severity: Severity, why: str, opening: Opening) -> None:
    opening.finding("attachment/svg-script", severity, why)
