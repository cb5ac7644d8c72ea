"""The network that a client's address stands for."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, ip_network

from sekisho.mail.address import client_address


@lru_cache(maxsize=8192)
def network_of(client_ip: str) -> str:
    """The /24 of an IPv4 address, the /64 of an IPv6 one: "192.0.2.0/24". Other text stays as it is."""
    try:
        address = client_address(client_ip)
    except ValueError:
        return client_ip
    bits = 24 if isinstance(address, IPv4Address) else 64
    return str(ip_network((address, bits), strict=False))
