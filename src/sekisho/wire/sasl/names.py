"""User names as accounts are told apart: after UsernameCaseMapped, RFC 8265 3.3."""

from __future__ import annotations

import unicodedata

from sekisho.mail.account import MOST_LOGIN_CHARACTERS, canonical_login

_WIDTHS = frozenset({"<wide>", "<narrow>"})


def prepared_name(name: str) -> str | None:
    """The name in its one spelling: full and half width alike, lower case, NFC; None for what can be no name."""
    if len(name) > MOST_LOGIN_CHARACTERS:
        return None
    if not name.isascii():
        name = "".join(map(_usual_width, name))
    return canonical_login(name) or None


def _usual_width(character: str) -> str:
    """RFC 8265 3.3.2: full and half width characters become the usual ones."""
    mapping = unicodedata.decomposition(character).split(" ")
    return "".join(chr(int(code, 16)) for code in mapping[1:]) if mapping[0] in _WIDTHS else character
