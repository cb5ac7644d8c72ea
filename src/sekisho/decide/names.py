"""Sets of addresses, domains and finding ids as policy writes them, ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

from msgspec import Struct

_LONGEST_DOMAIN = 255  # RFC 5321 4.5.3.1.2; longer ones are not worth converting
_SHOWN = 5


def ascii_domain(domain: str) -> str:
    """A domain in lower case with A-labels (RFC 5890 2.3.2.1), so that both spellings of a name compare equal."""
    domain = domain.lower()
    if domain.isascii() or len(domain) > _LONGEST_DOMAIN:
        return domain
    dot, rest = (".", domain[1:]) if domain.startswith(".") else ("", domain)
    try:
        return dot + rest.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain


def plain(text: str) -> str:
    """Text of a stranger for a terminal or a log: one line, printable, at most 120 characters."""
    cut = text if len(text) <= 120 else text[:119] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "?" for c in cut)


def listed(words: Iterable[str]) -> str:
    """The first few of some words, for an explanation."""
    words = tuple(words)
    return ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")


@lru_cache(maxsize=4096)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` is any run of characters, `/` included, `?` is any one. No brackets.

    `fnmatch` writes the runs as atomic groups, so that matching takes no more than text times glob.
    """
    return re.compile(translate(glob.replace("[", "[[]")))


@lru_cache(maxsize=65536)
def id_matches(glob: str, finding_id: str) -> bool:
    """Whether a finding id matches a glob. Remembered: an installation has some hundred ids."""
    return glob_pattern(glob).match(finding_id) is not None


class Globs(Struct, frozen=True):
    """Addresses or account names, with `*` and `?`, compared without regard to case."""

    words: tuple[str, ...]
    exact: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Globs:
        """Compile words as written."""
        words = tuple(words)
        lower = [w.lower() for w in words]
        wild = tuple(glob_pattern(w) for w in lower if "*" in w or "?" in w)
        return cls(words, frozenset(w for w in lower if "*" not in w and "?" not in w), wild)

    def has(self, lower: str) -> bool:
        """Whether a word, in lower case, is among them."""
        return lower in self.exact or any(p.match(lower) for p in self.patterns)


class Domains(Struct, frozen=True):
    """Domains; one that starts with a dot means the names below it."""

    words: tuple[str, ...]
    exact: frozenset[str]
    below: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Domains:
        """Compile domains as written, in either spelling of an internationalised name."""
        words = tuple(words)
        names = [ascii_domain(w) for w in words]
        return cls(
            words,
            frozenset(n for n in names if not n.startswith(".")),
            tuple(n for n in names if n.startswith(".")),
        )

    def has(self, domain: str) -> bool:
        """Whether a domain, as `ascii_domain` writes it, is among them."""
        return domain in self.exact or domain.endswith(self.below)


@lru_cache(maxsize=1024)
def internal(domains: frozenset[str]) -> Domains:
    """A tenant's own domains. Remembered: the set is the same for each of its messages."""
    return Domains.of(domains)


class Group(Struct, frozen=True):
    """A named list of addresses (or account names) and domains from the tenant's settings."""

    name: str
    addresses: Globs
    domains: Domains

    @classmethod
    def of(cls, name: str, members: Iterable[str]) -> Group:
        """Members with an @ are addresses, those with a dot domains, and the rest account names."""
        members = tuple(members)
        domains = [m for m in members if "@" not in m and "." in m]
        return cls(name, Globs.of(m for m in members if m not in domains), Domains.of(domains))

    def has(self, lower: str, domain: str) -> bool:
        """Whether an address in lower case with this domain is a member."""
        return self.addresses.has(lower) or (bool(domain) and self.domains.has(domain))
