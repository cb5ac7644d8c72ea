"""Checks for keys, tokens and passwords: checksums where a maker has one, else whether a value looks made up.

A secret in a mail is either a value from a generator, which no word of prose resembles, or something a person chose.
That is told from a placeholder (`<password>`, `changeme`), from code (`os.environ["TOKEN"]`) and from ordinary words.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable


# What a writer puts where the value goes.
_HOLE = re.compile(
    r"(?i)^[x*.\-_#•●?=~+/\s]+$|x{4,}|\*{3,}|\.{3}|…|•{2,}|●{2,}|\uff0a{2,}|<[^>]*>|\$\{|\{\{|\}\}|%\(|%\w+%|\$\(|^[<\[({$%@&]"
    r"|example|sample|dummy|placeholder|redacted|masked|omitted|changeme|change[-_]?(?:me|this|it)|replace[-_]?(?:me|with|this)"
    r"|(?:^|[-_])(?:your|insert|enter|fill)[-_a-z]|your(?:secret|token|key|api|pass)|put[-_]?your|goes[-_]?here|[-_]here$|to[-_]?be[-_]"
    r"|not[-_]?a?[-_]?(?:real|secret)|fake|todo|fixme|lorem|foobar|test[-_]?test|super[-_]?secret|^(?:enabled|disabled|required|optional|default|string|int|text|value|field|name)[0-9]{1,2}$|パスワード|ここに|記入|入力|別途|省略|伏せ"
)
_NO_VALUES = (
    "null none true false undefined nil empty string str int bool boolean required optional default secret password"
    " passwd pass token private public hidden unknown disabled enabled admin root user username login value text auto"
    " password1 password12 password123 password1234 mypassword newpassword oldpassword yourpassword userpassword"
    " passphrase mysecret secretkey apikey bearer basic varchar email phone prompt ask keychain keyring vault static"
    " always never manual generated encrypted plaintext forbidden permit sufficient include prohibit-password"
    " without-password 123456 12345678 123456789 1234567890"
)
_NOTHING = frozenset(_NO_VALUES.split())
# An expression of a programming language rather than a value.
_CODE = re.compile(
    r"^(?:os|self|this|process|config|settings|env|request|req|response|res|result|params|options|args|props|data|ctx|secrets?"
    r"|vault|var|local|exports|module|window|session|credentials|account|auth|app|user)[.\[]"
    r"|^(?:getenv|env|new|await|function|lambda|return)\b|\w\(|\w\[|\)$|^[A-Za-z_]+(?:\.[A-Za-z_]+)+$|^[a-z]{1,12}[0-9]{0,2}(?:_[a-z]{1,12}[0-9]{0,2})+(?:_[0-9]{1,2})?$"
    r"|^[A-Z]+(?:_[A-Z]+)*$|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+){2,}$|->|::|=>|^\W*$|\[['\"]|^[a-z]+(?:[A-Z][a-z]+)+$|^(?:[a-z]+[0-9]{0,2}/)+[a-z]+[0-9]{0,2}$|^[!|>]"
)
_SEQUENCES = ("abcdefgh", "12345678", "23456789", "87654321", "qwertyui", "01234567", "aaaaaa", "000000", "111111")
_TRAIL = ".,;:!?)]}\"'`>"
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_HEX_GROUPS = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
_PATHLIKE = re.compile(
    r"^(?:[a-z]+:)?/{1,2}[\w.-]|\.(?:com|net|org|jp|html?|php|png|jpe?g|gif|css|js|json|py|txt|pem|key|crt)$|^@|@[\w-]+\.\w"
)
# "Password1234_" in a manual; names and hyphened words without a digit.
_FIRST_THOUGHT = re.compile(
    r"(?i)(?:my|new|old|test|the)?[-_]?(?:pass(?:word|wd)?|pwd|secret)[-_@]?[0-9]{0,4}[!_#$@.*]?"
)
_NAME = re.compile(r"[A-Za-z]*(?:[_.:,-]+[A-Za-z]*)+")
_WORD = re.compile(r"[a-z]{4,}|[A-Z][a-z]{3,}")
_AWS_ID = re.compile(r"A[KS]IA[A-Z2-7]{16}")
_FOUR_WORDS = re.compile(r"[a-z]{3,9}(?:-[a-z]{3,9}){3,7}")
_SIGNS = re.compile(r"[#$%&*+=!^~?]")
# Versions, paths, names of machines, code, measures.
_PARTS = re.compile(r"[-_.:/].*[-_.:/]|[@()<>{}\[\];|,\"]|^[A-Za-z_]+=|[0-9]x[0-9]")
# Parts of a path, of a number with points or dashes, of code.
_MIDDLE = re.compile(r"[/\\:()<>{}\[\];|,\"=]|[-._].*[-._]|[0-9][-.][0-9]|^[A-Z]{2,}[0-9]*-")
_INNER_SIGN = re.compile(r"[A-Za-z][#$%&*+=!^~]+[A-Za-z]")
# Letters that English avoids, more consonants in a row than it has, and two that begin no word: signs of chance.
_UNWORDLY = re.compile(
    r"(?i)[jqxz]|[^aeiouy]{5}|^(?:[bcdfgkptvw][bcdfgkpmvt]|[bdfgmnv][nms]|[hlmnrvwy][bcdfgklmnprstvw]|[gkpbf]d|s[bdfgrv])"
    r"|[bcdfgklmnprstvw](?:[bdfgkmpvw][lnr]|[lnr][bgmpvw])$"
)


def placeholder(value: str) -> bool:
    """Whether a value is a hole for one: `<token>`, `xxxx`, `your-key-here`, `changeme`, `${TOKEN}`, `null`."""
    return len(set(value)) < 4 or value.lower() in _NOTHING or bool(_HOLE.search(value))


def generated(value: str) -> bool:
    """A value from a generator, 16 characters or more: letters and digits mixed as chance mixes them, and no words.

    Hexadecimal counts from 32 characters on. UUIDs, paths, addresses and counting ("abcdefgh") do not.
    """
    value = value.rstrip(_TRAIL)
    lowered = value.lower()
    if len(value) < 16 or placeholder(value) or any(s in lowered for s in _SEQUENCES) or _PATHLIKE.search(value):
        return False
    if not any(map(str.isalpha, value)) or _CODE.search(value) or _UUID.fullmatch(value):
        return False
    if not any(map(str.isdigit, value)) and not _case_changes(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= 32 and entropy(value) >= 3.0
    return entropy(value) >= _least_bits(value) and _wordless(value)


def _case_changes(value: str) -> bool:
    """Whether the case of letters changes as by chance: three in a hundred tokens of 20 characters have no digit."""
    letters = [c for c in value if c.isalpha()]
    return 3 * sum(a.isupper() != b.isupper() for a, b in pairwise(letters)) >= len(value)


def secret_value(value: str) -> bool:
    """What stands behind a key's name in a file of settings: generated, or a UUID (many services hand those out)."""
    return bool(_UUID.fullmatch(value) and entropy(value) >= 3.0) or generated(value)


def key_shaped(value: str) -> bool:
    """Where a key is due: 15 characters or more, letters and digits, and no hole; may count ("abcdef1234567890")."""
    value = value.rstrip(_TRAIL)
    if _AWS_ID.fullmatch(value) and len(set(value)) >= 8:
        return True  # Amazon's own sample ends with "EXAMPLE"
    if len(value) < 15 or len(set(value)) < 8 or _HOLE.search(value) or _CODE.search(value) or _UUID.fullmatch(value):
        return False
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value) and not _PATHLIKE.search(value)


_TRIVIAL = re.compile(
    r"(?i)(?:admin|root|user|password|passwd|pass|secret|letmein|qwerty|welcome|example\w{0,8})[0-9!@#]{0,4}"
)


def trivial_password(value: str) -> bool:
    """A password that everybody tries first ("password"), also as "user:password" in Base64 (RFC 7617 2)."""
    return bool(_TRIVIAL.fullmatch(decoded(value).partition(":")[2] or value))


def chosen_password(value: str) -> bool:
    """A password in prose, 6 to 64 characters: letters and digits, and neither placeholder, code nor address."""
    value = value.rstrip(_TRAIL) if not value.endswith("!") else value
    if not 6 <= len(value) <= 64 or placeholder(value) or "://" in value or not _mixed(value):
        return False
    return not _PLAIN.search(value)


def strong_password(value: str) -> bool:
    """A password that needs no word beside it that says so: 8 characters or more, mixed, and nothing that reads."""
    plain = value.rstrip(_TRAIL)
    return len(plain) >= 8 and chosen_password(value) and entropy(plain) >= _least_bits(plain) and _wordless(plain)


# Names and ordinals that mix letters and digits as passwords do.
_TYPED_SIGNS = "#$%&*+=!^~?@"
_NAMED = re.compile(
    r"(?i)^0x[0-9a-f]+$|^[0-9]+x[0-9]|^(?:i(?:phone|pad|os)|pixel|galaxy|xperia|surface|thinkpad|issue|order|invoice|ticket|team|bitwarden|keepass|lastpass|chrome|firefox|edge|safari|android|windows|win|office|outlook|exchange|server|postgresql|mysql|oracle|oauth|python|java|php"
    r"|node|http|ipv|wpa|sha|log|web|level|version|option|chapter|section|room|floor|page|step|phase|type|class|part|form|table"
    r"|figure|line|unit|port|user|admin|test|item|day|week|team|group|zone|gate|q)[-_#]?[0-9]{1,6}(?:pro|plus|max|mini|ultra|se|a|sp[0-9])?[!.]?$|^[0-9]+(?:st|nd|rd|th)"
)


def mixed_password(value: str) -> bool:
    """A password by its look alone, 7 to 64 characters: three of small letters, capitals, digits and signs."""
    plain = value.rstrip(_TRAIL)
    if len(plain) < 7 or not chosen_password(value) or _NAMED.search(plain) or _HEX_GROUPS.fullmatch(plain):
        return False
    kinds = (str.islower, str.isupper, str.isdigit, _TYPED_SIGNS.__contains__)
    return sum(any(map(kind, value)) for kind in kinds) >= 3 and not _MIDDLE.search(plain)


_SIGNED_WORD = re.compile(
    r"[A-Z][a-z]{2,}[a-zA-Z]*(?:[#$%&*+!^~?@]{1,2}[0-9]{2,6}[#$%&*+!?@]?|[_-]?[0-9]{2,6}[#$%&*+=!?~^@]{1,2})"
)


def signed_word(value: str) -> bool:
    """A word with a capital, digits and a sign in one ("Harbor@53", "Kaede22!"), no name of a thing."""
    plain = value.rstrip(".,;:)]}\"'`>")
    return bool(_SIGNED_WORD.fullmatch(plain)) and mixed_password(plain)


_TYPED = re.compile(r"[A-Za-z0-9][A-Za-z0-9#$%&*+=!^~?@]{7,31}")


def random_password(value: str) -> bool:
    """Small letters, capitals and digits, 8 to 32 characters that change as by chance; no sign that joins words."""
    plain = value.rstrip(".,;:)]}\"'`>")
    if not _TYPED.fullmatch(plain) or not mixed_password(plain) or _words_in(plain):
        return False
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in plain if c.isalnum()]
    return len(set(kinds)) == 3 and sum(a != b for a, b in pairwise(kinds)) >= max(4, len(kinds) // 3)


def typed_password(value: str) -> bool:
    """What only a password looks like: a word with digits and a sign, or letters and digits as by chance."""
    return signed_word(value) or random_password(value)


def login_password(value: str) -> bool:
    """A password behind a login: one that needs no word beside it, or has the look of one."""
    return strong_password(value) or mixed_password(value)


def scrambled(value: str) -> bool:
    """Small letters, capitals and digits mixed as in no word, code or name, 8 characters or more; no hexadecimal."""
    plain = value.rstrip(_TRAIL)
    if (
        len(plain) < 8
        or not chosen_password(plain[:64])
        or _HEX_GROUPS.fullmatch(plain)
        or _PARTS.search(plain)
        or _NAMED.search(plain)
    ):
        return False
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in plain if c.isalnum()]
    changes = sum(a != b for a, b in pairwise(kinds))
    signed = len(set(kinds)) == 3 and _SIGNS.search(value)
    mixed = signed or ("l" in kinds and changes >= max(4, len(kinds) // 3))
    return bool(mixed) and entropy(plain) >= _least_bits(plain) and not _readable(plain)


def _readable(value: str) -> bool:
    """Whether it has a word of five letters, or words are much of it: names of products and versions of them do."""
    words = _words_in(value)
    return sum(map(len, words)) > 0.35 * len(value) or (len(value) < 20 and any(len(word) > 4 for word in words))


# Dates, times, versions, measures, file names and mail addresses beside "password:" in prose.
_PLAIN = re.compile(
    r"(?i)^[0-9]{1,4}[-/.:年][0-9]{1,2}\b|^[\^~<>=v]{0,3}[0-9]+(?:\.[0-9x*]+)+|\w\[|^\S+@\S+\.[a-z]{2,}$|^[a-z]+[(\uff08]|\(\)|^[0-9]+(?:bits?|bytes?|chars?|characters|days?|hours?|mins?|minutes|months?|years?|letters|digits|times?|th|nd|st)$"
    r"|^(?:https?|www\.)|\.(?:docx?|xlsx?|pdf|zip|txt|html?|php|jpe?g|png)$|^[a-z]+-[0-9]{1,2}$|^\[[^\]]*\]$|^[a-z_]{1,20}=[0-9]*$|&[a-z]+="
    r"|^[0-9]+[-~〜][0-9]+|[a-z0-9],[a-z0-9]|^[a-z]+(?:_[a-z]+[0-9]{0,2})+$|^(?:rfc|sha|md|utf|iso|base|windows|win|bcrypt|oauth|mp)[-_]?[0-9]+"
)


def config_password(value: str) -> bool:
    """A password as a value in a file of settings, 5 to 300 characters: letters, digits, signs: two of them."""
    value = value.rstrip(",.;:?")
    if not 5 <= len(value) <= 300 or placeholder(value) or _CODE.search(value) or value.startswith(("/", "~/", "./")):
        return False
    if _FIRST_THOUGHT.fullmatch(value) or _NAME.fullmatch(value):
        return False
    kinds = [any(map(kind, value)) for kind in (str.isalpha, str.isdigit, lambda c: not c.isalnum())]
    return (sum(kinds) >= 2 or _mixed(value)) and not _PATHLIKE.search(value) and not _PLAIN.search(value)


def word_password(value: str) -> bool:
    """A password that is a word ("swordfish"): only where a file says so, and next to a host or a login."""
    return 4 <= len(value) <= 64 and not placeholder(value) and not re.search(r"[\s(){}\[\]<>$;]|::|->", value)


def url_password(value: str) -> bool:
    """The password part of an address (RFC 3986 3.2.1), percent-encoding taken off; no placeholder and no port."""
    value = unquote(value)
    if not 3 <= len(value) <= 128 or placeholder(value) or value.isdigit():
        return False
    return not re.fullmatch(
        r"(?i)(?:my|your|the|db|user)?[-_]?(?:pass(?:word|wd|wort)?|pw[d]?|secret|token|key|tiger|foo|bar)[0-9]{0,3}",
        value,
    )


def basic_credentials(value: str) -> bool:
    """Base64 of "user:password" (RFC 7617 2), also as Docker and npm keep it."""
    text = decoded(value)
    user, colon, password = text.partition(":")
    return bool(colon and user and text.isprintable() and len(password) >= 4) and url_password(password)


def recovery_codes(value: str) -> bool:
    """Two or more codes for when the second factor is lost: different ones, each with a digit or of no word."""
    codes = {re.sub(r"^\s*(?:[0-9]{1,2}[.)]|[*>-])?\s*", "", line).strip() for line in value.split("\n")} - {""}
    return len(codes) > 1 and all(any(c.isdigit() for c in code) and len(set(code)) > 3 for code in codes)


def pin(value: str) -> bool:
    """A number that opens something, 4 to 8 digits: no filler, no counting, no year."""
    steps = {ord(b) - ord(a) for a, b in pairwise(value)}
    year = len(value) == 4 and value[:2] in ("19", "20")
    return 4 <= len(value) <= 8 and len(set(value)) > 2 and steps not in ({1}, {-1}) and not year


def password_hash(value: str) -> bool:
    """The digest part of a stored password: not a lock ("*", "!") and not a repeated filler."""
    return len(set(value)) > 8 and "EXAMPLE" not in value.upper()


def wifi_password(value: str) -> bool:
    r"""The P field of a Wi-Fi QR text, backslashes taken off: 8 to 63 characters (IEEE 802.11 J.4)."""
    value = re.sub(r"\\(.)", r"\1", value)
    return 8 <= len(value) <= 63 and not placeholder(value)


_OPEN_LABEL = re.compile(
    r"(?i)(?:non[- ]?business|non[- ]?classifi\w*|.{0,20}no label|[0-9a-f-]{36}"
    r"|public|general|personal|unrestricted|unclassified|none|default|open|external"
    r"|公開|一般|個人|社外公開可|社外提供可|社外可|制限なし|なし|全員)(?: .{0,20}|（.{0,20}）)?"  # noqa: RUF001 - Japanese brackets
)


def restricting_label(value: str) -> bool:
    """The name of a sensitivity label that restricts: any but "Public", "General" and their like."""
    return bool(value.strip()) and not _OPEN_LABEL.fullmatch(value.strip())


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def _least_bits(value: str) -> float:
    """Less than nearly all random strings of letters and digits of this length have."""
    return min(3.6, 0.78 * math.log2(len(value)))


def _wordless(value: str) -> bool:
    """Whether no more than half of a value reads like words."""
    return 2 * sum(map(len, _words_in(value))) <= len(value)


def _words_in(value: str) -> list[str]:
    """The runs of four letters or more that can be spoken: a vowel, and no sounds that English does not join."""
    return [run for run in _WORD.findall(value) if re.search(r"(?i)[aeiouy]", run) and not _UNWORDLY.search(run)]


def _mixed(value: str) -> bool:
    """Letters and digits; or letters whose case changes as in no word ("kGhTqWzB"), with signs; or four words."""
    if any(c.isdigit() for c in value):
        return any(c.isascii() and c.isalpha() for c in value)
    if not value.isascii() or _FOUR_WORDS.fullmatch(value):
        return value.isascii()
    changes = sum(a.islower() and b.isupper() for a, b in pairwise(value))
    if not value.isalpha():
        return bool(_INNER_SIGN.search(value)) and not value.islower() and not value.isupper() and _wordless(value)
    return (changes >= 2 and _wordless(value)) or (changes == 1 and len(value) >= 8 and not _words_in(value))


def octets(value: str) -> bytes:
    """Base64 or base64url with or without padding; empty where it is neither."""
    plain = value.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


def decoded(value: str) -> str:
    """Base64 as text, bytes that are none of UTF-8 replaced."""
    return octets(value).decode("utf-8", "replace")


SECRET_VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        generated,
        secret_value,
        key_shaped,
        trivial_password,
        chosen_password,
        strong_password,
        mixed_password,
        signed_word,
        random_password,
        typed_password,
        login_password,
        scrambled,
        config_password,
        word_password,
        url_password,
        basic_credentials,
        recovery_codes,
        pin,
        password_hash,
        wifi_password,
        restricting_label,
    )
}
