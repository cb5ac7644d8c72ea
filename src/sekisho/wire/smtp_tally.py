"""What one connection has done so far, against its limits."""

from __future__ import annotations

from sekisho.config.settings import LimitSettings
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import too_many


class Tally:
    """Counts of commands, of mails begun, and of errors; each call counts one more and may say 421."""

    def __init__(self) -> None:
        self.commands = self.mails = self.errors = 0

    def command(self, limits: LimitSettings) -> Reply | None:
        """One more line of the client."""
        self.commands += 1
        return _over(self.commands, "commands", limits.commands_per_connection)

    def mail(self, limits: LimitSettings) -> Reply | None:
        """One more MAIL, whether it succeeds or not. RFC 9422 4.1."""
        self.mails += 1
        return _over(self.mails, "messages", limits.messages_per_connection)

    def error(self, limits: LimitSettings) -> Reply | None:
        """One more mistake of the client."""
        self.errors += 1
        return _over(self.errors, "errors", limits.errors_per_connection)


def _over(number: int, what: str, limit: int) -> Reply | None:
    return too_many(what, limit, f"{what}_per_connection") if number > limit else None
