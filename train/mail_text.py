"""The subject and text of a corpus message, its language, and a key that near-duplicates share."""

from __future__ import annotations

import email.parser
import html
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from hashlib import blake2b

LONGEST = 20_000  # characters of a text that are looked at
KEY_LENGTH = 1_500  # letters that decide whether two messages are the same campaign

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,255}")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}|(?<![\w.-])(?:[\w-]{1,63}\.){1,5}[a-z]{2,12}\b")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_UNSEEN = re.compile(r"<(script|style|head|title)\b.{0,20000}?</\1\s*>|<!--.{0,5000}?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,4000}>")
_SCRIPTS = (
    ("ja", re.compile(r"[\u3041-\u30fe]")),
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
# Words that are frequent in one language and rare in the others.
_WORDS = {
    "en": "the and you your this that with for have are please from not will our of to is",
    "de": "und der die das ist nicht sie ihre mit für auf wir ein eine werden bitte zu den",
    "fr": "le les des vous votre nous est une pour dans avec sur pas cette merci et du au",
    "es": "el los las usted su para con una por que del está gracias es en y le más",
    "pt": "os uma para com você seu sua não em do da que por obrigado mais ou está é",
    "it": "il gli della per con una che non sono di alla grazie del questo suo è le la",
    "nl": "het een van niet uw voor met zijn en wij dat deze op te bij naar is de",
}
_FREQUENT = {language: frozenset(words.split()) for language, words in _WORDS.items()}


def parse(raw: bytes) -> Message:
    """The message as the standard library's lenient parser reads it."""
    return email.parser.BytesParser().parsebytes(raw)


def decoded_header(value: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047); what cannot be decoded stays as it is."""
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(part if isinstance(part, str) else decoded(part, charset) for part, charset in parts)


def header(message: Message, name: str) -> str:
    """The first header of that name as text, its encoded words still encoded; "" when it is absent."""
    return next(iter(all_headers(message, name)), "")


def all_headers(message: Message, name: str) -> list[str]:
    """Every header of that name; octets above 127 are UTF-8, or Latin-1 where they are not."""
    values = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return [value if value.isascii() else decoded(value.encode("utf-8", "surrogateescape"), None) for value in values]


def decoded(octets: bytes, charset: str | None) -> str:
    """Text in its own charset, else UTF-8, else Latin-1."""
    for name in (charset, "utf-8"):
        try:
            return octets.decode(name or "ascii")
        except (LookupError, UnicodeError, ValueError):
            continue
    return octets.decode("latin-1")


def subject_and_text(raw: bytes) -> tuple[str, str]:
    """Subject, and the text of the plain parts, or of the HTML ones where no plain part says anything."""
    message = parse(raw)
    plain: list[str] = []
    rich: list[str] = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and not part.is_multipart():
            text = part_text(part)[: LONGEST * 5]
            if kind == "text/plain":
                plain.append(text)
            else:
                rich.append(seen(text))
    text = "\n".join(plain)
    if len(text.strip()) < 40:
        text = "\n".join([text, *rich])
    return decoded_header(header(message, "Subject")), text[:LONGEST]


def part_text(part: Message) -> str:
    """The text of one leaf part, transfer encoding and charset undone."""
    octets = part.get_payload(decode=True)
    return decoded(octets, part.get_content_charset()) if isinstance(octets, bytes) else ""


def seen(markup: str) -> str:
    """HTML without its tags, roughly as it is read."""
    return html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", markup)))


def language(text: str) -> str:
    """ISO 639-1 code by script, for Latin letters by frequent words; "en" when neither decides."""
    text = text[:4000]
    for name, script in _SCRIPTS:
        if len(script.findall(text)) > max(8, len(text) // 50):
            return name
    words = text.lower().split()
    counts = {name: sum(word in frequent for word in words) for name, frequent in _FREQUENT.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["en"] else "en"


def group(subject: str, text: str) -> str:
    """16 hex digits, the same for messages that differ only in addresses, links, digits, spaces and punctuation.

    Short texts are told apart by their subject too.
    """
    letters = _letters(text[: KEY_LENGTH * 4])
    if len(letters) < KEY_LENGTH < len(text):
        letters = _letters(text[:LONGEST])
    if len(letters) < 60:
        letters = f"{_letters(subject)}|{letters}"
    if len(letters) < 4:
        letters = f"{subject}|{text}"
    return blake2b(letters[:KEY_LENGTH].encode("utf-8", "replace"), digest_size=8).hexdigest()


def _letters(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    if "@" in text:
        text = _ADDRESS.sub(" ", text)
    return _NOT_LETTERS.sub("", _LINK.sub(" ", text) if "." in text else text)
