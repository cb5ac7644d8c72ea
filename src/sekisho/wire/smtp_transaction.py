"""The envelope as MAIL and RCPT build it up. RFC 5321 3.3."""

from __future__ import annotations

import re

from sekisho.config.settings import LimitSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.reply import Reply, ReplyError
from sekisho.wire.smtp_params import (
    MailParameters,
    mail_parameters,
    parse_parameters,
    rcpt_parameters,
    refuse_unknown,
)
from sekisho.wire.smtp_path import forward_path, reverse_path, split_path
from sekisho.wire.smtp_replies import message_too_big, too_many_recipients

# RFC 5321 3.3: no space belongs after the colon, but clients put one there.
_FROM = re.compile(r"FROM:[ \t]*", re.IGNORECASE)
_TO = re.compile(r"TO:[ \t]*", re.IGNORECASE)


def _after(keyword: re.Pattern[str], argument: str, usage: str) -> str:
    matched = keyword.match(argument)
    if matched is None:
        raise ReplyError(Reply(501, "5.4", f"Syntax: {usage}"))
    return argument[matched.end() :]


class MailTransaction:
    """One envelope. `esmtp` False (HELO): no parameter is known. RFC 5321 4.1.1.11."""

    def __init__(self, argument: str, limits: LimitSettings, *, esmtp: bool, auth: bool = False) -> None:
        """Read MAIL's argument; `auth`: AUTH is offered. Raises ReplyError 501, 552 (RFC 1870 6.1), 553 or 555."""
        self._limits = limits
        self._esmtp = esmtp
        path, rest = split_path(_after(_FROM, argument, "MAIL FROM:<address>"))
        found = parse_parameters(rest) if rest else {}
        if found and not esmtp:
            refuse_unknown(found, set())
        self.parameters = mail_parameters(found, auth=auth) if found else MailParameters()
        self.mail_from = reverse_path(path, smtputf8=self.parameters.smtputf8)
        if (self.parameters.size or 0) > limits.message_bytes:
            raise ReplyError(message_too_big(limits.message_bytes))
        self.recipients: list[Recipient] = []

    def add(self, argument: str, hostname: str) -> None:
        """Read RCPT's argument. Raises ReplyError 452 4.5.3, 501, 553 or 555."""
        smtputf8 = self.parameters.smtputf8
        path, rest = split_path(_after(_TO, argument, "RCPT TO:<address>"))
        found = parse_parameters(rest) if rest else {}
        if found and not self._esmtp:
            refuse_unknown(found, set())
        address = forward_path(path, hostname, smtputf8=smtputf8)
        notify, orcpt = rcpt_parameters(found, smtputf8=smtputf8) if found else (None, None)
        if len(self.recipients) >= self._limits.recipients_per_message:
            raise ReplyError(too_many_recipients(self._limits.recipients_per_message))
        self.recipients.append(Recipient(address, notify, orcpt))

    def envelope(self) -> Envelope:
        """The envelope as far as it is known."""
        asked = self.parameters
        return Envelope(
            self.mail_from, tuple(self.recipients), asked.body, asked.smtputf8, asked.size, asked.ret, asked.envid
        )
