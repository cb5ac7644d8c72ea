"""A sending window: a mailing of many that was said in advance, and that somebody else agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

WindowState = Literal["requested", "approved", "cancelled"]


class SendingWindow(Struct, frozen=True):
    """An account may write to so many recipients more between two times, outside its limits, once it is approved.

    All times are aware, UTC. `requested_by`, `approved_by` and `cancelled_by` with their times and the reason are the
    record of it.
    """

    id: str
    tenant: str
    login: str
    starts_at: datetime
    ends_at: datetime
    recipients: int
    reason: str
    requested_by: str
    requested_at: datetime
    state: WindowState = "requested"
    approved_by: str = ""
    approved_at: datetime | None = None
    cancelled_by: str = ""
    cancelled_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is in force."""
        return self.state == "approved" and self.starts_at <= at < self.ends_at
