"""One opener on one file, as the driver runs it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive.archives import open_archive
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


def opened_archive(
    kind: str,
    content: bytes,
    *passwords: str,
    error: type[Exception] | tuple[type[Exception], ...] = (),
    **limits: float,
) -> Opening:
    """An archive of this kind; with `error` it must raise one of these."""
    opening = opening_of(content, f"a.{kind}", passwords=passwords, **limits)
    opening.kind = kind
    if error:
        with pytest.raises(error):
            open_archive(opening)
    else:
        open_archive(opening)
    return opening


def children(opening: Opening) -> dict[str, bytes]:
    return {child.name: child.content for child in opening.children}


class EndingBudget(Budget):
    """A budget whose time is over once `is_over` says so, however fast the machine is."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        super().__init__(OpenLimits())
        self._is_over = is_over

    @property
    def seconds_left(self) -> float:
        return -1.0 if self._is_over() else 60.0


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[tuple[object, ...]]:
    """What a function of a module is called with from now on; a call counts before it is made."""
    calls: list[tuple[object, ...]] = []
    real = getattr(module, name)

    def counting(*given: object) -> object:
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(module, name, counting)
    return calls


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
