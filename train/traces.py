"""Removes from a corpus message what tells its source and not its content.

A model that sees list footers, `[List]` tags, `X-Spam-*`, the recipient of a trap or one mailer's headers learns the
corpus. Every source is treated alike: the same headers stay in all, and each gets a plain Message-ID and Date.
"""

from __future__ import annotations

import base64
import email.policy
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import formataddr, getaddresses, parseaddr
from typing import TYPE_CHECKING

import msgspec
from mail_text import all_headers, decoded_header, header, parse

if TYPE_CHECKING:
    from corpora import Sample

MIME = ("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id")
KEPT = frozenset({"from", "reply-to", "to", "cc", "subject", "date", *MIME})
AS_IT_STANDS = email.policy.compat32.clone(max_line_length=None)  # headers are not folded anew
DATE = "Mon, 08 Jan 2024 09:00:00 +0000"
SOMEBODY = "recipient@example.net"

FLAGS = re.IGNORECASE | re.ASCII  # text is looked at as octets too: no other letter may touch a word

# Hosts and names of the lists, traps and people that the corpora were collected at.
_PLACES = (
    r"lists\.sourceforge\.net|lists\.01\.org|ml01\.01\.org|lists\.ettus\.com|lfdr\.de|domain\.com|pot|linux\.ie|"
    r"(?:[\w-]{1,40}\.){0,3}taint\.org|(?:[\w-]{1,40}\.){0,3}netnoteinc\.com|jmason\.org|xent\.com|monkey\.org|"
    r"(?:yahoo|e)groups\.com|freshrpms\.net|tuatha\.org|localhost"
)
_TRAP = re.compile(rf"(?<![\w.+=-])[\w.+=-]{{1,64}}@(?:{_PLACES})\b", FLAGS)
_TRAP_NAME = re.compile(
    r"\b(?:osst-users|linux-nvdimm|usrp-users|phishing@pot|zzzzteana|jmason|yyyy+|zzzz+|ilug(?:-social)?"
    r"|(?:spamassassin|razor|exmh)-(?:talk|devel|users|workers|sightings)|rpm-list|forteana)(?![a-z])",
    FLAGS,
)
_CORPUS_WORD = re.compile(r"\b(?:enron(?:online|xgate|s)?|ettus|osst)\b", FLAGS)
_TAGS = re.compile(
    r"^((?:(?:re|fw|fwd|aw|wg|tr|sv)\s?:\s{0,3}){0,4})"
    r"(?:\[[^\[\]]{1,40}\]\s{0,3}|\*{2,}\s?spam\s?\*{2,}\s{0,3}|spam: ){1,4}",
    FLAGS,
)
_VIA = re.compile(r"\s+via\s+[\w .-]{1,40}$", FLAGS)

# Lines that list software, a list provider or one company's mailer writes, quoted or not.
_FOOTER_LINE = re.compile(
    r"(?ima)^[>|\s]{0,20}(?:"
    r"_{30,}"
    r"|[\w' .-]{1,60} mailing list(?:(?: --)?[ \t]{0,5}<?[-\w.]{1,60}@[^\n]{0,160})?"
    rf"|<?[\w.+=-]{{1,64}}@(?:{_PLACES})[^\n]{{0,80}}"
    r"|(?:irish linux users' group|list maintainer): [^\n]{0,120}"
    r"|https?://[^\s<>]{0,160}(?:listinfo|mailman|yahoogroups|egroups\.com)[^\s<>]{0,160}[^\n]{0,60}"
    r"|(?:to )?unsubscribe(?: from this group,)?[,:]? (?:send|email)[^\n]{0,160}"
    r"|your use of yahoo! groups is subject to[^\n]{0,120}"
    r"|(?:this|-+)?[ ]?sf\.net email is sponsored by[^\n]{0,160}"
    r"|http://(?:us\.click\.yahoo|thinkgeek|www\.thinkgeek)\.com/[^\n]{0,160}"
    r"|[- ]{10,}\s?forwarded by [^\n]{0,160}"
    r"|forwarded by [^\n]{1,80}/[^\n]{0,80}"
    r"|[ap]m ?[- ]{10,}"
    r"|[- ]{8,}original appointment[- ]{8,}"
    r")[ \t]*\r?$\n?"
)
_GROUPS = re.compile(r"-{5,}[ ]?yahoo! groups sponsor[^\n]{0,120}\n.{0,1500}?~-(?:>|&gt;)\n?", FLAGS | re.DOTALL)
_LIST_LINK = re.compile(
    r"(?ia)<a\b[^<>]{0,300}(?:listinfo|mailman|yahoogroups|egroups|-leave(?:@|%40)|lists\.(?:ettus|sourceforge|01)\.)"
    r"[^<>]{0,300}>[^<>]{0,200}</a>"
)
_LIST_WORDS = re.compile(
    r"(?ia)_{30,}|\b[\w-]{1,40} mailing list(?: --)?(?= |<|\n|$)|to unsubscribe send an email to(?: [\w.@-]{3,80})?"
)
# The company or project whose mail a corpus is.
_HOME = re.compile(r"(?ia)(?<![\w.-])(?:[\w-]{1,40}\.){0,3}(?:enron|ettus)\.com\b")
_ENRON_NAME = re.compile(
    r"(?ia)(?:\s?/\s?(?:hou|na|corp|lon|ees|ect|enron|enron_development|aa|sfo|pdx|cal)\b){1,3}(?:\s?@\s?(?:ect|enron|ees)\b)?|@(?:ect|ees|enron)\b"
)


def without_source_traces(sample: Sample) -> Sample:
    """The same message without what its corpus or list left in it, headers and text; the rest of it unchanged.

    Kept headers: From, Reply-To, To, Cc, Subject and the MIME ones, in every class alike; Date and Message-ID are
    replaced by plain ones. List-Unsubscribe is dropped in all classes: lists have it, traps too.
    """
    message = parse(sample.raw.replace(b"\r\n", b"\n"))
    lists = _list_addresses(message)
    message = _unwrapped(message)
    _headers(message, lists, sample.group)
    for part in message.walk():
        _clean_part(part)
    return msgspec.structs.replace(sample, raw=_octets(message, sample.raw))


def without_footers(text: str) -> str:
    """Text without list footers, list names and traces of one company's mailer."""
    text = _FOOTER_LINE.sub("", _GROUPS.sub("", text))
    if "@" in text:
        text = _TRAP.sub(SOMEBODY, text)
    text = _HOME.sub("example.com", _TRAP_NAME.sub("user", text))
    return _ENRON_NAME.sub("", _CORPUS_WORD.sub("", text))


def without_tags(subject: str) -> str:
    """A subject without `[List]` and spam tags at its start, also after Re: and Fwd:."""
    subject = _TAGS.sub(r"\1", " ".join(subject.split()))
    return _CORPUS_WORD.sub("", _TRAP_NAME.sub("user", _TRAP.sub(SOMEBODY, subject))).strip()


def _octets(message: Message, raw: bytes) -> bytes:
    """As it is written; messages that the standard library reads but cannot write keep their own body."""
    try:
        written = message.as_bytes(policy=AS_IT_STANDS)
    except (LookupError, ValueError, AttributeError, TypeError):
        head = "".join(f"{name}: {' '.join(str(value).split())}\n" for name, value in message.items())
        body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
        written = head.encode("utf-8", "replace") + b"\n" + body
    return written.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _list_addresses(message: Message) -> frozenset[str]:
    """The addresses of the list a message went through, by its own headers."""
    found = set()
    for name in ("List-Post", "X-BeenThere", "Mailing-List", "X-Mailing-List", "Sender", "Errors-To", "Delivered-To"):
        for value in all_headers(message, name):
            found.update(re.findall(r"[\w.+=-]{1,64}@[\w.-]{1,200}", value.lower()))
    return frozenset(found - {parseaddr(header(message, "From"))[1].lower()} if "List-Post" not in message else found)


def _headers(message: Message, lists: frozenset[str], group: str) -> None:
    subject = without_tags(decoded_header(header(message, "Subject")))
    sender, reply_to = _sender(message, lists)
    # Every recipient that is the list or the trap is somebody; the others are left as they are.
    others = {name: _recipients(message, name, lists) for name in ("To", "Cc")}
    for name in set(map(str.lower, message.keys())):
        if name not in KEPT or name in ("from", "reply-to", "to", "cc", "subject", "date"):
            del message[name]
    values = [("From", sender), ("Reply-To", reply_to), ("To", others["To"] or SOMEBODY), ("Cc", others["Cc"])]
    values += [("Subject", _encoded(subject)), ("Date", DATE), ("Message-ID", f"<{group}@mail.example.net>")]
    mime = list(message.raw_items())
    for name, _ in mime:
        del message[name]
    for name, value in [*((n, v) for n, v in values if v or n == "Subject"), *mime]:
        message.set_raw(name, value)


def _sender(message: Message, lists: frozenset[str]) -> tuple[str, str]:
    """From and Reply-To as the author sent them: a list that put itself in From left him in Reply-To."""
    name, address = _parsed(header(message, "From"))
    reply_name, reply = _parsed(header(message, "Reply-To"))
    if address.lower() in lists and reply and reply.lower() not in lists:
        name, address = _VIA.sub("", name) or reply_name, reply
    if reply.lower() in lists or reply.lower() == address.lower():
        reply = ""
    name = _VIA.sub("", name) if _TRAP_NAME.search(name) else name
    address = _TRAP.sub("somebody@example.com", address)
    return _written(name, address), _written(reply_name, reply) if reply else ""


def _recipients(message: Message, header_name: str, lists: frozenset[str]) -> str:
    found = []
    for value in all_headers(message, header_name)[:5]:
        for name, address in getaddresses([value.replace("\n", " ")[:4000]])[:20]:
            if address.lower() in lists or _TRAP.fullmatch(address) or _TRAP_NAME.search(f"{name} {address}"):
                found.append(SOMEBODY)
            elif address:
                found.append(_written(decoded_header(name), address))
    return ", ".join(dict.fromkeys(found))


def _parsed(value: str) -> tuple[str, str]:
    name, address = parseaddr(" ".join(value.split()))
    return decoded_header(name), address


def _written(name: str, address: str) -> str:
    address = _HOME.sub("example.com", address.encode("ascii", "replace").decode())
    name = " ".join(_CORPUS_WORD.sub("", _ENRON_NAME.sub("", name)).split())
    try:
        return formataddr((name, address))
    except UnicodeError:
        return address


def _encoded(subject: str) -> str:
    if subject.isascii():
        return subject
    words = subject.encode("utf-8", "replace").decode("utf-8")
    pieces = [words[at : at + 14] for at in range(0, len(words), 14)]  # 14 characters fit one encoded word (RFC 2047)
    return "\n ".join(f"=?utf-8?b?{base64.b64encode(piece.encode()).decode()}?=" for piece in pieces)


def _unwrapped(message: Message) -> Message:
    """Without the parts that hold only a list's footer, and without the wrapper that list software made for them."""
    if message.get_content_type() != "multipart/mixed" or not message.is_multipart():
        return message
    parts = [part for part in _children(message) if not _is_footer(part)]
    if len(parts) == 1 and len(_children(message)) > 1:
        return _promoted(message, parts[0])
    message.set_payload([*(parts or _children(message))])
    return message


def _children(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _is_footer(part: Message) -> bool:
    if part.get_content_type() != "text/plain" or part.get_filename():
        return False
    octets = part.get_payload(decode=True)
    return isinstance(octets, bytes) and len(octets) < 1500 and not without_footers(octets.decode("latin-1")).strip()


def _promoted(message: Message, part: Message) -> Message:
    """The only real part with the message's own headers."""
    own = {name.lower() for name, _ in part.items()}
    for name, value in message.raw_items():
        if name.lower() not in own and not name.lower().startswith("content-"):
            part.set_raw(name, value)
    part.set_unixfrom("")
    return part


def _clean_part(part: Message) -> None:
    """Take footers and names out of one text part; its charset and transfer encoding stay."""
    if part.is_multipart() or part.get_content_maintype() != "text":
        return
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return
    text = octets.decode("latin-1")  # every trace is ASCII, in whatever charset the rest is
    cleaned = without_footers(text.replace("\r\n", "\n"))
    if part.get_content_subtype() == "html":
        cleaned = _LIST_WORDS.sub("", _LIST_LINK.sub("", cleaned))
    if cleaned != text:
        part.set_payload("".join(_transfer_encoded(part, cleaned.encode("latin-1"))))


def _transfer_encoded(part: Message, octets: bytes) -> Iterator[str]:
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    yield octets.decode("ascii", "surrogateescape")
