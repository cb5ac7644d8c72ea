"""Who takes part in a mail: who writes, where answers go, who gets it, and whom the heads it quotes name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sekisho.inspect.content.body import Body, read_body
from sekisho.inspect.links.host import Host, read_host
from sekisho.inspect.links.url import Address, normalise
from sekisho.mail.message import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.mail.message import Mailbox, Message
    from sekisho.mail.transaction import Transaction

Role = Literal["from", "reply-to", "to", "cc"]

_MOST = 40  # addresses of one kind that are looked at
_MOST_LINES = 60  # with an address, in the quoted part
_LONGEST_LINE = 1000
_LONGEST_NAME = 300
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255  # RFC 5321 4.5.3.1.1, RFC 5321 4.5.3.1.2
_ADDRESS = re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")
_HEAD = re.compile(
    "[ \t>*|\u3000]{0,20}(from|to|cc|reply-to|差出人|送信者|送信元|宛先|返信先|von|an|de|à|para|发件人|收件人|抄送)"
    "[ \t*]{0,5}[:\uff1a]",
    re.IGNORECASE,
)
_WROTE = re.compile(
    "(?:wrote|schrieb|a écrit|escribió|ha scritto|写道|のメール|さんは書きました)[^\n]{0,150}[:\uff1a]"
)
_ROLES: dict[str, Role] = {
    "to": "to", "宛先": "to", "an": "to", "à": "to", "para": "to", "收件人": "to",
    "cc": "cc", "抄送": "cc", "reply-to": "reply-to", "返信先": "reply-to",
}  # fmt: skip
_AROUND_NAMES = " \t\u3000\"'<>()[]{},;:*|\uff1a\u300c\u300d"


class Party(Struct, frozen=True):
    """One mailbox: display name, address in lower case, and the site its domain belongs to."""

    role: Role
    name: str
    address: str
    site: str


class Parties(Struct, frozen=True):
    """`author` is the first From, `answers` the Reply-To, `recipients` To and Cc, `quoted` from heads in the text."""

    author: Party | None
    answers: tuple[Party, ...]
    recipients: tuple[Party, ...]
    quoted: tuple[Party, ...]

    @property
    def present(self) -> tuple[Party, ...]:
        """Those of the mail itself."""
        author = () if self.author is None else (self.author,)
        return (*author, *self.answers, *self.recipients)


def parties(transaction: Transaction) -> Parties:
    """Who takes part; done once for a transaction."""
    found: Parties = once(transaction.memo, "content-parties", lambda: _parties(transaction))
    return found


def body_of(transaction: Transaction) -> Body:
    """The body as a reader sees it; done once for a transaction."""
    body: Body = once(transaction.memo, "content-body", lambda: read_body(transaction.message))
    return body


def site_of(domain: str) -> str:
    """The registrable domain, or the last two labels under a suffix that nobody knows; lower case, ASCII."""
    return _site(host_of(domain))


@lru_cache(maxsize=8192)
def host_of(domain: str) -> Host:
    """The host of an address, in either form of an international name. Never raises."""
    address = normalise(f"http://{domain}/")
    return address.host if address is not None and address.host is not None else read_host(domain.lower())


def site_of_link(address: Address) -> str:
    """The site a link leads to, named as the sites of mail addresses are; "" where it has no host."""
    return _site(address.host) if address.host is not None else ""


def quoted_parties(text: str) -> Iterator[Party]:
    """Mailboxes in lines that stand as the head of a quoted or forwarded mail, or introduce a quotation."""
    at, lines = text.find("@"), 0
    while at >= 0 and lines < _MOST_LINES:
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield from _of_line(text[start : min(end, start + _LONGEST_LINE)], text[end : end + 60])
        at, lines = text.find("@", end), lines + 1


def _of_line(line: str, following: str) -> Iterator[Party]:
    if head := _HEAD.match(line):
        role = _ROLES.get(head[1].lower(), "from")
        yield from _mailboxes(line[head.end() :], role)
    elif _WROTE.search(line) or _WROTE.match(following.lstrip("> \t\n")):
        yield from _mailboxes(line, "from")


def _mailboxes(text: str, role: Role) -> Iterator[Party]:
    end = 0
    for match in _ADDRESS.finditer(text):
        name = text[end : match.start()].replace("mailto:", "").strip(_AROUND_NAMES)
        yield _party(role, name[-80:], match[0])
        end = match.end()


def _parties(transaction: Transaction) -> Parties:
    message = transaction.message
    authors = tuple(_of_header(message, "from"))
    whole = body_of(transaction).whole
    quoted = dict.fromkeys(quoted_parties(whole)) if "@" in whole else ()
    return Parties(
        author=authors[0] if authors else None,
        answers=tuple(_of_header(message, "reply-to")),
        recipients=(*_of_header(message, "to"), *_of_header(message, "cc")),
        quoted=tuple(quoted),
    )


def _of_header(message: Message, key: Role) -> Iterator[Party]:
    header = message.header(key)
    boxes: tuple[Mailbox, ...] = header.mailboxes[:_MOST] if header is not None else ()
    for box in boxes:
        if "@" in box.address:
            local, _, domain = box.address.rpartition("@")
            yield _party(key, box.name[:_LONGEST_NAME], f"{local[:_LONGEST_LOCAL]}@{domain[-_LONGEST_DOMAIN:]}")


def _party(role: Role, name: str, address: str) -> Party:
    address = address.lower().encode("utf-8", "replace").decode()  # octets that are no UTF-8 are lone surrogates
    return Party(role, name, address, site_of(address.rpartition("@")[2].strip("<>. ")))


def _site(host: Host) -> str:
    return host.site or ".".join(host.ascii.split(".")[-2:])
