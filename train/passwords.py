"""Builds the filter of common passwords: `make passwords` writes lists/passwords-common.bin.

What goes in: the common passwords, English words and names of ../shared/data/passwords, the Japanese words of
lists/passwords-japanese.txt, and the Japanese names of lists/. How many other strings the filter takes for common
ones is measured with random strings that are not in it, and printed.
"""

from __future__ import annotations

import gzip
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sekisho.accounts.passwords.blocklist import FILE, LEAST, MOST, CommonPasswords, built
from sekisho.accounts.passwords.folding import AS_HEARD, FOLDS, plain

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared" / "data" / "passwords"
OWN = ("passwords-japanese.txt", "jp-surnames.txt", "jp-given-names.txt")
TRIED = 2_000_000
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def shared_words() -> Iterator[str]:
    """The first word of each line of the shared lists: passwords have none but one, and what follows is a count."""
    for file in sorted(SHARED.glob("*/*")):
        if file.name.endswith(".txt.gz"):
            lines = gzip.decompress(file.read_bytes()).decode("utf-8", "replace").splitlines()
        elif file.suffix == ".txt" and "LICENSE" not in file.name:
            lines = file.read_text("utf-8", "replace").splitlines()
        else:
            continue
        yield from (words[0] for line in lines if (words := line.split()))


def own_words() -> Iterator[str]:
    """The words of our own lists."""
    for name in OWN:
        lines = (PROJECT / "lists" / name).read_text("utf-8").splitlines()
        yield from (word for line in lines if not line.startswith("#") for word in line.split())


def entries() -> set[str]:
    """Everything that goes in, in the form in which it is looked up."""
    found = {plain(word) for words in (shared_words(), own_words()) for word in words}
    found |= {FOLDS[AS_HEARD](word) for word in own_words()}
    return {word for word in found if LEAST <= len(word) <= MOST}


def wrongly_found(common: CommonPasswords, known: set[str]) -> float:
    """The share of strings that are not in the filter but seem to be."""
    chance = random.Random(1)  # noqa: S311 - a measurement, the same each time
    strings = ("".join(chance.choices(LETTERS, k=chance.randint(8, 20))) for _ in range(TRIED))
    return sum(one in common for one in strings if one not in known) / TRIED


def main() -> int:
    """Build it, write it, measure it."""
    if not SHARED.is_dir():
        print(f"{SHARED} is not there", file=sys.stderr)
        return 3
    known = entries()
    data = built(sorted(known))
    (PROJECT / FILE).write_bytes(data)
    common = CommonPasswords.from_bytes(data)
    start = time.process_time()
    share = wrongly_found(common, known)
    took = (time.process_time() - start) / TRIED * 1e6
    print(
        f"{len(known)} entries, {len(data)} octets; {share:.1e} of {TRIED} random strings found, {took:.1f} us each"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
