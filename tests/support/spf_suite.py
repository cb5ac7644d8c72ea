"""Reads the public SPF suite of RFC 7208: only as much of YAML as it uses, and its zones as a resolver's."""

import ast
import re
from pathlib import Path

SUITE = Path(__file__).parents[3] / "shared" / "data" / "auth" / "rfc7208" / "rfc7208-tests.yml"
_KEY = re.compile(r"( *)(?:- )?([^\s:'\"][^\s]*|'[^']*'|\"[^\"]*\") *:(?: +(.*)|)$")


def scenarios():
    """Pairs of tests (name → mapping) and zone data (name → list of entries) of each document."""
    text = SUITE.read_text(encoding="utf-8")
    for part in re.split(r"(?m)^---.*\n", text):
        lines = [line for line in part.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        document = dict(_pairs(lines))
        if "tests" in document:
            tests = {name: {k: _value(v) for k, v in _pairs(below)} for name, below in _pairs(document["tests"])}
            zone = {name.lower(): _entries(below) for name, below in _pairs(document["zonedata"])}
            yield tests, zone


def zone_of(entries):
    """Zone data as `support.zone` has it: SPF stands for TXT where there is no TXT."""
    return {name: _node(given) for name, given in entries.items()}


def _node(given):
    node = {}
    for kind, value in (entry for entry in given if entry != "TIMEOUT"):
        if value != "NONE":
            node.setdefault(kind, []).append(tuple(map(_octets, value)) if kind in ("TXT", "SPF") else value)
    spf = node.pop("SPF", [])
    told = any(kind == "TXT" for kind, _ in (entry for entry in given if entry != "TIMEOUT"))
    if spf and not told:
        node["TXT"] = spf
    if "TIMEOUT" in given:
        for kind in ("TXT", "A", "AAAA", "MX", "PTR"):
            node.setdefault(kind, "away")
    return node


def _octets(text):
    return text.encode("latin-1") if max(text, default="") < "\u0100" else text.encode()


def _pairs(lines):
    """Keys of the least indent and the lines below each, the text after the colon first."""
    pairs = []
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    for line in lines:
        match = _KEY.match(line)
        if match and len(match[1]) == indent and not line.lstrip().startswith("- "):
            pairs.append((_value([match[2]]), [match[3]] if match[3] else []))
        elif pairs:
            pairs[-1][1].append(line)
    return pairs


def _entries(lines):
    entries = []
    for line in lines:
        text = line.strip()
        if text.startswith("- "):
            entries.append([text[2:].strip()])
        else:
            entries[-1].append(text)
    return [entry if entry == "TIMEOUT" else _entry(entry) for entry in map(" ".join, entries)]


def _entry(text):
    kind, _, rest = text.partition(":")
    value = _value([rest.strip()])
    if kind in ("TXT", "SPF") and value != "NONE" and not isinstance(value, list):
        value = [value]
    return kind, tuple(value) if kind == "MX" else value


def _value(lines):
    """A scalar, plain, quoted or folded, or a list in brackets."""
    if not lines:
        return ""
    first = lines[0].strip()
    if re.fullmatch(r"[|>]-?", first):
        return " ".join(line.strip() for line in lines[1:])
    text = " ".join(line.strip() for line in lines)
    if text.startswith("["):
        pieces = re.findall(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"|[^\s,\[\]][^,\[\]]*", text[1:-1])
        return [_value([piece]) for piece in pieces]
    if text.startswith('"'):
        return ast.literal_eval(text)
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return int(text) if text.isdigit() else text
