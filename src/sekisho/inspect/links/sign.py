"""What one look at an address says."""

from __future__ import annotations

from msgspec import Struct

from sekisho.mail.finding import Severity

PROBABLE = 0.75  # from here on the built-in policy acts
POSSIBLE = 0.5


class Sign(Struct, frozen=True):
    """`rule` is the finding's id; `points` what the sign adds to `link/suspicious`."""

    rule: str
    severity: Severity
    confidence: float
    why: str
    points: float = 0.0


def graded(rule: str, confidence: float, why: str, points: float = 0.0) -> Sign:
    """A sign that is serious as far as it is sure: high from 0.75, medium from 0.5, else low."""
    confidence = round(min(confidence, 0.95), 2)
    severity = (
        Severity.HIGH if confidence >= PROBABLE else Severity.MEDIUM if confidence >= POSSIBLE else Severity.LOW
    )
    return Sign(rule, severity, confidence, why, points)
