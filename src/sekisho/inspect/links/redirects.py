"""Addresses inside addresses: open redirectors, mail-protection services, click counters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sekisho.inspect.links.url import Address, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.inspect.links.lists import Redirector

DEEPEST = 4  # redirectors in redirectors that are followed
_MOST_PARAMETERS = 64
_SCHEME = re.compile(r"(?:https?|ftp)(?::|%3a)(?:/|%2f|\\){1,2}", re.IGNORECASE)
_DEFENSE_2 = re.compile(r"-([0-9A-F]{2})")  # urldefense v2 writes "%3A" as "-3A" and "/" as "_"
_DEFENSE_3 = re.compile(r"/v3/__(.*?)__;")


def inner(address: Address, redirector: Redirector | None) -> Address | None:
    """The address of another site inside an address, if there is one: of a known redirector, or in any parameter.

    Never raises, gives no more than one.
    """
    if address.host is None or address.scheme not in ("http", "https"):
        return None
    if redirector is None and not _SCHEME.search(address.query):
        return None
    for written in _candidates(address, redirector):
        found = normalise(written)
        if found and found.host and found.scheme in ("http", "https", "ftp") and found.site != address.site:
            return found
    return None


def redirector_of(address: Address, known: dict[str, tuple[Redirector, ...]]) -> Redirector | None:
    """The known redirector that an address belongs to."""
    host = address.host
    if host is None:
        return None
    for domain in host.above:
        for one in known.get(domain, ()):
            if address.path.startswith(one.path):
                return one
    if host.site:
        anywhere = host.ascii[: -len(host.suffix)].removeprefix("www.") + "*"
        for one in known.get(anywhere, ()):
            if address.path.startswith(one.path):
                return one
    return None


def _candidates(address: Address, redirector: Redirector | None) -> Iterator[str]:
    if redirector is None:
        yield from (value for _, value in _parameters(address.query) if _SCHEME.match(value))
        return
    if "urldefense" in redirector.host:
        yield from _defended(address)
        return
    wanted = frozenset(redirector.parameters)
    yield from (value for key, value in _parameters(address.query) if key in wanted)
    if redirector.kind != "track" and not wanted and (start := _SCHEME.search(address.href, 8)):
        yield unquote(address.href[start.start() :])


def _defended(address: Address) -> Iterator[str]:
    """What Proofpoint's three forms hide."""
    if three := _DEFENSE_3.search(address.href):
        yield three[1]
    for key, value in _parameters(address.query):
        if key == "u":
            yield unquote(_DEFENSE_2.sub(r"%\1", value).replace("_", "/")) if "/v2/" in address.path else value


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for pair in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        key, equals, value = pair.partition("=")
        if equals:
            yield key, unquote(value)
