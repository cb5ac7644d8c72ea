"""Reads a list from a CSV or TSV file (RFC 4180): headings and rows, in UTF-8, UTF-16 or what else is said."""

from __future__ import annotations

import codecs
import csv
import stat
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_COLUMNS = 100
_LONGEST_CELL = 131_072
_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class SourceError(Exception):
    """A list cannot be read; the text names file, line and column."""


class Source:
    """The rows of a file. `headings` are made up ("column 1") where the file has none."""

    def __init__(self, path: Path, encoding: str = "", *, headings: bool = True) -> None:
        """`encoding` "" finds out: a byte order mark, UTF-8, else CP932. Raises SourceError, OSError."""
        self._path = path
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise SourceError(f"{path}: is a pipe or a device; a list is read more than once, so put it into a file")
        self.encoding = _encoding(path, encoding)
        with path.open(encoding=self.encoding, newline="") as file:
            first = file.readline(_LONGEST_CELL)
        self.delimiter = _delimiter(path, first)
        first_rows = [cells for _, cells in islice(self._rows(), 1)]
        if not first_rows:
            raise SourceError(f"{path}: is empty")
        cells = [cell.strip() for cell in first_rows[0]]
        if len(cells) > MOST_COLUMNS:
            raise SourceError(f"{path}: has {len(cells)} columns; at most {MOST_COLUMNS} can be read")
        self.headed = headings
        self.headings = tuple(cells if headings else (f"column {n + 1}" for n in range(len(cells))))
        if headings:
            self._check_headings()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's line and cells, without empty rows. Raises SourceError where one has too many cells."""
        for line, cells in islice(self._rows(), int(self.headed), None):
            if len(cells) > len(self.headings) and any(map(str.strip, cells[len(self.headings) :])):
                what = f"has {len(cells)} cells, but there are {len(self.headings)} columns"
                raise SourceError(f"{self._path}:{line}: {what} (a separator or quote within a cell?)")
            yield line, cells

    def at(self, line: int, heading: str, text: str) -> str:
        """A message about one cell."""
        return f'{self._path}:{line}: column "{heading}": {text}'

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            line = 1
            try:
                for cells in reader:
                    if any(map(str.strip, cells)):
                        yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                raise SourceError(f"{self._path}:{line}: cannot be read as a table: {error}") from error

    def _check_headings(self) -> None:
        for number, heading in enumerate(self.headings, 1):
            if not heading:
                raise SourceError(f"{self._path}:1: column {number} has no heading")
            if self.headings.index(heading) + 1 != number:
                raise SourceError(f'{self._path}:1: two columns are called "{heading}"')


def _encoding(path: Path, given: str) -> str:
    """The encoding in which the whole file can be read."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SourceError(f"{path}: is a workbook or an archive; save the sheet as CSV")
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    tried: Sequence[str] = (given,) if given else (marked,) if marked else ("utf-8", "cp932")
    wrong = []
    for name in tried:
        _check_codec(path, name)
        line = _first_undecodable(path, name)
        if line is None:
            marked_utf8 = start.startswith(codecs.BOM_UTF8) and codecs.lookup(name).name == "utf-8"
            return "utf-8-sig" if marked_utf8 else name
        wrong.append(f"line {line} is not {name}")
    raise SourceError(f"{path}: {', and '.join(wrong)}; say what it is with --encoding")


def _check_codec(path: Path, name: str) -> None:
    """Raises SourceError where there is no such encoding of text: Python has others by which octets become octets."""
    try:
        b"a".decode(name)
    except LookupError:
        raise SourceError(f'{path}: there is no encoding called "{name}"') from None
    except UnicodeError:
        return  # one of which this is no text


def _first_undecodable(path: Path, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, kept = 1, b""
    with path.open("rb") as file:
        for chunk in chain(iter(lambda: file.read(_CHUNK), b""), (b"",)):
            kept, before = decoder.getstate()[0] + chunk, line
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return before + kept[: error.start].count(b"\n")
            except UnicodeError as error:
                order = "; say which with --encoding utf-16-le or utf-16-be" if "BOM" in str(error) else ""
                raise SourceError(f"{path}: cannot be read as {encoding}: {error}{order}") from None
            if "\0" in text:
                return line + text[: text.index("\0")].count("\n")
            line += text.count("\n")
    return None


def _delimiter(path: Path, first: str) -> str:
    """A tab in a file that is named so; else what stands most often in the first line."""
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(",\t;", key=first.count)
