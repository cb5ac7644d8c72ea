"""Structured header values: `type; name=value` with comments, quoting and RFC 2231 continuations."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from sekisho.parse import charsets
from sekisho.parse.words import header_text

# One parameter, or whatever is in its place; always matches and never looks at a character twice.
_PARAMETER = re.compile(
    r"[\s;]*+(?:\([^()]*+\)[\s;]*+)*+([^\s;=\"(]*+)\s*+(=?)\s*+(?:\"((?:[^\"\\]++|\\.)*+)\\?\"?)?([^;]*+)", re.DOTALL
)
_TOKEN = re.compile(r"(?:\s|\([^()]*+\))*+([^;\s\"(]*+(?:\s*+/\s*+[^;\s\"(]*+)?)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COMMENT = re.compile(r"\s\(.*\Z", re.DOTALL)
_CONTINUED = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)\Z")
_MOST = 200
_SHORT = 100  # characters of a value worth remembering: "text/plain; charset=utf-8" comes again and again


class Parameters:
    """The token in front ("text/plain", lower case) and the parameters of one structured header value.

    `first` holds each parameter's first value as octets-as-surrogates, `again` values given once more; names are
    lower case, continuations already joined.
    """

    __slots__ = ("_shown", "again", "first", "token")

    def __init__(self, value: str) -> None:
        token = _TOKEN.match(value)
        self.token = "".join(token[1].split()).lower() if token else ""
        self.first: dict[str, str] = {}
        self.again: list[tuple[str, str]] = []
        self._shown: dict[str, str] | None = None
        semicolon = value.find(";", token.end() if token else 0)
        if semicolon >= 0:
            self._read(value, semicolon)

    def _read(self, value: str, at: int) -> None:
        """Collect the parameters from offset `at` on."""
        pieces: dict[str, list[tuple[int, bool, str]]] = {}
        size = len(value)
        for _ in range(_MOST):
            found = _PARAMETER.match(value, at)
            if found is None or at >= size:
                break
            at = found.end() + 1
            name = found[1].lower()
            if not name or not found[2]:
                continue
            text = self._value(found)
            if "*" in name and (part := _CONTINUED.match(name)):
                pieces.setdefault(part[1], []).append((int(part[2] or 0), bool(part[3]), text))
            elif name in self.first:
                self.again.append((name, text))
            else:
                self.first[name] = text
        for name, found_pieces in pieces.items():
            self._join(name, found_pieces)

    @staticmethod
    def _value(found: re.Match[str]) -> str:
        """One value, unquoted, without a comment behind it."""
        quoted: str | None = found[3]
        if quoted is not None:
            return _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
        plain = found[4].strip()
        return _COMMENT.sub("", plain).rstrip() if "(" in plain else plain

    def _join(self, name: str, pieces: list[tuple[int, bool, str]]) -> None:
        """Put the pieces `name*0*`, `name*1` … together and decode them (RFC 2231 3, 4)."""
        pieces.sort(key=lambda piece: piece[0])
        charset = ""
        octets = []
        for nth, (_, extended, text) in enumerate(pieces):
            value = text
            if extended and not nth and value.count("'") >= 2:
                charset, _, value = value.split("'", 2)
            raw = value.encode("utf-8", "surrogateescape")
            octets.append(unquote_to_bytes(raw) if extended else raw)
        joined = b"".join(octets)
        text = charsets.decode(joined, charset) if charset else joined.decode("ascii", "surrogateescape")
        if name in self.first:
            self.again.append((name, self.first[name]))
        self.first[name] = text

    @classmethod
    def of(cls, value: str) -> Parameters:
        """The parameters of a value, perhaps read before: the caller changes nothing in them."""
        return _remembered(value) if len(value) <= _SHORT else cls(value)

    def shown(self) -> dict[str, str]:
        """The parameters as a reader sees them: encoded words, although RFC 2047 5 forbids them here, decoded."""
        if self._shown is None:
            self._shown = {name: header_text(value) for name, value in self.first.items()}
        return self._shown


@lru_cache(maxsize=1024)
def _remembered(value: str) -> Parameters:
    return Parameters(value)
