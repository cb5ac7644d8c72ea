"""Fields of Word documents and formulas of sheets that reach outside: links, DDE, included files."""

from __future__ import annotations

import re

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.office.remote import tell_target
from sekisho.parse.unpack.opening import Opening

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"?|\u201c([^\u201d]*)\u201d?|(\S+)')
_PROGRAM = re.compile(
    r"(?i)(?:^|[\\/\s\"'(@])(?:cmd|powershell|pwsh|mshta|w?script|cscript|regsvr32|rundll32|certutil|bitsadmin|msiexec"
    r"|explorer|wmic|msbuild|installutil|curl|forfiles|schtasks|conhost|calc)(?:\.exe)?\b|\.exe\b|msexcel.{0,40}\\\.\."
)
_FORMULA_DDE = re.compile(
    r"(?i)(?:^|[=+\-@(,;*/&^<> ])'?([a-z][\w.\\/:-]{0,60})'?\s*\|\s*('[^']*'|[^!\s]{1,200})\s*!"
)
_FORMULA_LINK = re.compile(
    r'(?i)\b(HYPERLINK|WEBSERVICE|IMAGE|IMPORTXML|IMPORTDATA)\s*\(\s*"([^"]{1,2000})"(?:[,;]\s*"([^"]*)")?'
)
_FORMULA_CALL = re.compile(r"(?i)\b(?:DDE)\s*\(\s*\"([^\"]*)\"\s*[,;]\s*\"([^\"]*)\"")
_REMOTE = {"INCLUDETEXT": "oleobject", "INCLUDEPICTURE": "image", "LINK": "oleobject", "IMPORT": "image",
           "RD": "subdocument", "INCLUDE": "oleobject", "DATABASE": "oleobject"}  # fmt: skip


def tell_field(opening: Opening, instruction: str, result: str = "") -> None:
    """Judge a field's instruction (ECMA-376 part 1, 17.16), with nested fields already put in."""
    instruction = instruction[:8192]
    words = [a or b or c for a, b, c in _TOKEN.findall(instruction)]
    if not words:
        return
    name = words[0].upper()
    if name == "HYPERLINK":
        target = next((w for w in words[1:] if not w.startswith("\\")), "")
        if target and "\\l" not in words[1:2]:
            tell_target(opening, "hyperlink", target, text=result)
    elif re.match(r"DDE(?:AUTO)?\b", name) or "DDEAUTO" in instruction.upper():
        tell_dde(opening, " ".join(words[1:]) or instruction)
    elif name in _REMOTE:
        target = next((w for w in words[1:] if re.match(r"(?i)[a-z-]+:|\\\\|//", w)), "")
        if target:
            tell_target(opening, _REMOTE[name], target.replace("\\\\", "\\"))


def tell_dde(opening: Opening, what: str) -> None:
    """A document that asks another program for data, or starts one to ask it."""
    certain = _PROGRAM.search(what) is not None
    severity = Severity.HIGH if certain else Severity.MEDIUM
    why = "a DDE field starts a program" if certain else "a DDE field asks another program for data"
    opening.finding("attachment/dde", severity, f"{why}: {said.command(what)}")


def quoted(instruction: str) -> str | None:
    """What a QUOTE field evaluates to: its strings, and numbers as characters; None for another field."""
    words = [a or b or c for a, b, c in _TOKEN.findall(instruction[:8192])]
    if not words or words[0].upper() != "QUOTE":
        return None
    return "".join(chr(int(w)) if w.isdecimal() and 0 < int(w) < 0xD800 else w for w in words[1:])


def tell_formula(opening: Opening, formula: str) -> None:
    """Judge a formula of a sheet: links in it, and DDE in its two spellings."""
    for name, target, text in _FORMULA_LINK.findall(formula):
        tell_target(opening, "hyperlink" if name.upper() == "HYPERLINK" else "image", target, text=text)
    if "|" in formula:
        for service, topic in _FORMULA_DDE.findall(formula):
            tell_dde(opening, f"{service} {topic}")
    for service, topic in _FORMULA_CALL.findall(formula):
        tell_dde(opening, f"{service} {topic}")
