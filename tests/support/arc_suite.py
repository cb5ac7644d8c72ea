"""Reads the YAML of the public ARC suites: only as much of YAML as they use, and tests of the same name as two."""

import re
from pathlib import Path

SUITES = Path(__file__).parents[3] / "shared" / "data" / "auth" / "arc"
_KEY = re.compile(r"( *)([A-Za-z0-9_.-]+) *:(.*)")


def suites(name):
    """The documents of a file, each a mapping; `tests` is a list of (name, mapping)."""
    text = (SUITES / name).read_text(encoding="utf-8")
    return [_document(part.splitlines()) for part in re.split(r"(?m)^--- *\n", text)]


def _document(lines):
    pairs = _mapping(lines, 0)
    document = dict(pairs)
    document["tests"] = [(name, dict(_mapping(below, 4))) for name, below in _mapping(document["tests"], 2, raw=True)]
    document["txt-records"] = dict(_mapping(document["txt-records"], 2))
    return document


def _mapping(lines, indent, *, raw=False):
    """Pairs of a key at this indent and its value; of a mapping below, its lines."""
    pairs = []
    i = 0
    while i < len(lines):
        match = _KEY.fullmatch(lines[i])
        i += 1
        if not match or len(match[1]) != indent:
            continue
        below = []
        while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip(" ")) > indent):
            below.append(lines[i])
            i += 1
        pairs.append((match[2], below if raw or not match[3].strip() else _scalar(match[3].strip(), below)))
    return pairs


def _scalar(style, below):
    if style not in ("|", ">-"):
        return style
    indent = next((len(line) - len(line.lstrip(" ")) for line in below if line.strip()), 0)
    text = "\n".join(line[indent:] for line in below)
    if style == ">-":
        return " ".join(text.split())
    return text.rstrip("\n") + "\n"
