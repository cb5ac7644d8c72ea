"""Messages written for this project as TOML tables, rendered into raw mail."""

from __future__ import annotations

import email.policy
import mimetypes
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.charset import QP, Charset
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime, formataddr, getaddresses, parseaddr
from hashlib import blake2b
from pathlib import Path
from typing import Any

AS_IT_STANDS = email.policy.compat32.clone(max_line_length=None)  # headers are not folded anew
DOMAINS = ("example.com", "example.net", "example.org", "example.jp", "example.co.jp")
NAMES = ("info", "k.tanaka", "m.sato", "a.weber", "j.martin", "office", "sales", "h.suzuki", "p.silva", "n.jones")
FIRST_DAY = datetime(2024, 1, 8, 0, 0, tzinfo=UTC)
MINUTES = 60 * 24 * 700


def tables(file: Path) -> Iterator[dict[str, Any]]:
    """The `[[message]]` tables of one file. ValueError names the file when it is not TOML or a table lacks its id."""
    try:
        messages = tomllib.loads(file.read_text(encoding="utf-8")).get("message", [])
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from None
    for number, table in enumerate(messages, 1):
        if not table.get("id") or not (table.get("body") or table.get("html")):
            raise ValueError(f"{file}: message {number} needs an id, and a body or html")
        yield table


def rendered(table: Mapping[str, Any]) -> bytes:
    """One table as a raw message (RFC 5322, CRLF), the same octets each time.

    Keys: id, subject, body, html, from, to, reply_to, sender_name, headers, attachment_names. Some Japanese ones are
    ISO-2022-JP (RFC 1468), as Japanese business mail often is; everything else is UTF-8.
    """
    key = _key(str(table["id"]))
    charset = _charset(table, key)
    message = _content(table, key, charset)
    for name, value in _headers(table, key, charset):
        message[name] = value
    for name, value in table.get("headers", {}).items():
        del message[name]
        message[name] = _encoded(str(value), charset)
    _fix_boundaries(message, key)
    return message.as_bytes(policy=AS_IT_STANDS).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def plain(id_: str, subject: str, body: str) -> bytes:
    """A corpus text without headers as a message: UTF-8 text, addresses of example domains."""
    return rendered({"id": id_, "subject": subject, "body": body, "headers": {}, "utf8": True})


def address_for(key: int) -> str:
    """An address of an example domain (RFC 2606), by number; alike for every label."""
    return f"{NAMES[key % len(NAMES)]}@{DOMAINS[key // 16 % len(DOMAINS)]}"


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")


def _charset(table: Mapping[str, Any], key: int) -> str:
    text = "".join(str(table.get(name, "")) for name in ("subject", "body", "html", "sender_name", "from"))
    if not text.isascii() and key % 4 == 0 and not table.get("utf8"):
        try:
            text.encode("iso-2022-jp")
        except UnicodeEncodeError:
            return "utf-8"
        return "iso-2022-jp"
    return "utf-8"


def _headers(table: Mapping[str, Any], key: int, charset: str) -> Iterator[tuple[str, str]]:
    name, address = parseaddr(str(table.get("from", "")))
    address = address or address_for(key)
    yield "From", _address(str(table.get("sender_name") or name), address, charset)
    recipients = table.get("to") or ""
    recipients = [recipients] if isinstance(recipients, str) else recipients
    yield "To", ", ".join(_recipient(str(one), key >> 7, charset) for one in recipients)
    if table.get("reply_to"):
        yield "Reply-To", _address(*parseaddr(str(table["reply_to"])), charset)
    yield "Subject", _encoded(str(table.get("subject", "")), charset)
    yield "Date", format_datetime(FIRST_DAY + timedelta(minutes=key % MINUTES))
    yield "Message-ID", f"<{key:012x}@{address.rpartition('@')[2] or 'example.com'}>"


def _recipient(text: str, key: int, charset: str) -> str:
    """As it is written; one without an address, or none at all, gets an address of an example domain."""
    if "@" not in text:
        return _address(text, address_for(key), charset)
    if text.isascii():
        return text
    return ", ".join(_address(name, address, charset) for name, address in getaddresses([text]))


def _address(name: str, address: str, charset: str) -> str:
    if name.isascii():
        return formataddr((name, address))
    return f"{Header(name, charset).encode()} <{address}>"


def _encoded(text: str, charset: str) -> str:
    text = " ".join(text.split())
    if text.isascii():
        return text
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    return Header(text, charset, maxlinelen=75).encode()


def _content(table: Mapping[str, Any], key: int, charset: str) -> MIMENonMultipart | MIMEMultipart:
    texts = [
        _text(str(table[name]), kind, key, charset)
        for name, kind in (("body", "plain"), ("html", "html"))
        if table.get(name)
    ]
    content = texts[0] if len(texts) == 1 else MIMEMultipart("alternative", _subparts=texts)
    names = table.get("attachment_names", [])
    if not names:
        return content
    return MIMEMultipart("mixed", _subparts=[content, *(_attachment(str(name)) for name in names)])


def _text(text: str, kind: str, key: int, charset: str) -> MIMENonMultipart:
    long = max(map(len, text.splitlines() or [""])) > 900  # RFC 5322 2.1.1
    if text.isascii() and not long:
        charset = "us-ascii"  # mail programs do not encode it
    kept = Charset(charset)
    if charset == "utf-8" and (key % 3 == 0 or text.isascii()):
        kept.body_encoding = QP
    part = MIMENonMultipart("text", kind, charset=charset)
    part.set_payload(text if text.endswith("\n") else f"{text}\n", kept)
    return part


def _attachment(name: str) -> MIMEApplication:
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    part = MIMEApplication(f"{name}\n".encode() * 8)
    part.replace_header("Content-Type", guessed)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _fix_boundaries(message: MIMENonMultipart | MIMEMultipart, key: int) -> None:
    """Boundaries are random by default; the same table must give the same octets."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{key:012x}_{number}")
