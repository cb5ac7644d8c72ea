"""Mail addresses as they stand in an envelope: `local@domain`, without angle brackets."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network


def domain_of(address: str) -> str:
    """The domain of an address, lower case, without a trailing dot; "" where there is none."""
    return address.rpartition("@")[2].rstrip(".").lower() if "@" in address else ""


def same_or_below(domain: str, parent: str) -> bool:
    """Whether `domain` is `parent` or, where `parent` starts with a dot, any name below it."""
    return domain.endswith(parent) if parent.startswith(".") else domain == parent


def client_address(text: str) -> IpAddress:
    """Read an IP address, unwrapping IPv4-mapped IPv6 (::ffff:192.0.2.1). Raises ValueError."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
