"""The message set: deterministic, shaped like a company's outgoing mail, on disk in one file ready to be sent.

Of a hundred messages fifty-five are plain text (English, UTF-8 and ISO-2022-JP Japanese), twenty-five text with an
HTML alternative, twenty carry an attachment of 50 kB to 2 MB. The median is about 13 kB, the mean about 170 kB.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import math
import random
import statistics
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

from attachments import WRITERS, attachment
from words import Prose

DOMAIN = "corp.example"
START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
INBOUND = (
    b"received",
    b"return-path",
    b"delivered-to",
    b"from",
    b"to",
    b"cc",
    b"bcc",
    b"date",
    b"message-id",
    b"sender",
)
INBOUND_PREFIX = (b"x-spam", b"resent-", b"list-", b"dkim-", b"arc-", b"authentication-results", b"errors-to")


@dataclass(frozen=True)
class Mail:
    """One message: its bytes with CRLF, reverse-path, recipients and kind."""

    kind: str
    mail_from: str
    rcpt_to: list[str]
    data: bytes


def generate(count: int, seed: int = 20) -> Iterator[Mail]:
    """`count` messages; the same for the same seed, whatever the count before them."""
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        kind = rng.choices(("plain", "japanese", "alternative", "attachment"), (35, 20, 25, 20))[0]
        yield _mail(kind, number, rng)


def training(kind: str, count: int) -> Iterator[bytes]:
    """Messages to train a peer's Bayes classifier with: "ham" like the set, "spam" with the words in other ranks."""
    for number in range(count):
        rng = random.Random(f"{kind}/{number}")
        prose = Prose(rng, shuffle=1 if kind == "spam" else 0)
        body = "\n\n".join(prose.english(rng.randint(1500, 5000)))
        yield b"\r\n".join((*_head(number, rng, prose), *_text(body, "utf-8", "quoted-printable"), b""))


def _lognormal(rng: random.Random, median: float, sigma: float, low: int, high: int) -> int:
    return max(low, min(high, int(math.exp(rng.gauss(math.log(median), sigma)))))


def _mail(kind: str, number: int, rng: random.Random) -> Mail:
    prose = Prose(rng)
    body = {"plain": _plain, "japanese": _japanese, "alternative": _alternative, "attachment": _attached}[kind]
    lines = [*_head(number, rng, prose, japanese=kind == "japanese"), *body(rng, prose, number), b""]
    return Mail(kind, _user(number), _recipients(number), b"\r\n".join(lines))


def _user(number: int) -> str:
    return f"u{number % 40}@{DOMAIN}"


def _recipients(number: int) -> list[str]:
    return [f"r{number % 999}.{extra}@partner{number % 97}.example" for extra in range(1 + (number % 10 == 0))]


def _head(number: int, rng: random.Random, prose: Prose, *, japanese: bool = False) -> list[bytes]:
    """The header fields of a message as a mail program writes them, without those of MIME."""
    subject = " ".join(rng.choices(prose.words, k=rng.randint(3, 8))).capitalize()
    name = f'"User {number % 40}"'
    if japanese:
        subject = _word(rng.choice(prose.phrases))
        name = _word("営業部 山田")
    if rng.random() < 0.5:
        subject = f"Re: {subject}"
    lines = (
        f"From: {name} <{_user(number)}>",
        f"To: {', '.join(_recipients(number))}",
        f"Subject: {subject}",
        f"Date: {format_datetime(START + timedelta(seconds=37 * number))}",
        f"Message-ID: <{number}.{rng.getrandbits(64):x}@{DOMAIN}>",
        "X-Mailer: Example Mail 16.0",
        "MIME-Version: 1.0",
    )
    return [line.encode() for line in lines]


def _word(text: str) -> str:
    """An encoded word, RFC 2047 2, in ISO-2022-JP and base64."""
    return f"=?ISO-2022-JP?B?{base64.b64encode(text.encode('iso2022_jp')).decode()}?="


def _text(text: str, charset: str, encoding: str, subtype: str = "plain") -> list[bytes]:
    """A text part: header fields, an empty line, and the encoded lines."""
    raw = text.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        lines = base64.encodebytes(raw).splitlines()
    elif encoding == "quoted-printable":
        # It breaks lines as the text does, by LF alone where that has a single line.
        lines = binascii.b2a_qp(raw).replace(b"\r\n", b"\n").split(b"\n")
    else:
        lines = raw.split(b"\r\n")
    head = f"Content-Type: text/{subtype}; charset={charset}", f"Content-Transfer-Encoding: {encoding}"
    return [*(line.encode() for line in head), b"", *lines]


def _wrap(paragraphs: list[str], width: int = 76) -> str:
    """Flow paragraphs into lines, so that 7bit text keeps the limits of RFC 5322 2.1.1."""
    out = []
    for paragraph in paragraphs:
        line = ""
        for word in paragraph.split(" "):
            if len(line) + len(word) >= width:
                out.append(line)
                line = ""
            line = f"{line} {word}" if line else word
        out += [line, ""]
    return "\n".join(out)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _links(rng: random.Random) -> str:
    return (
        f"https://portal{rng.randrange(50)}.partner{rng.randrange(97)}.example/doc/{rng.getrandbits(40):x}?ref=mail"
    )


def _plain(rng: random.Random, prose: Prose, number: int) -> list[bytes]:
    text = _wrap(prose.english(_lognormal(rng, 4500, 0.8, 300, 60_000)))
    if rng.random() < 0.4:
        text += f"\nOn Monday, the customer wrote:\n{_quoted(_wrap(prose.english(len(text) // 2)))}\n"
    text += f"\n{_links(rng)}\n-- \nUser {number % 40}\nCorp Ltd | https://www.{DOMAIN}/contact\n"
    return _text(text, "utf-8", rng.choice(("7bit", "7bit", "quoted-printable")))


def _japanese(rng: random.Random, prose: Prose, number: int) -> list[bytes]:
    text = "\n\n".join(prose.japanese(_lognormal(rng, 1800, 0.8, 150, 20_000)))
    if rng.random() < 0.4:
        text += f"\n\n{_quoted(text)}\n"
    text += f"\n{_links(rng)}\n-- \n営業部 山田 ({number % 40})\nhttps://www.{DOMAIN}/contact\n"
    charset, encoding = rng.choice((("iso-2022-jp", "7bit"), ("iso-2022-jp", "7bit"), ("utf-8", "base64")))
    return _text(text, charset, encoding)


def _html(paragraphs: list[str], rng: random.Random) -> str:
    """Paragraphs as a word processor's mail program writes them: every one with its style, some with a link."""
    out = []
    for paragraph in paragraphs:
        text = escape(paragraph)
        if rng.random() < 0.3:
            text += f' <a href="{_links(rng)}">document {rng.randrange(99)}</a>'
        style = "margin:0cm;font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif"
        out.append(f'<p class="MsoNormal" style="{style}"><span style="color:#1F497D">{text}</span></p>')
    head = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style><!-- '
        "p.MsoNormal {margin:0cm;font-size:11.0pt;} a:link {color:#0563C1;} --></style></head><body>"
    )
    return f'{head}\n{chr(10).join(out)}\n<hr><img src="https://www.{DOMAIN}/logo.png" width="120"></body></html>'


def _multipart(subtype: str, boundary: str, parts: list[list[bytes]]) -> list[bytes]:
    """RFC 2046 5.1.1: the parts between their delimiter lines."""
    lines = [f'Content-Type: multipart/{subtype}; boundary="{boundary}"'.encode(), b""]
    for part in parts:
        lines += [f"--{boundary}".encode(), *part]
    return [*lines, f"--{boundary}--".encode()]


def _alternative(rng: random.Random, prose: Prose, number: int, median: int = 8000) -> list[bytes]:
    japanese = number % 3 == 0
    size = _lognormal(rng, median, 0.8, 500, 60_000)
    paragraphs = prose.japanese(size // 3) if japanese else prose.english(size)
    text = "\n\n".join(paragraphs)
    plain = _text(text, "utf-8", "base64" if japanese else rng.choice(("quoted-printable", "base64")))
    html = _text(_html(paragraphs, rng), "utf-8", "base64" if japanese else "quoted-printable", "html")
    return _multipart("alternative", f"=_alt_{number}_{rng.getrandbits(40):x}", [plain, html])


def message_with(part: list[bytes], number: int, rng: random.Random) -> Mail:
    """A message of some text, with an HTML alternative, and one more part, which has its own header fields."""
    prose = Prose(rng)
    boundary = f"=_mix_{number}_{rng.getrandbits(40):x}"
    body = _multipart("mixed", boundary, [_alternative(rng, prose, number, 3000), part])
    return Mail(
        "attachment", _user(number), _recipients(number), b"\r\n".join((*_head(number, rng, prose), *body, b""))
    )


def _attached(rng: random.Random, prose: Prose, number: int) -> list[bytes]:
    size = int(math.exp(rng.uniform(math.log(50_000), math.log(2_000_000))))
    kind = rng.choices(tuple(WRITERS), (22, 18, 30, 12, 13, 5))[0]
    data, content_type, name = attachment(kind, size, rng)
    head = (
        f'Content-Type: {content_type}; name="{name}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{name}"',
    )
    part = [*(line.encode() for line in head), b"", *base64.encodebytes(data).splitlines()]
    boundary = f"=_mix_{number}_{rng.getrandbits(40):x}"
    return _multipart("mixed", boundary, [_alternative(rng, prose, number, 3000), part])


def from_corpus(path: Path, count: int) -> Iterator[Mail]:
    """Real mail made outgoing: a directory or tar of single messages, trace fields off, sender and date ours.

    More than `count`: a sample, the same each time. ValueError when there is none.
    """
    found = list(_raw_mails(path))
    if not found:
        raise ValueError(f"no .eml or .txt files in {path}")
    for number, raw in enumerate(random.Random(20).sample(found, min(count, len(found)))):
        head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        kept, keep = [], False
        for line in head.split(b"\n"):
            if line[:1] not in b" \t" or not line:
                name = line.partition(b":")[0].strip().lower()
                keep = b":" in line and name not in INBOUND and not name.startswith(INBOUND_PREFIX)
            if keep:
                kept.append(line)
        rng = random.Random(number)
        trace = [line for line in _head(number, rng, Prose(rng)) if line[:4] in (b"From", b"To: ", b"Date", b"Mess")]
        data = b"\r\n".join((*trace, *kept, b"", *body.replace(b"\r", b"").split(b"\n")))
        yield Mail("corpus", _user(number), _recipients(number), data)


def _raw_mails(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            if file.name.endswith((".tar", ".tar.gz", ".tar.xz")):
                yield from _raw_mails(file)
            elif file.suffix in (".eml", ".txt", ""):
                yield file.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".eml", ".txt")):
                yield (archive.extractfile(member) or io.BytesIO()).read()


def write(mails: Iterator[Mail], path: Path) -> dict[str, Any]:
    """Write the set to `path` dot-stuffed and terminated (RFC 5321 4.5.2), its index beside it; return its facts."""
    index, digest, kinds = [], hashlib.sha256(), {}
    with path.open("wb") as out:
        for mail in mails:
            data = mail.data if mail.data.endswith(b"\r\n") else mail.data + b"\r\n"
            digest.update(data)
            stuffed = (b"." if data[:1] == b"." else b"") + data.replace(b"\r\n.", b"\r\n..") + b".\r\n"
            index.append([out.tell(), len(stuffed), mail.mail_from, mail.rcpt_to])
            out.write(stuffed)
            kinds[mail.kind] = kinds.get(mail.kind, 0) + 1
    path.with_suffix(".json").write_text(json.dumps(index))
    sizes = [entry[1] for entry in index]
    return {
        "messages": len(index),
        "bytes": sum(sizes),
        "median_bytes": int(statistics.median(sizes)),
        "kinds": kinds,
        "sha256": digest.hexdigest(),
    }
