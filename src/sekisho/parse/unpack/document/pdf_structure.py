"""What a PDF does besides being read: scripts, launches, remote targets, embedded files. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sekisho.mail.finding import Severity
from sekisho.parse import said
from sekisho.parse.unpack.document.pdf_objects import Ref, Skeleton, Value, text_string
from sekisho.parse.unpack.opening import Opening, clean_name

_AFTER = rb"(?=[\s\0/<>\[\](){}%]|\Z)"
_ACTION = re.compile(rb"/S[\s\0]*/(JavaScript|Launch|GoToR|GoToE|SubmitForm|ImportData|Rendition)" + _AFTER)
_SCRIPT = re.compile(rb"/JS" + _AFTER)
_SCRIPT_NAMES = re.compile(rb"/JavaScript[\s\0]*(?=<<|\d)")
_OPEN_ACTION = re.compile(rb"/OpenAction" + _AFTER)
_ADDITIONAL = re.compile(rb"/AA" + _AFTER)
_URI = re.compile(rb"/URI[\s\0]*(?=[(<\d])(?!<<)")
_FILE = re.compile(rb"/EF[\s\0]*(?=<<|\d)")
_RICH = re.compile(rb"/(RichMedia|Flash|Movie|3D|Screen)" + _AFTER)
_FORM = re.compile(rb"/XFA[\s\0]*(?=\[|\d)")
_TYPED = re.compile(rb"/(V|DV|TU|Contents|RC)[\s\0]*(?=[(<])(?!<<)")
_OWNER_BACK = 20_000  # octets between an object's start and a name in it
_MOST_HITS = 2000
_OUTSIDE = ("GoToR", "GoToE", "SubmitForm", "ImportData")
_MOST_SCRIPTS = 60
_MOST_FILES = 100
_BY_ITSELF = (
    "O",
    "PO",
    "PV",
    "PC",
    "C",
    "WC",
)  # of a page, a widget in view, the document: ISO 32000-1 tables 194 to 197
_SYSTEMS = ("UF", "F", "Unix", "DOS", "Mac")
_ESCAPED_MATTERS = frozenset((b"JavaScript", b"JS", b"OpenAction", b"Launch", b"AA", b"EmbeddedFile", b"EF"))
# Ways of known exploits, and of scripts that hide what they do; forms and calculations use none of them.
_EXPLOIT = re.compile(
    r"Collab\s*\.\s*(?:collectEmailInfo|getIcon)|media\s*\.\s*newPlayer|customDictionaryOpen|util\s*\.\s*printf\s*\(\s*"
    r"[\"']%\d{4,}|nLaunch\s*[:=]\s*[12]|exportDataObject|(?:%u[0-9a-fA-F]{4}){4}|(?:\\x[0-9a-fA-F]{2}){60}"
    r"|XMLHttpRequest|powershell|cmd\.exe|mshta|WScript|trustedFunction|getURL\s*\(\s*[\"']javascript"
)
_EVAL = re.compile(r"\beval\s*\(|\[\s*[\"']eval[\"']\s*\]|\bnew\s+Function\s*\(")
_DECODES = re.compile(r"unescape\s*\(|fromCharCode|\.replace\s*\(\s*/|[0-9a-fA-F]{400}|[A-Za-z0-9+/]{400}")
_CALLS_OUT = re.compile(r"(?:launchURL|getURL|submitForm)\s*\(")
_ADDRESS = re.compile(r"https?://[^\s\"'<>()\\]{3,2000}", re.IGNORECASE)
_PROGRAM = re.compile(
    r"\.(?:exe|com|bat|cmd|ps1|psm1|vbs|vbe|js|jse|wsf|wsh|hta|lnk|scr|pif|msi|msp|cpl|dll|jar|sct|reg|inf|chm|iso|img"
    r"|scf|url|library-ms|search-ms|settingcontent-ms|docm|xlsm|sh|app|command)\b|^(?:cmd|powershell|mshta|rundll32)\b",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|txt|csv|html?|odt|ods|odp|jpe?g|png|gif|tiff?|zip|dwg|dxf|mp4|avi|rtf)\Z",
    re.IGNORECASE,
)
_UNC = re.compile(r"\\\\[\w.@-]+\\|\Afile:/{2,5}[\w.-]+\.[\w.-]+/|\A//[\w.-]+/")


def scan(opening: Opening, content: bytes) -> Skeleton:
    """Tell of all that `content`, a PDF in the clear, does or carries. Raises OverLimitError."""
    skeleton = Skeleton(content, opening.budget)
    look = _Look(opening, skeleton)
    look.actions()
    look.scripts()
    look.links()
    look.files()
    look.forms()
    return skeleton


class _Look:
    """One pass over a skeleton, with what is known to run by itself."""

    def __init__(self, opening: Opening, skeleton: Skeleton) -> None:
        self.opening = opening
        self.skeleton = skeleton
        self.text = skeleton.text
        self.automatic: list[dict[str, Value]] = []
        self.hidden = bool(skeleton.escaped & _ESCAPED_MATTERS)

    def hits(self, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
        """The first 2000 places of a name, the time watched."""
        for number, match in enumerate(pattern.finditer(self.text)):
            if number >= _MOST_HITS:
                return
            if number % 50 == 0:
                self.opening.budget.check_time()
            yield match

    def actions(self) -> None:
        """Actions that run by themselves, then all actions that reach outside the document."""
        for match in self.hits(_OPEN_ACTION):
            self.automatic += self._chain(self.skeleton.value(match.end()))
        for match in self.hits(_ADDITIONAL):
            triggers = self.skeleton.resolved(self.skeleton.value(match.end()))
            field = isinstance(triggers, dict) and not {"K", "F", "V"}.isdisjoint(triggers)
            for key in _BY_ITSELF if not field else ():
                self.automatic += self._chain(triggers.get(key) if isinstance(triggers, dict) else None)
        kinds = {match[1] for match in self.hits(_ACTION)}
        if b"Launch" in kinds:
            self._each(b"Launch", self._launch)
        for kind in kinds & {b"GoToR", b"GoToE", b"SubmitForm", b"ImportData"}:
            self._each(kind, self._remote)
        if self.hidden:
            self.opening.finding(
                "attachment/pdf-obfuscated", Severity.HIGH, "names of actions are written in hexadecimal"
            )

    def _chain(self, value: Value) -> list[dict[str, Value]]:
        """An action and those that follow it."""
        found: list[dict[str, Value]] = []
        waiting = [value]
        while waiting and len(found) < 10:
            action = self.skeleton.resolved(waiting.pop())
            if isinstance(action, dict) and "S" in action:
                found.append(action)
                following = action.get("Next")
                waiting += following[:5] if isinstance(following, list) else [following]
        return found

    def _each(self, kind: bytes, tell: Callable[[dict[str, Value]], None]) -> None:
        """The dictionaries of all actions of one kind."""
        for match in self.hits(_ACTION):
            if match[1] == kind and (action := self._around(match.start())) is not None:
                tell(action)

    def _around(self, at: int) -> dict[str, Value] | None:
        """The dictionary that has the name at `at` directly in it."""
        back = max(0, at - _OWNER_BACK)
        start = self.text.rfind(b"<<", back, at)
        for _ in range(8):
            if start < 0:
                return None
            value = self.skeleton.value(start)
            if isinstance(value, dict) and "S" in value:
                return value
            start = self.text.rfind(b"<<", back, start)
        return None

    def _target(self, action: dict[str, Value]) -> str:
        """The file or address of an action: a string, or a file specification (ISO 32000-1 7.11)."""
        target = self.skeleton.resolved(action.get("F"))
        if target is None and isinstance(windows := self.skeleton.resolved(action.get("Win")), dict):
            target = windows.get("F")
        if isinstance(target, dict):
            target = target.get("UF") or target.get("F") or target.get("Unix") or target.get("DOS")
        return text_string(self.skeleton.octets(target) if not isinstance(target, bytes) else target).strip("\0 ")

    def _launch(self, action: dict[str, Value]) -> None:
        """A launch (12.6.4.5): high for programs and what starts by itself; links to documents are an old habit."""
        target = self._target(action)
        with_parameters = isinstance(action.get("Win"), dict) and "P" in action["Win"]  # type: ignore[operator]
        harmless = _DOCUMENT.search(target) and not _PROGRAM.search(target) and not with_parameters
        severity = Severity.MEDIUM if harmless and not self._runs_by_itself("Launch") else Severity.HIGH
        self.opening.finding("attachment/pdf-launch", severity, f"opens {said.target(target)}")
        self._network(target, "Launch")

    def _remote(self, action: dict[str, Value]) -> None:
        target = self._target(action)
        kind = said.known(str(action.get("S")), _OUTSIDE)
        if not target or (kind == "GoToE" and not _UNC.search(target)):
            return
        self.opening.finding("attachment/pdf-remote", Severity.LOW, f"{kind} to {said.target(target)}")
        if re.match(r"(?:https?|ftp|mailto):", target, re.IGNORECASE):
            self.opening.link(target, origin="form" if kind == "SubmitForm" else "other")
        self._network(target, kind)

    def _network(self, target: str, kind: str) -> None:
        """A file on another computer gives away the reader's password hash when it is opened."""
        if _UNC.search(target):
            severity = Severity.HIGH if self._runs_by_itself(kind) else Severity.MEDIUM
            self.opening.finding(
                "attachment/pdf-remote", severity, f"{kind} to a network share, {said.target(target)}"
            )

    def _runs_by_itself(self, kind: str) -> bool:
        return any(action.get("S") == kind for action in self.automatic)

    def scripts(self) -> None:
        """JavaScript: low when a reader must do something first, medium when it runs by itself, high by its shape."""
        if not any(match[1] == b"JavaScript" for match in self.hits(_ACTION)) and not _SCRIPT.search(self.text):
            return
        named = _SCRIPT_NAMES.search(self.text) is not None
        by_itself = named or self._runs_by_itself("JavaScript")
        severity, why = Severity.LOW, "has a script"
        if by_itself:
            severity, why = Severity.MEDIUM, "has a script that runs when it is opened"
        for script in self._scripts():
            if shape := script_shape(script):
                severity, why = Severity.HIGH, f"its script {shape}"
            if _CALLS_OUT.search(script):
                for address in _ADDRESS.findall(script)[:20]:
                    self.opening.link(address)
        if self.hidden:
            severity, why = Severity.HIGH, f"{why}, and hides it"
        self.opening.finding("attachment/pdf-javascript", severity, why)

    def _scripts(self) -> Iterator[str]:
        """The scripts' source, each once."""
        seen: set[bytes] = set()
        for match in self.hits(_SCRIPT):
            source = self.skeleton.octets(self.skeleton.value(match.end()))
            if source and source not in seen and len(seen) < _MOST_SCRIPTS:
                seen.add(source)
                yield text_string(source[:1_000_000])

    def links(self) -> None:
        """Addresses of link annotations and of actions (12.6.4.7)."""
        seen: set[bytes] = set()
        for match in self.hits(_URI):
            address = self.skeleton.octets(self.skeleton.value(match.end()))
            if address not in seen:
                seen.add(address)
                self.opening.link(text_string(address).strip(), origin="href")

    def files(self) -> None:
        """Embedded files (7.11.4): handed on, and a low finding."""
        done: set[int] = set()
        for match in self.hits(_FILE):
            streams = self.skeleton.resolved(self.skeleton.value(match.end()))
            values = [streams.get(key) for key in _SYSTEMS] if isinstance(streams, dict) else []
            stream = next((value for value in values if isinstance(value, Ref)), None)
            if isinstance(stream, Ref) and int(stream) not in done and len(done) < _MOST_FILES:
                done.add(int(stream))
                self._file(self._file_name(match.start()), stream)
        for match in self.hits(_RICH):
            if match[1] in (b"RichMedia", b"Flash"):
                self.opening.finding(
                    "attachment/pdf-rich-media", Severity.LOW, f"has a {match[1].decode()} annotation"
                )

    def _file(self, name: str, stream: Ref) -> None:
        content = self.skeleton.octets(stream)
        self.opening.finding("attachment/pdf-embedded-file", Severity.LOW, "carries a file", clean_name(name))
        if content:
            self.opening.inner(name or "embedded", content)

    def _file_name(self, at: int) -> str:
        """The name in the file specification around an /EF."""
        back = max(0, at - _OWNER_BACK)
        start = self.text.rfind(b"<<", back, at)
        for _ in range(8):
            if start < 0:
                return ""
            value = self.skeleton.value(start)
            if isinstance(value, dict) and "EF" in value:
                written = value.get("UF") or value.get("F")
                return text_string(self.skeleton.octets(written)).strip("\0 ")
            start = self.text.rfind(b"<<", back, start)
        return ""

    def forms(self) -> None:
        """What is filled into form fields and written in comments, and the values of an XFA form."""
        shown: dict[str, None] = {}
        for match in self.hits(_TYPED):
            octets = self.skeleton.value(match.end())
            if isinstance(octets, bytes) and not octets.startswith(b"0\x82") and len(octets) < 1_000_000:
                words = text_string(octets).strip("\0 \r\n")
                shown[_TAGS.sub(" ", words) if match[1] == b"RC" else words] = None
        self.opening.text("\n".join(shown), "form")
        for match in self.hits(_FORM):
            packets = self.skeleton.resolved(self.skeleton.value(match.end()))
            whole = b"".join(self.skeleton.octets(p) for p in packets[:40]) if isinstance(packets, list) else b""
            source = (whole or self.skeleton.octets(self.skeleton.value(match.end()))).decode("utf-8", "replace")
            self.opening.text("\n".join(_TAGS.sub(" ", source).split()), "form")
            if shape := script_shape(source):
                self.opening.finding(
                    "attachment/pdf-javascript", Severity.HIGH, f"the script of its XFA form {shape}"
                )


_TAGS = re.compile(r"<[^<>]{0,4000}>")


def script_shape(script: str) -> str:
    """What makes a script in a document dangerous, in words, or ""."""
    if known := _EXPLOIT.search(script):
        return f"uses {said.call(known[0])}, as exploits do"
    if _EVAL.search(script) and _DECODES.search(script):
        return "runs text that it decodes first"
    return ""
