"""Hosts that are made to be taken for the tenant's, a partner's or a well-known brand's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rapidfuzz.distance import OSA

from sekisho.inspect.links.confusables import blurred, skeleton
from sekisho.inspect.links.host import Host, to_unicode
from sekisho.inspect.links.names import LONGEST_NEAR, SHORTEST_NEAR, Name, Names, index, one_left_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sekisho.inspect.links.lists import Lists

_MOST_TOKENS = 8  # of one label that are looked at; longer ones are not typed after anybody's name
_MOST_CORES = 12
_LONGEST_LURE = 15
_SHORTEST_BLURRED = 5
_SHORTEST_OTHER_START = 9
_CHEAP = 0.25  # what a throw-away suffix or free hosting adds
_CHEAP_UNKNOWN = 0.35  # the same beside a name with something unknown: nobody else has reason for the name there


class Resemblance(Struct, frozen=True):
    """A host seems to be `name`'s. `how` is a word for what was done, `confidence` 0..1, `why` says it in words."""

    name: Name
    how: str
    confidence: float
    why: str


class _Seen(Struct, frozen=True):
    """A name found in a label, and how much of the rest is words that phishing adds."""

    name: Name
    kind: str  # "exact", "homoglyph", "near"
    strong: bool = False
    weak: bool = False
    unknown: bool = False
    digits: bool = False


class _Core(Struct, frozen=True):
    text: str
    strong: bool = False
    weak: bool = False
    digits: bool = False


class Lookalikes:
    """Compares hosts with the names of one tenant."""

    def __init__(self, lists: Lists, own: Iterable[str] = (), partners: Iterable[str] = ()) -> None:
        self.names: Names = index(lists.brands, own, partners)
        self._lures = lists.lures
        self._heads = frozenset(word[:2] for word in lists.lures)
        self._tails = frozenset(word[-2:] for word in lists.lures)
        self._free = lists.free_hosting | lists.dynamic_dns
        self._dynamic = lists.dynamic_dns
        self._cheap = lists.abused_suffixes | self._free
        self._networks = lists.content_networks

    def cheap(self, host: Host) -> bool:
        """Whether names there cost next to nothing: a throw-away suffix or free hosting."""
        return host.suffix in self._cheap or host.site in self._cheap

    def dynamic(self, host: Host) -> bool:
        """Whether the name belongs to a computer on a changing address."""
        return not self._dynamic.isdisjoint(host.above)

    def find(self, host: Host) -> Resemblance | None:
        """The likeliest name that the host borrows; None for its owner's hosts, IP addresses and what has no site."""
        if not host.site or not self._networks.isdisjoint(host.above):
            return None
        host = self._rented(host)
        if host.suffix not in self._free and self.names.owner(host):
            return None
        found = [*self._embedded(host), *self._in_site(host), *self._in_front(host)]
        return max(found, key=lambda r: r.confidence, default=None)

    def _rented(self, host: Host) -> Host:
        """The host with a free hoster's domain as its suffix: what is in front of it was chosen by anybody."""
        for suffix in host.above:
            if suffix in self._free and suffix != host.ascii:
                front = host.ascii[: -len(suffix) - 1]
                site = f"{front.rpartition('.')[2]}.{suffix}"
                return Host(host.ascii, host.unicode, site, suffix, above=host.above)
        return host

    def _embedded(self, host: Host) -> Iterator[Resemblance]:
        """A whole domain in front of the site, or in its label with hyphens for dots."""
        if host.below in ("", "www") and "-" not in host.label:
            return
        front = host.ascii[: -len(host.suffix) - 1]
        tokens = front.replace("-", ".").split(".")[-16:]
        for start in range(len(tokens) - 1):
            for end in range(start + 2, min(start + 5, len(tokens) + 1)):
                domain = ".".join(tokens[start:end])
                name = self.names.embedded.get(domain)
                if name is None:
                    continue
                dotted = domain in front or name.site in front
                if dotted or not name.weak:
                    shown = domain if domain in front else name.site
                    sure = 0.95 if dotted else 0.85
                    yield Resemblance(name, "subdomain", sure, f"{shown} stands in front of {host.site}")

    def _in_site(self, host: Host) -> Iterator[Resemblance]:
        label = to_unicode(host.label)
        cheap = self.cheap(host)
        for seen in self._seen(label):
            if found := _judge(seen, label, host, cheap=cheap):
                yield found

    def _in_front(self, host: Host) -> Iterator[Resemblance]:
        """Names in labels in front of a site that is not their owner's."""
        if not host.below or host.below == "www":
            return
        cheap = self.cheap(host)
        for label in to_unicode(host.below).split(".")[-6:]:
            for seen in self._seen(label):
                if seen.name.weak and not (seen.strong and seen.kind == "exact"):
                    continue
                yield Resemblance(
                    seen.name,
                    "subdomain",
                    _sure_in_front(seen, cheap=cheap),
                    f'"{seen.name.text}" stands in front of {host.site}',
                )

    def _seen(self, label: str) -> Iterator[_Seen]:
        """The names in one label (Unicode), with what is around them."""
        plain = skeleton(label)
        tokens = plain.split("-")[:_MOST_TOKENS]
        squeezed = "".join(tokens)
        glyphs = plain != label
        if len(tokens) > 1:
            yield from self._runs(tokens, glyphs=glyphs)
        for core in self._cores(squeezed):
            if seen := self._match(core, glyphs=glyphs):
                yield seen
        if len(tokens) > 1:
            for i, token in enumerate(tokens):
                if len(token) >= SHORTEST_NEAR:
                    yield from self._in_token(token, tokens[:i] + tokens[i + 1 :], glyphs=glyphs)

    def _runs(self, tokens: list[str], *, glyphs: bool) -> Iterator[_Seen]:
        """Names that are one token or several side by side."""
        for start in range(len(tokens)):
            for end in range(start + 1, len(tokens) + 1):
                name = self.names.exact.get("".join(tokens[start:end]))
                if name is not None and end - start < len(tokens):
                    yield self._around(name, "homoglyph" if glyphs else "exact", tokens[:start] + tokens[end:])

    def _in_token(self, token: str, others: list[str], *, glyphs: bool) -> Iterator[_Seen]:
        for core in self._cores(token):
            if seen := self._match(core, glyphs=glyphs):
                around = self._around(seen.name, seen.kind, others)
                yield _Seen(
                    seen.name, seen.kind, seen.strong or around.strong, seen.weak or around.weak, around.unknown,
                    seen.digits or around.digits,
                )  # fmt: skip

    def _around(self, name: Name, kind: str, tokens: list[str]) -> _Seen:
        strengths = [self._lures.get(token) for token in tokens]
        digits = [token.isdigit() for token in tokens]
        unknown = any(s is None and not d for s, d in zip(strengths, digits, strict=True))
        return _Seen(name, kind, True in strengths, False in strengths, unknown, any(digits))

    def _cores(self, text: str) -> Iterator[_Core]:
        """The text, and what is left of it when words that phishing adds, and digits, are taken off its ends."""
        waiting = [_Core(text)]
        known = {text}
        for core in waiting:
            yield core
            for rest in self._stripped(core):
                if rest.text not in known and len(known) < _MOST_CORES and len(rest.text) >= 3:
                    known.add(rest.text)
                    waiting.append(rest)

    def _stripped(self, core: _Core) -> Iterator[_Core]:
        text = core.text
        lures = self._lures
        longest = min(_LONGEST_LURE, len(text) - 3)
        if text[:2] in self._heads:
            for length in range(2, longest + 1):
                if (strong := lures.get(text[:length])) is not None:
                    yield _Core(text[length:], core.strong or strong, core.weak or not strong, core.digits)
        if text[-2:] in self._tails:
            for length in range(2, longest + 1):
                if (strong := lures.get(text[-length:])) is not None:
                    yield _Core(text[:-length], core.strong or strong, core.weak or not strong, core.digits)
        if (text[-1:].isdigit() or text[:1].isdigit()) and (bare := text.strip("0123456789")):
            yield _Core(bare, core.strong, core.weak, digits=True)

    def _match(self, core: _Core, *, glyphs: bool) -> _Seen | None:
        names = self.names
        text = core.text
        if name := names.exact.get(text):
            return _Seen(name, "homoglyph" if glyphs else "exact", core.strong, core.weak, digits=core.digits)
        if len(text) >= _SHORTEST_BLURRED and (name := names.blurred.get(blurred(text))):
            return _Seen(name, "homoglyph", core.strong, core.weak, digits=core.digits)
        if text not in self._lures and (name := _nearest(names, text)):
            return _Seen(name, "near", core.strong, core.weak, digits=core.digits)
        return None


def _sure_in_front(seen: _Seen, *, cheap: bool) -> float:
    base = {"homoglyph": 0.8, "exact": 0.55, "near": 0.4}[seen.kind]
    if seen.kind == "exact" and seen.name.whose != "brand":
        base = 0.3  # "tenant.service.example" is how many services name their customers' sites
    if seen.unknown and not (seen.strong or seen.weak):
        base -= 0.1
    return base + (0.2 if seen.strong else 0) + (_CHEAP if cheap else 0)


def _nearest(names: Names, text: str) -> Name | None:
    """The name that differs by one inserted, missing, other or swapped character."""
    if not SHORTEST_NEAR - 1 <= len(text) <= LONGEST_NEAR + 1:
        return None
    for part in one_left_out(text):
        for name in names.near.get(part, ()):
            same_start = name.text[0] == text[0]  # "finance" is not a slip for "binance"
            if (same_start or len(name.text) >= _SHORTEST_OTHER_START) and OSA.distance(
                name.text, text, score_cutoff=1
            ) == 1:
                return name
    return None


def _judge(seen: _Seen, label: str, host: Host, *, cheap: bool) -> Resemblance | None:
    """How sure it is that the label of a site borrows the name."""
    name = seen.name
    lured = seen.strong or seen.weak
    if name.weak and not lured and seen.kind == "exact" and not (cheap and label == name.text):
        return None
    how, sure = _base(seen, label)
    # A company has more sites of its own name than it lists: a shop, a campaign.
    perhaps_own = name.whose != "brand" and seen.kind == "exact"
    if cheap and (seen.strong or not perhaps_own):
        sure += _CHEAP_UNKNOWN if seen.unknown and seen.kind == "exact" else _CHEAP
    if name.weak:
        sure -= 0.15
    elif perhaps_own:
        sure -= 0.1
    elif name.whose != "brand":
        sure += 0.15
    return Resemblance(name, how, max(0.05, min(sure, 0.95)), _why(seen, how, host))


def _base(seen: _Seen, label: str) -> tuple[str, float]:
    name = seen.name
    added = 0.15 if seen.strong else 0.0
    if seen.kind == "homoglyph":
        return "homoglyph", _homoglyph(label) + added
    if seen.kind == "near":
        length = min(len(name.text), 9)
        same_start = 0.0 if label[:1] == name.text[:1] else -0.15
        return "one character off", 0.2 + 0.05 * length + same_start + (added if not seen.unknown else 0)
    if seen.unknown:
        return "added word", 0.4 + added
    if seen.strong:
        return "added word", 0.8
    if seen.weak or seen.digits:
        return "added word", 0.55
    return ("other suffix", 0.5) if label == name.text else ("hyphens", 0.55)


def _homoglyph(label: str) -> float:
    """Foreign letters, or digits and "rn" for letters, are meant; "i" for "l" also happens to honest names."""
    if not label.isascii():
        return 0.9
    return 0.8 if "rn" in label or "vv" in label or not label.isalpha() else 0.7


def _why(seen: _Seen, how: str, host: Host) -> str:
    words = {
        "homoglyph": "is written with characters that look like those of",
        "one character off": "is one character away from",
    }
    what = words.get(seen.kind if how not in words else how, "has the name of")
    extra = " and adds a word" if seen.strong or seen.weak else ""
    return f"{host.unicode} {what} {seen.name.site}{extra}"
