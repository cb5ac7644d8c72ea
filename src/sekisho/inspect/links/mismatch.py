"""Links whose text names another site than they lead to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.links.sign import Sign, graded
from sekisho.inspect.links.url import Address, names_host, normalise

if TYPE_CHECKING:
    from sekisho.inspect.links.names import Names

RULE = "link/text-mismatch"
_LONGEST = 300  # characters; longer texts are sentences
_ADDRESS = re.compile(
    r"(?:h[tx]{2}ps?:[/\\]{2}|(?<![A-Za-z0-9@./-])www\.)[^\s<>\"'()\uff08\uff09\u300c\u300d\u3001\u3002]+",
    re.IGNORECASE,
)
# Endings of files and of names of programs that are top-level domains as well.
_FILES = frozenset(
    ("zip", "mov", "sh", "py", "md", "rs", "pl", "ps", "ai", "app", "cc", "so", "pm", "me", "cs", "vb")
)
_COUNTERS = frozenset(
    [
        "click",
        "clicks",
        "click2",
        "track",
        "tracking",
        "links",
        "link",
        "email",
        "e",
        "mail",
        "go",
        "t",
        "r",
        "l",
        "news",
        "newsletter",
        "em",
        "lnk",
        "ml",
        "mm",
    ]
)


def named(text: str) -> Address | None:
    """The address that a link's text shows, if it shows one of a known suffix."""
    text = text.strip()
    if not 4 <= len(text) <= _LONGEST or "." not in text:
        return None
    if found := _ADDRESS.search(text):
        address = normalise(found[0].rstrip(".,;:!?…"))
    elif "@" in text or not names_host(text) or _is_file(text):
        return None
    else:
        address = normalise(text)
    return address if address is not None and address.host is not None and address.host.site else None


def mismatch(text: str, target: Address, inner: Address | None, kind: str, names: Names) -> Sign | None:
    """The sign, or None where the text names no site or the right one.

    `inner` is the address inside a redirector's, `kind` the redirector's kind: services that count clicks are honest.
    """
    shown = named(text)
    if shown is None or target.host is None or target.scheme not in ("http", "https", "ftp"):
        return None
    owner = names.owner(shown.host) if shown.host else ""
    if _same(shown, target, owner, names) or (inner is not None and _same(shown, inner, owner, names)):
        return None
    sure = _sureness(shown, target, owner, kind, names)
    return graded(
        RULE, sure, f"the text names {shown.site}, the link leads to {target.site}", 1.5 if sure >= 0.5 else 0.5
    )


def _same(shown: Address, target: Address, owner: str, names: Names) -> bool:
    host = target.host
    return shown.site == target.site or bool(owner and host and names.owner(host) == owner)


def _sureness(shown: Address, target: Address, owner: str, kind: str, names: Names) -> float:
    host = target.host
    if host is None or shown.host is None or kind in ("guard", "track"):
        return 0.3
    if host.ip is not None:
        return 0.8 if host.ip.is_global else 0.4
    if shown.host.label == host.label or names.owner(host):
        return 0.35
    if host.below.partition(".")[0] in _COUNTERS:
        return 0.55 if owner else 0.4
    if not owner:
        return 0.55
    return 0.6 if _is_name(shown.written) else 0.85  # "Example.com" is also what people call a company


def _is_file(text: str) -> bool:
    return "/" not in text and text.rpartition(".")[2].lower() in _FILES


def _is_name(text: str) -> bool:
    return "/" not in text and text[:4].lower() != "www."
