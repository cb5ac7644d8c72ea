"""What a submission server adds to a message that a mail program left incomplete."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from sekisho.mail.verdict import AddHeader, ChangeHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.transaction import Transaction
    from sekisho.mail.verdict import Modification


def completing(
    transaction: Transaction, modifications: Sequence[Modification], hostname: str
) -> tuple[AddHeader, ...]:
    """Date and Message-ID where the message of a client that has logged in here has none.

    The same each time that it is asked for one transaction, so that no copy differs. Fields that the `modifications`
    bring are left to them. Source: RFC 6409 8.2, RFC 6409 8.3.
    """
    if not transaction.session.mechanism:
        return ()
    there = {header.key for header in transaction.message.headers}
    there |= {change.name.lower() for change in modifications if isinstance(change, AddHeader | ChangeHeader)}
    fields = {
        "Date": format_datetime(transaction.received_at),
        "Message-ID": f"<{transaction.id}@{hostname}>",
    }
    return tuple(AddHeader(name, value) for name, value in fields.items() if name.lower() not in there)
