"""How likely it is that somebody else uses an account: one probability, with its reasons.

The signs of an event are log-odds against the account's own habits. Those of where it comes from and when are facts
of the session: the strongest of the last hours counts, once. Those of what is sent to whom add up from message to
message and fade, and never below zero (a CUSUM test: Page, Continuous inspection schemes, Biometrika 41, 1954). So
many small oddities of a slow attack come together, and years of good mail are no credit for one.

Mail from strange places is added up apart from that from usual ones: neither does the owner's mail wash the
attacker's, nor does the owner's journey make a large mailing from the office look worse.
"""

from __future__ import annotations

import math

from msgspec import Struct

from sekisho.accounts.behaviour.events import Bounced, Event, LoginSeen, Sending
from sekisho.accounts.behaviour.profile import Profile, is_strange
from sekisho.accounts.behaviour.reasons import Reason, reasons
from sekisho.accounts.behaviour.recent import Recent, Stream
from sekisho.accounts.behaviour.signals import address_book, login, much, trouble, what, when, where, whom
from sekisho.accounts.behaviour.weights import WEIGHTS, Weights

_FAMILY = {
    "network": "where", "around": "where", "country": "where", "client": "where", "flip": "where", "hour": "when",
    "stranger": "whom", "new_domain": "whom", "strangers.hour": "whom", "strangers.day": "whom",
    "strange.hour": "whom",
    "address_book": "whom", "failures": "trouble", "failed": "trouble", "failed.day": "trouble",
    "recipients.10m": "much", "recipients.hour": "much", "recipients.day": "much", "messages.hour": "much",
    "messages.day": "much",
}  # fmt: skip
# What is the same fact in several ways: only the strongest counts.
_ONE_FACT = (
    ("recipients.10m", "recipients.hour", "recipients.day", "messages.hour", "messages.day"),
    ("strangers.hour", "strangers.day", "strange.hour"),
    ("network", "around"),
    ("failed", "failed.day"),
)
_AMOUNTS = (*_ONE_FACT[0], *_ONE_FACT[1])
# How far what adds up may go.
_MOST = {
    "stranger": 2.5, "new_domain": 1.0, "content": 4.5, "link": 1.2, "attachment": 1.0, "script": 2.0,
    "elsewhere": 2.5, "other_author": 2.0, "forwarded": 2.5, "same_text": 1.0, "failed": 3.0,
}  # fmt: skip
_LEAST = {"content": -1.5}


class Assessment(Struct, frozen=True):
    """How likely abuse is (0..1) after an event, and why: the reasons are there from a probability of 0.1 on."""

    probability: float
    reasons: tuple[Reason, ...] = ()


def assess(profile: Profile, recent: Recent, event: Event, weights: Weights = WEIGHTS) -> Assessment:
    """Weigh an event against an account's habits. Changes `recent` (the evidence so far), not the profile."""
    if isinstance(event, LoginSeen):
        login(recent, event)
        stream = _stream(profile, recent, event)
        facts = where(profile, recent, event.at, event.origin, weights)
        return _weigh(profile, stream, event.at, facts, {}, weights)
    if isinstance(event, Bounced):
        stream = _stream_of_failures(profile, recent, event)
        return _weigh(profile, stream, event.at, {}, trouble(profile, stream, event, weights), weights)
    return _assess_sending(profile, recent, event, weights)


def _assess_sending(profile: Profile, recent: Recent, event: Sending, weights: Weights) -> Assessment:
    stream = _stream(profile, recent, event)
    facts = where(profile, recent, event.at, event.origin, weights)
    facts["hour"] = when(profile, event.at)
    sums, known, strangers = whom(profile, event, weights)
    sums |= what(profile, recent, event, weights)
    sums |= much(profile, stream, event, strangers, weights)
    sums["address_book"] = address_book(profile, recent, event, known)
    recent.last_origin, recent.last_at = event.origin, event.at
    stream.messages += 1
    return _weigh(profile, stream, event.at, facts, sums, weights)


def _stream_of_failures(profile: Profile, recent: Recent, event: Bounced) -> Stream:
    if event.network:
        known = f"{event.network:x}" in profile.networks.uses
        return recent.usual if known else recent.strange
    usual, strange = recent.usual.windows["strangers.day"], recent.strange.windows["strangers.day"]
    return recent.strange if strange.add(event.at, 0.0) > usual.add(event.at, 0.0) else recent.usual


def _stream(profile: Profile, recent: Recent, event: Sending | LoginSeen) -> Stream:
    strange = is_strange(profile, event.at, event.origin, profile.weight(event.at))
    return recent.strange if strange else recent.usual


def _weigh(  # noqa: PLR0917 - the one place where everything comes together
    profile: Profile, stream: Stream, at: float, facts: dict[str, float], sums: dict[str, float], weights: Weights
) -> Assessment:
    stream.fade(at, weights.half_life)
    levels = stream.levels
    for name, level in facts.items():
        levels[name] = max(level, levels.get(name, -9.0))
    for name, level in sums.items():
        most = _MOST.get(name)
        levels[name] = (
            level if most is None else max(_LEAST.get(name, -0.5), min(most, levels.get(name, 0.0) + level))
        )
    young = math.exp(-profile.active_days(profile.weight(at)) / 5.0)
    prior = weights.prior + weights.young * young + (weights.usual_place if stream.usual else 0.0)
    return _combined(levels, prior, young, weights)


def _combined(levels: dict[str, float], total: float, young: float, weights: Weights) -> Assessment:
    counted = dict(levels)
    for names in _ONE_FACT:
        present = [name for name in names if name in counted]
        for name in sorted(present, key=counted.__getitem__)[:-1]:
            del counted[name]
    families: dict[str, float] = {}
    # Of a new account little else is known than how much it sends.
    more = dict.fromkeys(_AMOUNTS, young)
    counted = {name: level * (weights.scales.get(name, 1.0) + more.get(name, 0.0)) for name, level in counted.items()}
    for name, level in counted.items():
        family = _FAMILY.get(name, "what")
        families[family] = families.get(family, 0.0) + level
    total += sum(families.values())
    corroborating = sum(level >= weights.corroboration for level in families.values())
    probability = 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, total))))
    if corroborating < weights.together:
        probability = min(probability, weights.alone)
    return Assessment(probability, reasons(counted) if probability >= 0.1 else ())
