"""Names in the DNS as mail standards compare them, and organizational domains by the Public Suffix List."""

from __future__ import annotations

import re
from functools import cache

from publicsuffixlist import PublicSuffixList

from sekisho.mailauth.author import ascii_domain

LONGEST_NAME = 253  # characters, RFC 1035 2.3.4
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_](?:[a-z0-9_-]{0,62})")


def dns_name(domain: str) -> str:
    """A domain in A-labels, lower case, without a last dot; "" where it is no name that can be asked for.

    Source: RFC 5890 2.3, RFC 1035 2.3.4.
    """
    if len(domain) > 4 * LONGEST_NAME:  # a name in Unicode is not longer than its A-labels by more than this
        return ""
    name = ascii_domain(domain)
    return name if len(name) <= LONGEST_NAME and _NAME.fullmatch(name) else ""


def listed_domain(domain: str) -> str:
    """The organizational domain by the Public Suffix List: the suffix and one label more.

    "" where the name is a suffix itself, or no name. The whole list counts, the part of private domains too, as most
    receivers read it. Source: RFC 7489 3.2, publicsuffix.org.
    """
    name = dns_name(domain)
    return (_suffixes().privatesuffix(name) or "") if name else ""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def is_below(name: str, parent: str) -> bool:
    """Whether a name is `parent` or below it; both in A-labels."""
    return name == parent or name.endswith("." + parent)
