"""Which decisions count, and how much: no sender, no one reviewer and no few wrong clicks turn a layer."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, get_args

from msgspec import Struct

from sekisho.learn.grams import BITS
from sekisho.learn.sketch import grouped
from sekisho.mail.decision import Decision, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from datetime import datetime

    from sekisho.config.settings import LearningSettings

LABELS: Final = get_args(Label)
_FADED: Final = 0.05  # a decision that has lost so much is over
_DAY: Final = 86400.0


class Row(Struct, frozen=True):
    """A decision that counts, and how much: at most 1."""

    decision: Decision
    weight: float


class Counted(Struct, frozen=True):
    """The decisions that count for a layer; `totals` and `why_not` by label.

    `why_not` says why the decisions of a label are not in effect; they are not among the rows then.
    """

    rows: tuple[Row, ...]
    totals: dict[str, float]
    why_not: dict[str, str]


def count(decisions: Iterable[Decision], settings: LearningSettings, now: datetime) -> Counted:
    """Weigh decisions: texts that are nearly the same count once, and each reviewer and sender has its limits."""
    rows = _faded(_of_texts(_usable(decisions)), settings, now)
    kept: list[Row] = []
    totals, why_not = {}, {}
    for label in LABELS:
        limited = _limited([row for row in rows if row.decision.label == label], settings, label)
        totals[label] = sum(row.weight for row in limited)
        why_not[label] = _why_not(rows, label, totals[label], settings)
        kept += [] if why_not[label] else limited
    return Counted(tuple(kept), totals, why_not)


def same_person(one: str, other: str) -> bool:
    """Whether two logins or addresses belong to one person, as far as their names tell; "" is nobody."""
    name, domain = _split(one)
    other_name, other_domain = _split(other)
    return bool(name) and name == other_name and (not domain or not other_domain or domain == other_domain)


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, str]:
    """Local part and domain of a login, an address or "Name <address>", as one spelling."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isprintable())
    inner = plain.rpartition("<")[2].partition(">")[0].strip()
    local, _, domain = inner.partition("@")
    return local.rpartition("\\")[2].partition("+")[0].strip(), domain


def _usable(decisions: Iterable[Decision]) -> list[Decision]:
    """Those of this version's features and not of one's own mail, the newest first."""
    usable = (d for d in decisions if d.bits == BITS and d.features and not same_person(d.reviewer, d.sender))
    return sorted(usable, key=lambda decision: (decision.at, decision.id), reverse=True)


def _of_texts(decisions: Sequence[Decision]) -> list[Row]:
    """Of each text the latest word of each reviewer: 1 together where they agree, less where they do not."""
    texts: dict[int, dict[str, Decision]] = defaultdict(dict)
    for decision, text in zip(decisions, grouped([d.sketch for d in decisions]), strict=True):
        texts[text].setdefault(_split(decision.reviewer)[0], decision)
    rows: list[Row] = []
    for said in texts.values():
        fine = [decision for decision in said.values() if decision.label == "fine"]
        bad = [decision for decision in said.values() if decision.label == "bad"]
        more = fine if len(fine) > len(bad) else bad
        weight = abs(len(fine) - len(bad)) / len(said) / len(more)
        rows += [Row(decision, weight) for decision in more if weight]
    return rows


def _faded(rows: Iterable[Row], settings: LearningSettings, now: datetime) -> list[Row]:
    """With what is left of each after its age."""
    found = []
    for row in rows:
        days = max(0.0, (now - row.decision.at).total_seconds() / _DAY)
        left = 0.5 ** (days / settings.half_life_days)
        if left >= _FADED:
            found.append(Row(row.decision, row.weight * left))
    return found


def _limited(rows: list[Row], settings: LearningSettings, label: Label) -> list[Row]:
    """No more than a sender and a reviewer may count for, each and together."""
    one_share = settings.most_share * settings.least_decisions
    if label == "fine":  # whoever sends more of what is bad teaches nothing that helps him
        rows = _capped(rows, lambda row: (_sender(row), _reviewer(row)), one_share)
        rows = _capped(rows, _sender, settings.most_per_sender)
    return _capped(rows, _reviewer, _most_of_one(rows, settings.most_share))


def _sender(row: Row) -> Hashable:
    return _split(row.decision.sender)


def _reviewer(row: Row) -> Hashable:
    return _split(row.decision.reviewer)[0]


def _capped(rows: list[Row], key: Callable[[Row], Hashable], most: float) -> list[Row]:
    """With the weights of each key scaled down to `most` together."""
    totals = _totals(rows, key)
    return [Row(row.decision, row.weight * min(1.0, most / totals[key(row)])) for row in rows if most > 0]


def _totals(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Hashable, float]:
    totals: dict[Hashable, float] = defaultdict(float)
    for row in rows:
        totals[key(row)] += row.weight
    return totals


def _most_of_one(rows: list[Row], share: float) -> float:
    """The most that one reviewer may count for, so that it is no more than `share` of what counts in the end.

    0 where there are too few reviewers for that.
    """
    totals = sorted(_totals(rows, _reviewer).values(), reverse=True)
    if share >= 1 or not totals:
        return max(totals, default=0.0)
    rest = sum(totals)
    for cut, total in enumerate(totals):  # the first `cut` of them are cut down
        most = share * rest / (1 - share * cut) if share * cut < 1 else 0.0
        if cut and total <= most:
            return most
        if not cut and total <= share * rest:
            return total
        rest -= total
    return 0.0


def _why_not(rows: list[Row], label: Label, total: float, settings: LearningSettings) -> str:
    if not settings.enabled:
        return "switched off"
    if total >= settings.least_decisions - 1e-9:
        return ""
    of_label = [row for row in rows if row.decision.label == label]
    reviewers = len(_totals(of_label, _reviewer))
    if of_label and reviewers * settings.most_share < 1:
        return f"{reviewers} reviewer{'s' if reviewers > 1 else ''}; one alone changes nothing"
    return f"{total:.1f} of {settings.least_decisions} decisions count"
