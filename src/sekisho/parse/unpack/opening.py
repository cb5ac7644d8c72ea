"""One file that is being opened, and what is left of the limits for its attachment.

Every opener and every look is a function that takes an `Opening` and tells it what it saw. They may raise
`OverLimitError`, `CorruptError`, `EncryptedError` or `UnavailableError`; anything else they raise counts as "could
not be inspected".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Link, Text

if TYPE_CHECKING:
    from sekisho.mail.opened import OpenLimits

LinkOrigin = Literal["text", "href", "src", "form", "qr", "other"]
LONGEST_NAME = 255
MOST_LINKS = 5_000  # of one file
_SMALL_OUTPUT = 32_000_000  # no ratio below it: a blank screenshot or an empty table shrinks to a thousandth


class OverLimitError(Exception):
    """A limit is reached; `str` names it. Nothing more of the attachment is opened."""


class CorruptError(Exception):
    """The file is not what it says it is, or broken; `str` says where."""


class UnreadableError(CorruptError):
    """There is something in the file that was not looked into, though another program may read it; `str` says why."""


class EncryptedError(Exception):
    """The file needs a password that is not among the candidates."""


class UnavailableError(Exception):
    """What is needed to read the file is not installed; `str` says what."""


class Budget:
    """What is left of an `OpenLimits` for one attachment and all that is inside.

    `share` is the part of each limit that it may use, so that what comes after it in the message is opened too.
    Time is the processor's, for a busy machine makes no file suspicious. `hit` says whether a limit was reached.
    """

    def __init__(self, limits: OpenLimits, share: float = 1.0) -> None:
        self.limits = limits
        self.files = int(limits.files * share)
        self.unpacked_bytes = int(limits.unpacked_bytes * share)
        self.text_chars = int(limits.text_chars * share)
        self.hit = False
        self._end = time.process_time() + limits.seconds * share

    @property
    def seconds_left(self) -> float:
        """Processor time that is left, below 0 once it is over."""
        return self._end - time.process_time()

    @property
    def is_late(self) -> bool:
        """Whether the seconds are over."""
        if self.seconds_left >= 0:
            return False
        self.hit = True
        return True

    def check_time(self) -> None:
        """Raise OverLimitError once the seconds are over; cheap, to be called in every loop over untrusted data."""
        if self.is_late:
            raise OverLimitError("time")

    def take_file(self) -> None:
        """Count one more inner file."""
        self.files -= 1
        if self.files < 0:
            self.hit = True
            raise OverLimitError("files")
        self.check_time()

    def take_bytes(self, octets: int) -> None:
        """Count octets that came out of a container or were decompressed inside a document."""
        self.unpacked_bytes -= octets
        if self.unpacked_bytes < 0:
            self.hit = True
            raise OverLimitError("unpacked bytes")

    def collect(self, chunks: Iterator[bytes], packed: int) -> bytes:
        """Join decompressed chunks, counting each. `packed` is the size they come from, for the ratio.

        Raises OverLimitError before more than one chunk too much is held.
        """
        whole = bytearray()
        most = max(_SMALL_OUTPUT, packed * self.limits.ratio)
        for chunk in chunks:
            self.check_time()
            self.take_bytes(len(chunk))
            whole += chunk
            if len(whole) > most:
                raise OverLimitError("compression ratio")
        return bytes(whole)


class Opening:
    """A file to open: `content`, `name` (its own, not the path), `declared` (the sender's content type, or "").

    `path` is "outer.zip/inner.doc"; `depth` the containers around it, `kind` its type by content (see `kinds`).
    What is told through the methods is read by the driver when the opener returns or raises.
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        *,
        budget: Budget,
        part: str = "",
        path: str = "",
        declared: str = "",
        depth: int = 0,
        passwords: tuple[str, ...] = (),
        secret: bool = False,
    ) -> None:
        self.content = content
        self.name = name
        self.declared = declared
        self.part = part
        self.path = path or name
        self.depth = depth
        self.budget = budget
        self.passwords = passwords[: budget.limits.passwords]
        self.secret = secret  # came out of something encrypted
        self.kind = "unknown"
        self.sha256 = sha256(content).hexdigest()
        self.encrypted = False
        self.opened_by_password = False
        self.texts: list[Text] = []
        self.links: list[Link] = []
        self.links_left_out = False
        self.findings: list[Finding] = []
        self.children: list[Opening] = []

    def text(self, text: str, place: str = "") -> None:
        """Characters for the inspectors; `place` is a sheet, a page, "header" or "comments"."""
        if not text.strip():
            return
        room = self.budget.text_chars
        if len(text) > room:
            self.budget.hit = True
            # The tail of a very long text is one thing, a text of which nothing was seen another.
            grave = Severity.MEDIUM if room else Severity.HIGH
            self.finding("attachment/over-limit", grave, "more text than is looked through", place)
            text = text[:room]
        self.budget.text_chars -= len(text)
        if text:
            self.texts.append(Text(text, "attachment", self.part, self.path, place))

    def link(self, url: str, text: str = "", origin: LinkOrigin = "other") -> None:
        """An address that somebody who opens the file can follow, or that is followed by itself."""
        if not url:
            return
        if len(self.links) < MOST_LINKS:
            self.links.append(Link(url[:4096], text[:500], self.part, origin, self.path))
        elif len(self.links) == MOST_LINKS and not self.links_left_out:
            self.finding("attachment/over-limit", Severity.MEDIUM, f"more than {MOST_LINKS} links")
            self.links_left_out = True

    def finding(  # noqa: PLR0917 - what every finding has, in the order of Finding
        self, rule: str, severity: Severity, why: str = "", place: str = "", confidence: float = 1.0, count: int = 1
    ) -> None:
        """Something odd or dangerous. `place` is appended to the path: "a.docx/macro"."""
        path = f"{self.path}/{place}" if place else self.path
        self.findings.append(
            Finding(rule, severity, confidence, count, self.part, "attachment", None, path, explanation=why)
        )

    def inner(self, name: str, content: bytes, *, declared: str = "", secret: bool = False) -> None:
        """A file inside. The octets must have been counted (`budget.collect`, `budget.take_bytes`).

        It is opened after this one, outer before inner; one that is too deep, or one too many, is a finding.
        """
        self.budget.take_file()
        shown = clean_name(name) or "unnamed"
        self.children.append(
            Opening(
                content,
                name or "unnamed",
                budget=self.budget,
                part=self.part,
                path=f"{self.path}/{shown}",
                declared=declared,
                depth=self.depth + 1,
                passwords=self.passwords,
                secret=self.secret or secret,
            )
        )


def clean_name(name: str) -> str:
    """A name for a path: no control or direction characters, separators kept, not longer than 255 characters."""
    return "".join(c for c in name if c.isprintable()).strip("/\\ ")[:LONGEST_NAME]


Step = Callable[[Opening], None]
