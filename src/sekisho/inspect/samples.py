"""Sample secrets, made when a rule is tested, so that no real-looking secret has to stand in a rule file.

An example's text names a maker in double braces: `token: {{github-token}}`. The same text always gives the same
sample.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAKER = re.compile(r"\{\{([a-z0-9-]+)\}\}")
_BASE62 = string.ascii_letters + string.digits
_BASE32 = string.ascii_uppercase + "234567"


def filled_in(text: str) -> str:
    """The text with every maker replaced by its sample. Raises KeyError for an unknown maker."""
    dice = random.Random(text)  # noqa: S311 - samples must be the same each time, not secret
    return _MAKER.sub(lambda match: MAKERS[match[1]](dice), text)


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


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "aws-access-key": lambda dice: "AKIA" + _run(dice, _BASE32, 16),
    "aws-secret-key": lambda dice: _run(dice, _BASE62 + "+/", 40),
    "github-token": lambda dice: "ghp_" + _run(dice, _BASE62, 36),
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
}  # fmt: skip
