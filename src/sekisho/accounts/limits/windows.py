"""Which sending windows are in force, as each process remembers it."""

from __future__ import annotations

from datetime import datetime

from sekisho.mail.account import canonical_login
from sekisho.mail.ports import WindowMemory
from sekisho.mail.window import SendingWindow


class SendingWindows:
    """Approved windows that are not over, by account. Before the first `refresh` there are none."""

    def __init__(self, memory: WindowMemory | None = None) -> None:
        self._memory = memory
        self._of: dict[tuple[str, str], list[SendingWindow]] = {}

    async def refresh(self, now: datetime) -> None:
        """Take up what was approved or cancelled since. Raises StoreAwayError; what was known stays."""
        if self._memory is None:
            return
        found: dict[tuple[str, str], list[SendingWindow]] = {}
        for window in await self._memory.coming(now):
            found.setdefault((window.tenant, window.login), []).append(window)
        self._of = found

    def in_force(self, tenant: str, login: str, at: datetime) -> SendingWindow | None:
        """The account's window at a time; of several the one that ends first. Less than a microsecond."""
        held = [w for w in self._of.get((tenant, canonical_login(login)), ()) if w.holds(at)]
        return min(held, key=lambda window: window.ends_at, default=None)
