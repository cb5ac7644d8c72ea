"""Check digits and dates of identifiers: the few schemes that most of the world's numbers are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# Verhoeff, "Error detecting decimal codes" (1969): the dihedral group D5 and the powers of its permutation.
_D5 = tuple(
    tuple((a + b) % 5 if a < 5 and b < 5 else (a + b) % 5 + 5 if a < 5 else (a - b) % 5 + (5 if b < 5 else 0)
          for b in range(10))
    for a in range(10)
)  # fmt: skip
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


class Check(Struct, frozen=True):
    """One check digit: the weighted sum of the digits before it, times `sign`, modulo `modulus`.

    `instead` says which digit stands for a remainder that has none of its own (10), or another one. `at` is the place
    of the check digit; unless given, it follows the digits that have a weight.
    """

    weights: tuple[int, ...]
    modulus: int
    sign: int = 1
    instead: dict[int, int] = {}
    at: int = -1

    def holds(self, digits: Sequence[int]) -> bool:
        """Whether the digit at the check's place is the right one; the digits are long enough."""
        rest = self.sign * sum(w * d for w, d in zip(self.weights, digits, strict=False)) % self.modulus
        return digits[self.at if self.at >= 0 else len(self.weights)] == self.instead.get(rest, rest)


class Number(Struct, frozen=True):
    """An identifier of digits alone: its lengths, its check digits, and a test of its digits such as a date."""

    lengths: tuple[int, ...]
    checks: tuple[Check, ...] = ()
    also: Callable[[list[int]], bool] | None = None

    def __call__(self, value: str) -> bool:
        """Whether a match, separators left out, is such a number. All digits the same is a filler, not a number."""
        digits = digits_of(value)
        if len(digits) not in self.lengths or len(set(digits)) == 1:
            return False
        return all(c.holds(digits) for c in self.checks) and (self.also is None or self.also(digits))


def digits_of(value: str) -> list[int]:
    """The ASCII digits of a match, separators left out."""
    return [ord(c) - 48 for c in value if "0" <= c <= "9"]


def number_of(digits: Sequence[int]) -> int:
    """The digits as one number; 0 for none."""
    number = 0
    for digit in digits:
        number = number * 10 + digit
    return number


def luhn_digits(digits: Sequence[int]) -> bool:
    """The double-add-double check digit at the right end (ISO/IEC 7812-1 annex B)."""
    total = sum(d if n % 2 == 0 else d * 2 - 9 * (d > 4) for n, d in enumerate(reversed(digits)))
    return len(digits) > 1 and total % 10 == 0


def luhn(value: str) -> bool:
    """The same check of a match, separators left out."""
    return luhn_digits(digits_of(value))


def mod_11_10(digits: Sequence[int]) -> bool:
    """The hybrid system mod 11, 10 with the check digit at the right end (ISO/IEC 7064)."""
    carry = 10
    for digit in digits[:-1]:
        carry = ((carry + digit) % 10 or 10) * 2 % 11
    return (carry + digits[-1]) % 10 == 1


def mod_97(text: str) -> int:
    """Letters as 10 to 35, the whole as a number modulo 97 (ISO/IEC 7064); ASCII letters and digits only."""
    return int("".join(str(int(c, 36)) for c in text)) % 97


def verhoeff(digits: Sequence[int]) -> bool:
    """The check digit at the right end by Verhoeff's scheme."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        turned = digit
        for _ in range(place % 8):
            turned = _PERMUTATION[turned]
        state = _D5[state][turned]
    return state == 0


def is_day(month: int, day: int) -> bool:
    """Whether a year can have this day; 29 February counts."""
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def date_at(month: int, day: int, *, months: int = 100) -> Callable[[list[int]], bool]:
    """A test for a day of the year in two-digit fields at these places.

    Where a number adds 20, 40, 60 to the month for the century, `months` is 20.
    """

    def dated(digits: list[int]) -> bool:
        return is_day(number_of(digits[month : month + 2]) % months, number_of(digits[day : day + 2]))

    return dated
