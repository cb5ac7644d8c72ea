"""Made-up attacks on an account: fast and slow, from outside and from within."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from accounts_honest import DAY, START, Person

from sekisho.accounts.behaviour.events import Bounced, Event, LoginSeen, Origin, Sending, Target

STRENGTHS = ("plain", "careful", "cunning")
ABROAD = ("NG", "RU", "US", "NL", "VN", "BR", "IN", "UA")


class Attacker:
    """Somebody who has the account's password. The more cunning, the more like its owner he behaves."""

    def __init__(self, who: Person, rng: random.Random, strength: str, at: float) -> None:
        self.who, self.rng, self.at = who, rng, at
        self.level = STRENGTHS.index(strength)
        self.events: list[Event] = []
        self.template = rng.getrandbits(63)
        country = who.country if rng.random() < (0.05, 0.4, 0.85)[self.level] else rng.choice(ABROAD)
        client = who.origins["office"].client if rng.random() < (0.02, 0.15, 0.4)[self.level] else rng.getrandbits(63)
        self.origin = Origin(rng.getrandbits(63), rng.getrandbits(63), client, country)
        self.hops = rng.random() < 0.3  # through a botnet: another network every few messages
        self.script = "japanese" if rng.random() < (0.3, 0.6, 0.9)[self.level] else "latin"

    def score(self) -> float:
        """What the content findings say."""
        return self.rng.betavariate(*((2.5, 1.2), (1.2, 1.4), (0.8, 2.5))[self.level])

    def strangers(self, number: int) -> list[Target]:
        """Recipients of a bought list."""
        rng = self.rng
        common = [rng.choice(self.who.domains) if rng.random() < 0.2 else rng.getrandbits(64) for _ in range(number)]
        return [Target(rng.getrandbits(64), domain) for domain in common]

    def send(self, at: float, targets: Sequence[Target], **more: object) -> None:
        """One message."""
        rng = self.rng
        if self.hops and rng.random() < 0.2:
            old = self.origin
            self.origin = Origin(
                rng.getrandbits(63), rng.getrandbits(63), old.client, rng.choice((old.country, *ABROAD))
            )
        values: dict[str, object] = {
            "size": 9000, "script": self.script, "links": int(rng.random() < 0.75), "score": self.score(),
            "attachments": int(rng.random() < 0.2), "elsewhere": rng.random() < 0.15,
            "template": self.template if rng.random() < (0.9, 0.5, 0.1)[self.level] else rng.getrandbits(63),
        }  # fmt: skip
        values.update(more)
        self.events.append(Sending(at, self.origin, tuple(targets), **values))  # type: ignore[arg-type]

    def bounce(self, at: float, sent: int) -> None:
        """Addresses of the list that are gone."""
        failed = sum(self.rng.random() < (0.2, 0.1, 0.03)[self.level] for _ in range(sent))
        if failed:
            self.events.append(Bounced(at + self.rng.uniform(1, 60), failed, (failed + 1) // 2, self.origin.network))

    def working_hours(self) -> None:
        """The cunning wait until the owner is usually at work."""
        if self.rng.random() < (0.3, 0.6, 0.95)[self.level]:
            first, last = self.who.persona.hours
            day = int((self.at - START) // DAY)
            self.at = START + day * DAY + (self.rng.uniform(first, last - 1) - self.who.zone) * 3600


def fast(attacker: Attacker) -> None:
    """A spam run."""
    rng = attacker.rng
    each = rng.choice((1, 1, 5, 20, 50))
    pause = rng.uniform(*((0.5, 5), (2, 20), (10, 60))[attacker.level])
    for n in range(120):
        attacker.send(attacker.at + n * pause, attacker.strangers(each))
        attacker.bounce(attacker.at + n * pause, each)


def slow(attacker: Attacker) -> None:
    """A message now and then, for two days."""
    rng, at = attacker.rng, attacker.at
    pause = (600, 1500, 2700)[attacker.level]
    while at < attacker.at + 2 * DAY:
        each = rng.randint(1, 3)
        attacker.send(at, attacker.strangers(each))
        attacker.bounce(at, each)
        at += rng.expovariate(1 / pause) + 60


def spray(attacker: Attacker) -> None:
    """Passwords tried until one fits, then use some hours later."""
    rng = attacker.rng
    failures = rng.randint(*((20, 200), (8, 40), (2, 10))[attacker.level])
    attacker.events.append(LoginSeen(attacker.at, attacker.origin, failures))
    begin = attacker.at + rng.uniform(0, 6) * 3600
    for n in range(100):
        each = rng.choice((1, 2, 10))
        attacker.send(begin + n * rng.uniform(10, 60), attacker.strangers(each))
        attacker.bounce(begin + n * 60, each)


def insider(attacker: Attacker) -> None:
    """The owner sends files to an address of his own, from his own place."""
    who, rng = attacker.who, attacker.rng
    attacker.hops, attacker.origin = False, who.origins["office"]
    private = attacker.strangers(1)
    for n in range((60, 30, 10)[attacker.level]):
        at = attacker.at + n * rng.uniform(30, (120, 600, 3600)[attacker.level])
        attacker.send(at, private, links=0, attachments=3, score=0.02, elsewhere=False, script="japanese")


def fraud(attacker: Attacker) -> None:
    """Answers in a thread that ask for a payment elsewhere (BEC): few messages, to people who are known."""
    who, rng = attacker.who, attacker.rng
    attacker.hops = False
    for n in range((8, 5, 3)[attacker.level]):
        targets = rng.sample(who.book, min(len(who.book), rng.randint(1, 3)))
        elsewhere = rng.random() < (0.8, 0.5, 0.2)[attacker.level]
        attacker.send(
            attacker.at + n * rng.uniform(300, 5000), targets, links=0, attachments=int(rng.random() < 0.5),
            answers=True, elsewhere=elsewhere, script="japanese", template=rng.getrandbits(63),
        )  # fmt: skip


def worm(attacker: Attacker) -> None:
    """A program on the owner's computer that mails itself to the address book."""
    who, rng = attacker.who, attacker.rng
    own = who.origins["office"]
    client = own.client if rng.random() < (0.2, 0.5, 0.8)[attacker.level] else rng.getrandbits(63)
    attacker.hops, attacker.origin = False, Origin(own.network, own.around, client, own.country)
    everybody = [*who.book, *who.colleagues]
    rng.shuffle(everybody)
    pause = (1, 5, 30)[attacker.level]
    each = rng.choice((1, 1, 10))
    for n in range(0, min(len(everybody), 400), each):
        attacker.send(attacker.at + n / each * pause, everybody[n : n + each], attachments=1)


def forwarding(attacker: Attacker) -> None:
    """A rule set from a strange place sends everything on to an address outside."""
    who, rng = attacker.who, attacker.rng
    attacker.events.append(LoginSeen(attacker.at, attacker.origin))
    attacker.hops, attacker.origin = False, who.origins["office"]
    to, at = attacker.strangers(1), attacker.at
    while at < attacker.at + 3 * DAY:
        at += rng.expovariate((40, 20, 8)[attacker.level] / DAY)
        other = rng.random() < 0.5
        attacker.send(
            at, to, forwarded=attacker.level < 2, other_author=other, links=int(rng.random() < 0.3), score=0.05
        )


ATTACKS: dict[str, Callable[[Attacker], None]] = {
    "fast run": fast, "spray, then use": spray, "address-book worm": worm, "slow drip": slow,
    "fraud in a thread": fraud,
    "forwarding": forwarding, "insider": insider,
}  # fmt: skip


def attack(kind: str, strength: str, who: Person, seed: int, at: float) -> list[Event]:
    """The events of one attack in order, beginning about `at`."""
    attacker = Attacker(who, random.Random(seed), strength, at)
    attacker.working_hours()
    ATTACKS[kind](attacker)
    attacker.events.sort(key=lambda event: event.at)
    return attacker.events
