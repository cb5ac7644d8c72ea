"""What macros do: run by themselves, start programs, fetch files, write them, hide what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.office.vba import Module, says_something
from sekisho.parse.unpack.opening import Opening

MOST_SHOWN = 200_000  # characters of source that are handed on
_MOST_JUDGED = 1_500_000
_HEAD = re.compile(
    r"(?im)^[ \t]*(?:(?:Public|Private|Friend|Static|Global)[ \t]+)*"
    r"(?:Sub|Function|Property[ \t]+(?:Get|Let|Set))[ \t]+([^\s(:]+)"
)
_WORD = re.compile(r"[^\W\d]\w*")
_AUTORUN = re.compile(
    r"(?i)^(?:auto_?(?:open|exec|close|new|exit|activate|deactivate|add|remove)"
    r"|document(?:_open|_new|_close|open|beforeclose|_beforeclose|_contentcontrolonenter)"
    r"|workbook_(?:open|activate|windowactivate|beforeclose|deactivate|newsheet|addininstall|beforesave|sheetactivate"
    r"|sheetcalculate|beforeprint)|(?:on)?slideshow(?:pagechange|begin|next)|(?:app|presentation|onpresentation)_?\w*open"
    r"|onload|ribbon_?onload|application_(?:startup|quit|newmail\w*|mapilogoncomplete)"
    r"|inkpicture\w*_paint\w*|\w*_(?:statustextchange|downloadcomplete|documentcomplete|onbeforenavigate\w*))$"
)
_EVENT = re.compile(
    r"(?i)^\w+_(?:initialize|activate|deactivate|change|layout|calculate|open|close|new|terminate|resize|paint\w*"
    r"|gotfocus|lostfocus|timer|before\w+|after\w+|sheet\w+|window\w+|selectionchange|fetch|queryclose|enter|exit)$"
)
_ANY_CALL = re.compile(
    r"(?i)\b(?:CallByName|Application\s*\.\s*(?:Run|OnTime|OnKey)|\.OnAction|ExecuteExcel4Macro)\b"
)


class _Sign(Struct, frozen=True):
    """A thing that code does: `group` what it amounts to, `says` the words for people."""

    group: str
    says: str
    pattern: re.Pattern[str]


def _sign(group: str, says: str, pattern: str) -> _Sign:
    return _Sign(group, says, re.compile(f"(?i){pattern}"))


_SIGNS = (
    _sign("run", "starts a program with Shell",
          r"(?:^|[\s=(:.])(?:VBA\.)?Shell\$?[ \t]*[( \t]"
          r"(?![ \t]*[\"(]*[ \t]*\"?(?:[^\"\n]{0,200}\\)?(?:explorer|notepad)(?:\.exe)?\b)"),
    _sign("run", "starts a program with ShellExecute", r"\bShellExecute(?:Ex)?[AW]?\b"),
    _sign("run", "starts a program by WMI", r"\bWin32_Process(?:Startup)?\b|\bwinmgmts:"),
    _sign("run", "starts a program", r"\b(?:WinExec|CreateProcess[AW]?|MacScript|AppleScriptTask|popen|libc\.dylib"
          r"|SystemShellExecute"
          r"|os\.system|os\.startfile|subprocess)\b"),
    _sign("script", "calls a script host or system tool",
          r"\b(?:powershell|pwsh|mshta|regsvr32|rundll32|certutil|bitsadmin|wscript\.exe|cscript|msiexec|wmic|schtasks"
          r"|installutil|msbuild|regasm|forfiles|cmd(?:\.exe)?[ \"]*/[cvk])\b"),
    _sign("script", "runs script text", r"\b(?:MSScriptControl\.ScriptControl|htmlfile\"\)[^\n]{0,80}execScript)"),
    _sign("script", "makes a scheduled task", r"\bSchedule\.Service\b"),
    _sign("memory", "puts code into memory",
          r"\b(?:VirtualAlloc(?:Ex)?|VirtualProtect(?:Ex)?|WriteProcessMemory|CreateRemoteThread"
          r"|NtAllocateVirtualMemory|HeapCreate|QueueUserAPC|CreateThread|RtlCreateUserThread)\b"),
    _sign("download", "downloads a file", r"\bURLDownloadTo(?:Cache)?File[AW]?\b|\bDownload(?:File|String|Data)\b"),
    _sign("web", "asks a web server", r"\b(?:(?:MSXML2|Microsoft)\.(?:Server)?XMLHTTP|WinHttp\.WinHttpRequest"
          r"|InternetOpenUrl[AW]?|InternetReadFile|InternetExplorer\.Application)\b"),
    _sign("write", "writes a file",
          r"\bADODB\.Stream\b|\.SaveToFile\b|\bFor\s+Binary\b|\bPut\s+#|\.CreateTextFile\b"),
    _sign("startup", "writes to the start-up keys", r"CurrentVersion\\Run\b|\\Startup\\|\.RegWrite\b"),
    _sign("security", "changes Office's protection",
          r"\b(?:AccessVBOM|VBAWarnings|ProtectedView|VBProject\.VBComponents)\b"),
)  # fmt: skip
_HOST = re.compile(r"(?i)WScript\.Shell|Shell\.Application|72C24DD5-D70A-438B-8A42-98424B88AFB8|13709620-C279-11CE")
_HOST_RUNS = re.compile(r"(?i)\.\s*(?:Run|Exec|ShellExecute)\b|\bCallByName\b")
_CERTAIN = re.compile(
    r"(?i)powershell[^\n]{0,200}"
    r"(?:\s-e(?:nc?|ncodedcommand)?\s|hidden|downloadstring|downloadfile|\biex\b|frombase64)"
)
_CHR = re.compile(r"(?i)\bChr[WB]?\$?\s*\(\s*(?:&H([0-9a-f]{1,4})&?|(\d{1,5}))\s*\)")
_JOIN = re.compile(r'"[ \t]*[&+][ \t]*"')
_REVERSED = re.compile(r'(?i)\bStrReverse\s*\(\s*"([^"\n]*)"\s*\)')
_CONTINUED = re.compile(r"[ \t]_[ \t]*\r?\n")
_COMMENT = re.compile(r"(?im)^[ \t]*(?:'|Rem[ \t]).*$|^Attribute VB_.*$")
_DECLARE = re.compile(r"(?im)^[ \t]*(?:(?:Public|Private)[ \t]+)?Declare[ \t].*$")
_BLOB = re.compile(r'"(?:[0-9A-Fa-f]{120,}|[A-Za-z0-9+/]{160,}={0,2})"|(?:\d{1,3}\s*,\s*){100}')
_CHARACTERS = re.compile(r"(?i)\bChr[WB]?\$?\s*\(")


def tell_macros(opening: Opening, modules: Iterable[Module], extra: str = "", automatic: Sequence[str] = ()) -> None:
    """Report the macros of one project: their source as text, and one finding by the worst they do.

    `extra` are strings that the forms of the project keep, `automatic` events of the document that start macros.
    """
    known = [m for m in modules if m.source.strip() or m.strings]
    if not known:
        return
    shown = "\n".join(f"' {m.name}\n{m.source}{m.strings}" for m in known)[:MOST_SHOWN]
    opening.text(shown, "macro")
    source = "\n".join(m.source for m in known)
    if says_something(source):
        judged = judge(source, extra, automatic)
        opening.finding(judged.rule, judged.severity, judged.why, "macro")
    _tell_missing_source(opening, known)


class Judged(Struct, frozen=True):
    """A rule, how grave, and why."""

    rule: str
    severity: Severity
    why: str


def judge(source: str, extra: str = "", automatic: Sequence[str] = ()) -> Judged:
    """What a project's source amounts to. Bounded: of more than 1.5 million characters the first are judged."""
    code = plain(source[:_MOST_JUDGED])
    procedures = _procedures(code)
    autorun = sorted({name for name in procedures if _AUTORUN.match(name)})
    reached = code if automatic else _reached(code, procedures, autorun)
    autorun += automatic
    declared = "\n".join(_DECLARE.findall(code))
    groups, says = _signs(_used(reached, declared) + "\n" + extra)
    hidden = _obfuscated(source, code)
    if autorun:
        return _judge_autorun(autorun, groups, says, hidden=hidden, text=reached)
    everything, says = _signs(_DECLARE.sub("", code) + "\n" + extra)
    if "memory" in everything or (everything & {"download", "web"} and everything & {"run", "script"}):
        return Judged("attachment/macro-dangerous", Severity.MEDIUM, f"macro: {', '.join(says)}; not by itself")
    return Judged("attachment/macro", Severity.LOW, "the document holds macros that do not start by themselves")


def _judge_autorun(autorun: list[str], groups: set[str], says: list[str], *, hidden: bool, text: str) -> Judged:
    starts = f"starts by itself ({', '.join(map(said.starter, autorun[:3]))})"
    fetches = "download" in groups or ("web" in groups and "write" in groups)
    dangerous = (
        groups & {"run", "script", "memory"} or fetches or (hidden and groups & {"web", "startup", "security"})
    )
    if not dangerous:
        more = f" and {', '.join(says)}" if says else ""
        return Judged("attachment/macro-autorun", Severity.MEDIUM, f"macro {starts}{more}")
    certain = ("memory" in groups and hidden) or _CERTAIN.search(text) is not None
    severity = Severity.CRITICAL if certain else Severity.HIGH
    what = ", ".join([*says, *(["hides what it says"] if hidden else [])])
    return Judged("attachment/macro-dangerous", severity, f"macro {starts}: {what}")


def plain(source: str) -> str:
    """Source without comments, lines joined, and the simplest disguises undone: Chr(), "a" & "b", StrReverse."""
    code = _CONTINUED.sub(" ", source)
    code = _COMMENT.sub("", code)
    code = _CHR.sub(_character, code)
    code = _JOIN.sub("", code)
    return _REVERSED.sub(lambda m: f'"{m.group(1)[::-1]}"', code)


def _character(match: re.Match[str]) -> str:
    number = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    return f'"{chr(number)}"' if 31 < number < 0xD800 and number != 34 else '" "'


def _procedures(code: str) -> dict[str, str]:
    """The procedures by lower-case name; what several of one name say, together."""
    found: dict[str, str] = {}
    heads = list(_HEAD.finditer(code))
    ends = [head.start() for head in heads[1:]] + [len(code)]
    for head, end in zip(heads, ends, strict=False):
        body = code[head.end() : end]
        name = head.group(1).lower()
        found[name] = found.get(name, "") + body
    return found


def _reached(code: str, procedures: dict[str, str], autorun: list[str]) -> str:
    """The code that runs without anybody pressing a button: from the autorun names along the names they use."""
    if not autorun:
        return ""
    waiting = [*autorun, *(name for name in procedures if _EVENT.match(name))]
    seen: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        body = seen[name] = procedures[name]
        if _ANY_CALL.search(body):  # calls by computed names: anything may run
            return code
        waiting += [word for word in {w.lower() for w in _WORD.findall(body)} if word in procedures]
    return "\n".join(seen.values())


def _used(reached: str, declared: str) -> str:
    """The reached code with the declarations of those outside functions that it uses, which may be renamed."""
    if not declared:
        return _DECLARE.sub("", reached)
    names = {w.lower() for w in _WORD.findall(_DECLARE.sub("", reached))}
    lines = [
        line for line in declared.splitlines()
        if (m := re.search(r"(?i)\b(?:Sub|Function)[ \t]+(\w+)", line)) and m.group(1).lower() in names
    ]  # fmt: skip
    return "\n".join([_DECLARE.sub("", reached), *lines])


def _signs(text: str) -> tuple[set[str], list[str]]:
    found = [sign for sign in _SIGNS if sign.pattern.search(text)]
    groups = {sign.group for sign in found}
    says = [sign.says for sign in found]
    if _HOST.search(text) and _HOST_RUNS.search(text):
        groups.add("run")
        says.append("starts a program with the script host")
    return groups, list(dict.fromkeys(says))


def _obfuscated(source: str, code: str) -> bool:
    """Whether the source takes pains not to be read."""
    return (
        len(_CHARACTERS.findall(source)) > 40
        or _BLOB.search(code) is not None
        or _REVERSED.search(source) is not None
    )


def _tell_missing_source(opening: Opening, modules: list[Module]) -> None:
    """Compiled code much larger than an empty module's while the source says nothing (VBA stomping)."""
    for module in modules:
        if module.strings and module.cached > 4000:
            why = "a module has compiled code but no source"
            groups, says = _signs(module.strings)
            severity = Severity.HIGH if groups & {"run", "script", "memory", "download"} else Severity.MEDIUM
            opening.finding("attachment/macro-stomped", severity, "; ".join([why, *says]), "macro")
