"""Running code on untrusted octets in processes that can do no harm: no files, sockets, processes, little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sekisho.sandbox.limits import SandboxError, SandboxLimits

if TYPE_CHECKING:
    from sekisho.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxError", "SandboxLimits"]


def __getattr__(name: str) -> Any:
    """`Sandbox` only when asked for: the spawner imports this package, and every fork would copy asyncio."""
    if name != "Sandbox":
        raise AttributeError(name)
    from sekisho.sandbox.sandbox import Sandbox  # noqa: PLC0415 - see the docstring

    return Sandbox
