"""The author's domain: what the header From says, read as a receiver reads it."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\\?$)'  # quoted string; an unterminated one runs to the end
    r"|\\."
    r"|[()<>,:;]"
    r'|[^"\\()<>,:;]+',
    re.DOTALL,
)


def author_domains(value: str) -> tuple[str, ...]:
    """The domains of the mailboxes in a From value, lower case, each once, in order.

    "" stands for a mailbox without a domain. Quoted strings and comments are skipped, however deep, so that an
    address in a display name never counts. Linear in the length. Source: RFC 5322 3.4.
    """
    reader = _MailboxReader()
    depth = 0
    for piece in _PIECE.findall(value):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            reader.take(piece)
    reader.end_mailbox()
    return tuple(dict.fromkeys(reader.domains))


class _MailboxReader:
    """Collects mailboxes from pieces: the text in angle brackets where there are any, else all of it."""

    def __init__(self) -> None:
        self.domains: list[str] = []
        self._outside: list[str] = []
        self._inside: list[str] = []
        self._in_angle = False
        self._had_angle = False

    def take(self, piece: str) -> None:
        """Read one piece outside comments."""
        if piece == "<":
            self._in_angle = self._had_angle = True
        elif piece == ">":
            self._in_angle = False
        elif self._in_angle:
            self._inside.append(piece)  # the commas and colons of a source route too
        elif piece in ",;":
            self.end_mailbox()
        elif piece == ":":
            self._outside.clear()  # what stood before was a group's name
        else:
            self._outside.append("q" if piece.startswith('"') else piece)

    def end_mailbox(self) -> None:
        """Close the mailbox read so far."""
        text = "".join(self._inside if self._had_angle else self._outside).strip()
        if text or self._had_angle:
            domain = text.rpartition("@")[2] if "@" in text else ""
            self.domains.append("".join(domain.split()).rstrip(".").lower())
        self._outside, self._inside = [], []
        self._in_angle = self._had_angle = False


def ascii_domain(domain: str) -> str:
    """A domain as A-labels, lower case; "" where it cannot be one. Source: RFC 5890 2.3."""
    if domain.isascii():
        return domain.lower().rstrip(".")
    try:
        return domain.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return ""
