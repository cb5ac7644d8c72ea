"""What is odd about a message's structure, as `message/…` findings: gathered while it is indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mail.finding import Finding, Severity, Where

if TYPE_CHECKING:
    from collections.abc import Iterable

# By how well it serves to show one thing to a filter and another to a reader, and how rare it is in honest mail.
SEVERITY = {
    "8bit-header": Severity.LOW,
    "ambiguous-boundary": Severity.HIGH,
    "ambiguous-encoding": Severity.HIGH,
    "bare-newline": Severity.LOW,
    "conflicting-content-type": Severity.HIGH,
    "conflicting-filename": Severity.MEDIUM,
    "duplicate-header": Severity.LOW,
    "encoded-container": Severity.HIGH,
    "external-body": Severity.MEDIUM,
    "hidden-epilogue": Severity.LOW,
    "hidden-preamble": Severity.LOW,
    "huge-header": Severity.LOW,
    "inline-uuencode": Severity.LOW,
    "long-boundary": Severity.LOW,
    "malformed-content-type": Severity.LOW,
    "malformed-header": Severity.LOW,
    "mislabelled-container": Severity.LOW,
    "missing-blank-line": Severity.LOW,
    "missing-boundary": Severity.MEDIUM,
    "no-from": Severity.LOW,
    "nul": Severity.MEDIUM,
    "partial": Severity.HIGH,
    "parts-after-end": Severity.HIGH,
    "too-deep": Severity.HIGH,
    "too-many-headers": Severity.MEDIUM,
    "too-many-parts": Severity.HIGH,
    "two-from": Severity.HIGH,
    "unclosed-multipart": Severity.LOW,
    "unknown-charset": Severity.LOW,
    "unknown-encoding": Severity.LOW,
    "utf-7": Severity.MEDIUM,
}
_IN_HEADER = frozenset((
    "8bit-header", "duplicate-header", "huge-header", "malformed-header", "no-from", "too-many-headers", "two-from",
    "missing-blank-line",
))  # fmt: skip


class Faults:
    """A growing set of faults: each kind once, with its first place and how often it was seen."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str, int]] = {}

    def add(self, kind: str, part: str = "", why: str = "", count: int = 1) -> None:
        """Note a fault of this kind (a key of SEVERITY)."""
        seen = self._seen.get(kind)
        if seen:
            self._seen[kind] = (seen[0], seen[1], seen[2] + count)
        else:  # what comes from a header may hold octets as surrogates, which no log can write
            self._seen[kind] = (part, why.encode("utf-8", "replace").decode(), count)

    def findings(self) -> Iterable[Finding]:
        """One finding for each kind, in the order they were met."""
        for kind, (part, why, count) in self._seen.items():
            where: Where = "header" if kind in _IN_HEADER else "body"
            yield Finding(f"message/{kind}", SEVERITY[kind], count=count, part=part, where=where, explanation=why)
