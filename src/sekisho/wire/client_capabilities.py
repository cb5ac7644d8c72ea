"""What a next hop said it can do, in its reply to EHLO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.mail.address import domain_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.envelope import Recipient


class Capabilities(Struct, frozen=True):
    """The service extensions of one server; the default is a server that only knows HELO.

    `size` is its limit in octets (0: no fixed limit, None: SIZE not offered); `auth` the SASL mechanisms, upper
    case; the three `…_max` are those of LIMITS, 0 where none is set (RFC 9422 4).
    """

    name: str = ""
    pipelining: bool = False
    eightbitmime: bool = False
    smtputf8: bool = False
    chunking: bool = False
    dsn: bool = False
    enhancedstatuscodes: bool = False
    starttls: bool = False
    size: int | None = None
    auth: frozenset[str] = frozenset()
    mail_max: int = 0
    rcpt_max: int = 0
    rcpt_domain_max: int = 0

    def batch(self, recipients: Sequence[Recipient], most: int = 0) -> int:
        """How many of the first recipients fit into one transaction; `most` is a further limit, 0 for none."""
        limits = [limit for limit in (self.rcpt_max, most) if limit]
        count = min([len(recipients), *limits])
        if not self.rcpt_domain_max:
            return count
        domains: set[str] = set()
        for i in range(count):
            domains.add(domain_of(recipients[i].address))
            if len(domains) > self.rcpt_domain_max:
                return i
        return count


_FLAGS = {
    "PIPELINING": "pipelining",  # RFC 2920
    "8BITMIME": "eightbitmime",  # RFC 6152
    "SMTPUTF8": "smtputf8",  # RFC 6531
    "CHUNKING": "chunking",  # RFC 3030
    "DSN": "dsn",  # RFC 3461
    "ENHANCEDSTATUSCODES": "enhancedstatuscodes",  # RFC 2034
    "STARTTLS": "starttls",  # RFC 3207
}
_LIMITS = {"MAILMAX": "mail_max", "RCPTMAX": "rcpt_max", "RCPTDOMAINMAX": "rcpt_domain_max"}


def read_capabilities(text: str) -> Capabilities:
    """Read the text of a positive reply to EHLO; unknown and broken keywords are skipped. RFC 5321 4.1.1.1."""
    first, *lines = text.split("\n")
    found: dict[str, object] = {"name": first.partition(" ")[0]}
    auth: set[str] = set()
    for line in lines:
        keyword, *parameters = line.upper().split()[:40] or [""]
        if flag := _FLAGS.get(keyword):
            found[flag] = True
        elif keyword == "SIZE":
            found["size"] = _number(parameters[0]) if parameters else 0  # RFC 1870 4
        elif keyword == "LIMITS":
            found.update(_limits(parameters))
        elif keyword == "AUTH":
            auth.update(parameters)  # RFC 4954 3
        elif keyword.startswith("AUTH="):
            auth.update([keyword[5:], *parameters])  # the form of old servers, still in use
    return Capabilities(**found, auth=frozenset(auth))  # type: ignore[arg-type] # keys are the fields named above


def _limits(parameters: list[str]) -> dict[str, object]:
    pairs = (parameter.partition("=") for parameter in parameters)
    return {_LIMITS[name]: _number(value) for name, _, value in pairs if name in _LIMITS}  # RFC 9422 3


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
