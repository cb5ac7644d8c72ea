"""Sample secrets, made when a rule is tested, so that no real-looking secret has to stand in a rule file.

An example's text names a maker in double braces: `token: {{github-token}}`, or an alphabet and a length:
`hvs.{{base64url-95}}`. The same text always gives the same sample.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import string
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAKER = re.compile(r"\{\{([a-z0-9-]+)\}\}")
_LONGEST = 10_000
_BASE62 = string.ascii_letters + string.digits
_BASE32 = string.ascii_uppercase + "234567"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ALPHABETS = {
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "upper-hex": "0123456789ABCDEF",
    "base32": _BASE32,
    "base58": _BASE58,
    "base62": _BASE62,
    "base64": _BASE62 + "+/",
    "base64url": _BASE62 + "-_",
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "lower-digits": string.ascii_lowercase + string.digits,
    "upper-digits": string.ascii_uppercase + string.digits,
}


def filled_in(text: str) -> str:
    """The text with every maker replaced by its sample. Raises KeyError for an unknown maker."""
    dice = random.Random(text)  # noqa: S311 - samples must be the same each time, not secret
    return _MAKER.sub(lambda match: _made(match[1], dice), text)


def _made(name: str, dice: random.Random) -> str:
    alphabet, _, length = name.rpartition("-")
    if name not in MAKERS and alphabet in _ALPHABETS and length.isdecimal():
        return _run(dice, _ALPHABETS[alphabet], min(int(length), _LONGEST))
    return MAKERS[name](dice)


def _run(dice: random.Random, alphabet: str, length: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(length))


def _digits(dice: random.Random, length: int) -> str:
    return _run(dice, string.digits, length)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json_web_token(dice: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": _digits(dice, 10), "iat": 1_700_000_000})
    return ".".join([*(_base64url(json.dumps(p).encode()) for p in parts), _base64url(dice.randbytes(32))])


def _pem(label: str) -> Callable[[random.Random], str]:
    def make(dice: random.Random) -> str:
        body = base64.encodebytes(dice.randbytes(300)).decode()
        lines = "\n".join(body.replace("\n", "")[i : i + 64] for i in range(0, 400, 64))
        return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"

    return make


def _password(dice: random.Random) -> str:
    return _run(dice, string.ascii_lowercase, 5) + _run(dice, string.ascii_uppercase, 2) + _digits(dice, 3) + "#"


_WORDS = ("Kaede", "Summer", "Harbor", "Tanuki", "Orchid", "Minato", "Falcon", "Winter", "Sakura", "Copper", "Momiji")


def _word_password(dice: random.Random) -> str:
    """As people choose them: a word, two to four digits, mostly a sign."""
    sign, tail = dice.choice((("", ""), ("", "!"), ("#", ""), ("_", "!"), ("@", "")))
    return dice.choice(_WORDS) + sign + _digits(dice, dice.randint(2, 4)) + tail


def _checked(prefix: str) -> Callable[[random.Random], str]:
    """A token as GitHub and npm make them: 30 characters and their CRC-32 in base 62."""
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase

    def make(dice: random.Random) -> str:
        body = _run(dice, _BASE62, 30)
        number, check = zlib.crc32(body.encode()), ""
        for _ in range(6):
            number, rest = divmod(number, 62)
            check = digits[rest] + check
        return prefix + body + check

    return make


def _basic(dice: random.Random) -> str:
    return base64.b64encode(f"deploy:{_password(dice)}".encode()).decode()


def _curve_key(dice: random.Random) -> str:
    return base64.b64encode(dice.randbytes(32)).decode()


def _discord(dice: random.Random) -> str:
    number = base64.b64encode(("1" + _digits(dice, 17)).encode()).decode().rstrip("=")
    return f"{number}.{_run(dice, _BASE62, 6)}.{_run(dice, _BASE62 + '_-', 38)}"


def _age_key(dice: random.Random) -> str:
    """An age identity, Bech32 (BIP 173): 256 bits in 52 characters, and 6 that check them."""
    alphabet, head = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "age-secret-key-"
    data = [dice.randrange(32) for _ in range(51)] + [16 * dice.randrange(2)]
    check = 1
    for value in [*(ord(c) >> 5 for c in head), 0, *(ord(c) & 31 for c in head), *data, *[0] * 6]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator * (top >> bit & 1)
    data += [(check ^ 1) >> 5 * (5 - i) & 31 for i in range(6)]
    return (head + "1" + "".join(alphabet[v] for v in data)).upper()


def _wallet_key(dice: random.Random) -> str:
    """A wallet import format key: 0x80, 32 bytes and 4 that check them, in base 58."""
    data = b"\x80" + dice.randbytes(32)
    number = int.from_bytes(data + hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4], "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return text


def _wrapped(dice: random.Random) -> str:
    return base64.b64encode(_pem("RSA PRIVATE KEY")(dice).encode()).decode()


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "aws-access-key": lambda dice: "AKIA" + _run(dice, _BASE32, 16),
    "aws-secret-key": lambda dice: _run(dice, _BASE62 + "+/", 40),
    "github-token": _checked("ghp_"),
    "npm-token": _checked("npm_"),
    "basic-credentials": _basic,
    "curve-key": _curve_key,
    "discord-token": _discord,
    "wrapped-private-key": _wrapped,
    "age-key": _age_key,
    "bitlocker-key": lambda dice: "-".join(f"{11 * dice.randrange(65_536):06}" for _ in range(8)),
    "wallet-key": _wallet_key,
    "github-fine-grained-token": lambda dice: "github_pat_" + _run(dice, _BASE62, 22) + "_" + _run(dice, _BASE62, 59),
    "slack-token": lambda dice: "xoxb-" + "-".join([_digits(dice, 12), _digits(dice, 12), _run(dice, _BASE62, 24)]),
    "slack-webhook": lambda dice: (
        "https://hooks.slack.com/services/T" + _run(dice, _BASE32, 8) + "/B" + _run(dice, _BASE32, 8) + "/"
        + _run(dice, _BASE62, 24)
    ),
    "google-api-key": lambda dice: "AIza" + _run(dice, _BASE62 + "_-", 35),
    "stripe-key": lambda dice: "sk_live_" + _run(dice, _BASE62, 24),
    "json-web-token": _json_web_token,
    "rsa-private-key": _pem("RSA PRIVATE KEY"),
    "private-key": _pem("PRIVATE KEY"),
    "openssh-private-key": _pem("OPENSSH PRIVATE KEY"),
    "certificate": _pem("CERTIFICATE"),
    "password": _password,
    "word-password": _word_password,
}  # fmt: skip
