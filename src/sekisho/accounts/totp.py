"""The second factor: codes by time (TOTP), and recovery codes for when the device is lost."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pyotp
from msgspec.structs import replace

from sekisho.store.accounts import SecondFactor

ISSUER: Final = "Sekisho"
RECOVERY: Final = "recovery code"  # the purpose of a keyed hash
SECRET_OCTETS: Final = 20  # RFC 4226 4 R6
_STEP_SECONDS = 30
_DRIFT = 1  # steps to either side, RFC 6238 5.2
_RECOVERY_CODES = 10
_LONGEST_CODE = 100
# Six digits can be guessed: after so many wrong ones in a row the next counts only after a while, longer each time.
_FREE_FAILURES = 5
_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that look like others

Digest = Callable[[str], bytes]


def new_factor(digest: Digest) -> tuple[SecondFactor, tuple[str, ...]]:
    """A factor that is to be confirmed by a first code, and its recovery codes, which are shown once."""
    codes = tuple(_recovery_code() for _ in range(_RECOVERY_CODES))
    kept = tuple(digest(_bare(code)) for code in codes)
    return SecondFactor(secrets.token_bytes(SECRET_OCTETS), recovery=kept), codes


def enrolment_uri(factor: SecondFactor, login: str) -> str:
    """The otpauth:// URI for a device. It holds the secret."""
    return _totp(factor).provisioning_uri(name=login, issuer_name=ISSUER)


def checked(factor: SecondFactor, code: str, now: datetime, digest: Digest) -> tuple[SecondFactor, bool]:
    """The factor after a code was given, and whether the code is good. Each code is good once. RFC 6238 5.2.

    A first good code confirms the factor; recovery codes are good only afterwards.
    """
    if factor.failed_at is not None and now - factor.failed_at < _pause(factor.failures):
        return factor, False
    step = _step(factor, code.strip().replace(" ", ""), now)
    if step is not None:
        return replace(factor, confirmed=True, last_step=step, failures=0, failed_at=None), True
    used = digest(_bare(code))
    if factor.confirmed and any(secrets.compare_digest(used, one) for one in factor.recovery):
        left = tuple(one for one in factor.recovery if one != used)
        return replace(factor, recovery=left, failures=0, failed_at=None), True
    return replace(factor, failures=factor.failures + 1, failed_at=now), False


def _pause(failures: int) -> timedelta:
    if failures < _FREE_FAILURES:
        return timedelta(0)
    return min(_PAUSE * (1 << min(failures - _FREE_FAILURES, 10)), _LONGEST_PAUSE)


def _step(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """The time step that a code is of; None where it is of none, or of one that was used already."""
    totp = _totp(factor)
    current = int(now.timestamp()) // _STEP_SECONDS
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        right = secrets.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode("utf-8", "replace"))
        if right and step > factor.last_step:
            return step
    return None


def _totp(factor: SecondFactor) -> pyotp.TOTP:
    return pyotp.TOTP(_base32(factor.secret), interval=_STEP_SECONDS)


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))


def _bare(code: str) -> str:
    bare = "".join(code.split()).replace("-", "").lower()
    return bare if bare.isascii() and len(bare) <= _LONGEST_CODE else ""
