"""How much a confined job may use, and what is raised when it gave no answer."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Reason: TypeAlias = Literal["memory", "cpu", "time", "answer-size", "died", "unavailable"]


class SandboxError(Exception):
    """A job gave no answer.

    `reason`: over a limit ("memory", "cpu", "time", "answer-size"), ended otherwise ("died"), or no process could be
    had for it ("unavailable"). `detail` is for a log: it holds nothing of the request.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class SandboxLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one job may use.

    `memory_bytes` is address space beyond what the warm process has, the request and the answer included.
    `wall_seconds` counts from the hand-over to a process, not the waiting for a free one. `answer_bytes` at most
    come back.
    """

    memory_bytes: int = 1_000_000_000
    cpu_seconds: int = 10
    wall_seconds: float = 20.0
    answer_bytes: int = 64_000_000
