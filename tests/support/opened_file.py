"""One opener on one file, as the driver runs it."""

from __future__ import annotations

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.opening import Budget, CorruptError, EncryptedError, Opening, OverLimitError, Step

NAMED_ERRORS = (CorruptError, EncryptedError, OverLimitError)


def opening_of(content: bytes, name: str = "file", *, passwords: tuple[str, ...] = (), **limits: float) -> Opening:
    return Opening(content, name, budget=Budget(OpenLimits(**limits)), passwords=passwords)


def opened(
    step: Step, content: bytes, name: str = "file", *, passwords: tuple[str, ...] = (), **limits: float
) -> Opening:
    opening = opening_of(content, name, passwords=passwords, **limits)
    step(opening)
    return opening


def found(opening: Opening) -> dict[str, str]:
    """The severity of each finding by its id without the family, the gravest counting."""
    severities: dict[str, str] = {}
    for finding in sorted(opening.findings, key=lambda f: f.severity):
        severities[finding.rule.removeprefix("attachment/")] = finding.severity.word
    return severities


def urls(opening: Opening) -> list[str]:
    return [link.url for link in opening.links]


def all_text(opening: Opening) -> str:
    return "\n".join(text.text for text in opening.texts)
