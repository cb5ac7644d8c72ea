"""Lists of files that are known to be bad, by their SHA-256."""

from __future__ import annotations

import re
from array import array
from hashlib import sha256
from typing import TYPE_CHECKING

from sekisho.config.locations import Problem
from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sekisho.mail.transaction import Transaction

_LINE = re.compile(rb"\"?([0-9A-Fa-f]{64})\"?(?:(?:\s*[,;]|\s)\s*\*?([^\r\n]{0,200}).*)?", re.DOTALL)
_SIZE = 20  # octets kept of a value: no second file has the same 160 bits
_MOST_PROBLEMS = 100  # of one file: the others are like these


class HashList:
    """A set of SHA-256 values with names, about 24 octets for each. Immutable.

    The values are kept sorted in 256 runs, by their first octet; of one that is given twice the first name counts.
    """

    __slots__ = ("_name_of", "_names", "_runs")

    def __init__(self, entries: Iterable[tuple[bytes, str]] = ()) -> None:
        """`entries` are values of 32 octets and names ("" where there is none)."""
        numbers: dict[str, int] = {}
        runs = [bytearray() for _ in range(256)]
        name_of: list[array[int]] = [array("I") for _ in range(256)]
        for value, name in entries:
            runs[value[0]] += value[:_SIZE]
            name_of[value[0]].append(numbers.setdefault(name, len(numbers)))
        self._runs: list[bytes] = []
        self._name_of: list[array[int]] = []
        for number in range(256):
            run, names = _sorted(bytes(runs[number]), name_of[number])
            runs[number] = bytearray()
            self._runs.append(run)
            self._name_of.append(names)
        self._names = tuple(numbers)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> tuple[HashList, list[Problem]]:
        """Read text files, and all files in directories: on each line a value in hexadecimal, and maybe a name.

        A comma, a semicolon or blanks stand between them (so what `sha256sum` prints is such a list); empty lines
        and those that begin with "#" say nothing. Lines that are wrong are problems, the others count. Never raises.
        """
        problems: list[Problem] = []
        return cls(entry for path in _files(paths, problems) for entry in _entries(path, problems)), problems

    def __len__(self) -> int:
        """How many values there are."""
        return sum(map(len, self._runs)) // _SIZE

    def name(self, value: bytes) -> str | None:
        """The name of a value of 32 octets, maybe ""; None where it is not in the list."""
        run, value = self._runs[value[0]], value[:_SIZE]
        low, high = 0, len(run) // _SIZE
        while low < high:
            middle = (low + high) // 2
            if run[middle * _SIZE : middle * _SIZE + _SIZE] < value:
                low = middle + 1
            else:
                high = middle
        if run[low * _SIZE : low * _SIZE + _SIZE] != value:
            return None
        return self._names[self._name_of[value[0]][low]]


class KnownHashes:
    """Looks up every attachment, and every file inside one, in a list: finding `malware/known-hash`."""

    name = "hash-list"

    def __init__(self, known: HashList) -> None:
        self._known = known

    def inspect(self, transaction: Transaction) -> Sequence[Finding]:
        """One finding for each file that is in the list."""
        if not len(self._known):
            return []
        found = []
        for part, path, value in _hashes(transaction):
            name = self._known.name(value)
            if name is not None:
                why = f"listed as {name}" if name else "listed without a name"
                found.append(
                    Finding("malware/known-hash", Severity.CRITICAL, part=part, where="attachment", path=path,
                            explanation=why)
                )  # fmt: skip
        return found


def _hashes(transaction: Transaction) -> Iterator[tuple[str, str, bytes]]:
    """Part, path and value of every file; of attachments that were not opened too."""
    opened = set()
    for file in transaction.opened.files:
        opened.add(file.part)
        yield file.part, file.path, bytes.fromhex(file.sha256)
    for part in transaction.message.parts:
        if part.path not in opened and not part.is_multipart and not part.is_text:
            yield part.path, part.filename or "", sha256(part.content).digest()


def _sorted(run: bytes, names: array[int]) -> tuple[bytes, array[int]]:
    """The values of a run in order, each once, and their names."""
    values: dict[bytes, int] = {}
    for at in range(0, len(run), _SIZE):
        values.setdefault(run[at : at + _SIZE], names[at // _SIZE])
    order = sorted(values)
    return b"".join(order), array("I", (values[value] for value in order))


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(inner for inner in path.iterdir() if inner.is_file())
        elif path.is_file():
            yield path
        else:
            problems.append(Problem(str(path), 0, "", "no such file or directory"))


def _entries(path: Path, problems: list[Problem]) -> Iterator[tuple[bytes, str]]:
    wrong = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                said = line.removeprefix(b"\xef\xbb\xbf").strip()
                if not said or said.startswith(b"#"):
                    continue
                match = _LINE.fullmatch(said)
                if match:
                    name = (match[2] or b"").decode("utf-8", "replace").strip(' "')
                    yield bytes.fromhex(match[1].decode("ascii")), name
                elif (wrong := wrong + 1) <= _MOST_PROBLEMS:
                    problems.append(Problem(str(path), number, "", "expected 64 hexadecimal digits of a SHA-256"))
    except OSError as error:
        problems.append(Problem(str(path), 0, "", error.strerror or "cannot be read"))
