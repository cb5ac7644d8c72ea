"""What an address is looked up by, and what an entry of a list is kept by: the same octets.

A key begins with its kind: "h" a host with all names below it, "u" one page (the scheme does not count), "p" all
pages below a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.links.host import icann_suffix

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sekisho.inspect.links.host import Host
    from sekisho.inspect.links.url import Address

_MOST_NAMES = 8  # of one host, from the top: nobody lists deeper ones
_MOST_SEGMENTS = 8  # of one path


def host_key(name: str) -> bytes:
    """The key of a host and all names below it; `name` in ASCII, lower case."""
    return b"h" + name.encode("utf-8", "replace")


def page_key(place: str, path: str, query: str) -> bytes:
    """The key of one page; `place` is the host with its port where that is not the scheme's own."""
    asked = f"?{query}" if query else ""
    return f"u{place}{path}{asked}".encode("utf-8", "replace")


def prefix_key(place: str, path: str) -> bytes:
    """The key of all pages at `path` and below; a slash at its end does not matter."""
    return f"p{place}{path.rstrip('/')}".encode("utf-8", "replace")


def place(address: Address) -> str:
    """The host, and the port where it is not the scheme's own."""
    name = address.host.ascii if address.host else ""
    return name if address.port is None else f"{name}:{address.port}"


def keys(address: Address, kinds: Container[bytes] = (b"h", b"u", b"p")) -> Iterator[bytes]:
    """The keys, of these kinds, of all entries that would mean this address, the widest first. None without a host.

    An entry without query means the page with any query. A registry's suffix ("co.jp") is never among the keys: a
    list that has it by mistake does not hold everything.
    """
    if address.host is None:
        return
    names = _names(address.host)
    if b"h" in kinds:
        yield from map(host_key, reversed(names))
    if b"p" in kinds:
        port = "" if address.port is None else f":{address.port}"
        prefixes = list(_prefixes(address.path))
        for name in reversed(names):
            for prefix in prefixes:
                yield prefix_key(name + port, prefix)
    if b"u" in kinds:
        where = place(address)
        yield page_key(where, address.path, "")
        if address.query:
            yield page_key(where, address.path, address.query)


def _names(host: Host) -> tuple[str, ...]:
    """The host and the domains above it that somebody can own."""
    if host.ip is not None or not host.suffix:
        return (host.ascii,)
    shortest = len(icann_suffix(host.ascii)) + 1
    owned = tuple(name for name in host.above if len(name) > shortest)
    return (owned[0], *owned[1:][-_MOST_NAMES:]) if owned else ()


def _prefixes(path: str) -> Iterator[str]:
    """The path's beginnings that end at a slash, without it, and the path itself: "/a/b" → "/a", "/a/b"."""
    at = 0
    for _ in range(_MOST_SEGMENTS):
        at = path.find("/", at + 1)
        if at < 0:
            break
        yield path[:at]
    if at < 0 and not path.endswith("/"):
        yield path
