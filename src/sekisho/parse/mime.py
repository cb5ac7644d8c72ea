"""The MIME index: a message's tree of parts as offsets into its bytes (RFC 2045, RFC 2046).

One pass over the lines that begin with "--", against the boundaries of all multiparts that are open: the time is
linear in the size of the message whatever its shape, and nothing is decoded but what another structure may hide in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.mail.message import Message, Part
from sekisho.mail.octets import OctetSearch
from sekisho.parse import said, transfer
from sekisho.parse.ambiguity import look_over
from sekisho.parse.entity import Entity
from sekisho.parse.faults import Faults
from sekisho.parse.frames import Budget, Frame
from sekisho.parse.headers import Section
from sekisho.parse.text import DECODER

if TYPE_CHECKING:
    from sekisho.mail.message import Header

DEEPEST = 100
DEEPEST_DECODED = 5  # containers in encoded containers, each of which is decoded to be looked into
_MESSAGES = frozenset(("message/rfc822", "message/global", "message/news"))
_NEAR = 256
_DASHES = OctetSearch(rb"\n--")
_BEGIN = OctetSearch(rb"\nbegin")
_BLANK = re.compile(rb"\n\r?\n")
_MBOX = re.compile(rb">?From (?![ \t]*:)[^\n]*\n")
_FIELD_NAME = re.compile(rb"[ \t\r\n]*[!-9;-~]+[ \t]*:")
_LIKE_DELIMITER = re.compile(
    rb"\n--([^\n]{1,200})\n(?:content-|(?<=[A-Za-z0-9]\n)\n|(?<=[A-Za-z0-9]\r\n)\r\n)", re.IGNORECASE
)
_KNOWN_PREAMBLE = re.compile(
    rb"\s*(?:>?\s*(?:this|dies|ceci)\b[^\n]{0,40}\b(?:mime|multi-?part|s/mime|openpgp)\b"
    rb"|-{3,}|if you (?:can )?see this|content-|\(?mime\b|this message is in|your mail)",
    re.IGNORECASE,
)


def parse(raw: bytes) -> Message:
    """Index a message with CRLF or LF line ends. Never raises; what is odd becomes findings `message/…`.

    Time is linear in `len(raw)`; at most 2000 parts, 100 levels and 10,000 header fields are told apart.
    """
    faults = Faults()
    budget = Budget()
    root = _Index(raw, faults, budget).message("")
    look_over(raw, root, faults)
    return Message(raw, root, tuple(faults.findings()))


def _next_dashes(raw: bytes, at: int) -> int:
    """The line feed before the next line that begins with "--"; a long way is searched the faster way."""
    found = raw.find(b"\n--", at, at + _NEAR)
    if found < 0 and at + _NEAR < len(raw):
        found = max(_DASHES.first_end(raw, at + _NEAR - 2) - 3, -1)
    return found


class _Index:
    """One buffer being indexed: the message, or the decoded content of an encoded container."""

    def __init__(self, raw: bytes, faults: Faults, budget: Budget, depth: int = 0) -> None:
        self.raw = raw
        self.faults = faults
        self.budget = budget
        self.depth = depth
        self.stack: list[Frame] = []
        self.boundaries: dict[bytes, list[Frame]] = {}
        self.blank = (-1, -1)
        self.full = False
        self.inside_message = False
        self.uu = _BEGIN.occurs(raw)

    def message(self, path: str, *, inside_message: bool = False) -> Part:
        """Index the buffer as a whole message."""
        self.inside_message = inside_message
        line = _MBOX.match(self.raw)
        return self._scan(self._open(path, line.end() if line else 0, "text/plain"))

    def body(self, path: str, prefix: str, entity: Entity) -> tuple[Part, ...]:
        """Index the buffer as the body of a multipart; returns its parts."""
        frame = Frame(path, 0, 0, (), entity)
        frame.prefix = prefix
        frame.decoded = True
        self.stack.append(frame)
        self._register(frame)
        return self._scan(0).children

    def _scan(self, at: int) -> Part:
        """The pass over the lines that begin with "--", from offset `at` on; returns the outermost part."""
        raw = self.raw
        if at == 0 and raw.startswith(b"--") and self.boundaries:
            at = self._delimiter(-1)
        while self.boundaries and not self.full:
            at = _next_dashes(raw, at)
            if at < 0:
                break
            at = self._delimiter(at)
        while len(self.stack) > 1:
            self._close(len(raw))
        return self._close(len(raw))

    def _delimiter(self, at: int) -> int:
        """Look at the line after the line feed at `at`; returns where to search on."""
        line, stop = self._line(at)
        frame, last = self._owner(line)
        if frame is None:
            return stop
        end = at - 1 if at > 0 and self.raw[at - 1] == 13 else at
        while self.stack[-1] is not frame:
            self._close(end)
        if frame.first < 0:
            frame.first = max(end, 0)
        frame.last = min(stop + 1, len(self.raw))
        if last:
            frame.closed = True
            return stop
        if frame.closed:
            self.faults.add("parts-after-end", frame.path)
            frame.closed = False
        frame.count += 1
        default = "message/rfc822" if frame.entity.content_type == "multipart/digest" else "text/plain"
        return self._open(f"{frame.prefix}{frame.count}", frame.last, default)

    def _line(self, at: int) -> tuple[bytes, int]:
        """The line after the line feed at `at`, without its "--" and trailing blanks, and the offset of its end."""
        stop = self.raw.find(b"\n", at + 1)
        if stop < 0:
            stop = len(self.raw)
        return self.raw[at + 3 : stop].rstrip(b" \t\r"), stop

    def _owner(self, line: bytes) -> tuple[Frame | None, bool]:
        """The open multipart a delimiter line belongs to, the innermost first, and whether it is the closing one."""
        boundary = self._boundary_in(line)
        if boundary is not None:
            frame, last = self._match(boundary)
            if boundary is not line:
                self.faults.add("ambiguous-boundary", frame.path, "text after the boundary")
            return frame, last
        for frame in self.stack[-1:-3:-1]:
            if frame.entity.boundaries and line.startswith(frame.entity.boundaries[0]):
                self.faults.add("ambiguous-boundary", frame.path, "a line goes on after the boundary")
        return None, False

    def _boundary_in(self, line: bytes) -> bytes | None:
        """The line itself or its first word, whichever is a boundary known here, with or without the closing "--".

        RFC 2046 5.1.1 lets a reader stop comparing where the boundary ends; most do not.
        """
        known = self.boundaries
        if line in known or (line.endswith(b"--") and line[:-2] in known):
            return line
        if b" " not in line:
            return None
        word = line.split(b" ", 1)[0]
        return word if word in known or (word.endswith(b"--") and word[:-2] in known) else None

    def _match(self, boundary: bytes) -> tuple[Frame, bool]:
        """The innermost multipart with this boundary that is not closed yet, and whether this closes it."""
        last = boundary not in self.boundaries
        frames = self.boundaries[boundary[:-2] if last else boundary]
        return next((frame for frame in reversed(frames) if not frame.closed), frames[-1]), last

    def _open(self, path: str, start: int, default: str) -> int:
        """Open the part that starts at `start` (and the message in it); returns where to search on."""
        while True:
            if self.budget.parts <= 0:
                self._rest(path, start)
                return len(self.raw)
            self.budget.parts -= 1
            frame = self._frame(path, start, default)
            self.stack.append(frame)
            kind = frame.entity.content_type
            if kind.startswith("multipart/"):
                self._register(frame)
            elif kind in _MESSAGES and frame.entity.encoding in transfer.IDENTITY and self._room(frame):
                frame.inner = True
                path, start, default = f"{frame.prefix}1", frame.body_start, "text/plain"
                continue
            return max(frame.body_start - 1, 0)

    def _frame(self, path: str, start: int, default: str) -> Frame:
        """Read the header section at `start`."""
        blank, body_start = self._blank_line(start)
        limit = self._cut(start, blank)
        section = Section(self.raw, start, limit, DECODER, self.faults, room=self.budget.fields)
        self.budget.fields -= len(section.headers)
        if section.body_start < limit or limit < blank:
            body_start = section.body_start
        headers = tuple(section.headers)
        entity = Entity(headers, default, path, self.faults)
        inside_message = self.stack[-1].inner if self.stack else self.inside_message
        if inside_message and entity.content_type.startswith("multipart/"):
            return self._inner_multipart(path, start, body_start, headers, entity)
        return Frame(path, start, body_start, headers, entity)

    @staticmethod
    def _inner_multipart(
        path: str, start: int, body_start: int, headers: tuple[Header, ...], entity: Entity
    ) -> Frame:
        """The root of a message in part "2" is "2.0", its parts "2.1" …, as IMAP counts them (RFC 9051 6.4.5)."""
        above = path[:-1]
        frame = Frame(f"{above}0", start, body_start, headers, entity)
        frame.prefix = above
        return frame

    def _blank_line(self, start: int) -> tuple[int, int]:
        """Where the header section at `start` ends and its body begins. Looks at no byte twice."""
        raw = self.raw
        if start == 0 and raw.startswith((b"\n", b"\r\n")):
            return 0, raw.index(b"\n") + 1
        if self.blank[0] < start:
            found = _BLANK.search(raw, max(start - 1, 0))
            self.blank = (found.start() + 1, found.end()) if found else (len(raw), len(raw))
        return self.blank

    def _cut(self, start: int, end: int) -> int:
        """`end`, or where a delimiter line cuts the header section at `start` short."""
        if not self.boundaries:
            return end
        raw = self.raw
        at = start - 1
        while (at := raw.find(b"\n--", at, end)) >= 0:
            line, stop = self._line(at)
            if self._boundary_in(line) is not None:
                return at + 1
            at = stop
        return end

    def _room(self, frame: Frame) -> bool:
        """Whether one more level may be entered."""
        if self.depth + len(self.stack) < DEEPEST:
            return True
        self.faults.add("too-deep", frame.path)
        return False

    def _register(self, frame: Frame) -> None:
        """Make a multipart's boundaries known, guessing one where the parameter is missing."""
        entity = frame.entity
        if not entity.boundaries:
            self.faults.add("missing-boundary", frame.path)
            entity.boundaries = self._guess_boundary(frame.body_start)
        if not self._room(frame):
            return
        for boundary in entity.boundaries:
            frames = self.boundaries.setdefault(boundary, [])
            if frames and not frames[-1].closed:
                self.faults.add("ambiguous-boundary", frame.path, "one boundary for two multiparts")
            frames.append(frame)

    def _guess_boundary(self, at: int) -> list[bytes]:
        """The first line near `at` that looks like a delimiter."""
        near = b"\n" + self.raw[at : at + 4096]
        found = _LIKE_DELIMITER.search(near)
        return [found[1].rstrip()] if found else []

    def _rest(self, path: str, start: int) -> None:
        """Too many parts: everything from here on is one opaque part."""
        self.faults.add("too-many-parts", path)
        self.full = True
        self.stack.append(Frame(path, start, start, (), Entity((), "application/octet-stream", path, self.faults)))

    def _close(self, end: int) -> Part:
        """End the innermost open part at `end` and hang it into the one above."""
        frame = self.stack.pop()
        entity = frame.entity
        end = max(end, frame.body_start)
        kind = entity.content_type
        if kind.startswith("multipart/"):
            self._close_multipart(frame, end)
        elif not frame.inner and kind in _MESSAGES:
            self._look_into(frame, end)
        elif self.uu and kind == "text/plain" and entity.encoding in transfer.IDENTITY:
            self._find_uuencoded(frame, end)
        part = Part(
            frame.path, frame.start, frame.body_start, end, frame.headers, kind, entity.parameters, entity.encoding,
            entity.disposition, entity.filename, tuple(frame.children), self.raw, DECODER, frame.memo,
        )  # fmt: skip
        if self.stack:
            self.stack[-1].children.append(part)
        return part

    def _close_multipart(self, frame: Frame, end: int) -> None:
        """Forget the boundaries; note what stands outside the parts, and a closing delimiter that is missing."""
        for boundary in frame.entity.boundaries:
            frames = self.boundaries.get(boundary)
            if frames and frame in frames:
                frames.remove(frame)
                if not frames:
                    del self.boundaries[boundary]
        encoded = frame.entity.encoding not in transfer.IDENTITY and not frame.decoded
        if encoded and frame.first < 0:
            self._look_into(frame, end)
        elif frame.first < 0:
            if not frame.decoded and self.raw[frame.body_start : end].strip():
                self._without_delimiters(frame, end)
        elif not frame.closed:
            self.faults.add("unclosed-multipart", frame.path)
        if encoded and frame.first >= 0:
            self.faults.add("mislabelled-container", frame.path, said.encoding(frame.entity.encoding))
        self._note_margins(frame, end)

    def _note_margins(self, frame: Frame, end: int) -> None:
        """Remember preamble and epilogue where they hold more than mail programs put there."""
        raw = self.raw
        margins = []
        if frame.first > frame.body_start:
            preamble = raw[frame.body_start : frame.first].strip()
            if preamble and not _KNOWN_PREAMBLE.match(preamble):
                self.faults.add("hidden-preamble", frame.path)
                margins.append((frame.body_start, frame.first))
        if frame.closed and frame.last < end and raw[frame.last : end].strip():
            self.faults.add("hidden-epilogue", frame.path)
            margins.append((frame.last, end))
        if margins:
            frame.memo["margins"] = margins

    def _without_delimiters(self, frame: Frame, end: int) -> None:
        """A multipart in which its boundary never occurs: read it by the one that does, else as text."""
        entity = frame.entity
        self.faults.add("missing-boundary", frame.path)
        guessed = self._guess_boundary(frame.body_start)
        if guessed and guessed != entity.boundaries and self._enter(frame):
            entity.boundaries = guessed
            index = _Index(self.raw[frame.body_start : end], self.faults, self.budget, self.depth + len(self.stack))
            frame.children = list(index.body(frame.path, frame.prefix, entity))
            self.budget.decoded -= 1
        if not frame.children:
            frame.memo["margins"] = [(frame.body_start, end)]

    def _enter(self, frame: Frame) -> bool:
        """Count one more buffer inside a buffer; False, and a fault, where that is too deep."""
        if self.budget.decoded >= DEEPEST_DECODED or self.depth + len(self.stack) + 1 >= DEEPEST:
            self.faults.add("too-deep", frame.path)
            return False
        self.budget.decoded += 1
        return True

    def _look_into(self, frame: Frame, end: int) -> None:
        """Decode a container that should not be encoded (RFC 2045 6.4) and index what comes out."""
        encoding = frame.entity.encoding
        content = self.raw[frame.body_start : end]
        if encoding in transfer.IDENTITY:
            return  # too deep to be entered
        if encoding == "base64" and _FIELD_NAME.match(content):
            self.faults.add("mislabelled-container", frame.path, said.encoding(encoding))
        else:
            content = transfer.decode(content, encoding)
            self.faults.add("encoded-container", frame.path, said.encoding(encoding))
        if not self._enter(frame):
            return
        index = _Index(content, self.faults, self.budget, self.depth + len(self.stack) + 1)
        if frame.entity.content_type.startswith("multipart/"):
            frame.children = list(index.body(frame.path, frame.prefix, frame.entity))
        else:
            frame.children = [index.message(f"{frame.prefix}1", inside_message=True)]
        self.budget.decoded -= 1

    def _find_uuencoded(self, frame: Frame, end: int) -> None:
        """Files that a mail program finds in a plain text."""
        for name, content in transfer.uuencoded(self.raw[frame.body_start : end]):
            if self.budget.parts <= 0:
                return
            self.budget.parts -= 1
            self.faults.add("inline-uuencode", frame.path, said.file_name(name))
            path = f"{frame.prefix}{len(frame.children) + 1}"
            frame.children.append(
                Part(path, 0, 0, len(content), (), "application/octet-stream", {"name": name}, "binary",
                     "attachment", name, (), content, DECODER)
            )  # fmt: skip
