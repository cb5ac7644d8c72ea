"""What an inspector saw. A finding never decides what is done."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from msgspec import Struct

Where = Literal["header", "subject", "body", "attachment", "filename", "link", "envelope", "account"]


class Severity(IntEnum):
    """How much harm is meant by a finding, apart from how sure it is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def of(cls, word: str) -> Severity:
        """Read "low", "medium", "high" or "critical". Raises KeyError."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        """The severity as rules, policy and JSON write it: "high"."""
        return self.name.lower()


class Finding(Struct, frozen=True):
    """One thing seen in one place of a message.

    `rule` is the id ("dlp/jp/my-number"), `confidence` 0..1, `count` how often it was seen, `part` the MIME
    part ("1.2"; "" for envelope and header), `span` offsets in characters into that part's text, `path` the inner
    file ("outer.zip/list.xlsx"), `excerpt` redacted where it is made, `keyed_hash` a keyed hash of the raw value in
    hexadecimal, to recognise it again without keeping it; `explanation` what weighed, in words.
    """

    rule: str
    severity: Severity
    confidence: float = 1.0
    count: int = 1
    part: str = ""
    where: Where = "body"
    span: tuple[int, int] | None = None
    path: str = ""
    excerpt: str = ""
    keyed_hash: str = ""
    explanation: str = ""

    def to_json(self) -> dict[str, object]:
        """The finding as `check`, `hold show`, the audit record and the log print it."""
        shown: dict[str, object] = {
            "rule": self.rule,
            "severity": self.severity.word,
            "confidence": round(self.confidence, 4),
            "count": self.count,
            "part": self.part,
            "where": self.where,
            "path": self.path,
            "excerpt": self.excerpt,
        }
        if self.span is not None:
            shown["span"] = list(self.span)
        if self.keyed_hash:
            shown["keyed_hash"] = self.keyed_hash
        if self.explanation:
            shown["explanation"] = self.explanation
        return shown

    @classmethod
    def from_json(cls, shown: dict[str, object]) -> Finding:
        """Read back what `to_json` wrote. Raises KeyError, TypeError or ValueError where it did not."""
        values = dict(shown)
        values["severity"] = Severity.of(str(values["severity"]))
        span = values.get("span")
        values["span"] = (int(span[0]), int(span[1])) if isinstance(span, list) else None
        return cls(**values)  # type: ignore[arg-type]


def inspection_failed(what: str, why: str, *, part: str = "", where: Where = "body") -> Finding:
    """The finding for a check that could not be made; `what` names it ("antivirus", "patterns")."""
    return Finding(f"inspection.failed/{what}", Severity.HIGH, part=part, where=where, explanation=why)
