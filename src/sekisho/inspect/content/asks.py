"""Whether a mail asks for money, presses or hides: words that say little alone, and much beside a false sender."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.content.parties import body_of
from sekisho.inspect.content.phrases import Phrases
from sekisho.mail.message import once

if TYPE_CHECKING:
    from sekisho.mail.transaction import Transaction

_MOST_CHARS = 10_000
_MONEY = Phrases(
    (
        r"payments?\b|invoices?\b|wire (?:transfer|the)|wir(?:e|ing) instructions|bank (?:account|details|transfer)",
        r"remit(?:tance)?\b|transfer (?:of )?(?:the )?(?:funds|money|balance|\W?[0-9])|gift ?cards?\b|direct deposit",
        r"pay ?roll|iban\b|sort code|account balance|accounts? (?:payable|receivable)|w-?2s?\b|receivables\b",
        r"purchase order",
    ),
    (
        "送金|振込|振り込|支払|請求書|口座|入金|ギフトカード|電子マネー",
        "プリペイド|売掛|残高|源泉徴収票|仮想通貨",
    ),
)
_PRESSING = Phrases(
    (
        r"are you (?:available|at your desk|free|in the office|around|there)\b|at your desk\b|urgent(?:ly)?\b|asap\b",
        r"right away\b|immediately\b|confidential\b|in a meeting\b|quick (?:task|favou?r|question|request)\b",
        r"(?:need|do) (?:a|me a) favou?r\b|discreet(?:ly)?\b|before (?:close|end) of (?:business|day)\b|today\b",
        r"by (?:the )?end of (?:the )?day\b|reply (?:here|by e?-?mail)\b|can.t (?:talk|take calls|be reached)\b",
        r"between us\b",
    ),
    (
        "至急|急ぎ|本日中|今日中|すぐに|内密|極秘|他言|会議中|お手すき",
        "席にいま|在席|電話に出|電話は控え|手を借り|メールで(?:返信|返事|連絡|お願い)",
    ),
)
_TITLE = re.compile(
    r"\b(?:ceo|cfo|coo|president|chair(?:man|woman|person)?|managing director|founder"
    r"|chief (?:executive|financial|operating) officer)\b"
    "|社長|会長|代表取締役|取締役|代表理事|理事長|専務|常務|執行役員"
    "|最高経営責任者|総経理|董事長",
    re.IGNORECASE,
)


class Asks(Struct, frozen=True):
    """What the text is about: `money`, and whether it is `pressing` (haste, secrecy, "no calls")."""

    money: bool
    pressing: bool


def asks(transaction: Transaction) -> Asks:
    """What subject and text ask for; done once for a transaction, about 20 µs for 10 KB."""
    found: Asks = once(transaction.memo, "content-asks", lambda: _asks(transaction))
    return found


def has_title(name: str) -> bool:
    """Whether a display name has the title of an executive in it."""
    return _TITLE.search(name) is not None


def _asks(transaction: Transaction) -> Asks:
    text = f"{transaction.message.subject}\n{body_of(transaction).own[:_MOST_CHARS]}"
    octets = text.encode("utf-8", "replace")
    return Asks(_MONEY.occur(octets), _PRESSING.occur(octets))
