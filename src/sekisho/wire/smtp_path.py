"""Reverse-path and forward-path: RFC 5321 4.1.2 and 4.1.3, with RFC 6531 3.3 for UTF-8."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from sekisho.mail.reply import Reply, ReplyError

# RFC 5321 4.5.3.1.1 to 4.5.3.1.3, in octets
LOCAL_PART_OCTETS = 64
DOMAIN_OCTETS = 255
PATH_OCTETS = 256
LABEL_OCTETS = 63  # RFC 1035 2.3.4

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]+"
_DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED_STRING = r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"'
_ROUTE = r"(?P<route>@[^@,:<>\"\s]+(?:,@[^@,:<>\"\s]+)*):"
_PATH = re.compile(
    rf"<(?:{_ROUTE})?(?P<local>{_DOT_STRING}|{_QUOTED_STRING})@(?P<domain>\[[^\[\]\s]*\]|[^\[\]<>@\"\s]+)>"
)
_POSTMASTER = re.compile(r"<postmaster>", re.IGNORECASE)
# An underscore is no part of RFC 5321's sub-domain, but names in use have it.
_LABEL = re.compile(
    r"[A-Za-z0-9_\x80-\U0010ffff](?:[A-Za-z0-9_\-\x80-\U0010ffff]*[A-Za-z0-9_\x80-\U0010ffff])?", re.ASCII
)
# C1 controls and the Unicode line ends: some reader takes them for the end of a line. RFC 5198 2
_UNSAFE = re.compile("[\x80-\x9f\u2028\u2029\ud800-\udfff]")
_HELO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")


def split_path(text: str) -> tuple[str, str]:
    """Cut `<path> parameters` after the path, which is not checked yet; ("", "") where there is none."""
    if not text.startswith("<"):
        return "", ""
    matched = _PATH.match(text) or _POSTMASTER.match(text)
    end = matched.end() if matched else text.find(">") + 1
    path, rest = text[:end], text[end:]
    return (path, rest) if not rest or rest.startswith(" ") else ("", "")


def reverse_path(path: str, *, smtputf8: bool) -> str | None:
    """The address in a reverse-path, None for `<>`. Raises ReplyError 501 5.1.7 or 550 5.6.7."""
    return None if path == "<>" else _address(path, Reply(501, "1.7", "Bad sender address syntax"), smtputf8=smtputf8)


def forward_path(path: str, hostname: str, *, smtputf8: bool) -> str:
    """The address in a forward-path. Raises ReplyError 501 5.1.3 or 553 5.6.7.

    `<Postmaster>` alone is the postmaster here: it comes out with our `hostname`. RFC 5321 4.5.1
    """
    if _POSTMASTER.fullmatch(path):
        return f"{path[1:-1]}@{hostname}"
    return _address(path, Reply(501, "1.3", "Bad recipient address syntax"), smtputf8=smtputf8)


def valid_helo(name: str) -> bool:
    """Whether `name` may stand as EHLO or HELO argument: a domain (underscores forgiven) or an address literal."""
    if len(name) > DOMAIN_OCTETS:
        return False
    return valid_literal(name) if name.startswith("[") else _HELO.fullmatch(name) is not None


def valid_domain(domain: str) -> bool:
    """Whether `domain` is dot-separated labels of letters, digits, hyphens within, or UTF-8."""
    if len(domain.encode()) > DOMAIN_OCTETS:
        return False
    labels = domain.split(".")
    return all(len(label.encode()) <= LABEL_OCTETS and _LABEL.fullmatch(label) for label in labels)


def valid_literal(literal: str) -> bool:
    """Whether `literal` is [IPv4] or [IPv6:address]. No other tag is registered. RFC 5321 4.1.3."""
    inner = literal[1:-1] if literal.startswith("[") and literal.endswith("]") else ""
    try:
        if inner[:5].lower() == "ipv6:":
            return "%" not in inner and bool(IPv6Address(inner[5:]).exploded)
        return bool(IPv4Address(inner).exploded)
    except ValueError:
        return False


def _address(path: str, bad: Reply, *, smtputf8: bool) -> str:
    if not path.isascii() and not smtputf8:
        raise ReplyError(Reply(553, "6.7", "Non-ASCII address without SMTPUTF8"))  # RFC 6531 3.5
    matched = _PATH.fullmatch(path)
    if matched is None or _UNSAFE.search(path) or len(path.encode()) > PATH_OCTETS:
        raise ReplyError(bad)
    local, domain, route = matched["local"], matched["domain"], matched["route"]
    known = valid_literal(domain) if domain.startswith("[") else valid_domain(domain)
    if not known or len(local.encode()) > LOCAL_PART_OCTETS:
        raise ReplyError(bad)
    # RFC 5321 4.1.1.3 and appendix C: a source route is read and ignored
    if route and not all(valid_domain(hop[1:]) for hop in route.split(",")):
        raise ReplyError(bad)
    return f"{local}@{domain}"
