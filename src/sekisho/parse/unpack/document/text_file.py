"""Plain text, CSV and XML in whatever charset: characters and addresses, and cells that are commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sekisho.mail.finding import Severity
from sekisho.parse import charsets, said
from sekisho.parse.links import text_links
from sekisho.parse.unpack.opening import Budget, Opening

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_SAMPLE = 4096
_CODEC_NAMES = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp932", "euc_jp", "cp1252", "gb18030")
_XML_LABEL = re.compile(rb"\A\s{0,100}<\?xml[^>]{0,200}?\bencoding\s{0,10}=\s{0,10}[\"']([A-Za-z0-9_:.-]{1,40})[\"']")
# A cell begins at a line's start or behind a separator, perhaps quoted; a sheet program then takes it for a formula.
_CELL = re.compile(r"(?:^|[,;\t])[ ]?\"?[ ]?[=+@-]")
_CALL_CELL = re.compile(r"(?:^|[,;\t])[ ]?\"?[ ]?[=+@-][^\s,;]{0,200}\Z")
_DDE_CELL = re.compile(r"(?:^|[,;\t])[ ]?\"?[ ]?[=+@-][ ]{0,3}[A-Za-z][\w.]{0,40}\Z")
_LONGEST_TOPIC = 300
_DDE_TOPIC = re.compile(rf"\|[^\r\n!]{{1,{_LONGEST_TOPIC}}}![A-Za-z_'\"]")
_PROGRAMS = (
    "cmd", "powershell", "mshta", "rundll32", "regsvr32", "msexcel", "excel", "winword", "msaccess", "certutil",
    "wscript", "cscript", "ddeauto", "dde",
)  # fmt: skip
_FUNCTIONS = (
    "webservice", "importxml", "importdata", "importhtml", "importfeed", "importrange", "call", "register", "exec",
)  # fmt: skip
_WORD = re.compile(
    rf"\b(?:({'|'.join(_PROGRAMS)})|(?:{'|'.join(_FUNCTIONS)})(?:(?<=register)\.ID)?\s?\()",
    re.IGNORECASE,
)
_STARTED = re.compile(r"(?:\.exe)?(?:[ ]?\||\(\s{0,9}\"|[^\r\n|]{0,120}/[ck]\b)", re.IGNORECASE)
_BEFORE = 300  # characters of a line in front of a word


def warm() -> None:
    """Load the codecs and the charset detector."""
    for codec in _CODEC_NAMES:
        "a".encode(codec).decode(codec, "replace")
    for octets in ("請求書".encode("cp932"), "請求書".encode("euc_jp"), "請求書".encode("iso2022_jp")):
        charsets.detect(octets)


def text_of(content: bytes) -> str:
    """The characters of a text file, by its mark, its XML declaration, or what it looks like. Never raises."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    if codec := _wide(content):
        return content.decode(codec, "replace")
    if label := _XML_LABEL.match(content):
        return charsets.decode(content, label[1].decode("ascii"))
    return charsets.detect(content)


def _wide(content: bytes) -> str:
    """The codec of UTF-16 without a mark: every other octet of Western text is NUL, line ends at least are."""
    sample = content[:_SAMPLE]
    if b"\0" not in sample:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even > 4 * odd:
        return "utf-16-be"
    return "utf-16-le" if odd > 4 * even else ""


def open_text(opening: Opening) -> None:
    """Tell of the characters and addresses of a text file."""
    text = text_of(opening.content)
    opening.text(text.replace("\r\n", "\n"))
    for address in text_links(text):
        opening.link(address, origin="text")


def open_csv(opening: Opening) -> None:
    """As `open_text`, and cells that a sheet program takes for a command or a request."""
    text = text_of(opening.content)
    opening.text(text.replace("\r\n", "\n"))
    for address in text_links(text):
        opening.link(address, origin="text")
    formulas(text, opening)


def formulas(text: str, opening: Opening) -> None:
    """Find cells that start a program (high) or fetch something (medium). Sums, ="001" and +81 are none.

    Raises OverLimitError where there is no time to look at all of them; what was found is told.
    """
    if not any(sign in text for sign in "=+@-"):
        return
    found = [first for words in _words(text) if (first := _first(text, words, opening.budget))]
    commands = sorted((match for match in found if match[1]), key=re.Match.start)
    fetches = sorted((match for match in found if not match[1]), key=re.Match.start)
    command = _cell(text, commands[0], 60) if commands else _dde(text, opening.budget)
    if command:
        why = f"a cell starts a program: {said.command(command)}"
        opening.finding("attachment/csv-formula", Severity.HIGH, why)
    elif fetches:
        why = f"a cell fetches something from elsewhere: {said.command(fetches[0][0])}"
        opening.finding("attachment/csv-formula", Severity.MEDIUM, why)
    opening.budget.check_time()


def _words(text: str) -> Iterator[Iterator[re.Match[str]]]:
    """Where each program or function is named, in order, if anything in the text can be a formula with it.

    An expression alone would try every name at every word.
    """
    lower = text.lower()
    if len(lower) != len(text):  # a letter that has no single small one
        yield (match for match in _WORD.finditer(text) if match[1])
        yield (match for match in _WORD.finditer(text) if not match[1])
        return
    words = _PROGRAMS if any(sign in lower for sign in ("|", "(", "/c", "/k")) else ()
    for word in filter(lower.__contains__, words + (_FUNCTIONS if "(" in text else ())):
        places = (match.start() for match in re.finditer(word, lower))
        yield filter(None, (_WORD.match(text, place) for place in places))


def _first(text: str, words: Iterator[re.Match[str]], budget: Budget) -> re.Match[str] | None:
    """The first of the words that a cell starts or calls, as far as there is time."""
    for number, match in enumerate(words):
        if not number & 1023 and budget.is_late:
            return None
        line = _line_before(text, match.start())
        if _CELL.search(line) and _STARTED.match(text, match.end()) if match[1] else _CALL_CELL.search(line):
            return match
    return None


def _cell(text: str, match: re.Match[str], more: int = 0) -> str:
    return _line_before(text, match.start()) + text[match.start() : match.end() + more]


def _dde(text: str, budget: Budget) -> str:
    """A cell that asks another program by DDE: "=service|topic!item"; as far as there is time."""
    at, end = text.find("|"), text.find("!")
    while min(at, end) >= 0 and not budget.is_late:
        if end < at:
            end = text.find("!", at)
        elif end - at > _LONGEST_TOPIC + 1:
            at = text.find("|", end - _LONGEST_TOPIC - 1)
        else:
            line, topic = _line_before(text, at)[-60:], _DDE_TOPIC.match(text, at)
            if topic and _DDE_CELL.search(line):
                return line + topic[0]
            at = text.find("|", at + 1)
    return ""


def _line_before(text: str, at: int) -> str:
    """What stands in front of a place in its line, at most 300 characters."""
    start = max(0, at - _BEFORE)
    return text[max(text.rfind("\n", start, at) + 1, start) : at]
