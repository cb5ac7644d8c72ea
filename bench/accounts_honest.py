"""Made-up account-years of honest people: what they send, from where, and all that is unusual without being wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sekisho.accounts.behaviour.events import Bounced, Event, LoginSeen, Origin, Sending, Target

DAY = 86400.0
START = 1735689600.0  # 2025-01-01, a Wednesday
COUNTRIES = ("US", "SG", "TW", "DE", "FR", "TH", "VN", "GB", "KR", "AU")


@dataclass
class Persona:
    """What a kind of account is like: rates a working day, chances for a message, numbers of events a year."""

    name: str
    messages: float
    hours: tuple[float, float] = (9.0, 18.0)
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    weekend: float = 0.05
    internal: float = 0.5
    stranger: float = 0.04
    link: float = 0.25
    attachment: float = 0.25
    recipients: float = 1.6
    mailings: float = 0.3
    mailing_size: tuple[int, int] = (20, 120)
    journeys: float = 1.0
    abroad: float = 0.3
    home: float = 0.2
    phone: float = 0.15
    events: float = 1.0
    machine: bool = False
    english: float = 0.1
    helpers: int = 0


PERSONAS = (
    Persona("office", 12),
    Persona("sales", 22, stranger=0.15, internal=0.3, link=0.5, mailings=10, mailing_size=(40, 500), journeys=6,
            phone=0.35),
    Persona("support", 40, hours=(8, 20), days=(0, 1, 2, 3, 4, 5), internal=0.1, stranger=0.45, link=0.6, helpers=5,
            journeys=0, phone=0, recipients=1.1),
    Persona("invoices", 25, hours=(1, 5), weekend=0.4, internal=0.0, stranger=0.03, attachment=0.98, link=0.9,
            machine=True, mailings=12, mailing_size=(100, 600), journeys=0, phone=0, home=0, recipients=1.0),
    Persona("traveller", 15, journeys=16, abroad=0.6, phone=0.4, stranger=0.08, english=0.4),
    Persona("executive", 18, hours=(7, 21), weekend=0.4, internal=0.6, journeys=8, abroad=0.5, phone=0.5, helpers=1),
    Persona("part-timer", 3, days=(1, 3), hours=(10, 16), internal=0.8, journeys=0.3, mailings=0.1),
    Persona("school", 8, hours=(7, 19), mailings=14, mailing_size=(30, 400), internal=0.3, journeys=0.5,
            weekend=0.15),
    Persona("night shift", 7, hours=(21, 30), days=(0, 1, 2, 3, 4, 5, 6), weekend=1.0, internal=0.7, phone=0.05),
)  # fmt: skip


@dataclass
class Person:
    """One account: its persona with numbers of its own, its places, programs and address book."""

    persona: Persona
    rng: random.Random
    country: str = "JP"
    book: list[Target] = field(default_factory=list)
    colleagues: list[Target] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    domains: list[int] = field(default_factory=list)
    zone: float = 9.0

    def key(self) -> int:
        """A number that nothing else has."""
        return self.rng.getrandbits(64)

    def place(self, country: str | None = None, around: int | None = None, client: int | None = None) -> Origin:
        """A place never used before."""
        client = self.origins["office"].client if client is None and self.origins else client or self.key()
        return Origin(self.key(), around or self.key(), client, self.country if country is None else country)

    def stranger(self) -> Target:
        """Somebody new, mostly of a company or provider that is known from others."""
        domain = self.rng.choice(self.domains) if self.rng.random() < 0.35 else self.key()
        if domain not in self.domains:
            self.domains.append(domain)
        return Target(self.key(), domain)


def person(persona: Persona, seed: int) -> Person:
    rng = random.Random(seed)
    made = Person(persona, rng)
    made.domains = [made.key() for _ in range(40)]
    own = made.key()
    made.colleagues = [Target(made.key(), own, internal=True) for _ in range(rng.randint(8, 60))]
    made.book = [made.stranger() for _ in range(int(rng.lognormvariate(4.2, 0.7)))]
    made.origins["office"] = made.place()
    made.origins["home"] = made.place()
    made.origins["phone"] = made.place(client=made.key())
    for n in range(persona.helpers):
        made.origins[f"helper{n}"] = made.place(around=made.origins["office"].around, client=made.key())
    return made


class Year:
    """A year of a person's events, day by day. Everything odd in it is honest."""

    def __init__(self, who: Person, days: int = 365) -> None:
        self.who = who
        self.rng = who.rng
        self.days = days
        self.events: list[Event] = []
        scale = self.rng.lognormvariate(0, 0.35)
        self.rate = who.persona.messages * scale
        self.link = min(0.95, who.persona.link * self.rng.lognormvariate(0, 0.4))
        self.spammy = self.rng.lognormvariate(-3.6, 0.7)
        self.vpn = who.place(country=self.rng.choice(("US", "SG", "NL"))) if self.rng.random() < 0.06 else None
        self.template = who.key()
        self.away: dict[int, Origin | None] = {}
        self.odd: dict[int, list[str]] = {}
        self._plan()

    def _plan(self) -> None:
        p, rng = self.who.persona, self.rng
        for _ in range(poisson(rng, p.journeys)):
            first = rng.randrange(self.days)
            country = rng.choice(COUNTRIES) if rng.random() < p.abroad else self.who.country
            client = self.who.key() if rng.random() < 0.05 else None
            for n in range(rng.randint(1, 7)):
                if n % 3 == 0:
                    place = self.who.place(country=country, client=client)
                self.away[first + n] = place
        for _ in range(3):  # holidays
            first = rng.randrange(self.days)
            self.away.update(dict.fromkeys(range(first, first + rng.randint(2, 9)), None))
        kinds = (
            ("mailing", p.mailings), ("new phone", 0.5), ("new computer", 0.3), ("new provider", 0.4),
            ("new role", 0.15),
            ("fair", 0.6 * p.events), ("everybody", 0.5), ("crunch", 1.5), ("mistakes", 2.5), ("reply-to", 0.2),
            ("bulk of files", 1.0), ("forward", 0.1), ("campaign abroad", 0.004 * p.journeys),
            ("café", 4 * (p.phone > 0)),
            ("dead addresses", 0.3), ("job interview", 0.3), ("looks like spam", 1.0), ("delegate", 0.2),
        )  # fmt: skip
        for kind, rate in kinds:
            for _ in range(poisson(rng, rate)):
                self.odd.setdefault(rng.randrange(self.days), []).append(kind)

    def run(self) -> list[Event]:
        """Everything that is seen, in order."""
        for day in range(self.days):
            self._day(day)
        self.events.sort(key=lambda event: event.at)
        return self.events

    def _day(self, day: int) -> None:
        p, rng = self.who.persona, self.rng
        odd = self.odd.get(day, [])
        place = self.away.get(day, self.who.origins["office"])
        works = (day + 2) % 7 in p.days if (day + 2) % 7 < 5 else rng.random() < p.weekend
        if place is None or not (works or odd or day in self.away):
            return
        for kind in odd:
            self._changes(kind)
        self.at_home = rng.random() < p.home and day not in self.away
        for _ in range(poisson(rng, self.rate * rng.lognormvariate(0, 0.4) if works else 1)):
            self._message(self._time(day), self._origin(place, day))
        for kind in odd:
            self._unusual(kind, day, self._origin(place, day))

    def _time(self, day: int) -> float:
        first, last = self.who.persona.hours
        hour = self.rng.uniform(first, last) if self.rng.random() < 0.94 else self.rng.gauss((first + last) / 2, 5)
        return START + day * DAY + (hour - self.who.zone) * 3600

    def _origin(self, place: Origin, day: int) -> Origin:  # noqa: PLR0911 - one line for each kind of place
        p, rng, origins = self.who.persona, self.rng, self.who.origins
        if p.machine:
            return origins["office"]
        if p.helpers and rng.random() < 0.6:
            return origins[f"helper{rng.randrange(p.helpers)}"]
        if rng.random() < p.phone:
            phone = origins["phone"]
            if day in self.away:  # roaming
                return Origin(self.who.key(), place.around, phone.client, place.country)
            return Origin(
                (phone.network + rng.randrange(30)) & (2**64 - 1), phone.around, phone.client, phone.country
            )
        if self.vpn and rng.random() < 0.3:
            return self.vpn
        if self.at_home:
            return origins["home"]
        return place

    def _targets(self) -> list[Target]:
        p, rng, who = self.who.persona, self.rng, self.who
        number = 1 + min(poisson(rng, p.recipients - 1), 40) + (rng.randint(5, 25) if rng.random() < 0.01 else 0)
        found: dict[int, Target] = {}
        for _ in range(number):
            if rng.random() < p.internal:
                target = rng.choice(who.colleagues)
            elif rng.random() < p.stranger or not who.book:
                target = who.stranger()
                who.book.append(target)
            else:
                target = who.book[int(len(who.book) * rng.random() ** 2)]
            found[target.address] = target
        return list(found.values())

    def score(self) -> float:
        """What the content findings say of an honest message: seldom much."""
        rng = self.rng
        if rng.random() < 0.004:
            return rng.uniform(0.5, 1)
        return min(1.0, rng.lognormvariate(0, 1.1) * self.spammy)

    def _message(self, at: float, origin: Origin, targets: list[Target] | None = None, **more: object) -> None:
        p, rng = self.who.persona, self.rng
        values: dict[str, object] = {
            "size": int(rng.lognormvariate(9, 1.5)), "script": "latin" if rng.random() < p.english else "japanese",
            "links": int(rng.random() < self.link), "attachments": int(rng.random() < p.attachment),
            "score": self.score(),
            "template": self.template if p.machine else rng.getrandbits(63) + 1,
        }  # fmt: skip
        values.update(more)
        targets = self._targets() if targets is None else targets
        self.events.append(Sending(at, origin, tuple(targets), **values))  # type: ignore[arg-type]
        if rng.random() < 0.004 * len(targets):
            failed = 1 + (rng.random() < 0.1)
            self.events.append(Bounced(at + rng.uniform(1, 90), failed, int(rng.random() < 0.6), origin.network))

    def _changes(self, kind: str) -> None:
        """What stays changed from this day on."""
        who, rng = self.who, self.rng
        office = who.origins["office"]
        if kind == "new phone":
            who.origins["phone"] = who.place(client=who.key(), around=who.origins["phone"].around)
        elif kind == "new computer":
            client = who.key()
            for name in ("office", "home"):
                old = who.origins[name]
                who.origins[name] = Origin(old.network, old.around, client, old.country)
        elif kind == "new provider":
            who.origins["home" if rng.random() < 0.8 else "office"] = who.place(client=office.client)
        elif kind == "new role":
            who.book = who.book[: len(who.book) // 4] + [who.stranger() for _ in range(rng.randint(20, 80))]
            self.rate *= rng.uniform(0.6, 2.0)

    def _unusual(self, kind: str, day: int, origin: Origin) -> None:
        """What is odd on this one day."""
        rng, who, p = self.rng, self.who, self.who.persona
        at = self._time(day)
        if kind == "mailing":
            self._mailing(at, origin, rng.randint(*p.mailing_size), new=rng.choice((0.05, 0.1, 0.9)))
        elif kind == "fair":  # met people, writes to each; perhaps from the hotel
            place = who.place() if rng.random() < 0.3 else origin
            self._mailing(at, place, rng.randint(15, 80), new=1.0)
        elif kind == "everybody":  # New Year's wishes, a new telephone number, a farewell
            known = who.book[:300] + who.colleagues
            self._spread(at, origin, rng.sample(known, min(len(known), rng.randint(30, 250))))
        elif kind == "crunch":
            for _ in range(rng.randint(5, 20)):
                self._message(START + day * DAY + (rng.uniform(20, 28) - who.zone) * 3600, who.origins["home"])
        elif kind == "mistakes":
            self.events.append(LoginSeen(at, origin, rng.randint(1, 9)))
        elif kind == "campaign abroad":
            self._mailing(at, who.place(country=rng.choice(COUNTRIES)), rng.randint(20, 80), new=0.8)
        else:
            self._unusual_message(kind, at, origin)

    def _unusual_message(self, kind: str, at: float, origin: Origin) -> None:  # noqa: C901, PLR0912 - a list
        rng, who = self.rng, self.who
        if kind == "reply-to":
            self._mailing(at, origin, rng.randint(10, 60), new=0.2, elsewhere=True)
        elif kind == "bulk of files":
            for n in range(rng.randint(8, 30)):
                self._message(at + n * rng.uniform(20, 120), origin, [who.stranger()], attachments=3, script="")
        elif kind == "forward":
            to = [who.stranger()]
            for n in range(rng.randint(5, 40)):
                self._message(at + n * 1500, origin, to, forwarded=True)
        elif kind == "café":
            place = who.place()
            for n in range(rng.randint(1, 6)):
                self._message(at + n * 900, place)
        elif kind == "dead addresses":
            self._message(at, origin, [who.stranger() for _ in range(rng.randint(3, 12))])
            self.events.append(Bounced(at + 20, rng.randint(2, 9), rng.randint(1, 2), origin.network))
        elif kind == "job interview":  # applications, references: late, to strangers, with files, from home
            for n in range(rng.randint(3, 15)):
                self._message(at + 5 * 3600 + n * 600, who.origins["home"], [who.stranger()], attachments=2)
        elif kind == "looks like spam":
            for n in range(rng.randint(2, 8)):
                self._message(at + n * 700, origin, score=rng.uniform(0.4, 1))
        elif kind == "delegate":
            for n in range(rng.randint(1, 10)):
                self._message(at + n * 1000, origin, other_author=True)

    def _mailing(self, at: float, origin: Origin, size: int, new: float, **more: object) -> None:
        who, rng = self.who, self.rng
        fresh = [who.stranger() for _ in range(int(size * new))]
        known = rng.sample(who.book, min(len(who.book), size - len(fresh)))
        who.book.extend(fresh[: len(fresh) // 3])
        self._spread(at, origin, fresh + known, **more)
        if rng.random() < 0.6:
            failed = 1 + int(size * new * rng.uniform(0.0, 0.08) + size * (1 - new) * 0.005)
            self.events.append(Bounced(at + rng.uniform(60, 900), failed, failed // 2, origin.network))

    def _spread(self, at: float, origin: Origin, targets: list[Target], **more: object) -> None:
        """The same text to all: each alone within minutes to an hour, or in blind copies."""
        rng = self.rng
        template, score, link = self.who.key(), min(1.0, self.score() * 3), int(rng.random() < 0.7)
        each = 1 if rng.random() < 0.5 else rng.choice((10, 30, 50))
        pause = rng.choice((2.0, 8.0, 40.0))
        rng.shuffle(targets)
        for n in range(0, len(targets), each):
            some = targets[n : n + each]
            self._message(at + n / each * pause, origin, some, template=template, score=score, links=link, **more)


def poisson(rng: random.Random, rate: float) -> int:
    """A Poisson number; for large rates the rounded normal one."""
    if rate > 30:
        return max(0, round(rng.gauss(rate, rate**0.5)))
    limit, number, product = 2.718281828459045 ** -max(rate, 0.0), 0, rng.random()
    while product > limit:
        number += 1
        product *= rng.random()
    return number


def year(persona: Persona, seed: int, days: int = 365) -> tuple[Person, list[Event]]:
    """A person and all that is seen of his account."""
    who = person(persona, seed)
    return who, Year(who, days).run()
