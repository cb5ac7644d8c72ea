"""What attachments hold once they have been opened: the words between the opening processes and the inspectors."""

from __future__ import annotations

from msgspec import Struct

from sekisho.mail.finding import Finding
from sekisho.mail.message import Link, Text

# What a result depends on beside limits, rules and passwords: SHA-256 of the content, name and declared type.
AttachmentKey = tuple[bytes, str, str]


class OpenLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How far the attachments of one message are opened, all of them together.

    `depth` counts containers in containers, `files` everything found inside, `unpacked_bytes` what comes out of
    all of them, `ratio` how many times its own size one archive may become once it is over 32 MB, `text_chars` the
    characters handed on, `passwords` how many are tried at each encrypted file, `seconds` of processor time after
    which it stops of its own accord (the process is killed somewhat later).
    """

    depth: int = 8
    files: int = 2_000
    unpacked_bytes: int = 256_000_000
    ratio: int = 250
    text_chars: int = 8_000_000
    passwords: int = 200
    seconds: float = 8.0


class Attachment(Struct, frozen=True):
    """A MIME part to be opened. `content_type` is as declared, lower case; `content` without transfer encoding."""

    part: str
    name: str
    content_type: str
    content: bytes


class OpenRequest(Struct, frozen=True):
    """One message's attachments, and words that may be passwords to them, the likeliest first."""

    attachments: tuple[Attachment, ...]
    passwords: tuple[str, ...] = ()
    limits: OpenLimits = OpenLimits()


class File(Struct, frozen=True):
    """An attachment, or a file inside one.

    `path` starts with the attachment's name ("outer.zip/a.docx"); `kind` is its type by content ("zip", "docx",
    "exe"); `size` in octets, `sha256` in hexadecimal. `encrypted`: no password was found, so nothing inside was seen.
    `content` is kept only for what came out of a container by password, which a virus scanner cannot look into.
    """

    part: str
    path: str
    kind: str
    size: int
    sha256: str
    encrypted: bool = False
    texts: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    content: bytes = b""


class Opened(Struct, frozen=True):
    """All files of a message's attachments, the outer before the inner, and what is odd or dangerous about them.

    `cut` are the parts of which a limit left something out that is shared with the other attachments.
    """

    files: tuple[File, ...] = ()
    findings: tuple[Finding, ...] = ()
    cut: tuple[str, ...] = ()


class JobConfiguration(Struct, frozen=True):
    """What an opening process is told before it is confined.

    `yara` are compiled YARA-X rules, b"" for none; `ocr`: whether the text in pictures is read.
    """

    yara: bytes = b""
    ocr: bool = False
