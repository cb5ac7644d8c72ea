"""Checks of the password settings that their types alone cannot say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sekisho.config.account_settings import PasswordHashSettings, PasswordSettings

if TYPE_CHECKING:
    from sekisho.config.load import Configuration
    from sekisho.config.locations import Problem

BREACH_MAGIC = b"SKBRCH01"

# NIST SP 800-63B-4 3.1.1.2: never fewer than 8, and at least 64 have to be allowed.
_LENGTHS = {
    "least_length": (8, 64),
    "least_length_with_second_factor": (8, 64),
    "most_length": (64, 1024),
    "last_passwords": (0, 100),
}
_GUESSES = ("guesses_power_of_ten", "guesses_power_of_ten_with_second_factor")
# RFC 9106 3.1: at least 8 KiB for each lane; RFC 7677 4: at least 4096 iterations. OWASP wants 7 MiB and more.
_COSTS = {
    "memory_kib": (7_168, 4_194_304),
    "passes": (1, 100),
    "lanes": (1, 64),
    "at_once": (1, 256),
}
_SCRAM = (4_096, 10_000_000)


def password_problems(configuration: Configuration, key: str, settings: PasswordSettings) -> Iterator[Problem]:
    """Every problem of a tenant's section, whose key is `key`."""
    problem = configuration.locations.problem
    yield from _ranges(configuration, key, settings, _LENGTHS)
    for name in _GUESSES:
        if not 0 <= getattr(settings, name) <= 30:
            yield problem(f"{key}.{name}", f"must be from 0 to 30, got {getattr(settings, name)}")
    if settings.breach_list and (why := _unusable(configuration.path(settings.breach_list))):
        yield problem(f"{key}.breach_list", f"{why}: {settings.breach_list}")
    for number, word in enumerate(settings.words):
        if not word.strip():
            yield problem(f"{key}.words[{number}]", "must not be empty")


def hash_problems(configuration: Configuration, key: str, settings: PasswordHashSettings) -> Iterator[Problem]:
    """Every problem of `[password_hash]`."""
    yield from _ranges(configuration, key, settings, _COSTS)
    low, high = _SCRAM
    if settings.scram_iterations and not low <= settings.scram_iterations <= high:
        text = f"must be 0 or from {low} to {high}, got {settings.scram_iterations}"
        yield configuration.locations.problem(f"{key}.scram_iterations", text)


def _ranges(
    configuration: Configuration,
    key: str,
    settings: PasswordSettings | PasswordHashSettings,
    ranges: dict[str, tuple[int, int]],
) -> Iterator[Problem]:
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            yield configuration.locations.problem(f"{key}.{name}", f"must be from {low} to {high}, got {value}")


def _unusable(file: Path) -> str:
    """Why a file is no breach list; "" for one that is."""
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(BREACH_MAGIC))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if begins == BREACH_MAGIC else "is no breach list (`sekisho password breach-list` makes one)"
