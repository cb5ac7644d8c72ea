"""Formulas of binary workbooks (MS-XLS 2.5.198, MS-XLSB 2.5.97) written out, as far as that helps to judge them."""

from __future__ import annotations

import struct
from collections.abc import Callable

_BINARY = ("+", "-", "*", "/", "^", "&", "<", "<=", "=", ">=", ">", "<>", " ", ",", ":")
# The functions that macros and links use; others are written F12 (MS-XLS 2.5.198.17).
_FUNCTIONS = {
    1: "IF", 3: "ISERROR", 4: "SUM", 27: "ROUND", 29: "INDEX", 30: "REPT", 31: "MID", 32: "LEN", 33: "VALUE",
    34: "TRUE", 35: "FALSE", 36: "AND", 37: "OR", 38: "NOT", 48: "TEXT", 53: "GOTO", 54: "HALT", 55: "RETURN",
    63: "RAND", 67: "DAY", 74: "NOW", 78: "OFFSET", 79: "ABSREF", 80: "RELREF", 81: "ARGUMENT", 82: "SEARCH",
    84: "ERROR", 88: "SET.NAME", 89: "CALLER", 90: "DEREF", 94: "ACTIVE.CELL", 95: "SELECTION", 96: "RESULT",
    104: "INPUT", 106: "GET.FORMULA", 107: "GET.NAME", 108: "SET.VALUE", 110: "EXEC", 111: "CHAR", 112: "LOWER",
    113: "UPPER", 115: "LEFT", 116: "RIGHT", 120: "SUBSTITUTE", 121: "CODE", 123: "DIRECTORY", 124: "FIND",
    128: "ISNUMBER", 130: "T", 132: "FOPEN", 133: "FCLOSE", 135: "FREADLN", 136: "FREAD", 137: "FWRITELN",
    138: "FWRITE", 148: "INDIRECT", 149: "REGISTER", 150: "CALL", 166: "FILES", 170: "CANCEL.KEY", 171: "FOR",
    172: "WHILE", 174: "NEXT", 175: "INITIATE", 176: "REQUEST", 177: "POKE", 178: "EXECUTE", 179: "TERMINATE",
    185: "GET.CELL", 186: "GET.WORKSPACE", 187: "GET.WINDOW", 188: "GET.DOCUMENT", 191: "GET.NOTE",
    257: "EVALUATE", 267: "REGISTER.ID", 336: "CONCATENATE", 359: "HYPERLINK",
}  # fmt: skip
_NO_ARGUMENTS = frozenset((34, 35, 63, 74, 94, 95, 174))
_TWO_ARGUMENTS = frozenset((108, 48, 30, 138, 137, 136, 115 + 2))
_COMMANDS = {
    1: "OPEN", 5: "SAVE.AS", 6: "FILE.DELETE", 10: "QUIT", 16: "CLOSE", 17: "RUN", 96: "FORMULA",
    97: "FORMULA.FILL", 98: "FORMULA.ARRAY", 118: "ALERT", 122: "MESSAGE", 131: "SEND.KEYS", 148: "ON.TIME",
    149: "WAIT", 173: "APP.MAXIMIZE", 328: "VBA.INSERT.FILE", 383: "WORKBOOK.HIDE", 384: "WORKBOOK.UNHIDE",
}  # fmt: skip
# Octets after the token, for BIFF8, BIFF5 and BIFF12.
_SIZES = {
    0x20: (7, 7, 14), 0x23: (4, 14, 4), 0x24: (4, 3, 6), 0x25: (8, 6, 12), 0x26: (6, 6, 6), 0x27: (6, 6, 6),
    0x28: (6, 6, 6), 0x29: (2, 2, 2), 0x2A: (4, 3, 6), 0x2B: (8, 6, 12), 0x2C: (4, 3, 6), 0x2D: (8, 6, 12),
    0x2E: (2, 2, 2), 0x39: (6, 24, 6), 0x3A: (6, 17, 8), 0x3B: (10, 20, 14), 0x3C: (6, 17, 8), 0x3D: (10, 20, 14),
}  # fmt: skip
_NAMES = frozenset((0x23, 0x39))
_SKIPPED = {0x01: 4, 0x02: 4, 0x15: 0, 0x26: 6, 0x27: 6, 0x28: 6, 0x29: 2, 0x2E: 2}
_MOST_TOKENS = 4000
_LONGEST = 32_768


class _Reader:
    """Walks over the tokens with a stack of what is written so far."""

    def __init__(self, tokens: bytes, version: int, name_of: Callable[[int, int], str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.version = version
        self.form = {8: 0, 5: 1}.get(version, 2)
        self.stack: list[str] = []
        self.name_of = name_of

    def pop(self, count: int) -> list[str]:
        count = min(count, len(self.stack))
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def push(self, text: str) -> None:
        self.stack.append(text[:_LONGEST])

    def number(self, size: int) -> int:
        value = int.from_bytes(self.tokens[self.at : self.at + size], "little")
        self.at += size
        return value


def formula_text(
    tokens: bytes, version: int, name_of: Callable[[int, int], str] = lambda _sheet, n: f"NAME{n}"
) -> str:
    """A formula as Excel shows it, references as REF. `version` is 5, 8 or 12; `name_of` (link, number) gives names.

    What cannot be understood ends it; the pieces up to there come back.
    """
    reader = _Reader(tokens, version, name_of)
    try:
        for _ in range(_MOST_TOKENS):
            if reader.at >= len(tokens) or not _step(reader):
                break
    except (struct.error, IndexError):
        pass
    return " ".join(reader.stack)[:_LONGEST]


def _step(reader: _Reader) -> bool:
    token = reader.number(1)
    base = token if token < 0x20 else (token & 0x1F) | 0x20
    if 0x03 <= base <= 0x11:
        reader.push(_BINARY[base - 3].join(reader.pop(2)))
    elif base in (0x12, 0x13, 0x14):
        inner = "".join(reader.pop(1))
        reader.push({0x12: inner, 0x13: f"-{inner}", 0x14: f"{inner}%"}[base])
    elif base in _SKIPPED:
        reader.at += _SKIPPED[base]
    elif base == 0x18:
        _extended(reader)
    elif base == 0x19:
        kind = reader.number(1)
        data = reader.number(2)
        reader.at += 2 * (data + 1) if kind & 4 else 0
    elif base in (0x21, 0x22):
        _function(reader, counted=base == 0x22)
    elif base in _SIZES:
        _operand(reader, base)
    else:
        return _constant(reader, base)
    return True


def _extended(reader: _Reader) -> None:
    kind = reader.number(1)
    reader.at += (12 if kind == 0x19 else 4) if reader.version == 12 else 4
    if kind == 0x19:
        reader.push("REF")


def _function(reader: _Reader, *, counted: bool) -> None:
    count = reader.number(1) & 0x7F if counted else -1
    identity = reader.number(2)
    command = bool(identity & 0x8000) and counted
    identity &= 0x7FFF
    if count < 0:
        count = 0 if identity in _NO_ARGUMENTS else 2 if identity in _TWO_ARGUMENTS else 1
        count = 3 if identity == 31 else count
    arguments = reader.pop(count)
    if command:
        name = _COMMANDS.get(identity, f"COMMAND{identity}")
    elif identity == 255 and arguments:  # a function by name, the name first
        name, *arguments = arguments
    else:
        name = _FUNCTIONS.get(identity, f"F{identity}")
    reader.push(f"{name}({','.join(arguments)})")


def _operand(reader: _Reader, base: int) -> None:
    size = _SIZES[base][reader.form]
    data = reader.tokens[reader.at : reader.at + size]
    reader.at += size
    if base in _NAMES:
        link = int.from_bytes(data[:2], "little") if base == 0x39 else -1
        start = 2 if base == 0x39 else 0
        reader.push(reader.name_of(link, int.from_bytes(data[start : start + 2], "little")))
    else:
        reader.push("REF")


def _constant(reader: _Reader, base: int) -> bool:
    if base == 0x17:
        reader.push(f'"{_string(reader)}"')
    elif base == 0x16:
        reader.push("")
    elif base == 0x1C:
        reader.at += 1
        reader.push("#N/A")
    elif base == 0x1D:
        reader.push("TRUE" if reader.number(1) else "FALSE")
    elif base == 0x1E:
        reader.push(str(reader.number(2)))
    elif base == 0x1F:
        (value,) = struct.unpack_from("<d", reader.tokens, reader.at)
        reader.at += 8
        reader.push(f"{value:g}")
    else:
        return False
    return True


def _string(reader: _Reader) -> str:
    length = reader.number(2 if reader.version == 12 else 1)
    wide = reader.version == 12
    if reader.version == 8:
        wide = bool(reader.number(1) & 1)
    size = length * 2 if wide else length
    octets = reader.tokens[reader.at : reader.at + size]
    reader.at += size
    return octets.decode("utf-16-le" if wide else "latin-1", "replace")
