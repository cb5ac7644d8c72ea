"""Targets outside a document: which are plain links, and which are fetched or run without a click."""

from __future__ import annotations

import re
from urllib.parse import unquote

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.opening import Opening

# Handlers that hand their argument to a program which has been made to run code by it (Follina and its kin).
_HANDLER = re.compile(
    r"(?i)^\s*(?:ms-(?:msdt|officecmd|search|word|excel|powerpoint|visio|access|publisher|project|appinstaller|cxh)"
    r"|search-ms|search|mhtml|mk|its|ms-its|ms-itss|javascript|vbscript|script|hcp|shell|res|ldap|jar|ms-help)\s*:"
)
_WEB = re.compile(r"(?i)^\s*(?:https?|ftps?|webdavs?)\s*:")
_SHARE = re.compile(r"(?i)^(?:file:)?[\\/]{2,5}(?![a-z]:)([^\\/]+)[\\/]")
_LOCAL = re.compile(r"(?i)^(?:file:[\\/]*)?(?:[a-z][:|]|%|\.{0,2}[\\/]|[^\\/:]+(?:[\\/]|$))")
_SHAREPOINT = re.compile(r"(?i)^https://[a-z0-9-]+\.sharepoint\.com/")
_RUNS = re.compile(r"(?i)\.(?:hta|sct|wsf|wsc|js|vbs|ps1|exe|scr|html?|rtf|do[ct]m?|xl[ast]m?|php|xml|!)(?:[?#!]|$)")
_TEMPLATES = frozenset(("attachedtemplate", "subdocument", "settings"))
_KINDS = frozenset((
    "attachedtemplate", "subdocument", "settings", "oleobject", "frame", "afchunk", "package", "control",
    "externallink", "externallinkpath", "image", "hyperlink", "video", "audio", "media", "mailmergesource",
    "xlpathmissing", "xlexternallinkpath", "connections",
))  # fmt: skip
_OBJECTS = frozenset(("oleobject", "frame", "afchunk", "package", "control", "externallink"))


def tell_target(opening: Opening, kind: str, target: str, *, text: str = "") -> None:
    """Report a target outside the document; `kind` is the last word of the relation's type, in any case.

    A hyperlink is a link. What is loaded by itself is a link and, by what it is, a finding.
    """
    kind = kind.lower()
    target = target.strip()
    plain = kind in ("hyperlink", "hlinkclick")
    opening.link(target, text, "href" if plain else "src")
    decoded = unquote(target)
    if plain:
        if _handler(decoded):
            opening.finding(
                "attachment/remote-object",
                Severity.HIGH,
                f"a link starts a program by its scheme: {said.target(decoded)}",
            )
        return
    if severity := _severity(kind, decoded):
        rule = "attachment/remote-template" if kind in _TEMPLATES else "attachment/remote-object"
        opening.finding(
            rule, severity, f"{said.known(kind, _KINDS, 'object')} from outside the document: {said.target(decoded)}"
        )


def _handler(target: str) -> bool:
    if target.lower().startswith(("javascript:void", "javascript:;")):
        return False
    # "ms-word:ofe|u|https://..." is how SharePoint opens its own documents.
    return bool(_HANDLER.match(target)) and not re.match(r"(?i)ms-(?:word|excel|powerpoint):of[ev]\|", target)


def _severity(kind: str, target: str) -> Severity | None:
    if _handler(target):
        return Severity.HIGH
    share = _SHARE.match(target)
    far = bool(_WEB.match(target)) or (share is not None and _is_far(share.group(1)))
    if kind in _TEMPLATES:
        return _template(far=far, share=share is not None, target=target)
    if kind in _OBJECTS:
        return _object(far=far, share=share is not None, target=target)
    if kind == "externallinkpath" or kind.startswith("xl"):  # another workbook, asked for before it is read
        return None if _LOCAL.match(target) and not share else Severity.LOW
    if far:
        return Severity.MEDIUM if share else Severity.LOW
    return None


def _template(*, far: bool, share: bool, target: str) -> Severity | None:
    """A template on the web brings macros with it; one on the company's own share is how offices work."""
    if far:
        return Severity.MEDIUM if _SHAREPOINT.match(target) else Severity.HIGH
    return Severity.LOW if share else None


def _object(*, far: bool, share: bool, target: str) -> Severity | None:
    if not far:
        return None if _LOCAL.match(target) and not share else Severity.LOW
    if _SHAREPOINT.match(target) and not _RUNS.search(target):
        return Severity.MEDIUM
    return Severity.HIGH


def _is_far(host: str) -> bool:
    """Whether the server of a share is outside the own network: a full name, an address, or one over WebDAV."""
    return "." in host or "@" in host or ":" in host
