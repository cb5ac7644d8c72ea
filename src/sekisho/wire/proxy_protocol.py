"""The header with which a load balancer says who its client is: PROXY protocol version 1 and 2.

Source: HAProxy, "The PROXY protocol", sections 2.1 and 2.2.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from sekisho.mail.address import client_address

_V1_START = b"PROXY "
_V1_OCTETS = 107
_V1 = re.compile(r"PROXY (TCP4|TCP6) (\S+) (\S+) ([0-9]{1,5}) ([0-9]{1,5})", re.ASCII)
_V2_START = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEAD = 16
_V2_FAMILIES = {0x11: 4, 0x21: 16}  # TCP over IPv4 and IPv6: octets of an address
_V2_NO_ADDRESS = frozenset({0x00, 0x31, 0x32})  # unspecified, and UNIX sockets
_V2_OCTETS = 4096  # room for every TLV that is defined; a limit so that nobody makes us keep more


class ProxyError(Exception):
    """What came in is no PROXY header."""


class ProxyHeader(Struct, frozen=True):
    """`client_ip` and `port` of the real client, None where the header says none (health checks: LOCAL, UNKNOWN).

    `octets` is the length of the header in the bytes that were looked at.
    """

    client_ip: str | None
    port: int | None
    octets: int


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header `data` begins with; None when more bytes are needed. Raises ProxyError."""
    if data[: len(_V2_START)] == _V2_START[: len(data)]:
        return _read_v2(data)
    if data[: len(_V1_START)] == _V1_START[: len(data)]:
        return _read_v1(data)
    raise ProxyError("no PROXY header")


def _read_v1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _V1_OCTETS)
    if end < 0:
        if len(data) >= _V1_OCTETS:
            raise ProxyError("PROXY line too long")
        return None
    line = data[:end].decode("ascii", "replace")
    if line == "PROXY UNKNOWN" or line.startswith("PROXY UNKNOWN "):
        return ProxyHeader(None, None, end + 2)
    matched = _V1.fullmatch(line)
    if matched is None:
        raise ProxyError("PROXY line cannot be read")
    family = IPv4Address if matched[1] == "TCP4" else IPv6Address
    try:
        source, target = ip_address(matched[2]), ip_address(matched[3])
        port = int(matched[4])
    except ValueError:
        raise ProxyError("PROXY line with a bad address") from None
    if not isinstance(source, family) or not isinstance(target, family) or max(port, int(matched[5])) > 65535:
        raise ProxyError("PROXY line with a bad address")
    return ProxyHeader(str(client_address(matched[2])), port, end + 2)


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_HEAD:
        return None
    command, family = data[12], data[13]
    octets = _V2_HEAD + int.from_bytes(data[14:16], "big")
    if command not in (0x20, 0x21) or octets > _V2_OCTETS:
        raise ProxyError("PROXY header of an unknown version or length")
    if len(data) < octets:
        return None
    if command == 0x20 or family in _V2_NO_ADDRESS:
        return ProxyHeader(None, None, octets)
    size = _V2_FAMILIES.get(family, 0)
    if not size or octets < _V2_HEAD + 2 * size + 4:
        raise ProxyError("PROXY header of an unknown family or too short")
    source = ip_address(data[_V2_HEAD : _V2_HEAD + size])
    ports = _V2_HEAD + 2 * size
    return ProxyHeader(str(client_address(str(source))), int.from_bytes(data[ports : ports + 2], "big"), octets)
