"""A relay and a sandbox with a stop-watch, so that acting and inspecting need not know of metrics."""

from __future__ import annotations

import time

import msgspec

from sekisho.act.maildir import MaildirRelay
from sekisho.act.relay import SmtpRelay
from sekisho.mail.envelope import Envelope
from sekisho.mail.ports import RelayResult
from sekisho.record.metrics import Metrics
from sekisho.sandbox import Sandbox, SandboxError


class MeasuredRelay:
    """Passes on to `relay` and counts under `name`, the next hop's first host."""

    def __init__(self, name: str, relay: SmtpRelay | MaildirRelay, metrics: Metrics) -> None:
        self._name = name
        self._relay = relay
        self._metrics = metrics

    async def send(self, envelope: Envelope, data: bytes) -> RelayResult:
        """See `mail.ports.Relay`."""
        started = time.perf_counter()
        result = await self._relay.send(envelope, data)
        self._metrics.relayed(self._name, time.perf_counter() - started, result.replies)
        return result

    async def close(self) -> None:
        """Let running sends finish, close everything."""
        await self._relay.close()

    def status(self) -> list[dict[str, object]]:
        """Each host of the next hop, for `sekisho status`."""
        if isinstance(self._relay, MaildirRelay):
            return []
        return [msgspec.to_builtins(host) for host in self._relay.status()]


class MeasuredSandbox:
    """Passes on to `sandbox` and counts."""

    def __init__(self, sandbox: Sandbox, metrics: Metrics | None) -> None:
        self._sandbox = sandbox
        self._metrics = metrics

    async def run(self, request: bytes) -> bytes:
        """See `sandbox.Sandbox`."""
        started = time.perf_counter()
        failure = "cancelled"
        try:
            answer = await self._sandbox.run(request)
            failure = ""
        except SandboxError as error:
            failure = error.reason
            raise
        finally:
            if self._metrics is not None:
                self._metrics.opened(time.perf_counter() - started, failure)
        return answer

    async def close(self) -> None:
        """End the processes."""
        await self._sandbox.close()

    async def start(self) -> None:
        """Have a warm process, so that the first message does not wait for it. Raises SandboxError."""
        await self._sandbox.start()

    def status(self) -> list[str]:
        """The walls that are up, for `sekisho status`; none while there is no process."""
        return list(self._sandbox.confinement)
