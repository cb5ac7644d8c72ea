"""Trying the words of the mail as passwords, within a share of the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.opening import Opening

RULE: Final = "attachment/password-in-mail"
MOST_SECONDS: Final = 2.0  # for one encrypted file; slow key derivations get through fewer candidates
MOST_SEARCHES: Final = 3  # in vain, in one archive
_SHARE: Final = 0.5  # of what is left for the message


def try_passwords(opening: Opening, check: Callable[[str], bool], seconds: float = MOST_SECONDS) -> str | None:
    """The first candidate that `check` takes, or None; what `check` raises is passed on.

    Stops after `seconds` or half of the time left. The caller tells success with `tell_opened`: a quick check
    may be wrong.
    """
    now = time.monotonic()
    end = min(now + seconds, now + _SHARE * opening.budget.seconds_left)
    for candidate in opening.passwords:
        if time.monotonic() > end:
            return None
        if candidate and check(candidate):
            return candidate
    return None


def tell_opened(opening: Opening) -> None:
    """Record that a password among the candidates opened this file; the password itself is not kept."""
    if not opening.opened_by_password:
        opening.opened_by_password = True
        opening.finding(RULE, Severity.MEDIUM, "a word of this mail, an earlier one or the list opened it")


class PasswordSearch:
    """The passwords of one archive, whose files may have several. `known` are those that opened some of it."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._in_vain = 0
        self.known: list[str] = []

    def find(self, fits: Callable[[str], bool]) -> str | None:
        """One that fits, first of those that are known; after three searches in vain, only of those.

        Raises OverLimitError.
        """
        for password in self.known:
            self._opening.budget.check_time()  # hundreds for each of thousands of files
            if fits(password):
                return password
        found = try_passwords(self._opening, fits) if self._in_vain < MOST_SEARCHES else None
        if found is None:
            self._in_vain += 1
            return None
        tell_opened(self._opening)
        self.known.append(found)
        return found


def spellings(password: str) -> tuple[bytes, ...]:
    """The octets that programs make of a password: UTF-8, and the code page of Japanese Windows where it differs."""
    spelled = [password.encode("utf-8", "replace")]
    try:
        spelled.append(password.encode("cp932"))
    except UnicodeEncodeError:
        return tuple(spelled)
    return tuple(dict.fromkeys(spelled))
