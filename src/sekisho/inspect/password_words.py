"""Words of a message that may be the password to an attachment.

In Japan a second mail with the password often follows the encrypted archive ("PPAP"), and elsewhere the password
stands in the message itself. Whoever taps the line tries these words first, and so do we.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sekisho.mail.octets import OctetSearch

if TYPE_CHECKING:
    from sekisho.mail.message import Text

MOST_NAMED = 30  # words that stand behind a name for a password
MOST_OTHER = 120
_MOST_CHARS = 200_000  # of all texts together
# The name of a password, what may stand between (": ", " is ", "は以下の通りです。" and a line end), and the word.
_NAMED = re.compile(
    r"(?i)(?:pass(?:word|wd|code|phrase|wort)?|p[./]?w[d]?|pin|kennwort|mot de passe|contraseña"
    r"|パスワード|パスコード|パスフレーズ|暗証番号|暗証|解凍(?:用)?(?:キー|鍵)|復号(?:キー|鍵)|開封キー|合言葉|密码|密碼|비밀번호)"
    r"(?:[^\S\n]*[(\[【][^)\]】\n]{0,30}[)\]】])?"
    r"[^\n:=]{0,30}?(?:[:=]|は|が|\bis\b|→|⇒|\n)"
    r"\s{0,8}(?:(?:以下|次|下記)[^\n]{0,20}\n\s{0,8})?[「『“<【]?([!-~]{3,64})"
)
# One look by hyperscan spares most messages the expression above.
_HINTS = (
    "pass", "pw", r"p\.w", "p/w", "pin", "kennwort", "contrase", "mot de", "\uff50", "\uff30",
    "パス", "ﾊﾟｽ", "暗証", "解凍", "復号", "開封", "合言葉", "密码", "密碼", "비밀번호",
)  # fmt: skip
_MAYBE_NAMED = OctetSearch(("(?i)" + "|".join(_HINTS)).encode())
_TOKEN = re.compile(r"[!-~]{4,64}")
_EDGES = "\"'`<>[](){}.,;:"
# Words with a digit or a sign in them come before plain words.
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])|[^A-Za-z0-9]|^[0-9]+$")
_ADDRESS = re.compile(r"(?i)^(?:https?:|www\.|mailto:)|@.+\.")


def named_words(texts: Iterable[Text]) -> tuple[str, ...]:
    """Words that stand behind "password:", "パスワードは" and the like, in order, each once; at most 30."""
    found: dict[str, None] = {}
    for text in _plain(text for text in texts if _MAYBE_NAMED.occurs(text.text.encode("utf-8", "replace"))):
        for match in _NAMED.finditer(text):
            found.update(dict.fromkeys(_variants(match[1])))
            if len(found) >= MOST_NAMED:
                return tuple(found)[:MOST_NAMED]
    return tuple(found)


def candidate_words(
    texts: Iterable[Text], named: Iterable[str], recent: Iterable[str], given: Iterable[str]
) -> tuple[str, ...]:
    """All candidates, the likeliest first: this message's named words, recent ones, the tenant's, any other word."""
    others = sorted(_tokens(texts), key=lambda word: not _MIXED.search(word))[:MOST_OTHER]
    return tuple(dict.fromkeys((*named, *recent, *given, *others)))


def _tokens(texts: Iterable[Text]) -> Iterator[str]:
    seen: set[str] = set()
    for text in _plain(texts):
        for match in _TOKEN.finditer(text):
            for word in _variants(match[0]):
                if word not in seen and not _ADDRESS.search(word):
                    seen.add(word)
                    yield word
            if len(seen) > 20 * MOST_OTHER:
                return


def _plain(texts: Iterable[Text]) -> Iterator[str]:
    room = _MOST_CHARS
    for text in texts:
        if text.where in ("subject", "body") and room > 0:
            yield unicodedata.normalize("NFKC", text.text[:room])
            room -= len(text.text)


def _variants(word: str) -> Iterator[str]:
    """The word as written, and without the quotes and stops around it."""
    yield word
    bare = word.strip(_EDGES)
    if bare != word and len(bare) >= 3:
        yield bare
