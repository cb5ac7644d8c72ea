"""Plays an account-year and attacks on it against the model, and counts."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from accounts_attacks import ATTACKS, STRENGTHS, attack
from accounts_honest import DAY, PERSONAS, START, Person, year

from sekisho.accounts.behaviour.events import Event, Sending
from sekisho.accounts.behaviour.state import AccountState, decode, encode, observe, settle
from sekisho.accounts.behaviour.weights import WEIGHTS, Weights

HALF_LIFE = 45 * DAY
LOCK = 0.95
NOTIFY = 0.6
OBSERVED = 2 * DAY  # how long after its beginning an attack is watched


@dataclass
class Alarm:
    """A lock or a notice that was wrong."""

    account: str
    day: float
    probability: float
    reasons: tuple[str, ...]


@dataclass
class Attacked:
    """How an attack went: `messages` and `recipients` that left before the lock, `seconds` to it (None: no lock)."""

    kind: str
    strength: str
    account: str
    messages: int
    recipients: int
    seconds: float | None
    highest: float
    young: bool


@dataclass
class Played:
    """What one account-year gave."""

    persona: str
    days: int
    messages: int = 0
    locks: list[Alarm] = field(default_factory=list)
    notices: list[Alarm] = field(default_factory=list)
    attacks: list[Attacked] = field(default_factory=list)
    seconds: float = 0.0
    size: int = 0


def play(seed: int, days: int = 365, attacks_each: int = 1, weights: Weights = WEIGHTS) -> Played:
    """One account for a year, and `attacks_each` attacks of every kind and strength at times chosen by the seed."""
    persona = PERSONAS[seed % len(PERSONAS)]
    who, events = year(persona, seed, days)
    rng = random.Random(seed * 7919 + 1)
    plan = sorted(
        (_when(rng, days), kind, strength) for kind in ATTACKS for strength in STRENGTHS for _ in range(attacks_each)
    )
    played = Played(persona.name, days)
    state = AccountState.new(START, HALF_LIFE)
    noticed = 0.0
    for n, event in enumerate(events):
        while plan and plan[0][0] <= event.at:
            at, kind, strength = plan.pop(0)
            victim = _as_of(who, events[:n])
            played.attacks.append(
                _attacked(encode(state), kind, strength, victim, rng.getrandbits(32), at, events[n:], weights)
            )
        began = time.process_time()
        assessment = observe(state, event, weights)
        played.seconds += time.process_time() - began
        played.messages += isinstance(event, Sending)
        if assessment.probability >= NOTIFY and event.at - noticed > DAY:
            noticed = event.at
            played.notices.append(_alarm(persona.name, event, assessment))
        if assessment.probability >= LOCK:
            played.locks.append(_alarm(persona.name, event, assessment))
            settle(state, honest=True)
    played.size = len(encode(state))
    return played


def _when(rng: random.Random, days: int) -> float:
    """Most attacks meet an account that is some weeks old."""
    return START + (rng.uniform(30, days - 5) if rng.random() < 0.92 else rng.uniform(2, 30)) * DAY


def _as_of(who: Person, before: Sequence[Event]) -> Person:
    """The person as the attack finds him: his address book and place of the last weeks."""
    sent = [event for event in before[-4000:] if isinstance(event, Sending)]
    book = list({t.address: t for event in sent for t in event.targets if not t.internal}.values())
    origins = dict(who.origins)
    if sent:
        usual = Counter(event.origin for event in sent[-200:]).most_common(1)[0][0]
        origins["office"] = usual
    return replace(who, book=book or who.book, origins=origins)


def _attacked(  # noqa: PLR0917 - what an attack is
    frozen: bytes,
    kind: str,
    strength: str,
    who: Person,
    seed: int,
    at: float,
    after: Sequence[Event],
    weights: Weights,
) -> Attacked:
    state = decode(frozen)
    assert state is not None
    bad = attack(kind, strength, who, seed, at)
    first = next(event.at for event in bad if isinstance(event, Sending))
    result = Attacked(kind, strength, who.persona.name, 0, 0, None, 0.0, at - START < 30 * DAY)
    theirs = {id(event) for event in bad}
    for event in heapq.merge(bad, _until(after, bad[-1].at), key=lambda event: event.at):
        assessment = observe(state, event, weights)
        result.highest = max(result.highest, assessment.probability)
        if assessment.probability >= LOCK:
            result.seconds = max(0.0, event.at - first)
            break
        if id(event) in theirs and isinstance(event, Sending):
            result.messages += 1
            result.recipients += len(event.targets)
    return result


def _until(events: Iterable[Event], end: float) -> list[Event]:
    found = []
    for event in events:
        if event.at > end:
            break
        found.append(event)
    return found


def _alarm(name: str, event: Event, assessment: object) -> Alarm:
    reasons = tuple(f"{reason.signal} {reason.weight}" for reason in assessment.reasons)
    return Alarm(name, (event.at - START) / DAY, assessment.probability, reasons)
