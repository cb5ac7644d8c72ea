# ruff: noqa: RUF001 - full-width marks are what forms are written with
"""What a visitor wrote into a form, as an automatic mail repeats it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sekisho.inspect.links.url import Address, names_host, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINES = 200
_MOST_CHARS = 6000
_MOST_LINKS = 20
_LONGEST_LINE = 400
_NAME = (
    "お名前|ご氏名|氏名|名前|担当者名|ご担当者様?名?|フリガナ|ふりがな"
    "|your[ -]name|full[ -]name|first[ -]name|last[ -]name|name|nom|vorname"
)
_SAID = (
    "お問い?合わ?せ内容|お問い?合わ?せ詳細|ご相談内容|ご質問内容|ご依頼内容|ご意見|ご要望|メッセージ本文|メッセージ"
    "|本文|内容|備考|your[ -]message|message|comments?|enquiry|inquiry|question|details|nachricht|mensaje"
)
_OTHER = (
    "メールアドレス|e-?mail(?: address)?|電話番号|お電話番号|tel|phone(?: number)?|件名|題名|subject|会社名|貴社名"
    "|御社名|company|ご住所|住所|address|お問い?合わ?せ種別|種別|url|website|ホームページ|受付番号|受付日時"
)
_LABEL = re.compile(
    "[ \t\u3000>*#■□◆◇●○▼・\\-\\[\uff3b【(「]{0,6}"
    rf"(?:(?P<name>{_NAME})|(?P<said>{_SAID})|(?P<other>{_OTHER}))"
    "(?:[ \t\u3000]{0,4}[(（][^\n)）]{0,20}[)）])?"
    "(?:[】\\]\uff3d」)][ \t\u3000]{0,4}[:\uff1a]?"
    "|[ \t\u3000*]{0,12}[:\uff1a=]|[ \t\u3000]{0,12}$|\t|(?P<cell>[ \u3000]))"
    "[ \t\u3000*]{0,12}(?P<value>.*)",
    re.IGNORECASE,
)
_RULE = re.compile(r"[ \t\u3000>]{0,4}[-=_*━─＝＊ー－~〜]{5,}")
_QUOTE = re.compile("[ \t]{0,3}[>\uff1e|]")
_GREETING = re.compile(
    r"[ \t\u3000]{0,4}(?:(?:dear|hello|hi|hey)\s+(?P<en>\S.{2,199}?)[ \t]*[,!.:]?"
    r"|(?P<ja>.{3,200}?)[ \t\u3000]*(?:様|さま|さん|殿))$",
    re.IGNORECASE,
)
_GREETING_LINES = 8
_LINK = re.compile(
    r"(?:https?|hxxps?|ftp)://[^\s<>\"'）)」\]]{3,1000}"
    r"|(?<![@\w.-])(?:[\w-]{1,63}\.){1,5}[a-z]{2,24}(?:/[^\s<>\"'）)」\]]{0,500})?",
    re.IGNORECASE,
)


class Form(Struct, frozen=True):
    """`names` a visitor gave, `said` what they wrote, `fields` how many labels there are, `rest` the template."""

    names: tuple[str, ...]
    said: str
    fields: int
    rest: str


def read_form(text: str) -> Form:
    """Tell what a visitor wrote from the template around it, by labels, quotation marks and the greeting."""
    names: list[str] = []
    said: list[str] = []
    rest: list[str] = []
    fields, into = 0, ""
    for number, line in enumerate(text[:_MOST_CHARS].splitlines()[:_MOST_LINES]):
        if (label := _LABEL.match(line[:_LONGEST_LINE])) and _is_label(label, fields):
            fields += 1
            into = _kind(label)
            line = label["value"]  # noqa: PLW2901 - what is left of the line
        elif _RULE.match(line):
            into = ""
        elif _QUOTE.match(line):
            said.append(line)
            continue
        elif number < _GREETING_LINES and (greeted := _GREETING.match(line[:_LONGEST_LINE].rstrip(" \t"))):
            names.append(greeted["en"] or greeted["ja"])
        if into == "name" and line.strip():
            names.append(line.strip())
            into = ""
        else:
            (said if into == "said" else rest).append(line)
    return Form(tuple(names), "\n".join(said), fields, "\n".join(rest))


def links_in(text: str, *, bare: bool = False) -> list[Address]:
    """The web addresses that stand in a text, at most 20; `bare`: also names of hosts alone ("example.com")."""
    return list(_links(text, bare=bare))


def _is_meant(written: str) -> bool:
    """Whether a name without scheme is an address: files are called like hosts ("notes.zip")."""
    return "/" in written or written[:4].lower() == "www."


def _is_label(label: re.Match[str], fields: int) -> bool:
    """Whether a blank behind a word makes it one: cells of a table do so, and lines that begin with "Message"."""
    return label["cell"] is None or label["name"] is not None or fields > 0


def _kind(label: re.Match[str]) -> str:
    return next((kind for kind in ("name", "said") if label[kind]), "other")


def _links(text: str, *, bare: bool) -> Iterator[Address]:
    for number, match in enumerate(_LINK.finditer(text[:_MOST_CHARS])):
        if number >= _MOST_LINKS:
            return
        written = match[0]
        if "://" not in written and not (names_host(written) and (bare or _is_meant(written))):
            continue
        address = normalise(written.rstrip(".,;:!?。、"))
        if address is not None and address.host is not None:
            yield address
