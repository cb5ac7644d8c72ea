"""What a DNS list is asked and what its answers mean. No I/O."""

from __future__ import annotations

import re
from collections import OrderedDict
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.config.settings import DnsListSettings
    from sekisho.inspect.links.host import IP, Host

_LISTS = IPv4Network("127.0.0.0/8")  # RFC 5782 2.1: nothing else is an answer of a list
# RFC 5782 5 keeps 127.0.0.1 out of lists; big ones say with it, or with 127.255.255.x, that they will not answer
# whoever asks (too many questions, a public resolver, a name mistyped). 255 would be every bit of a list of bits.
_REFUSALS = IPv4Network("127.255.255.0/24")
_REFUSED = IPv4Address("127.0.0.1")
_REFUSED_BITS = 255
_LONGEST_NAME = 253  # RFC 1035 2.3.4
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z0-9_-]{1,63}")


class Meaning(Struct, frozen=True):
    """What an answer says: `listed` as what ("" for not at all), or `wrong` with the list, and why."""

    listed: str = ""
    wrong: str = ""


def question(asked: DnsListSettings, host: Host) -> str:
    """The name to ask a list for about a host; "" where the list is not about such hosts."""
    if asked.ask == "ip":
        name = reversed_ip(host.ip) if host.ip is not None else ""
    else:
        name = (host.site if asked.ask == "domain" else host.ascii) if host.ip is None and host.site else ""
    whole = f"{name}.{asked.zone}" if name else ""
    return whole if len(whole) <= _LONGEST_NAME and _NAME.fullmatch(whole) else ""


def control_question(asked: DnsListSettings) -> str:
    """The name that no list in order has (RFC 5782 5): one that does has everything, and means nothing."""
    return f"1.0.0.127.{asked.zone}" if asked.ask == "ip" else f"invalid.{asked.zone}"


def reversed_ip(ip: IP) -> str:
    """An address as lists want it: octets or nibbles backwards (RFC 5782 2.1, RFC 5782 2.4)."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return reversed_ip(ip.ipv4_mapped)
        return ".".join(reversed(f"{int(ip):032x}"))
    return ".".join(reversed(str(ip).split(".")))


def meaning(asked: DnsListSettings, values: tuple[str, ...]) -> Meaning:
    """What these addresses mean in this list. Codes and bits that the settings do not name mean nothing."""
    found: dict[str, None] = {}
    for value in values:
        address = IPv4Address(value)
        if address not in _LISTS:
            return Meaning(wrong=f"it answers with {value}, which no list does: somebody else answers for it")
        if address in _REFUSALS or _refused(asked, address):
            return Meaning(wrong=f"it refuses to answer ({value})")
        found |= dict.fromkeys(_named(asked, address))
    return Meaning(listed=", ".join(found))


def _refused(asked: DnsListSettings, address: IPv4Address) -> bool:
    if str(address) in asked.codes:
        return False
    octet = int(address) & 255
    return (address == _REFUSED and "1" not in asked.bits) or (bool(asked.bits) and octet == _REFUSED_BITS)


def _named(asked: DnsListSettings, address: IPv4Address) -> list[str]:
    if asked.codes:
        text = asked.codes.get(str(address))
        return [text] if text else []
    octet = int(address) & 255
    return [text for bit, text in asked.bits.items() if octet & int(bit)]


class Answers:
    """What names were listed as, each for as long as its answer says, at most `entries`; the oldest use goes first.

    `clock` counts seconds.
    """

    def __init__(self, entries: int, clock: Callable[[], float]) -> None:
        self._most = entries
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def get(self, name: str) -> str | None:
        """What a name is listed as, "" for not at all; None where it has to be asked."""
        kept = self._kept.get(name)
        if kept is None:
            return None
        if kept[0] <= self._clock():
            del self._kept[name]
            return None
        self._kept.move_to_end(name)
        return kept[1]

    def put(self, name: str, listed: str, seconds: float) -> None:
        """Keep what a name is listed as."""
        self._kept[name] = (self._clock() + seconds, listed)
        self._kept.move_to_end(name)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
