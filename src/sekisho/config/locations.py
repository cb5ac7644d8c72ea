"""Where in a TOML file each key stands. `tomllib` reads the values but forgets the lines.

The scanner runs only over text that `tomllib` has accepted, so it may be short: it tells keys, strings, comments and
brackets apart and takes nothing else seriously.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from msgspec import Struct, field

_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
    r"|[^,\]}#\n]+",
    re.DOTALL,
)
_LAST_STEP = re.compile(r"""(?:\.?(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*")|\[[0-9]+\])\Z""")


class Problem(Struct, frozen=True):
    """One error in a file: `line` from 1 (0 where it is not known), `key` dotted (`listener[1].address`)."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        """`file:line: key: text`, without what is not known."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (place, self.key, self.text)))


class Locations(Struct, frozen=True):
    """The lines of a file's keys. `lines` goes from dotted key to line, from 1; indices count from 0."""

    file: str
    lines: dict[str, int] = field(default_factory=dict)

    def line(self, key: str) -> int:
        """The line of a key, or of the nearest table around it; 0 where there is none."""
        while key and key not in self.lines:
            step = _LAST_STEP.search(key)
            key = key[: step.start()] if step else ""
        return self.lines.get(key, 0)

    def problem(self, key: str, text: str) -> Problem:
        """A problem with the value of `key`."""
        return Problem(self.file, self.line(key), key, text)


def joined(prefix: str, step: str) -> str:
    """`prefix.step`, the step in quotes where TOML wants them."""
    shown = step if _BARE.fullmatch(step) else '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{prefix}.{shown}" if prefix else shown


def locate(file: str, text: str) -> Locations:
    """Find the line of each key of a valid TOML text with LF line ends (TOML 1.0.0)."""
    scanner = _Scanner(text)
    scanner.document()
    return Locations(file, scanner.lines)


class _Scanner:
    """One walk over the text. `at` is the offset, `table` the dotted key of the table we are in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.table = ""
        self.lines: dict[str, int] = {}
        self.last_index: dict[str, int] = {}
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def document(self) -> None:
        self.blank()
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                self.header(2)
            elif self.text.startswith("[", self.at):
                self.header(1)
            else:
                self.pair(self.table)
            self.blank()

    def header(self, brackets: int) -> None:
        """`[table]`, or `[[array of tables]]`, which opens the array's next element."""
        start = self.at
        self.at += brackets
        self.blank()
        steps = self.key()
        self.blank()
        self.at += brackets
        table = self.below("", steps[:-1], start)
        table = joined(table, steps[-1])
        if brackets == 2:
            self.mark(table, start)
            self.last_index[table] = self.last_index.get(table, -1) + 1
        self.table = self.element(table)
        # The header is a better place than the child table that named this one first.
        self.lines[self.table] = self.line_at(start)

    def pair(self, table: str) -> None:
        """`key = value`, at the top level or in an inline table."""
        start = self.at
        steps = self.key()
        self.blank()
        self.at += 1  # the equals sign
        self.blank()
        self.value(self.below(table, steps, start), start)

    def value(self, key: str, start: int) -> None:
        self.mark(key, start)
        if self.text.startswith("[", self.at):
            self.items(key)
        elif self.text.startswith("{", self.at):
            self.inline_table(key)
        elif scalar := _SCALAR.match(self.text, self.at):
            self.at = scalar.end()

    def items(self, key: str) -> None:
        self.at += 1
        index = 0
        while self.more("]"):
            self.value(f"{key}[{index}]", self.at)
            index += 1

    def inline_table(self, key: str) -> None:
        self.at += 1
        while self.more("}"):
            self.pair(key)

    def more(self, closing: str) -> bool:
        """Whether another element follows; steps over the comma, or over the closing bracket."""
        self.blank()
        if self.text.startswith(",", self.at):
            self.at += 1
            self.blank()
        if self.at < len(self.text) and self.text[self.at] != closing:
            return True
        self.at += 1
        return False

    def key(self) -> list[str]:
        """A dotted key's steps, without their quotes."""
        steps = []
        while match := _KEY.match(self.text, self.at):
            self.at = match.end()
            steps.append(_unquoted(match.group()))
            dot = _DOT.match(self.text, self.at)
            if not dot:
                break
            self.at = dot.end()
        return steps

    def below(self, table: str, steps: list[str], start: int) -> str:
        """The full key of `steps` below `table`; each table on the way gets a line if it has none."""
        for step in steps:
            table = self.element(joined(table, step))
            self.mark(table, start)
        return table

    def element(self, table: str) -> str:
        """`table`, or its last element where it is an array of tables."""
        return f"{table}[{self.last_index[table]}]" if table in self.last_index else table

    def blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def mark(self, key: str, offset: int) -> None:
        self.lines.setdefault(key, self.line_at(offset))

    def line_at(self, offset: int) -> int:
        return bisect_right(self.starts, offset)


def _unquoted(token: str) -> str:
    if token.startswith("'"):
        return token[1:-1]
    if token.startswith('"'):
        return str(tomllib.loads(f"key = {token}")["key"]) if "\\" in token else token[1:-1]
    return token
