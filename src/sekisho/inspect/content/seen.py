"""Signs that are weak one by one, gathered into one finding; and how an address may be shown."""

from __future__ import annotations

from sekisho.mail.finding import Finding, Severity, Where

MOST_SURE = 0.97
_PROBABLE = 0.75
_POSSIBLE = 0.5


class Seen:
    """Signs of one rule in one mail. Their confidence together: 1 less the product of what each leaves open."""

    def __init__(self) -> None:
        self._open = 1.0
        self._why: list[str] = []

    def add(self, confidence: float, why: str) -> None:
        """One more sign, 0..1; the same words count once."""
        if why not in self._why:
            self._open *= 1.0 - confidence
            self._why.append(why)

    def __len__(self) -> int:
        return len(self._why)

    @property
    def confidence(self) -> float:
        """0..1, all signs together."""
        return min(round(1.0 - self._open, 4), MOST_SURE)

    def finding(
        self, rule: str, excerpt: str, where: Where = "header", *, part: str = "", share: float = 1.0
    ) -> Finding:
        """All signs as one finding, as serious as it is sure; `share` of the confidence counts."""
        sure = round(self.confidence * share, 4)
        why = "; ".join(self._why)
        return Finding(
            rule, severity(sure), sure, len(self), part=part, where=where, excerpt=excerpt, explanation=why
        )


def severity(confidence: float) -> Severity:
    """High from 0.75, medium from 0.5, else low."""
    if confidence >= _PROBABLE:
        return Severity.HIGH
    return Severity.MEDIUM if confidence >= _POSSIBLE else Severity.LOW


def shown_address(address: str) -> str:
    """An address as it may be kept: two characters of the local part, and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:2]}***@{domain[:80]}"
