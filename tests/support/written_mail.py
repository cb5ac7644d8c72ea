"""Mail for the inspectors of content, from headers and a text."""

from datetime import UTC, datetime

from sekisho.config.shipped import shipped
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

LISTS = load_lists(shipped("lists"))
OWN = frozenset(("yamanoue.co.jp",))


def raw_mail(text, headers, kind="plain"):
    """Octets; underscores in the names of headers stand for hyphens."""
    head = {"From": "a@yamanoue.co.jp", "To": "b@tokyo-shoji.co.jp", "Subject": "x"}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    lines += ["MIME-Version: 1.0", "Content-Transfer-Encoding: 8bit", f"Content-Type: text/{kind}; charset=utf-8"]
    return "\r\n".join([*lines, "", *text.splitlines(), ""]).encode()


def written(
    text, *, own=OWN, account=None, mail_from="a@yamanoue.co.jp", rcpt_to=("b@tokyo-shoji.co.jp",), **headers
):
    """A transaction with this text."""
    return Transaction(
        "1",
        Session("s", "192.0.2.1", account=account),
        Envelope(mail_from, tuple(map(Recipient, rcpt_to))),
        parse(raw_mail(text, headers, headers.pop("kind", "plain"))),
        datetime(2026, 11, 24, tzinfo=UTC),
        internal_domains=own,
    )
