"""Opens SYLK sheets (.slk): text that Excel opens, formulas and Excel 4.0 macros included."""

from __future__ import annotations

from sekisho.parse.unpack.office.fields import tell_formula
from sekisho.parse.unpack.office.xlm import tell_xlm
from sekisho.parse.unpack.opening import Opening

_MOST_LINES = 500_000


def open_sylk(opening: Opening) -> None:
    """Cells as lines with tabs, formulas, and macros where the sheet says that it is one of macros (;E)."""
    rows: dict[str, list[str]] = {}
    formulas: list[str] = []
    automatic: list[str] = []
    macros = False
    row = "0"
    for number, line in enumerate(_decode(opening.content).splitlines()[:_MOST_LINES]):
        if not number & 1023:
            opening.budget.check_time()
        kind, *fields = _fields(line)
        if kind == "O" and "E" in fields:
            macros = True
        elif kind == "NN" or (kind == "N" and fields[:1]):
            automatic += [f[1:] for f in fields if f[:1] == "N" and f[1:].lower().startswith("auto_")]
        elif kind == "C":
            row = next((f[1:] for f in fields if f[:1] == "Y"), row)
            rows.setdefault(row, []).extend(f[1:].strip('"') for f in fields if f[:1] == "K")
            formulas += [f[1:] for f in fields if f[:1] == "E"]
    opening.text("\n".join("\t".join(cells) for cells in rows.values()))
    for formula in formulas:
        tell_formula(opening, formula)
    if macros or automatic:
        tell_xlm(opening, formulas, automatic=automatic, hidden=False)


def _fields(line: str) -> list[str]:
    """The fields of a record; a semicolon in one is doubled."""
    return [field.replace("\0", ";") for field in line.replace(";;", "\0").split(";")]


def _decode(octets: bytes) -> str:
    for codec in ("utf-8", "cp932"):
        try:
            return octets.decode(codec)
        except UnicodeDecodeError:
            continue
    return octets.decode("cp1252", "replace")
