"""The combined score: signs that mean little alone and much together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sekisho.inspect.links.randomness import looks_random
from sekisho.inspect.links.sign import Sign, graded
from sekisho.mail.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sekisho.inspect.links.host import Host
    from sekisho.inspect.links.lookalikes import Lookalikes
    from sekisho.inspect.links.url import Address

RULE = "link/suspicious"
_LEAST = 2.0  # points below which nothing is said
_PROBABLE = 3.0
_WORDS = re.compile(r"[a-z0-9]+")
_ASKING = frozenset(
    (
        *("login", "logon", "signin", "signon", "verify", "verification", "secure", "account", "accounts", "update"),
        *("confirm", "webscr", "banking", "password", "auth", "authenticate", "authorize", "billing", "unlock"),
        *("validate", "ninsho", "kakunin", "mypage"),
    )
)
_PLACES = re.compile(r"/(?:wp-(?:content|includes|admin)|\.well-known|cgi-sys|~[a-z0-9]+)/.*(?:\.php|\.html?|/)\Z")
_ADDRESS = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}\.[\w.]{2,63}")
_FRONTS = frozenset(("jp", "co", "www1", "www2", "www3", "www4"))
_MANY_LABELS = 4
_MANY_HYPHENS = 3
_LONG = 45


def weak_host_signs(host: Host, likes: Lookalikes) -> Iterator[Sign]:
    """Signs that honest hosts show as well, each with its points; some are findings, some only counted."""
    cheap = likes.cheap(host)
    if likes.dynamic(host):
        yield graded("link/dynamic-dns", 0.4, f"{host.unicode} is a computer on a changing address", 2.0)
    elif cheap:
        yield _reason(1.0, f"names under {host.suffix} cost next to nothing")
    yield from _name_signs(host, cheap=cheap)


def weak_path_signs(address: Address, host: Host, likes: Lookalikes) -> Iterator[Sign]:
    """The same of path and query."""
    if address.path != "/":
        if (brand := _brand_in_path(address, host, likes)) and not likes.names.owner(host):
            yield graded("link/brand-in-path", 0.4, f'"{brand}" stands in the path of {host.unicode}', 1.0)
        path = address.path.lower()
        if not _ASKING.isdisjoint(_WORDS.findall(unquote(path[:300]))):
            yield _reason(0.5, "the path asks for a login or a confirmation")
        if _PLACES.search(path[:500]):
            yield _reason(0.75, "a page in a place where no pages belong")
    if address.query and _ADDRESS.search(address.query[:500]):
        yield _reason(0.75, "somebody's mail address stands in the query")


def combined(signs: Sequence[Sign]) -> Sign | None:
    """The finding for several signs together, with the reasons in words."""
    counted = [sign for sign in signs if sign.points]
    points = sum(sign.points for sign in counted)
    if points < _LEAST or len(counted) < 2:
        return None
    sure = 0.75 + (points - _PROBABLE) * 0.1 if points >= _PROBABLE else 0.4 + 0.1 * min(points, 3.0)
    return graded(RULE, sure, "; ".join(dict.fromkeys(sign.why for sign in counted)))


def _name_signs(host: Host, *, cheap: bool) -> Iterator[Sign]:
    if host.site and looks_random(host.label):
        yield graded("link/random-host", 0.4 if cheap else 0.3, f'"{host.label}" looks made by a program', 1.0)
    labels = host.below.split(".") if host.below else []
    if len(labels) >= _MANY_LABELS:
        yield graded("link/many-subdomains", 0.3, f"{len(labels)} names in front of {host.site}", 1.0)
    elif labels and (looks_random(labels[-1]) or (cheap and labels[0] in _FRONTS)):
        yield _reason(1.0, f'"{host.below}" in front of the site')
    if host.label.count("-") >= _MANY_HYPHENS or len(host.ascii) >= _LONG:
        yield _reason(0.5, "a very long name or many hyphens")


def _brand_in_path(address: Address, host: Host, likes: Lookalikes) -> str:
    if len(address.path) < 5:
        return ""
    exact = likes.names.exact
    words: list[str] = _WORDS.findall(unquote(address.path[:200]).lower())
    for word in words:
        name = exact.get(word)
        if name is not None and not name.weak and word not in host.ascii:
            return word
    return ""


def _reason(points: float, why: str) -> Sign:
    return Sign("", Severity.LOW, 0.0, why, points)
