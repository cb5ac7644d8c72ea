"""A link's host: its two forms (ASCII and Unicode), the site it belongs to, or its IP address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import can_ada
from msgspec import Struct
from publicsuffixlist import PublicSuffixList

if TYPE_CHECKING:
    from collections.abc import Iterator

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_SUFFIXES = PublicSuffixList(accept_unknown=False)
_ICANN = PublicSuffixList(accept_unknown=False, only_icann=True)
_LONGEST = 253  # octets of a name, RFC 1035 2.3.4


class Host(Struct, frozen=True):
    """A host as it is asked for, in lower case and without a trailing dot.

    `ascii` has Punycode labels ("xn--…"; an IPv6 address without brackets), `unicode` is the same for people. `site`
    is the registrable domain by the Public Suffix List, private suffixes included ("a.github.io"), "" for an IP
    address, a single label or an unknown suffix; `suffix` what is above it ("co.jp", "github.io"); `above` the host
    itself and every domain above it.
    """

    ascii: str
    unicode: str
    site: str = ""
    suffix: str = ""
    ip: IP | None = None
    above: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The one label that was registered ("example" of "example.co.jp"), in ASCII; "" where there is no site."""
        return self.site[: -len(self.suffix) - 1]

    @property
    def below(self) -> str:
        """What stands in front of the site ("www.login" of "www.login.example.jp"), in ASCII."""
        return self.ascii[: -len(self.site) - 1] if self.site else ""


@lru_cache(maxsize=8192)
def read_host(name: str) -> Host:
    """A host as `can_ada` gives it (ASCII, IP addresses in standard form) with what is known about it. Never raises.

    Sources: WHATWG URL 3, publicsuffix.org.
    """
    bare = name.strip("[]").rstrip(".")
    if ip := _ip(bare):
        return Host(bare, bare, ip=ip, above=(bare,))
    if len(bare) > _LONGEST:
        return Host(bare, bare, above=(bare,))
    suffix = _SUFFIXES.publicsuffix(bare) or ""
    site = ""
    if suffix and suffix != bare:
        site = f"{bare[: -len(suffix) - 1].rpartition('.')[2]}.{suffix}"
    return Host(bare, to_unicode(bare), site, suffix, above=tuple(above(bare)))


@lru_cache(maxsize=4096)
def icann_suffix(name: str) -> str:
    """The suffix by the registries' part of the list alone ("io" of "a.github.io"); "" if it is not in it."""
    return _ICANN.publicsuffix(name) or ""


def to_unicode(name: str) -> str:
    """A name with its "xn--" labels decoded; as it is where one cannot be."""
    if "xn--" not in name:
        return name
    octets: Any = name.encode("ascii", "ignore")  # can_ada's types say str, its code takes bytes
    return str(can_ada.idna_decode(octets))


def above(host: str) -> Iterator[str]:
    """A host and every domain above it: "a.b.c" → "a.b.c", "b.c", "c"."""
    while host:
        yield host
        host = host.partition(".")[2]


def _ip(name: str) -> IP | None:
    if not (name[-1:].isdigit() or ":" in name):
        return None
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
