# ruff: noqa: RUF001 - Japanese marks are the subject
"""Whether somebody mails the password of the account that sends it. Compared by keyed hash, never kept in clear."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from sekisho.accounts.passwords.reuse import words_fingerprints
from sekisho.mail.account import canonical_login
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Text
from sekisho.mail.transaction import Transaction

log = logging.getLogger(__name__)

OWN_PASSWORD: Final = "dlp/secret/own-password"  # noqa: S105 - a finding's id
_LEAST, _MOST = (
    8,
    128,
)  # characters; what is shorter is no password here (see the least length), nothing longer is tried
_MOST_WORDS = 600  # of a message: two microseconds each
_MOST_CHARACTERS = 50_000  # of a message: what is looked through stops the event loop
_AROUND = "\"'`“”‘’「」『』()（）[]【】<>＜＞{}.,;:、。，：；!！?？*_"
_RUN = re.compile(r"[!-~]{8,128}")  # between Japanese letters, without blanks
_QUOTED = re.compile(r"[「『“\"'（(]([^「」『』“”\"'（()）]{8,128})[」』”\"'）)]")
_BEFORE = (":", "：", "=", "は", " is ")


class Prints(Protocol):
    """The fingerprints of passwords (`store.accounts.AccountRows`). Both raise StoreAwayError."""

    async def prints(self, tenant: str) -> dict[str, tuple[bytes, ...]]:
        """By login, the newest first."""

    async def stamp(self) -> tuple[int, ...]:
        """Another where accounts are others."""


class OwnPasswords:
    """Knows the fingerprint of each account's password in force. `key` is `Keys.derived(reuse.PURPOSE)`."""

    def __init__(self, prints: Prints, key: bytes) -> None:
        self._prints = prints
        self._key = key
        self._stamp: tuple[int, ...] | None = None
        self._of: dict[tuple[str, str], bytes] = {}

    async def refresh(self, tenants: Iterable[str]) -> None:
        """Take up passwords that were changed. Raises StoreAwayError; what was known stays."""
        stamp = await self._prints.stamp()
        if stamp == self._stamp:
            return
        found: dict[tuple[str, str], bytes] = {}
        for tenant in tenants:
            for login, prints in (await self._prints.prints(tenant)).items():
                if prints:
                    found[tenant, login] = prints[0]
        self._of, self._stamp = found, stamp

    def find(self, transaction: Transaction) -> tuple[Finding, ...]:
        """At most one finding: the first text that holds the sender's password. Costs nothing without an account."""
        session = transaction.session
        wanted = self._of.get((session.tenant, canonical_login(session.account or "")))
        if wanted is None:
            return ()
        left, characters = _MOST_WORDS, _MOST_CHARACTERS
        for text in transaction.texts:
            part = text.text[:characters]
            words = list(_some(candidates(part), left))
            left, characters = left - len(words), characters - len(part)
            if self._among(session.tenant, words, wanted):
                return (_finding(text),)
            if left <= 0 or characters <= 0:
                break
        return ()

    def _among(self, tenant: str, words: Sequence[str], wanted: bytes) -> bool:
        return any(hmac.compare_digest(wanted, one) for one in words_fingerprints(self._key, tenant, words))


def candidates(text: str) -> Iterator[str]:
    """What in a text may be a password: words without what stands around them, lines, and ends of lines after a sign.

    Each once, in order.
    """
    seen: set[str] = set()
    for line in text.splitlines():
        for word in _of_line(line.strip()):
            if _LEAST <= len(word) <= _MOST and word not in seen:
                seen.add(word)
                yield word


def _of_line(line: str) -> Iterator[str]:
    for sign in _BEFORE:
        if sign in line:
            rest = line.split(sign, 1)[1].strip()
            yield rest
            yield rest.strip(_AROUND)
    for word in line.split():
        yield word
        bare = word.strip(_AROUND)
        yield bare
        for sign in _BEFORE[:4]:
            if sign in bare:
                yield bare.split(sign, 1)[1].strip(_AROUND)
    for matched in _RUN.finditer(line):
        yield matched[0]
        yield matched[0].strip(_AROUND)
    for matched in _QUOTED.finditer(line):
        yield matched[1]
    yield line


def _some(words: Iterable[str], most: int) -> Iterator[str]:
    for number, word in enumerate(words):
        if number >= most:
            return
        yield word


def _finding(text: Text) -> Finding:
    return Finding(
        OWN_PASSWORD,
        Severity.HIGH,
        1.0,
        part=text.part,
        where=text.where,
        excerpt="********",
        explanation="the password of the account that sends this / 送信に使ったアカウントのパスワード",
    )
