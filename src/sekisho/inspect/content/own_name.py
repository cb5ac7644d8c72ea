"""The inspector "own-name": a warning in the company's own name that sends its reader to somebody else's site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.inspect.content.parties import body_of, parties, site_of_link
from sekisho.inspect.content.phrases import Phrases
from sekisho.inspect.content.seen import Seen
from sekisho.inspect.content.tenant_names import NOBODY, Names, sites_of
from sekisho.inspect.links.lookalikes import Lookalikes
from sekisho.inspect.links.signs import WEB
from sekisho.inspect.links.targets import targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sekisho.inspect.content.parties import Parties
    from sekisho.inspect.links.host import Host
    from sekisho.inspect.links.lists import Lists
    from sekisho.inspect.links.url import Address
    from sekisho.mail.finding import Finding
    from sekisho.mail.transaction import Transaction

RULE = "phishing/own-name-warning"
_MOST_CHARS = 10_000
_SHORTEST_NAME = 3
_WARNING = Phrases(
    (
        r"(?:mail ?box|inbox|storage|quota|e-?mail account)[^\n.?!]{0,50}\b(?:full\b|exceed|limit|almost)",
        r"(?:mail ?box|e-?mail account)[^\n.?!]{0,50}\b(?:deactivat|disabled)",
        r"mail ?box[^\n.?!]{0,50}\b(?:upgrade|migrat|expir|clos)",
        r"password[^\n.?!]{0,40}\b(?:expir|will be reset|has been reset|must be changed|is due)",
        r"(?:unusual|suspicious|unauthori[sz]ed|unrecogni[sz]ed)[ -](?:sign|log|activity|access|attempt)",
        r"(?:data|security) (?:breach|incident)\b",
        r"account[^\n.?!]{0,40}\b(?:suspended|deactivated|disabled|locked|terminated|closed|restricted)\b",
        r"(?:messages|e-?mails?)[^\n.?!]{0,30}\b(?:pending|on hold|held|quarantined?|undelivered|blocked)\b",
        r"(?:re-?)?(?:verify|validate|confirm|activate) your (?:\w+ )?(?:account|mail ?box|identity|password)\b",
    ),
    (
        "パスワード[^\n。]{0,20}(?:期限|失効|変更が必要|変更してください|変更をお願い)",
        "(?:メールボックス|メール容量|保存容量)[^\n。]{0,20}(?:上限|超|いっぱい|不足|停止|移行)",
        "不正な?(?:アクセス|ログイン|利用)|情報の?(?:漏えい|漏洩|流出)",
        "不審な(?:ログイン|サインイン|アクセス|アクティビティ)",
        "アカウント[^\n。]{0,20}(?:停止|ロック|無効|制限|削除|凍結|再認証)",
        "(?:保留|未配信|未受信|隔離)(?:中|され)?[のた]?メール|配信が?保留|再認証|再度ログイン",
    ),
)
_ISSUER = Phrases(
    (
        r"(?:it|help|support|service|admin|security|mail|webmail|technical)[ -]?(?:team|desk|department|support)\b",
        r"(?:system|mail|server|domain) admin(?:istrator)?\b|webmaster\b|postmaster\b",
    ),
    (
        "情報システム|システム管理|メール管理|サーバー?管理|ヘルプデスク",
        "サポートチーム|管理者|運用チーム|セキュリティチーム",
    ),
)


class OwnName:
    """Finds `phishing/own-name-warning`: at most one for a mail.

    `names` by tenant; of links to `allowed` hosts, with what is below them, nothing is said. Shared by all threads.
    """

    name = "own-name"

    def __init__(self, lists: Lists, names: Mapping[str, Names] | None = None, allowed: Iterable[str] = ()) -> None:
        self._lists = lists
        self._names = names or {}
        self._allowed = frozenset(host.lower().strip(".") for host in allowed)
        self._brands = Lookalikes(lists)
        self._cheap = lists.free_hosting | lists.dynamic_dns | lists.shorteners

    def inspect(self, transaction: Transaction) -> tuple[Finding, ...]:
        """The finding where a name of the company, a warning and a foreign link come together, or none."""
        if not transaction.links:
            return ()
        names = self._names.get(transaction.session.tenant, NOBODY)
        found = parties(transaction)
        if _is_allowed(transaction, found, names):
            return ()
        text = f"{transaction.message.subject}\n{body_of(transaction).own[:_MOST_CHARS]}"
        octets = text.encode("utf-8", "replace")
        if not _WARNING.occur(octets):
            return ()
        seen = Seen()
        own = sites_of(transaction.internal_domains)
        for confidence, why in _named(transaction, found, names, own, text):
            seen.add(confidence, why)
        link = self._foreign_link(transaction, found, names, own) if seen else None
        if link is None:
            return ()
        seen.add(0.3, "a warning about an account")
        seen.add(0.3, f"a link to {link.site}, which is not the company's")
        if self._is_cheap(link.host):
            seen.add(0.2, f"anybody can have a page at {link.site}")
        if _ISSUER.occur(octets):
            seen.add(0.15, "signed by an administration")
        return (seen.finding(RULE, link.site, "body"),)

    def _foreign_link(
        self, transaction: Transaction, found: Parties, names: Names, own: frozenset[str]
    ) -> Address | None:
        """The first link of the text to a site that is neither the company's, a partner's nor a well-known one's."""
        sites = own | names.partners | {one.site for one in found.recipients}
        if found.author is not None and found.author.site not in self._lists.free_mail:
            sites |= {found.author.site}
        known = self._allowed | names.warners
        for target in targets(transaction, self._lists).targets:
            address = target.address
            host = address.host
            if (
                target.link.path
                or target.link.origin in ("src", "other")
                or host is None
                or address.scheme not in WEB
            ):
                continue
            if site_of_link(address) in sites or not known.isdisjoint(host.above) or target.kind:
                continue
            if self._is_cheap(host) or not self._brands.names.owner(host):
                return address
        return None

    def _is_cheap(self, host: Host | None) -> bool:
        return host is not None and not self._cheap.isdisjoint(host.above)


def _is_allowed(transaction: Transaction, found: Parties, names: Names) -> bool:
    """Whether the tenant's list has the sender. A login must be on it too: a From can be written by anybody."""
    author, account = found.author, (transaction.session.account or "").lower()
    if author is None or author.address not in names.warners:
        return False
    return not account or account == author.address or account in names.warners


def _named(
    transaction: Transaction, found: Parties, names: Names, own: frozenset[str], text: str
) -> Iterator[tuple[float, str]]:
    """Where the mail names the company: as who writes, in the subject, in the text."""
    sender = (found.author.name if found.author is not None else "").casefold()
    subject = transaction.message.subject.casefold()
    lower = text.casefold()
    recipients = {one.site for one in found.recipients} - own
    for sure, whose, spelled in (
        (0.35, "the company's", [*own, *names.companies]),
        (0.25, "the recipient's", recipients),
    ):
        called = [name for name in map(str.casefold, spelled) if len(name) >= _SHORTEST_NAME]
        if any(name in sender for name in called):
            yield sure, f"{whose} name stands in the sender's display name"
        elif any(name in subject for name in called):
            yield sure, f"{whose} name stands in the subject"
        if any(name in lower for name in called):
            yield sure - 0.15, f"{whose} name stands in the text"
            return
