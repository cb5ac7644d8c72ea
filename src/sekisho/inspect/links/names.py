"""The names that look-alikes are compared with: the tenant's, its partners' and well-known brands', with an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.inspect.links.confusables import blurred, skeleton
from sekisho.inspect.links.host import Host, to_unicode
from sekisho.inspect.links.url import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sekisho.inspect.links.lists import Brand

Whose = Literal["own", "partner", "brand"]

SHORTEST_NEAR = 6  # characters of a name that is recognised with one mistake in it; shorter ones are too alike
LONGEST_NEAR = 24  # longer ones are compared exactly only, which bounds the work
_SHORTEST_EXACT = 4
_USUAL_SUFFIXES = ("com", "co.jp", "jp", "ne.jp", "net", "co.uk", "de", "fr", "it", "es", "com.br")
_COUNTRY_SECOND_LEVEL = frozenset(("co", "com", "ne", "net", "or", "org", "gov", "edu", "ac", "go", "in", "com"))


class Name(Struct, frozen=True):
    """One name with its owner. `site` is the owner's first domain; `weak`: also an ordinary word or very short."""

    text: str
    site: str
    whose: Whose
    weak: bool = False


class Names(Struct, frozen=True):
    """An index over names.

    `exact` by name without hyphens, `blurred` as a hasty reader sees it, `near` by what is left of a name when one
    character is left out, `owners` the site an owned domain belongs to, `anywhere` the names whose owner has them
    under every country's suffix, `embedded` owned domains with hyphens as dots ("smbc.card.com").
    """

    exact: dict[str, Name]
    blurred: dict[str, Name]
    near: dict[str, list[Name]]
    owners: dict[str, str]
    anywhere: dict[str, str]
    embedded: dict[str, Name]

    def owner(self, host: Host) -> str:
        """The first domain of whom a host belongs to, or ""."""
        for domain in host.above:
            if site := self.owners.get(domain):
                return site
        anywhere = self.anywhere.get(host.label, "") if host.site else ""
        return anywhere if anywhere and _is_country(host.suffix) else ""


def index(brands: Iterable[Brand], own: Iterable[str], partners: Iterable[str]) -> Names:
    """The index. The tenant's names come first, then the partners', where several have the same."""
    names = Names({}, {}, {}, {}, {}, {})
    for whose, domains in (("own", own), ("partner", partners)):
        for domain in sorted(domains):
            _add_domain(names, domain, whose)  # type: ignore[arg-type]  # mypy widens the literals of the tuples
    for brand in brands:
        _add_brand(names, brand)
    return names


def one_left_out(text: str) -> Iterator[str]:
    """The text, and the text without each of its characters."""
    yield text
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]


def _add_domain(names: Names, domain: str, whose: Whose) -> None:
    address = normalise(f"http://{domain}/")
    host = address.host if address is not None else None
    if host is None or host.ip is not None:
        return
    site = host.site or host.ascii
    names.owners.setdefault(host.ascii, site)
    names.owners.setdefault(site, site)
    label = to_unicode(host.label)
    squeezed = label.replace("-", "")
    if len(squeezed) < (_SHORTEST_EXACT if label.isascii() else 2):
        return
    name = Name(squeezed, site, whose, weak=len(squeezed) < SHORTEST_NEAR and label.isascii())
    _add_name(names, name)
    names.embedded.setdefault(site.replace("-", "."), name)


def _add_brand(names: Names, brand: Brand) -> None:
    sites = [d for d in brand.domains if not d.endswith(".*")]
    main = sites[0] if sites else brand.domains[0]
    for word in (*brand.names, *brand.weak):
        _add_name(names, Name(word, main, "brand", weak=word in brand.weak))
    for domain in brand.domains:
        base = domain.removesuffix(".*")
        expanded = [f"{base}.{suffix}" for suffix in _USUAL_SUFFIXES] if base != domain else [domain]
        if base != domain:
            names.anywhere.setdefault(base, main)
        else:
            names.owners.setdefault(domain, main)
        for one in expanded:
            label = one.partition(".")[0].replace("-", "")
            known = names.exact.get(label)
            if known and len(label) >= _SHORTEST_EXACT:
                names.embedded.setdefault(one.replace("-", "."), known)


def _add_name(names: Names, name: Name) -> None:
    names.exact.setdefault(name.text, name)
    if name.weak:
        return
    names.exact.setdefault(skeleton(name.text), name)
    names.blurred.setdefault(blurred(name.text), name)
    if SHORTEST_NEAR <= len(name.text) <= LONGEST_NEAR:
        for part in one_left_out(name.text):
            names.near.setdefault(part, []).append(name)


def _is_country(suffix: str) -> bool:
    """Whether a public suffix is a country's ("jp", "co.jp", "com.br")."""
    second, _, top = suffix.rpartition(".")
    return len(top) == 2 and (not second or second in _COUNTRY_SECOND_LEVEL)
