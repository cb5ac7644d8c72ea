"""The tags of a DKIM-Signature field, read and checked (RFC 6376 3.5, 6.1.1); ARC's fields share most of them."""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.mailauth.author import ascii_domain
from sekisho.mailauth.canonical import Form
from sekisho.mailauth.dkim_result import Problem
from sekisho.mailauth.tags import TagList, base64_value

_ALGORITHM = re.compile(r"(rsa|ed25519)-(sha256)")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SECONDS = re.compile(r"[0-9]{1,20}")
_QUOTED = re.compile(r"=([0-9A-F]{2})")
_MAX_NAME = 253
_FORMS: dict[str, Form] = {"relaxed": "relaxed", "simple": "simple"}


class Signature(Struct, frozen=True):
    """What a signature says. Names in A-labels; `names` (h=) in lower case; times in Unix seconds, None: not said.

    `identity` is the domain of i=. A seal of ARC has neither `names` nor `body_hash`.
    """

    algorithm: str
    domain: str
    selector: str
    value: bytes
    header_form: Form = "relaxed"
    body_form: Form = "relaxed"
    names: tuple[bytes, ...] = ()
    body_hash: bytes = b""
    identity: str = ""
    expires: int | None = None

    @property
    def kind(self) -> str:
        """The kind of key that made it: "rsa" or "ed25519"."""
        return self.algorithm.partition("-")[0]


class _TagProblem(Exception):  # noqa: N818 (it never leaves this module)
    def __init__(self, reason: str) -> None:
        self.problem = Problem("permerror", reason)


def dkim_signature(tags: TagList) -> Signature | Problem:
    """Read the tags of a DKIM-Signature. Raises nothing. Source: RFC 6376 3.5, 6.1.1.

    l= is refused ("policy"), since anybody can add to a body that is signed in part (RFC 6376 8.2).
    """
    if (version := tags.text("v")) != "1":
        return Problem("permerror", "no tag v=" if version is None else "of another version than 1")
    try:
        signature = _body_signature(tags)
        if b"from" not in signature.names:
            return Problem("permerror", "From is not signed")
        if "dns/txt" not in (tags.text("q") or "dns/txt").split(":"):
            return Problem("permerror", "q= names no known way to the key")
        identity = _identity(tags, signature.domain)
    except _TagProblem as error:
        return error.problem
    if "l" in tags.values:
        return Problem("policy", "l= signs the body in part only")
    return Signature(
        signature.algorithm, signature.domain, signature.selector, signature.value, signature.header_form,
        signature.body_form, signature.names, signature.body_hash, identity, signature.expires,
    )  # fmt: skip


def body_signature(tags: TagList) -> Signature | Problem:
    """Read the tags that an ARC-Message-Signature shares with a DKIM-Signature. Source: RFC 8617 4.1.2."""
    try:
        return _body_signature(tags)
    except _TagProblem as error:
        return error.problem


def seal_signature(tags: TagList) -> Signature | Problem:
    """Read the tags that an ARC-Seal shares with a DKIM-Signature. Source: RFC 8617 4.1.3."""
    try:
        return Signature(*_base(tags), expires=_times(tags))
    except _TagProblem as error:
        return error.problem


def names_of(tags: TagList) -> tuple[str, str, str]:
    """Domain, selector and algorithm for a report on a signature that may be wrong: what is well formed of them."""
    domain, selector = (ascii_domain((tags.text(name) or "")[: 4 * _MAX_NAME]) for name in "ds")
    algorithm = tags.text("a") or ""
    return (
        domain if len(domain) <= _MAX_NAME and _DOMAIN.fullmatch(domain) else "",
        selector if len(selector) <= _MAX_NAME and _SELECTOR.fullmatch(selector) else "",
        algorithm if re.fullmatch(r"[a-z0-9-]{1,30}", algorithm) else "",
    )


def _body_signature(tags: TagList) -> Signature:
    algorithm, domain, selector, value = _base(tags)
    value_c = tags.text("c")
    header, slash, body = ("simple" if value_c is None else value_c).partition("/")
    header_form, body_form = _FORMS.get(header), _FORMS.get(body if slash else "simple")
    if header_form is None or body_form is None:
        raise _TagProblem("c= is unknown")
    hashed = base64_value(_needed(tags, "bh"))
    if hashed is None or len(hashed) != 32:
        raise _TagProblem("bh= is not a hash")
    listed = "".join(_needed(tags, "h").decode("ascii", "replace").lower().split())
    names = tuple(name.encode() for name in listed.split(":"))
    expires = _times(tags)
    return Signature(algorithm, domain, selector, value, header_form, body_form, names, hashed, expires=expires)


def _base(tags: TagList) -> tuple[str, str, str, bytes]:
    """The tags a=, d=, s= and b=."""
    algorithm = _needed(tags, "a").decode("ascii", "replace")
    if not _ALGORITHM.fullmatch(algorithm):
        # RFC 8301 3.1: rsa-sha1 is as good as unknown
        raise _TagProblem("rsa-sha1 is not accepted" if algorithm == "rsa-sha1" else "a= is unknown")
    domain, selector = (_name(tags, name) for name in "ds")
    if not _DOMAIN.fullmatch(domain) or not _SELECTOR.fullmatch(selector):
        raise _TagProblem("d= is not a domain" if not _DOMAIN.fullmatch(domain) else "s= is not a selector")
    if len(domain) + len(selector) + len("._domainkey.") > _MAX_NAME:
        raise _TagProblem("the name of the key is too long")
    value = base64_value(_needed(tags, "b"))
    if not value:
        raise _TagProblem("b= is not a signature")
    return algorithm, domain, selector, value


def _needed(tags: TagList, name: str) -> bytes:
    value = tags.values.get(name)
    if value is None:
        raise _TagProblem(f"no tag {name}=")
    return value


def _name(tags: TagList, name: str) -> str:
    value = _needed(tags, name)
    try:
        return ascii_domain(value.decode()) if len(value) <= 4 * _MAX_NAME else ""
    except UnicodeDecodeError:
        return ""


def _times(tags: TagList) -> int | None:
    """x=, after t=. Source: RFC 6376 3.5."""
    signed, expires = (tags.text(name) for name in "tx")
    for name, value in (("t", signed), ("x", expires)):
        if value is not None and not _SECONDS.fullmatch(value):
            raise _TagProblem(f"{name}= is not a time")
    if expires is not None and signed is not None and int(expires) <= int(signed):
        raise _TagProblem("x= is not after t=")
    return None if expires is None else int(expires)


def _identity(tags: TagList, domain: str) -> str:
    """The domain of i=, which is d= or below it. Source: RFC 6376 3.5, 6.1.1."""
    value = tags.text("i")
    if value is None:
        return domain
    text = _QUOTED.sub(lambda match: chr(int(match[1], 16)), value)
    identity = ascii_domain(text.rpartition("@")[2][: 4 * _MAX_NAME])
    if "@" not in text or not (identity == domain or identity.endswith("." + domain)) or len(identity) > _MAX_NAME:
        raise _TagProblem("i= is not within d=")
    return identity
