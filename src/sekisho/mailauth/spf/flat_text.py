"""Writing a flattened record: in one piece while it is short, else with further records that it includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from sekisho.mail.address import IpNetwork

MOST_OCTETS = 450  # RFC 7208 3.4: so that an answer fits into 512 octets
_STRING_OCTETS = 255  # RFC 1035 3.3.14


class Run(Struct, frozen=True):
    """Neighbouring terms: networks of one qualifier, or one term that is kept as it is."""

    qualifier: str = "+"
    networks: tuple[IpNetwork, ...] = ()
    kept: str = ""


def written(runs: list[Run], modifiers: list[str], domain: str, prefix: str) -> list[tuple[str, str]] | None:
    """Names and texts, the domain's own first; None where even the list of includes is too long."""
    whole = _joined([term for run in runs for term in ([run.kept] if run.kept else _terms(run))] + modifiers)
    if len(whole) <= MOST_OCTETS:
        return [(domain, whole)]
    further: list[tuple[str, str]] = []
    terms: list[str] = []
    for run in runs:
        if run.kept:
            terms.append(run.kept)
            continue
        sign = "" if run.qualifier == "+" else run.qualifier
        for part in _parts([term.removeprefix(sign) for term in _terms(run)]):
            name = f"{prefix}{len(further) + 1}.{domain}"
            further.append((name, part))
            terms.append(f"{sign}include:{name}")
    own = _joined(terms + modifiers)
    return [(domain, own), *further] if len(own) <= MOST_OCTETS else None


def quoted(text: str) -> str:
    """A record as strings of 255 octets at most, as zone files have them."""
    parts = [text[i : i + _STRING_OCTETS] for i in range(0, len(text), _STRING_OCTETS)] or [""]
    escaped = (part.replace("\\", "\\\\").replace('"', '\\"') for part in parts)
    return " ".join(f'"{part}"' for part in escaped)


def _joined(terms: list[str]) -> str:
    return " ".join(["v=spf1", *terms])


def _terms(run: Run) -> list[str]:
    sign = "" if run.qualifier == "+" else run.qualifier
    return [f"{sign}ip{network.version}:{_network(network)}" for network in run.networks]


def _network(network: IpNetwork) -> str:
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if whole else str(network)


def _parts(terms: list[str]) -> list[str]:
    """Records of these terms, each short enough."""
    parts: list[list[str]] = [[]]
    size = 0
    for term in terms:
        if parts[-1] and size + len(term) + 1 > MOST_OCTETS - len("v=spf1"):
            parts.append([])
            size = 0
        parts[-1].append(term)
        size += len(term) + 1
    return [_joined(part) for part in parts if part]
