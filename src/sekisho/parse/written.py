"""A text part as a reader sees it, with the place where each character is written in the part's source.

For masking: what is found in the text has to be changed in the source, and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from html import unescape
from typing import TYPE_CHECKING

from sekisho.parse.html import with_breaks
from sekisho.parse.source import NotMaskedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.mail.message import Part

_LINE_END = re.compile(r"\r?\n")
# A tag with its quoted attributes, a comment, a character reference, or white space. An end that is missing is the
# end of the text. Possessive throughout: nothing is looked at twice.
_TOKEN = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*+)(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>?"""
    r"""|<[/!?][^>]*+>?|(?P<reference>&(?:\#[0-9]{1,9}+|\#[xX][0-9A-Fa-f]{1,9}+|[A-Za-z][A-Za-z0-9]{1,40}+);?)|(?P<space>\s++)""",
    re.DOTALL,
)
_UNSEEN = frozenset(("script", "style", "title", "template", "noframes"))
_SHORTEST_REFERENCE = len("&#42;")


class Written:
    """The visible `text` and, for each of its characters, where it stands in `source`."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._places: list[tuple[int, int]] = []  # (place in the source, characters there: 0 is one for one)
        self._length = 0

    @property
    def text(self) -> str:
        """What a reader sees."""
        return "".join(self._pieces)

    @property
    def last(self) -> str:
        """The last character so far, a line end where there is none."""
        return self._pieces[-1][-1] if self._pieces else "\n"

    def add(self, text: str, at: int, length: int = 0) -> None:
        """More text that stands in the source at `at`: one for one, or as `length` characters; blanks at -1."""
        if text:
            self._pieces.append(text)
            self._starts.append(self._length)
            self._places.append((at, length))
            self._length += len(text)

    def masks(self, places: Iterable[int]) -> dict[int, str]:
        """What masking these characters changes in the source: "" for a mask as wide as what was there.

        Raises NotMaskedError where one is no character of the source.
        """
        changes: dict[int, str] = {}
        for place in places:
            run = bisect_right(self._starts, place) - 1
            at, length = self._places[run]
            inside = place - self._starts[run]
            if self._pieces[run][inside].isspace():
                raise NotMaskedError("what was found is not written in one piece")
            if length:
                changes |= dict(enumerate(_mask_reference(self._source[at : at + length]), at))
            else:
                changes[at + inside] = ""
        return changes


def written(part: Part, source: str) -> Written:
    """The visible text of a text part whose characters, line ends included, are `source`."""
    if part.content_type == "text/html":
        return _html(source)
    if part.parameters.get("format", "").lower() == "flowed":
        return _flowed(source, delsp=part.parameters.get("delsp", "").lower() == "yes")
    return _plain(source)


def _plain(source: str) -> Written:
    seen = Written(source)
    at = 0
    for end in _LINE_END.finditer(source):
        seen.add(source[at : end.start()], at)
        seen.add("\n", end.start(), len(end[0]))
        at = end.end()
    seen.add(source[at:], at)
    return seen


def _flowed(source: str, *, delsp: bool) -> Written:
    """Lines that end with a blank joined to the next (RFC 3676 4.2, 4.3)."""
    seen = Written(source)
    at = 0
    for end in _LINE_END.finditer(source):
        line = source[at : end.start()]
        soft = line.endswith(" ") and line != "-- "
        seen.add(line[:-1] if soft and delsp else line, at)
        if not soft:
            seen.add("\n", end.start(), len(end[0]))
        at = end.end()
    seen.add(source[at:], at)
    return seen


def _html(source: str) -> Written:
    seen = Written(source)
    at = 0
    preformatted = False
    while token := _TOKEN.search(source, at):
        seen.add(source[at : token.start()], at)
        at = token.end()
        name = (token["name"] or "").lower()
        if name == "pre":
            preformatted = not token["close"]
        if name in _UNSEEN and not token["close"]:
            at = _end_of(name, source, at)
        elif token["reference"]:
            _add_reference(seen, token["reference"], token.start())
        elif token["space"]:
            _add_blank(seen, "\n" if preformatted and "\n" in token["space"] else " ")
        elif name and (gap := with_breaks(token[0])[:1]) != "<":
            _add_blank(seen, gap)
    seen.add(source[at:], at)
    return seen


def _end_of(name: str, source: str, at: int) -> int:
    end = re.compile(rf"</{name}\b", re.IGNORECASE).search(source, at)
    return end.start() if end else len(source)


def _add_reference(seen: Written, reference: str, at: int) -> None:
    shown = unescape(reference)
    if shown.isspace():
        _add_blank(seen, " ")
    elif len(shown) == 1:
        seen.add(shown, at, len(reference))
    else:
        seen.add(reference, at)


def _add_blank(seen: Written, blank: str) -> None:
    """White space, which a browser runs together; a line end counts more than a blank."""
    if not seen.last.isspace() or (blank == "\n" and seen.last != "\n"):
        seen.add(blank, -1)


def _mask_reference(reference: str) -> str:
    """A reference as long as this one to an asterisk, or asterisks where it is too short or not ended."""
    if len(reference) < _SHORTEST_REFERENCE or not reference.endswith(";"):
        return "*" * len(reference)
    return f"&#{'42'.zfill(len(reference) - 3)};"
