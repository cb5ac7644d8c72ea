"""A link as written → the address that a browser would ask for (WHATWG URL)."""

from __future__ import annotations

import re

import can_ada
from msgspec import Struct

from sekisho.inspect.links.host import Host, icann_suffix, read_host

LONGEST = 4096  # characters of one address that are read; a browser takes more, nobody needs more

_DROPPED = re.compile(r"[\t\n\r]")  # WHATWG URL 4.4: taken out wherever they stand
_AROUND = "".join(map(chr, range(0x21)))  # C0 controls and blank, taken off both ends
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DEFANGED = re.compile(r"(h)xx(ps?)(?=:)|(f)x(ps?)(?=:)", re.IGNORECASE)
_DOTS = re.compile(r"\[\.\]|\(\.\)|\[dot\]", re.IGNORECASE)
_BARE = re.compile(r"[^\s/\\?#:@]{1,253}\.[^\s/\\?#:@.]{2,63}\.?(?::[0-9]{1,5})?(?:[/\\?#].*)?\Z", re.DOTALL)
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]*([^/\\?#]*)")
_FULL_STOPS = str.maketrans("\uff0e\u3002\uff61", "...")


class Address(Struct, frozen=True):
    """A link as a browser reads it.

    `written` is what stood in the message, `href` the whole address in its one form, `scheme` without colon, `host`
    None where the scheme has none, `written_host` the host (with port) before it was normalised, `port` None where
    it is the scheme's own, `user` what stands before "@" in front of the host, `path` and `query` percent-encoded.
    """

    written: str
    href: str
    scheme: str
    host: Host | None
    written_host: str = ""
    port: int | None = None
    user: str = ""
    path: str = ""
    query: str = ""

    @property
    def site(self) -> str:
        """The registrable domain, or the host where there is none, or ""."""
        return (self.host.site or self.host.ascii) if self.host else ""


def normalise(written: str) -> Address | None:
    """The address, or None where a browser would see none. Never raises. About 5 µs.

    Takes what people and programs write: "hxxp", "[.]", backslashes, no scheme, blanks and line ends inside,
    full-width characters, hosts in any encoding.
    """
    text = written[:LONGEST].strip(_AROUND)
    if not text.isprintable():
        text = _DROPPED.sub("", text)
    text = _with_scheme(text)
    if not text:
        return None
    parsed = _parsed(text)
    if parsed is None:
        return None
    scheme = parsed.protocol[:-1]
    name = parsed.hostname
    return Address(
        written=written,
        href=parsed.href,
        scheme=scheme,
        host=read_host(name) if name else None,
        written_host=_written_host(text) if name else "",
        port=int(parsed.port) if parsed.port else None,
        user=_user(parsed) if name else "",
        path=parsed.pathname,
        query=parsed.search[1:],
    )


def names_host(text: str) -> bool:
    """Whether a text without scheme is an address: it begins with "www." or ends its host in a known suffix."""
    if not _BARE.match(text):
        return False
    if text[:4].lower() == "www.":
        return True
    host = re.split(r"[/\\?#:]", text, maxsplit=1)[0].translate(_FULL_STOPS).rstrip(".").lower()
    return bool(icann_suffix(host if host.isascii() else _ascii(host)))


def _parsed(text: str) -> can_ada.URL | None:
    try:
        return can_ada.parse(text)
    except ValueError:
        return None
    except TypeError:  # a lone surrogate, which WHATWG Infra 4.7 replaces
        return _parsed(_SURROGATE.sub("\ufffd", text)) if _SURROGATE.search(text) else None


def _with_scheme(text: str) -> str:
    """The text with a scheme that `can_ada` knows how to read; "" for what is no address."""
    if text.startswith(("\\\\", "//")):
        slashes = text.startswith("\\\\") and not text.startswith("\\\\/")
        return f"file:{text}" if slashes else f"http:{text}"
    if "[.]" in text or "(.)" in text or "[dot]" in text.lower():
        text = _DOTS.sub(".", text)
    if text[:1] in "hHfF":
        text = _DEFANGED.sub(_refanged, text, count=1)
    match = _SCHEME.match(text)
    if match and not _is_port(text, match):
        return text
    return f"http://{text}" if names_host(text) else ""


def _refanged(match: re.Match[str]) -> str:
    return f"htt{match[2]}" if match[1] else f"ft{match[4]}"


def _is_port(text: str, scheme: re.Match[str]) -> bool:
    """Whether "example.com:8080/x" was taken for a scheme."""
    return "." in scheme[1] and text[scheme.end() : scheme.end() + 1].isdigit()


def _written_host(text: str) -> str:
    found = _AUTHORITY.match(text)
    return found[1].rpartition("@")[2] if found else ""


def _user(parsed: can_ada.URL) -> str:
    return f"{parsed.username}:{parsed.password}" if parsed.password else str(parsed.username)


def _ascii(host: str) -> str:
    try:
        encoded: bytes | str = can_ada.idna_encode(host)
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return host
    return encoded.decode("ascii", "replace") if isinstance(encoded, bytes) else encoded
