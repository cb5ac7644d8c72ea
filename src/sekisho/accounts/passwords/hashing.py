"""How passwords are kept: argon2id, and the keys of SCRAM-SHA-256 from the same password."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
from collections.abc import Callable
from typing import TypeVar

from argon2 import Parameters, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import Type, hash_secret, verify_secret
from msgspec import Struct

from sekisho.accounts.passwords.preparation import MOST_OCTETS, PreparationError, for_scram, prepared
from sekisho.config.account_settings import PasswordHashSettings
from sekisho.mail.account import ScramKeys

T = TypeVar("T")

_SALT = 16  # RFC 9106 3.1: 16 octets are recommended
_TAG = 32
_SCRAM_SALT = 24
_VERSION = 19  # 0x13, RFC 9106 3.1
# A stored hash from elsewhere may ask for no more than this: 4 GiB, and as much work as a minute or so.
_MOST_MEMORY_KIB = 4_194_304
_MOST_PASSES = 100
_ARGON2ID = re.compile(r"\$argon2id\$[\x21-\x7e]{20,500}")


class Kept(Struct, frozen=True):
    """What is kept of a password: its argon2id hash (PHC string), and keys for SCRAM unless they are not wanted."""

    encoded: str
    scram: ScramKeys | None = None

    def __repr__(self) -> str:
        """Without what it holds: it must not get into a log."""
        return "Kept(...)"


class Verified(Struct, frozen=True):
    """Whether a password is right; `renewed` is to be kept in place of what was, None where that is still good."""

    right: bool
    renewed: Kept | None = None


class Hasher:
    """Makes and verifies what is kept. Work is done in threads, `at_once` of them, each with its `memory_kib`."""

    def __init__(self, settings: PasswordHashSettings) -> None:
        self._settings = settings
        self._free = asyncio.Semaphore(settings.at_once)
        # what unknown accounts are verified against: the same work, and nobody knows the password
        self._nobody = encoded(os.urandom(_TAG).hex(), settings)

    async def keep(self, password: str) -> Kept:
        """What to keep of a new password. Raises PreparationError."""
        return await self._in_thread(lambda: kept(password, self._settings))

    async def verify(self, stored: Kept | None, password: str) -> Verified:
        """Whether a password is the one that was kept; None, for an account that nobody has, costs the same.

        Never raises for a password: one without a prepared form is a wrong one, after the same work.
        """
        return await self._in_thread(lambda: self._verified(stored, password))

    def _verified(self, stored: Kept | None, password: str) -> Verified:
        known = stored is not None and bool(readable(stored.encoded))
        against = stored.encoded if stored is not None and known else self._nobody
        right = verify(against, password) and known
        if right and stored is not None and outdated(stored, self._settings):
            return Verified(right=True, renewed=kept(password, self._settings))
        return Verified(right=right)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """The thread goes on where nobody waits for it any more; its place and memory are free when it is done."""
        await self._free.acquire()
        running = asyncio.get_running_loop().run_in_executor(None, work)
        running.add_done_callback(self._done)
        return await asyncio.shield(running)

    def _done(self, running: asyncio.Future[T]) -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()  # who waits is told; where nobody does, asyncio must not complain


def kept(password: str, settings: PasswordHashSettings) -> Kept:
    """What to keep of a password. Blocks for as long as the settings say. Raises PreparationError."""
    keys = scram_keys(password, os.urandom(_SCRAM_SALT), settings.scram_iterations)
    return Kept(encoded(password, settings), keys)


def encoded(password: str, settings: PasswordHashSettings) -> str:
    """The argon2id hash of a password with a new salt, as a PHC string. Raises PreparationError. RFC 9106."""
    secret = prepared(password).encode()
    salt = os.urandom(_SALT)
    made = hash_secret(secret, salt, settings.passes, settings.memory_kib, settings.lanes, _TAG, Type.ID, _VERSION)
    return made.decode()


def verify(stored: str, password: str) -> bool:
    """Whether a password is the one of a hash. The same work for a password that has no prepared form."""
    try:
        secret, sound = prepared(password).encode(), True
    except PreparationError:
        secret, sound = password.encode("utf-8", "replace")[:MOST_OCTETS], False
    try:
        return verify_secret(stored.encode(), secret, Type.ID) and sound
    except (Argon2Error, InvalidHashError):
        return False


def readable(stored: str) -> Parameters | None:
    """The parameters of a stored hash; None where it is none of argon2id, or wants more than can be given."""
    if not _ARGON2ID.fullmatch(stored):
        return None
    try:
        found = extract_parameters(stored)
    except (InvalidHashError, ValueError):
        return None
    sound = 1 <= found.time_cost <= _MOST_PASSES and found.memory_cost <= _MOST_MEMORY_KIB
    return found if sound else None


def outdated(stored: Kept, settings: PasswordHashSettings) -> bool:
    """Whether what is kept costs an attacker less than the settings want; lowered settings change nothing."""
    found = readable(stored.encoded)
    if found is None or found.version < _VERSION or found.hash_len < _TAG or found.salt_len < _SALT:
        return True
    if found.memory_cost < settings.memory_kib or found.time_cost < settings.passes:
        return True
    iterations = stored.scram.iterations if stored.scram is not None else 0
    return iterations < settings.scram_iterations or (iterations > 0 and settings.scram_iterations == 0)


def scram_keys(password: str, salt: bytes, iterations: int) -> ScramKeys | None:
    """The keys of SCRAM-SHA-256; None for 0 iterations. Raises PreparationError. RFC 5802 3, RFC 7677 3."""
    if not iterations:
        return None
    salted = hashlib.pbkdf2_hmac("sha256", for_scram(password).encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, hashlib.sha256(client_key).digest(), server_key)


def unknown_scram_keys(key: bytes, tenant: str, login: str, iterations: int) -> ScramKeys:
    """Keys for a login that nobody has, the same each time: the exchange goes on and fails at its end. RFC 5802 9.

    `key` is `Keys.derived("scram of unknown logins")`.
    """
    whose = f"{tenant}\0{login}".encode("utf-8", "surrogatepass")

    def part(name: bytes) -> bytes:
        return hmac.digest(key, name + b"\0" + whose, "sha256")

    return ScramKeys(part(b"salt")[:_SCRAM_SALT], iterations, part(b"stored"), part(b"server"))
