"""Which limits are for a message, and which counters they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from sekisho.accounts.limits.amounts import Amounts, Sender
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import LimitSide, SendingLimitSettings
from sekisho.mail.counting import Charge, Fresh, Take
from sekisho.mail.window import SendingWindow

_KNOWN_DAYS = 400
_MOST_KNOWN = 20_000  # recipients that are remembered of an account
_REFUSED_SECONDS = 6 * 86_400  # longer than a mail server goes on sending again
_MOST_REFUSED = 2_000
_LEAST_TOLD_SECONDS = 3_600
_SIDES: tuple[LimitSide, ...] = ("external", "internal")


class Counted(Struct, frozen=True):
    """One limit for one message: its counter, what the message adds, and beyond what it does not go."""

    limit: SendingLimitSettings
    whom: str
    charge: Charge


def applying(limits: Iterable[SendingLimitSettings], account: str) -> list[SendingLimitSettings]:
    """Of the limits with one name the first that is for this account; without those that only switch one off."""
    first: dict[str, SendingLimitSettings] = {}
    for limit in limits:
        if limit.name not in first and (not limit.accounts or _named(limit.accounts, account)):
            first[limit.name] = limit
    return [limit for limit in first.values() if not limit.says_nothing]


def _named(globs: tuple[str, ...], account: str) -> bool:
    # no brackets, as in policy
    return any(fnmatchcase(account, glob.lower().replace("[", "[[]")) for glob in globs)


def stops_at(limit: SendingLimitSettings) -> int:
    """Beyond what nothing is let through; 0: never."""
    return min((step for step in (limit.defer, limit.lock) if step), default=0)


def plan(limits: Iterable[SendingLimitSettings], sender: Sender, amounts: Amounts, names: Names) -> list[Counted]:
    """The limits that are for a message and that it adds to."""
    planned = []
    for limit in applying(limits, sender.account):
        whom = sender.name(limit.per)
        fresh = limit.of == "new-recipients"
        amount = 1 if fresh else amounts.of(limit.of, limit.to)
        if not whom or not amount or (fresh and not amounts.on(limit.to)):
            continue
        key = names.key("limit", *_words(limit, sender.tenant, whom))
        index = int(limit.to == "internal") if fresh else -1  # its place in `remembered`
        planned.append(Counted(limit, whom, Charge(key, limit.seconds, amount, stops_at(limit), index)))
    return planned


def _words(limit: SendingLimitSettings, tenant: str, whom: str) -> tuple[str, ...]:
    return (limit.per, tenant, whom, limit.name, limit.of, limit.to, str(limit.seconds))


def taking(planned: Sequence[Counted], sender: Sender, amounts: Amounts, names: Names) -> Take:
    """One step for all limits of a message; whom the account wrote to is remembered with it."""
    return Take(tuple(counted.charge for counted in planned), remembered(sender, amounts, names))


def remembered(sender: Sender, amounts: Amounts, names: Names) -> tuple[Fresh, ...]:
    """Recipients outside and inside: one memory, of which a limit sees its side."""
    group = names.key("known", sender.tenant, sender.account)
    items = {a: names.item("known", sender.account, a) for a in amounts.on("any")}
    return tuple(
        Fresh(group, tuple(items[a] for a in amounts.on(side)), _KNOWN_DAYS * 86_400, _MOST_KNOWN) for side in _SIDES
    )


def refusing(over: Sequence[Counted], amounts: Sequence[int], sender: Sender, digest: str, names: Names) -> Take:
    """What is counted of a message that was not let through: how often people were told, and what was asked for.

    The same message sent again asks for nothing more. Charges: for each limit those two, in this order.
    """
    charges = []
    for counted, amount in zip(over, amounts, strict=True):
        charges.append(told(counted, sender, "defer", names))
        key = names.key("refused", *_words(counted.limit, sender.tenant, counted.whom))
        charges.append(Charge(key, counted.limit.seconds, amount, 0, 0))
    group = names.key("refused", sender.tenant, sender.account)
    return Take(tuple(charges), (Fresh(group, (names.item("refused", digest),), _REFUSED_SECONDS, _MOST_REFUSED),))


def told(counted: Counted, sender: Sender, step: str, names: Names) -> Charge:
    """How often it came to this step in the limit's time: people are told the first time."""
    key = names.key("told", step, *_words(counted.limit, sender.tenant, counted.whom))
    return Charge(key, max(counted.limit.seconds, _LEAST_TOLD_SECONDS))


def in_window(window: SendingWindow, sender: Sender, amounts: Amounts, names: Names) -> Take:
    """One step for a message of an account with a sending window: its own counter and no other."""
    key = names.key("window", window.id)
    seconds = max(int((window.ends_at - window.starts_at).total_seconds()), 60)
    charge = Charge(key, seconds, max(amounts.of("recipients", "any"), 1), window.recipients)
    return Take((charge,), remembered(sender, amounts, names))
