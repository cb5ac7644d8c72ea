"""Addresses in running text that mail programs make clickable, or that people write to get past filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST_LINKS = 2000
LONGEST = 4096  # characters of one address; the rest is cut off
# No "\b" in front: in Japanese an address follows the last kana without a blank, and kana are word characters.
# An address ends at blanks, quotes, and the punctuation of Japanese text.
_ADDRESS = (
    '[^\\s<>"`{}|^\u3000-\u3003\u3008-\u3011\u3014-\u301b\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1c\uff1e'
    "\uff1f\uff3b\uff3d\uff5b\uff5d\u2018\u2019\u201c\u201d\u00ab\u00bb\u2026]"
)
_SCHEMED = re.compile(
    rf"(?:[hH](?:[tT]{{2}}|[xX]{{2}})[pP]([sS]?)|[fF](?:[tT]|[xX])[pP])(?:\[:\]|\[:|:|\[)[/\\]{{2}}\]?{_ADDRESS}{{1,{LONGEST}}}"
)
_WWW = re.compile(rf"[wW]{{3}}(?<![A-Za-z0-9@./-][wW]{{3}})(?:\.|\[\.\]|\(\.\)){_ADDRESS}{{1,{LONGEST}}}")
_DEFANGED = re.compile(
    rf"(?<![A-Za-z0-9@./\]-])(?:[A-Za-z0-9-]{{1,63}}(?:\[\.\]|\(\.\)|\[dot\]|\.)){{1,8}}[A-Za-z]{{2,24}}(?:/{_ADDRESS}{{0,{LONGEST}}})?"
)
# What stands in every match, and seldom elsewhere.
_SLASHES = ("//", "\\")
_WWWS = ("www", "wW", "Ww", "WW")
_BEFORE_SIGN = 9  # characters of the longest scheme with its brackets, "https[:]", and of the "/" in "/\\"
_DOT = re.compile(r"\[\.\]|\(\.\)|\[dot\]", re.IGNORECASE)
_SCHEME = re.compile(r"([hf])(?:tt?|xx?)(ps?)(?:\[:\]|\[:|:|\[)[/\\]{2}\]?", re.IGNORECASE)
# Where a host in ASCII is followed by text in another script, the text is not meant.
_HOST_END = re.compile(r"(?:[a-z]+://)?[A-Za-z0-9.:@%-]*\.[A-Za-z]{2,24}(?::[0-9]{1,5})?(?=[^\x00-\x7f])")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_TRAILING = ".,;:!?'*"
_PAIRS = {")": "(", "]": "[", "」": "「"}


def text_links(text: str) -> list[str]:
    """The addresses in a text, in order, at most 2000, with a scheme unless they begin with "www.".

    Defanged ones ("hxxps://evil[.]example") are given as the address that is meant. Linear in the text.
    """
    found: list[tuple[int, str]] = []
    reached = -1
    for matches in (
        _at_signs(_SCHEMED, _SLASHES, text),
        _at_signs(_WWW, _WWWS if "W" in text else _WWWS[:1], text),
        _defanged(text),
    ):
        for match in matches:
            found.append((match.start(), match[0]))
            if len(found) >= MOST_LINKS:
                break
    found.sort()
    links: list[str] = []
    for start, written in found:
        if start >= reached and (link := _clean(written)):
            links.append(link)
            reached = start + len(written)
    return links[:MOST_LINKS]


def _at_signs(pattern: re.Pattern[str], signs: Iterable[str], text: str) -> Iterator[re.Match[str]]:
    """As `pattern.finditer`, for one whose matches all have one of the signs within their first characters.

    It goes from sign to sign, which `str.find` reaches many times as fast as an expression.
    """
    nexts = {sign: text.find(sign) for sign in signs}
    at = 0
    while True:
        for sign, place in nexts.items():
            if 0 <= place < at:
                nexts[sign] = text.find(sign, at)
        first = min((place for place in nexts.values() if place >= 0), default=-1)
        match = pattern.search(text, max(at, first - _BEFORE_SIGN)) if first >= 0 else None
        if match is None:
            return
        yield match
        at = match.end()


def _defanged(text: str) -> Iterator[re.Match[str]]:
    """Addresses of which a dot is written as "[.]" or the like."""
    if ("[" in text or "(.)" in text) and _DOT.search(text):
        yield from (match for match in _DEFANGED.finditer(text) if _DOT.search(match[0]))


def _clean(written: str) -> str:
    """An address without defanging, without the sentence's punctuation behind it; "" where nothing is left."""
    link = _DOT.sub(".", written)
    scheme = _SCHEME.match(link)
    if scheme:
        word = "ftp" if scheme[1] in "fF" else f"http{scheme[2][1:].lower()}"
        link = f"{word}://{link[scheme.end() :]}"
    elif _DOT.search(written) and not link[:4].lower().startswith("www."):
        link = f"http://{link}"
    link = _trim(_ascii_part(link))
    return "" if link.endswith("://") else link


def _ascii_part(link: str) -> str:
    """Cut text in another script off that follows the host or stands in the path; IDN hosts stay."""
    if link.isascii():
        return link
    if host := _HOST_END.match(link):
        return host[0]
    start = link.find("/", link.find("://") + 3)
    foreign = _NOT_ASCII.search(link, start) if start >= 0 else None
    return link[: foreign.start()] if foreign else link


def _trim(link: str) -> str:
    """Take trailing punctuation off, and closing brackets that were not opened in the address."""
    surplus = {close: link.count(close) - link.count(opened) for close, opened in _PAIRS.items()}
    end = len(link)
    while end:
        last = link[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return link[:end]
