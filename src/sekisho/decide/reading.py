"""The tables of one `[[rule]]` into a compiled rule; whatever is wrong with them is noted, all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any

from msgspec import Struct

from sekisho.decide.entry import FindingEntry, FromEntry, RuleEntry, ToEntry, WhenEntry, Words
from sekisho.decide.match import (
    FindingTest,
    FromAccount,
    FromAddress,
    FromDomain,
    FromGroup,
    FromListener,
    FromNetwork,
    SenderCondition,
    ToTest,
    When,
)
from sekisho.decide.names import Domains, Globs, Group, id_matches
from sekisho.decide.place import Place, one_or_more
from sekisho.decide.rule import RESERVED_NAMES, Outcome, Rule
from sekisho.decide.wanted import FINDING_GLOB, GLOB_WANTED, read_outcome
from sekisho.mail.finding import Severity
from sekisho.mail.verdict import NOT_MASKED, Disposition, Redact

_RULE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DOMAIN = re.compile(r"\.?[^\s@.*?<>]+(\.[^\s@.*?<>]+)*")
_ADDRESS = re.compile(r"<>|\S*[@*]\S*")
_NAME = re.compile(r"\S(.*\S)?")

# The first word of every finding id; `docs/reference/policy.md` says what each is about.
FAMILIES = frozenset((
    "account", "attachment", "auth", "bec", "dlp", "flood", "inspection.failed", "link", "malware", "message",
    "misdirected", "phishing", "spam",
))  # fmt: skip

# What no redaction reaches: found by no pattern, no secret, or the beginning only of what must not leave.
NEVER_MASKED = frozenset((
    "dlp/exact/list", "dlp/fingerprint/document", "dlp/jp/customer-list", "dlp/mark/classification-header",
    "dlp/mark/confidential", "dlp/mark/handle-with-care", "dlp/mark/mip-label", "dlp/mark/personal",
    "dlp/mark/subject", "dlp/mark/tlp", NOT_MASKED, "dlp/secret/own-password",
    "dlp/secret/password-table", "dlp/secret/private-key", "dlp/secret/terraform-state",
))  # fmt: skip


class Scope(Struct, frozen=True):
    """What a rule's names refer to: the groups it can see and the finding ids there are (None: do not check).

    `level` is that of the file it stands in (see `Rule`).
    """

    groups: dict[str, tuple[str, ...]]
    known_ids: frozenset[str] | None = None
    level: int = 0


def read_rule(place: Place, table: dict[str, Any], scope: Scope) -> Rule | None:
    """The compiled rule of a `[[rule]]` table, or None where anything was wrong with it."""
    before = len(place.problems)
    entry = place.read(table, RuleEntry)
    tables = {key: t if isinstance(t := table.get(key), dict) else {} for key in ("from", "to", "when")}
    sender = _read_sender(place.below("from"), tables["from"], scope)
    to = _read_recipient(place.below("to"), tables["to"], scope)
    when = _read_when(place.below("when"), tables["when"], scope) if tables["when"] else None
    final = table.get("final") is not False
    then = Outcome()
    if isinstance(table.get("then"), dict):
        check = partial(_check_redacted, known_ids=scope.known_ids)
        then = read_outcome(place.below("then"), table["then"], check, final=final)
    if entry is None:
        return None
    rule = Rule(
        name=entry.name,
        then=then,
        sender=sender,
        to=to,
        when=when,
        monitor=entry.mode == "monitor",
        final=entry.final,
        split=entry.split,
        floor=entry.floor,
        level=scope.level,
        file=place.locations.file,
        line=place.locations.line(place.key),
    )
    _check_whole(place, rule)
    _check_redactions(place.below("then.modifications"), rule, scope.known_ids)
    return rule if len(place.problems) == before else None


def _check_whole(place: Place, rule: Rule) -> None:
    """What single keys cannot tell."""
    if not _RULE_NAME.fullmatch(rule.name):
        place.below("name").bad("must be 1 to 64 letters, digits, dots, hyphens and underscores")
    elif rule.name in RESERVED_NAMES:
        place.below("name").bad(f'"{rule.name}" is the name of a rule that is always there')
    if rule.floor and not rule.decides:
        place.below("floor").bad("needs a rule that decides: mode enforce and final")
    elif rule.floor and rule.then.disposition is Disposition.DELIVER:
        place.below("floor").bad("needs disposition hold, defer or reject: nothing is milder than deliver")
    if rule.split and not rule.final:
        place.below("split").bad("needs a rule that decides: leave final = false out")


def _check_redactions(place: Place, rule: Rule, known_ids: frozenset[str] | None) -> None:
    """Of redactions of what the rule matched: it must match something, and something of it must be maskable."""
    if Redact() not in rule.then.modifications:
        return
    if rule.when is None or not rule.when.needs_findings:
        place.bad("redact without a finding needs a rule that matches some: name the findings, or give it a when")
    elif _is_never_masked(
        globs := [g for test in (*rule.when.all_of, *rule.when.any_of) for g in test.globs], known_ids
    ):
        names = ", ".join(f'"{glob}"' for glob in globs)
        place.bad(f"what {names} finds cannot be masked: hold such a message instead")


def _check_redacted(place: Place, glob: str, known_ids: frozenset[str] | None) -> None:
    _check_known(place, glob, known_ids)
    if _is_never_masked([glob], known_ids):
        place.bad(f'what "{glob}" finds cannot be masked: hold such a message instead')


def _is_never_masked(globs: Iterable[str], known_ids: frozenset[str] | None) -> bool:
    """Whether all that these names fit is what no redaction reaches; names that fit nothing known are not."""
    found = [known for glob in globs for known in known_ids or NEVER_MASKED & {glob} if id_matches(glob, known)]
    return bool(found) and NEVER_MASKED.issuperset(found)


def _read_sender(place: Place, table: dict[str, Any], scope: Scope) -> tuple[SenderCondition, ...]:
    entry = place.read(table, FromEntry)
    if entry is None:
        return ()
    conditions: list[SenderCondition] = []
    if accounts := place.below("account").words(entry.account, _NAME, "an account"):
        conditions.append(FromAccount(Globs.of(accounts)))
    if addresses := place.below("address").words(entry.address, _ADDRESS, "an address"):
        conditions.append(FromAddress(Globs.of(addresses)))
    if domains := _domains(place.below("domain"), entry.domain):
        conditions.append(FromDomain(domains))
    if groups := _groups(place.below("group"), entry.group, scope):
        conditions.append(FromGroup(groups))
    if listeners := place.below("listener").words(entry.listener, _NAME, "a listener"):
        conditions.append(FromListener(listeners))
    if networks := place.below("client_network").networks(entry.client_network):
        conditions.append(FromNetwork(networks))
    return tuple(conditions)


def _read_recipient(place: Place, table: dict[str, Any], scope: Scope) -> ToTest | None:
    entry = place.read(table, ToEntry)
    if "first_contact" in table:
        place.below("first_contact").bad("not available yet")
    if entry is None:
        return None
    addresses = place.below("address").words(entry.address, _ADDRESS, "an address")
    test = ToTest(
        external=entry.external,
        domains=_domains(place.below("domain"), entry.domain),
        addresses=Globs.of(addresses) if addresses else None,
        groups=_groups(place.below("group"), entry.group, scope),
        count=place.below("count").count(entry.count),
    )
    return None if test == ToTest() else test


def _domains(place: Place, words: Words | None) -> Domains | None:
    words = place.words(words, _DOMAIN, 'a domain (".example.jp" means the names below example.jp)')
    return Domains.of(words) if words else None


def _groups(place: Place, words: Words | None, scope: Scope) -> tuple[Group, ...]:
    found = []
    for name in place.words(words, _NAME, "a group"):
        if name in scope.groups:
            found.append(Group.of(name, scope.groups[name]))
        else:
            place.bad(f'neither this tenant nor its parents have a group "{name}"{_meant(name, scope.groups)}')
    return tuple(found)


def _read_when(place: Place, table: dict[str, Any], scope: Scope) -> When | None:
    entry = place.read(table, WhenEntry)
    if entry is None:
        return None
    alone = {key: v for key in FindingEntry.__struct_fields__ if (v := getattr(entry, key)) is not None}
    if alone and entry.finding is None:
        place.below(next(iter(alone))).bad("needs a finding beside it")
    if not alone and entry.all is entry.any is entry.none is None:
        place.bad("asks nothing: leave it out, or name a finding")
    single = [_read_test(place, FindingEntry(**alone), scope)] if entry.finding is not None else []
    return When(
        all_of=(*single, *_read_tests(place.below("all"), entry.all, scope)),
        any_of=_read_tests(place.below("any"), entry.any, scope),
        none_of=_read_tests(place.below("none"), entry.none, scope),
    )


def _read_tests(place: Place, entries: tuple[FindingEntry, ...] | None, scope: Scope) -> tuple[FindingTest, ...]:
    if entries == ():
        place.bad("is empty: leave the key out, or name at least one test")
    return tuple(_read_test(place.item(i), entry, scope) for i, entry in enumerate(entries or ()))


def _read_test(place: Place, entry: FindingEntry, scope: Scope) -> FindingTest:
    globs = place.below("finding").words(entry.finding, FINDING_GLOB, GLOB_WANTED)
    for glob in globs:
        _check_known(place.below("finding"), glob, scope.known_ids)
    if not 0 <= entry.confidence <= 1:
        place.below("confidence").bad(f"{entry.confidence:g} is not between 0 and 1")
    if entry.where == ():
        place.below("where").bad("is empty: leave the key out, or name at least one")
    count = place.below("count").count(entry.count)
    return FindingTest(globs, Severity.of(entry.severity), entry.confidence, one_or_more(entry.where), count)


def _check_known(place: Place, glob: str, known_ids: frozenset[str] | None) -> None:
    """A glob that matches nothing is most likely misspelt; a family without any id yet may come with an update."""
    if known_ids is None or not FINDING_GLOB.fullmatch(glob) or any(id_matches(glob, id_) for id_ in known_ids):
        return
    family, slash, _ = glob.partition("/")
    if "*" in family or "?" in family or family == "inspection.failed":
        return
    families = FAMILIES | {known.partition("/")[0] for known in known_ids}
    if family not in families:
        place.bad(f'"{glob}" is of no known family{_meant(family, families)}')
    elif slash and any(known.startswith(f"{family}/") for known in known_ids):
        place.bad(f'"{glob}" matches no known finding{_meant(glob, known_ids)}')


def _meant(word: str, known: frozenset[str] | dict[str, Any]) -> str:
    close = get_close_matches(word, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
