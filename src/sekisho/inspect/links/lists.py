"""The word lists that come with Sekisho (`lists/`), read once at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from msgspec import Struct

from sekisho.mail.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

RedirectKind = Literal["open", "guard", "track"]


class Brand(Struct, frozen=True):
    """A name that phishing borrows. `names` are bare labels, `weak` those that are ordinary words too.

    `domains` belong to its owner; one that ends in ".*" stands for the name under any country's suffix.
    """

    names: tuple[str, ...]
    weak: tuple[str, ...]
    domains: tuple[str, ...]


class Redirector(Struct, frozen=True):
    """A host (with what is below it) and a path's beginning that lead on to the address in one of `parameters`."""

    kind: RedirectKind
    host: str
    path: str
    parameters: tuple[str, ...]


class Lists(Struct, frozen=True):
    """All lists. `redirectors` by host, `programs` severity by ending, `lures` True for the strong words."""

    brands: tuple[Brand, ...]
    shorteners: frozenset[str]
    free_hosting: frozenset[str]
    dynamic_dns: frozenset[str]
    content_networks: frozenset[str]
    redirectors: dict[str, tuple[Redirector, ...]]
    programs: dict[str, Severity]
    lures: dict[str, bool]
    abused_suffixes: frozenset[str]
    app_schemes: frozenset[str]
    free_mail: frozenset[str]


def load_lists(folder: Path) -> Lists:
    """Read the files in `lists/`. Raises OSError, and ValueError that names the file and line."""
    redirectors: dict[str, tuple[Redirector, ...]] = {}
    for one in _each(folder / "redirectors.txt", _redirector):
        redirectors[one.host] = (*redirectors.get(one.host, ()), one)
    return Lists(
        brands=tuple(_each(folder / "brands.txt", _brand)),
        shorteners=_words(folder / "shorteners.txt"),
        free_hosting=_words(folder / "free-hosting.txt"),
        dynamic_dns=_words(folder / "dynamic-dns.txt"),
        content_networks=_words(folder / "content-networks.txt"),
        redirectors=redirectors,
        programs=dict(pair for pairs in _each(folder / "programs.txt", _programs) for pair in pairs),
        lures=dict(pair for pairs in _each(folder / "lure-words.txt", _lures) for pair in pairs),
        abused_suffixes=_words(folder / "tlds-abused.txt"),
        app_schemes=_words(folder / "app-schemes.txt"),
        free_mail=_words(folder / "free-mail.txt"),
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text := line.partition("#")[0].strip():
            yield number, text


def _each(path: Path, read: Callable[[str], T]) -> Iterator[T]:
    for number, line in _lines(path):
        try:
            yield read(line)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}:{number}: {error}") from error


def _words(path: Path) -> frozenset[str]:
    return frozenset(word for _, line in _lines(path) for word in line.split())


def _brand(line: str) -> Brand:
    named, colon, domains = line.partition(":")
    names = [name.strip() for name in named.split(",")]
    if not colon or not all(name.removeprefix("~").isalnum() for name in names):
        raise ValueError("expected names: sites")
    strong = tuple(name for name in names if name[0] != "~")
    return Brand(strong, tuple(name[1:] for name in names if name[0] == "~"), tuple(domains.split()))


def _redirector(line: str) -> Redirector:
    kind, where, *parameters = line.split()
    known = next((one for one in get_args(RedirectKind) if one == kind), None)
    if known is None:
        raise ValueError(f'unknown kind "{kind}"')
    host, _, path = where.partition("/")
    return Redirector(known, host, f"/{path}", tuple(parameters))


def _programs(line: str) -> list[tuple[str, Severity]]:
    severity, *endings = line.split()
    return [(ending, Severity.of(severity)) for ending in endings]


def _lures(line: str) -> list[tuple[str, bool]]:
    strength, *words = line.split()
    if strength not in ("strong", "weak"):
        raise ValueError(f'unknown strength "{strength}"')
    return [(word, strength == "strong") for word in words]
