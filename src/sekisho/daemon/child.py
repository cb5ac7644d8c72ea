"""What every child of the supervisor does beside its work: say that it works, reload, reopen logs, and stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from sekisho.daemon.supervisor import WATCHED, Pipes


async def until_told(pipes: Pipes, *, reload: Callable[[], None], reopen: Callable[[], None]) -> None:
    """Say "ready", then wait for SIGTERM or the parent's death. SIGHUP calls `reload`, SIGUSR1 `reopen`."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    loop.add_signal_handler(signal.SIGUSR1, reopen)
    loop.add_reader(pipes.life, told.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED - {signal.SIGINT, signal.SIGCHLD})
    os.write(pipes.ready, b".")
    try:
        await told.wait()
    finally:
        loop.remove_reader(pipes.life)
