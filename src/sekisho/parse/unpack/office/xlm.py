"""Excel 4.0 macros (XLM): what the functions of macro sheets do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.opening import Opening

_MOST_SHOWN = 200_000
# Start a program, call into a library, write a file.
_RUNS = frozenset(("EXEC", "CALL", "REGISTER", "REGISTER.ID", "SHELL"))
_WRITES = frozenset(("FOPEN", "FWRITE", "FWRITELN", "FILE.DELETE", "SAVE.AS", "URLDOWNLOADTOFILE"))
# Build code while running, look whether somebody watches, or hide.
_HIDES = frozenset((
    "FORMULA", "FORMULA.FILL", "FORMULA.ARRAY", "SET.VALUE", "CHAR", "GET.WORKSPACE", "GET.WINDOW", "APP.MAXIMIZE",
    "WORKBOOK.HIDE", "GET.CELL", "GET.DOCUMENT", "ON.TIME", "SEND.KEYS", "RUN", "EVALUATE", "GET.NOTE",
    "VBA.INSERT.FILE",
))  # fmt: skip
_FUNCTION = re.compile(r"(?i)(?:_xl\w*\.)?\b([A-Z][A-Z.]{1,30})\s*\(")
_LIBRARY = re.compile(
    r"(?i)kernel32|urlmon|shell32|wininet|ntdll|URLDownloadToFile|ShellExecute|WinExec|VirtualAlloc"
)


def tell_xlm(opening: Opening, formulas: Sequence[str], *, automatic: Sequence[str], hidden: bool) -> None:
    """Report the macros of all macro sheets of a workbook by what they use.

    `formulas` as Excel writes them, `automatic` the names that run by themselves (Auto_Open ...), `hidden` whether
    one of the sheets is.
    """
    source = "\n".join(formulas)[:_MOST_SHOWN]
    opening.text(source, "macro")
    used = {name.upper() for formula in formulas for name in _FUNCTION.findall(formula[:8192])}
    runs, writes, hides = sorted(used & _RUNS), sorted(used & _WRITES), sorted(used & _HIDES)
    severity = Severity.MEDIUM
    if runs or (automatic and writes) or (automatic and hidden and len(hides) >= 3):
        severity = Severity.HIGH
    if automatic and hidden and runs and _LIBRARY.search(source):
        severity = Severity.CRITICAL
    says = [f"uses {', '.join([*runs, *writes, *hides][:8])}"] if used & (_RUNS | _WRITES | _HIDES) else []
    says += [f"starts by itself ({said.starter(automatic[0])})"] if automatic else []
    says += ["on a hidden sheet"] if hidden else []
    opening.finding("attachment/xlm-macro", severity, "; ".join(["Excel 4.0 macro", *says]), "macro")
