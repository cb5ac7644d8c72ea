"""Named checks of a pattern's match: check digits, structure, entropy. Pure; the match comes normalised."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from sekisho.inspect.check_digits import digits_of, luhn
from sekisho.inspect.validators_jp import JAPANESE_VALIDATORS
from sekisho.inspect.validators_secret import SECRET_VALIDATORS, entropy, placeholder
from sekisho.inspect.validators_token import TOKEN_VALIDATORS
from sekisho.inspect.validators_world import WORLD_VALIDATORS

if TYPE_CHECKING:
    from collections.abc import Callable


def us_ssn(value: str) -> bool:
    """A US social security number that may have been issued (SSA, POMS RM 10201.035), known samples left out."""
    number = "".join(map(str, digits_of(value)))
    area, group, serial = number[:3], number[3:5], number[5:]
    if len(number) != 9 or number in ("078051120", "219099999", "123456789", "987654321"):
        return False
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def random_looking(value: str) -> bool:
    """Letters and digits as a generator makes them: at least 3 bits a character, and no vendor's EXAMPLE."""
    return entropy(value) >= 3.0 and "EXAMPLE" not in value


def no_placeholder(value: str) -> bool:
    """A value rather than a hole for one (`<password>`, `****`, `changeme`); digits count however plain they are."""
    return len(set(value)) > 2 and (value.isdigit() or not placeholder(value))


def json_web_token(value: str) -> bool:
    """A JSON Web Token: its first part is base64url of a JSON object with "alg" (RFC 7519 3, RFC 7515 4.1.1)."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return False
    return isinstance(header, dict) and "alg" in header


VALIDATORS: dict[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        luhn,
        us_ssn,
        random_looking,
        no_placeholder,
        json_web_token,
    )
}
VALIDATORS.update(SECRET_VALIDATORS)
VALIDATORS.update(TOKEN_VALIDATORS)
VALIDATORS.update(WORLD_VALIDATORS)
VALIDATORS.update(JAPANESE_VALIDATORS)
