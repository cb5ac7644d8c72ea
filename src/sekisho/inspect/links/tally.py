"""Signs of many links → few findings."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import structs

from sekisho.mail.finding import Finding

if TYPE_CHECKING:
    from sekisho.inspect.links.sign import Sign
    from sekisho.inspect.links.targets import Target
    from sekisho.inspect.links.url import Address

MOST_PER_RULE = 20
_LONGEST_PATH = 30
_LONG_NUMBER = re.compile(r"[0-9](?:[-_.]?[0-9]){6,}")

Place = tuple[str, str, str]  # part, inner file, host


class Tally:
    """One finding for each rule, part, inner file and host, with the surest sign's address and explanation.

    Of a rule there are at most 20 findings; further places are counted in its first.
    """

    def __init__(self) -> None:
        self._rules: defaultdict[str, dict[Place, Finding]] = defaultdict(dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was added, rule by rule."""
        return tuple(finding for places in self._rules.values() for finding in places.values())

    def add(self, target: Target, sign: Sign) -> None:
        """Count a sign of one address."""
        places = self._rules[sign.rule]
        link, address = target.link, target.address
        place = (link.part, link.path, address.host.ascii if address.host else address.scheme)
        if place not in places and len(places) >= MOST_PER_RULE:
            place = next(iter(places))
        known = places.get(place)
        if known is None:
            places[place] = _finding(sign, target, link.part, link.path, target.count)
        else:
            surer = sign.confidence > known.confidence
            count = known.count + target.count
            places[place] = (
                _finding(sign, target, known.part, known.path, count)
                if surer
                else structs.replace(known, count=count)
            )


def shown(address: Address) -> str:
    """An address as it may be kept: scheme, host and the beginning of the path. No user, no query."""
    if address.host is None:
        return f"{address.scheme}:…"
    port = f":{address.port}" if address.port is not None else ""
    name = f"[{address.host.ascii}]" if ":" in address.host.ascii else address.host.ascii
    return f"{address.scheme}://{name}{port}{_short(address.path)}{'?…' if address.query else ''}"


def _finding(sign: Sign, target: Target, part: str, path: str, count: int) -> Finding:
    why = f"behind {target.outer.site}: {sign.why}" if target.outer else sign.why
    return Finding(
        sign.rule,
        sign.severity,
        sign.confidence,
        count,
        part=part,
        where="link",
        path=path,
        excerpt=shown(target.address),
        explanation=why,
    )


def _short(path: str) -> str:
    """The beginning of a path; names stand in it in percent encoding, numbers of people and cards as they are."""
    if "@" in path or "%40" in path.lower():
        return "/…"
    path = _LONG_NUMBER.sub("*", "/".join("…" if "%" in s or not s.isascii() else s for s in path.split("/")))
    return path if len(path) <= _LONGEST_PATH else f"{path[: _LONGEST_PATH - 2]}…"
