"""Authentication-Results fields: read, written, put together, and told from forged ones (RFC 8601)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MAX_FIELD = 100_000  # octets
_MAX_RESULTS = 200
_COLUMNS = 78
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|[()";]|[^\\()";]+', re.DOTALL)
_IN_COMMENT = re.compile(r"\\.|[()]|[^\\()]+", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
# RFC 2045 5.1: a token of MIME; RFC 8601 2.2 has domain names and addresses beside it.
_TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~\x80-\U0010ffff-]+")
_PLAIN = re.compile(r"[!#$%&'*+./:?@\[\]0-9A-Z^_`a-z{|}~\x80-\U0010ffff-]+")
_VALUE = r'"(?:[^"\\]|\\.)*"|[^\s";=]+'
_METHOD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9-]*)\s*(?:/\s*([0-9]+)\s*)?=\s*([A-Za-z0-9][A-Za-z0-9-]*)(?=\s|$)")
_REASON = re.compile(rf"\s*reason\s*=\s*({_VALUE})", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(
    rf"\s*([A-Za-z0-9][A-Za-z0-9-]*)\s*\.\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*((?:\"(?:[^\"\\]|\\.)*\"@[^\s\";=]+)|{_VALUE}(?:=[^\s\";]*)?)",
    re.DOTALL,
)
_IDENTITY = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s";=]+)\s*([0-9]+)?\s*', re.DOTALL)


class MethodResult(Struct, frozen=True):
    """One method's result, such as method "dkim", result "pass"; `properties` are (ptype, property, value).

    `version` is that of the method; `reason` and values are without quotes.
    """

    method: str
    result: str
    reason: str = ""
    properties: tuple[tuple[str, str, str], ...] = ()
    version: int = 1

    def value(self, kind: str, name: str) -> str:
        """The first property of this ptype and name, "" where there is none."""
        return next((v for k, n, v in self.properties if (k, n) == (kind, name)), "")


class AuthenticationResults(Struct, frozen=True):
    """One field: who says so, and what; no results stand for "none"."""

    authserv_id: str
    results: tuple[MethodResult, ...] = ()
    version: int = 1


class ResultsError(Struct, frozen=True):
    """Why a value is not one of Authentication-Results."""

    why: str


def parse_results(value: str) -> AuthenticationResults | ResultsError:
    """Read a field's value, folded or not. Linear; raises nothing. Source: RFC 8601 2.2."""
    pieces = _pieces(value) if len(value) <= _MAX_FIELD else None
    if pieces is None:
        return ResultsError("too long, or a comment or a quoted string does not end")
    identity = _IDENTITY.fullmatch(pieces[0])
    if identity is None or int((identity[2] or "1")[:9]) != 1:
        return ResultsError("of another version than 1" if identity else "no authserv-id")
    rest = pieces[1:]
    if len(rest) > 1 and not rest[-1].strip():
        rest.pop()  # a ";" at the end, which many write
    if not 1 <= len(rest) <= _MAX_RESULTS:
        return ResultsError("too many results" if rest else "no results")
    found = [result for result in map(_result, rest) if result]
    if len(found) < len(rest) and not (len(rest) == 1 and rest[0].strip().lower() == "none"):
        return ResultsError("a result is malformed")
    return AuthenticationResults(_unquoted(identity[1]), tuple(found))


def _scanned(value: str) -> Iterator[tuple[str, int, int]]:
    """Pieces of a value, each with the depth of comments it stands in and where it ends; NUL for what is cut."""
    at = depth = 0
    while at < len(value):
        match = (_IN_COMMENT if depth else _PIECE).match(value, at)
        piece = match[0] if match else "\0"
        at = match.end() if match else len(value)
        if piece == "(":
            depth += 1
        yield piece, depth, at
        if piece == ")" and depth:
            depth -= 1
    if depth:
        yield "\0", 0, at


def _pieces(value: str) -> list[str] | None:
    """The text between semicolons with a blank for every comment, or None where one of them does not end."""
    pieces: list[list[str]] = [[]]
    for piece, depth, _ in _scanned(value):
        if depth:
            pieces[-1].append(" " if piece == "(" else "")
        elif piece in ("\0", '"', ")"):
            return None
        elif piece == ";":
            pieces.append([])
        else:
            pieces[-1].append(piece)
    return ["".join(parts) for parts in pieces]


def _result(text: str) -> MethodResult | None:
    head = _METHOD.match(text)
    if head is None:
        return None
    reason = _REASON.match(text, head.end())
    at = (reason or head).end()
    properties = []
    while match := _PROPERTY.match(text, at):
        properties.append((match[1].lower(), match[2].lower(), _unquoted(match[3])))
        at = match.end()
    if text[at:].strip():
        return None
    version = int(head[2][:9]) if head[2] else 1
    told = _unquoted(reason[1]) if reason else ""
    return MethodResult(head[1].lower(), head[3].lower(), told, tuple(properties), version)


def _unquoted(value: str) -> str:
    quoted = _QUOTED.fullmatch(value)
    if quoted is None:
        return value
    return re.sub(r"\\(.)", r"\1", quoted[1].replace("\r\n", ""), flags=re.DOTALL)


def write_results(results: AuthenticationResults) -> str:
    """A field's value, folded with CRLF, without a CRLF at its end. Source: RFC 8601 2.2.

    Values that cannot stand as they are are quoted; control characters become blanks.
    """
    pieces = [_written(results.authserv_id) + (f" {results.version}" if results.version != 1 else "")]
    pieces += [_written_result(result) for result in results.results] or ["none"]
    return ";\r\n ".join(pieces)


def _written_result(result: MethodResult) -> str:
    words = [result.method + (f"/{result.version}" if result.version != 1 else "") + f"={result.result}"]
    words += [f"reason={_quoted(result.reason)}"] if result.reason else []
    words += [f"{kind}.{name}={_written(value)}" for kind, name, value in result.properties]
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) >= _COLUMNS - 1:
            lines.append(line)
            line = word
        else:
            line += f" {word}" if line else word
    return "\r\n ".join([*lines, line])


def _written(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _quoted(value)


def _quoted(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    visible = "".join(character if character.isprintable() else " " for character in value)
    return '"' + visible.replace("\\", "\\\\").replace('"', '\\"') + '"'


def authserv_id(value: str) -> str | None:
    """Whose results a field's value claims to be, lower case, or None. Source: RFC 8601 2.5."""
    pieces = _pieces(value[:_MAX_FIELD])
    match = _IDENTITY.fullmatch(pieces[0]) if pieces else None
    return _unquoted(match[1]).lower() if match else None


def forged(values: Sequence[str], ours: Iterable[str]) -> tuple[int, ...]:
    """Which Authentication-Results fields must go before we add our own or believe any: indexes into `values`.

    Those that claim to be of one of `ours`, or of a name below one, and those of whom it cannot be read.
    Source: RFC 8601 5.
    """
    names = {name.lower().rstrip(".") for name in ours if name}
    return tuple(index for index, value in enumerate(values) if _is_ours(authserv_id(value), names))


def _is_ours(claimed: str | None, names: set[str]) -> bool:
    if claimed is None:
        return True
    host = claimed.partition("/")[0].rstrip(".")
    return any(host == name or host.endswith("." + name) for name in names)


def merged_results(values: Iterable[str], ours: str) -> str:
    """The results of all fields of `ours` in one value, as they stand, comments included. Source: RFC 8617 4.1.1."""
    results = [_after_identity(value) for value in values if authserv_id(value) == ours.lower()]
    kept = [result for result in results if result and result.lower() != "none"]
    return "; ".join([ours, *kept] if kept else [ours, "none"])


def _after_identity(value: str) -> str:
    """What stands behind the first ";" that is outside comments and quotes, on one line."""
    end = next((at for piece, depth, at in _scanned(value) if piece == ";" and not depth), len(value))
    return " ".join(value[end:].split()).rstrip("; ")
