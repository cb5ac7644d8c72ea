"""The inspector "reflected": automatic answers and forms that carry a stranger's spam to whom that stranger named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sekisho.inspect.content.forms import Form, links_in, read_form
from sekisho.inspect.content.parties import body_of, parties, site_of_link
from sekisho.inspect.content.phrases import Phrases
from sekisho.inspect.content.seen import Seen
from sekisho.inspect.content.tenant_names import NOBODY, Names, sites_of
from sekisho.inspect.links.randomness import looks_random

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sekisho.inspect.links.lists import Lists
    from sekisho.inspect.links.url import Address
    from sekisho.mail.finding import Finding
    from sekisho.mail.message import Message
    from sekisho.mail.transaction import Transaction

RULE = "spam/reflected"
LEAST = 0.2
_INSIDE = 0.6  # of the confidence where nobody outside gets it
_MANY_LINKS = 3
_FOREIGN_LETTERS = 10
_MOST_CHARS = 6000
_AUTOMATIC_FIELDS = ("x-autoreply", "x-autorespond", "x-auto-response-suppress", "x-autoresponder")
_SUBJECT = Phrases(
    (
        r"auto(?:matic)?[ -]?(?:reply|response|responder)\b|we (?:have )?received your\b|new (?:form )?submission\b",
        r"thank(?:s| you) for (?:contacting|your (?:message|enquiry|inquiry|request|interest))\b",
        r"(?:contact|enquiry|inquiry|web)[ -]form\b",
    ),
    (
        "自動(?:返信|応答|送信|配信)",
        "(?:お問い?合わ?せ|ご連絡|ご相談|お申し?込み|資料の?ご?請求)[^\n]{0,12}(?:ありがとう|有難う|受け?付|承り|完了)",
    ),
)
_PHRASE = Phrases(
    (
        r"this (?:is an|message is|e-?mail is|message was|e-?mail was) (?:auto|sent auto|generated auto)",
        r"(?:auto(?:matic)?|automated)[ -](?:reply|response|message|confirmation)\b",
        r"we (?:have )?received your (?:message|enquiry|inquiry|request)\b",
        r"copy of your (?:message|enquiry|inquiry)\b",
        r"thank(?:s| you) for (?:contacting|getting in touch|your (?:message|enquiry|inquiry))\b",
        r"sent from (?:the |a |our |your )?(?:contact|web) ?form\b|contact form\b|form submission\b",
    ),
    (
        "自動(?:返信|応答|送信|配信|で)",
        "(?:以下|下記|次)の(?:内容|通り|とおり)[^\n。]{0,20}(?:受け?付け?|承り|送信|お問い?合わ?せ)",
        "お問い?合わ?せ(?:いただき|ありがとう|有難う|を受け|フォーム)",
        "ご入力(?:いただいた|頂いた)?内容|送信(?:された|いただいた)内容",
    ),
)
_SPAM = Phrases(
    (
        r"bitcoin|btc\b|usdt\b|crypto(?:currenc)?|blockchain|casino|slots?\b|betting\b|poker\b|jackpot|viagra|cialis",
        r"pharmacy|pills\b|seo\b|back ?links?\b|guest posts?\b|(?:google|search) rank|first page of google",
        r"web ?site traffic|domain authority|earn(?:ed)? (?:\$|€|money|up to)|passive income|make money",
        r"work from home|invest(?:ment|or)?s?\b|profits?\b|forex|loans?\b|prize|winner|you.ve won|claim (?:your|now)",
        r"free spins|dating\b|hookup|adult\b|porn|nudes?\b|sex\b|onlyfans|hot girls|escorts?\b|weight loss",
        r"whatsapp me|telegram\b|transfer \$|казино|заработ|криптовалют",
    ),
    (
        r"[$€£] ?[0-9][0-9,.]{2,}",
        "仮想通貨|ビットコイン|暗号資産|副業|稼げ|稼ぐ|不労所得|投資",
        "出会い|セフレ|人妻|カジノ|オンラインスロット|被リンク|上位表示|SEO対策",
        "当選|融資|現金化|限定無料|LINE追加|バイナリーオプション",
    ),
)
_FOREIGN = re.compile("[\u0400-\u04ff\u0590-\u06ff\u0900-\u097f\u0e00-\u0e7f]")
_CAMEL = re.compile(r"\b[A-Z][a-z]{3,}[A-Z][a-z]{1,}\b")
_WORD = re.compile(r"[A-Za-z0-9]{5,40}")


class Reflected:
    """Finds `spam/reflected`: at most one for a mail. `names` by tenant. Shared by all threads."""

    name = "reflected"

    def __init__(self, lists: Lists, names: Mapping[str, Names] | None = None) -> None:
        self._names = names or {}
        self._free = lists.free_mail
        self._cheap = lists.free_hosting | lists.dynamic_dns | lists.shorteners
        self._suffixes = lists.abused_suffixes

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """A finding where an automatic mail repeats a stranger's links, or none."""
        body = body_of(transaction).whole[:_MOST_CHARS]
        automatic = _automatic(transaction, body)
        if not automatic or "." not in body:
            return ()
        form = read_form(body)
        own = self._trusted(transaction)
        named = [one for name in form.names for one in links_in(name, bare=True) if site_of_link(one) not in own]
        written = [one for one in links_in(form.said) if site_of_link(one) not in own]
        if not named and not written:
            return ()
        seen = Seen()
        for confidence, why in self._signs(form, named, written):
            seen.add(confidence, why)
        seen.add(0.2 if len(automatic) > 1 else 0.1, f"automatic mail: {', '.join(automatic)}")
        if seen.confidence < LEAST:
            return ()
        share = 1.0 if _goes_out(transaction) else _INSIDE
        return (seen.finding(RULE, (named or written)[0].site, "body", share=share),)

    def _signs(self, form: Form, named: list[Address], written: list[Address]) -> Iterator[tuple[float, str]]:
        if named:
            yield 0.65, f"a link to {named[0].site} where a name should stand"
        if written:
            yield 0.3, f"a stranger's link to {written[0].site}"
        if len(named) + len(written) >= _MANY_LINKS:
            yield 0.2, f"{len(named) + len(written)} links"
        for address in (*named, *written):
            if address.host is not None and self._is_cheap(address):
                yield 0.3, f"{address.site} hides or costs nothing"
                break
        for name in form.names:
            if any(looks_random(word.lower()) for word in _WORD.findall(name)) or _CAMEL.search(name):
                yield 0.3, "a name that nobody has"
                break
        wrote = "\n".join((*form.names, form.said))
        if _SPAM.occur(wrote.encode("utf-8", "replace")):
            yield 0.35, "words of spam in what the stranger wrote"
        if len(_FOREIGN.findall(wrote)) >= _FOREIGN_LETTERS and not _FOREIGN.search(form.rest):
            yield 0.35, "written in another script than the rest"

    def _is_cheap(self, address: Address) -> bool:
        host = address.host
        return host is not None and (not self._cheap.isdisjoint(host.above) or host.suffix in self._suffixes)

    def _trusted(self, transaction: Transaction) -> frozenset[str]:
        """Sites whose links are no stranger's: the company's, its partners', the sender's, the recipients'."""
        names = self._names.get(transaction.session.tenant, NOBODY)
        found = parties(transaction)
        people = (*found.recipients, *([found.author] if found.author is not None else []))
        sites = {one.site for one in people if one.site not in self._free}
        return sites_of(transaction.internal_domains) | names.partners | sites


def _automatic(transaction: Transaction, body: str) -> list[str]:
    """What shows that nobody wrote this mail, RFC 3834 5 and common header fields."""
    message = transaction.message
    signs = list(_fields(message))
    if transaction.envelope.mail_from is None:
        signs.append("null reverse-path")
    if _SUBJECT.occur(message.subject.encode("utf-8", "replace")):
        signs.append("subject")
    if _PHRASE.occur(body.encode("utf-8", "replace")):
        signs.append("text")
    return signs


def _fields(message: Message) -> Iterator[str]:
    submitted = message.header("auto-submitted")
    if submitted is not None and not submitted.value.lower().startswith("no"):  # RFC 3834 5
        yield submitted.name
    precedence = message.header("precedence")
    if precedence is not None and precedence.value.lower() in ("auto_reply", "auto-reply", "junk"):  # bulk: lists too
        yield precedence.name
    yield from (name for name in _AUTOMATIC_FIELDS if message.header(name) is not None)


def _goes_out(transaction: Transaction) -> bool:
    own = transaction.internal_domains
    domains = {address.rpartition("@")[2].lower() for address in transaction.envelope.rcpt_to}
    return not domains or any(
        domain not in own and not any(name.startswith(".") and domain.endswith(name) for name in own)
        for domain in domains
    )
