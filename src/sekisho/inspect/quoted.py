"""Which part of a mail's text is a quotation of its recipient's own words: what stands there came from there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sekisho.mail.message import once
from sekisho.mail.octets import OctetSearch

if TYPE_CHECKING:
    from sekisho.mail.message import Text
    from sekisho.mail.transaction import Transaction

PLACE = "quoted reply"
SHARE = 0.5  # of the confidence of a finding: what stands there came from there
_MOST_CHARS = 500_000
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
# The line with which mail programs introduce what they quote: "On … wrote:", "2026年4月1日(水) 10:00 … <a@b>:".
_WORDS = "wrote|schrieb|écrit|escribió|ha scritto|写道|のメール|さんは書きました"
_WROTE = re.compile(
    rf"^[^\n]{{0,300}}(?:{_WORDS}|<[^<>\n]{{3,300}}>)"
    "[^\n]{0,20}[:\uff1a]?\\s*$",
    re.MULTILINE,
)
# The head of a forwarded or answered mail as Outlook and Japanese programs put it there.
_FROM = "From|差出人|送信者|Von|De|发件人"
_HEAD = re.compile(
    r"^[ \t>]{0,20}(?:-{2,40}[^\n-]{0,60}-{2,40}[ \t]{0,20}\n{1,5})?[ \t>*]{0,20}"
    rf"(?:{_FROM})[ \t*]{{0,20}}"
    "[:\uff1a][^\n]{0,300}$",
    re.MULTILINE,
)
# One look by hyperscan spares most messages each of the two.
_MAYBE_WROTE = OctetSearch(rf"{_WORDS}|<[^<>\n]{{3,}}>".encode())
_MAYBE_HEAD = OctetSearch(f"(?:{_FROM})[ \\t*]*(?::|\uff1a)".encode())
_MARKED = re.compile("(?:^[ \t]{0,3}[>\uff1e|][^\n]*\n?)+", re.MULTILINE)


def split_quotes(transaction: Transaction) -> tuple[Text, ...]:
    """The transaction's texts; body text that quotes the only outside recipient stands apart ("quoted reply").

    Both keep the offsets of the whole: what belongs to the other is blanked out. Where anybody else outside gets the
    message too, a quotation counts as any other text.
    """
    recipients = _outside(transaction)
    if not recipients or all("@" not in text.text for text in transaction.texts if text.where == "body"):
        return transaction.texts
    key = f"quoted from {sorted(recipients)}"
    return once(transaction.memo, key, lambda: tuple(_split(transaction.texts, recipients)))


def _split(whole: Sequence[Text], recipients: frozenset[str]) -> Iterator[Text]:
    for text in whole:
        spans = list(_quotations(text.text, recipients)) if text.where == "body" else []
        yield from _apart(text, spans) if spans else [text]


def _outside(transaction: Transaction) -> frozenset[str]:
    """The one domain that all outside recipients share, as addresses; empty where there are several."""
    own = transaction.internal_domains
    addresses = {address.lower() for address in transaction.envelope.rcpt_to}
    outside = {address for address in addresses if not _internal(address.rpartition("@")[2], own)}
    return frozenset(outside) if len({address.rpartition("@")[2] for address in outside}) == 1 else frozenset()


def _internal(domain: str, own: frozenset[str]) -> bool:
    return domain in own or any(name.startswith(".") and domain.endswith(name) for name in own)


def _quotations(text: str, recipients: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Spans of what the recipients wrote, by the line that introduces it."""
    octets = text[:_MOST_CHARS].encode("utf-8", "replace")
    introductions = _introductions(text) if _MAYBE_WROTE.occurs(octets) else ()
    heads = _heads(text) if _MAYBE_HEAD.occurs(octets) else ()
    end = 0
    for start, head_end, to_the_end in sorted((*introductions, *heads))[:50]:
        if start < end or recipients.isdisjoint(a.lower() for a in _ADDRESS.findall(text[start:head_end])):
            continue
        marked = _MARKED.match(text, head_end) or _MARKED.match(text, min(head_end + 1, len(text)))
        end = marked.end() if marked else (len(text) if to_the_end else head_end)
        if end > head_end:
            yield head_end, end


def _introductions(text: str) -> Iterator[tuple[int, int, bool]]:
    for match in _WROTE.finditer(text, 0, _MOST_CHARS):
        yield match.start(), match.end(), False


def _heads(text: str) -> Iterator[tuple[int, int, bool]]:
    for match in _HEAD.finditer(text, 0, _MOST_CHARS):
        yield match.start(), match.end(), True


def _apart(text: Text, spans: Sequence[tuple[int, int]]) -> list[Text]:
    own, quoted, at = [], [], 0
    for start, end in spans:
        own += [text.text[at:start], "\n" * (end - start)]
        quoted += ["\n" * (start - at), text.text[start:end]]
        at = end
    own.append(text.text[at:])
    quoted.append("\n" * (len(text.text) - at))
    return [replace(text, text="".join(own)), replace(text, text="".join(quoted), place=PLACE)]
