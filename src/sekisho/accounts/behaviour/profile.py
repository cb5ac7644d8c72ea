"""What is usual for one account. Bounded: below 20 kB as MessagePack, whatever it sends."""

from __future__ import annotations

from bisect import bisect_right

from msgspec import Struct, field

from sekisho.accounts.behaviour.amounts import Share, Spread, Window
from sekisho.accounts.behaviour.events import Bounced, Event, LoginSeen, Origin, Sending
from sekisho.accounts.behaviour.journeys import flips
from sekisho.accounts.behaviour.known import Known
from sekisho.accounts.behaviour.seen import Seen

VERSION = 1
DAY = 86400.0
# Of the content's score: a class holds scores from its edge to the next.
SCORES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
_ADDRESS_BITS = 24576  # 2,211 addresses a generation
_DOMAIN_BITS = 4096  # 368 domains


class Counting(Struct, array_like=True):
    """A kind of amount: the window it comes in, its peak in the present span, and what peaks were."""

    window: Window
    period: int = -1
    peak: float = 0.0
    spread: Spread = field(default_factory=Spread)

    def add(self, at: float, amount: float, weight: float) -> None:
        """Learn; the peak of a span is learned when the next one begins."""
        period = int(at // self.window.span)
        if period > self.period:
            if self.period >= 0:
                self.spread.add(weight, self.peak)
            self.period, self.peak = period, 0.0
        self.peak = max(self.peak, self.window.add(at, amount))


# What is counted, over how many seconds.
SPANS = {
    "recipients.10m": 600.0,
    "recipients.hour": 3600.0,
    "recipients.day": DAY,
    "messages.hour": 3600.0,
    "messages.day": DAY,
    "strangers.hour": 3600.0,
    "strangers.day": DAY,
    "failed.day": DAY,
    # Of hours in which it sent from a strange place: first-time recipients.
    "strange.hour": 3600.0,
}
_STRANGE = 0.5
_TELLING = ("around", "client")
# What is so on some days and not on others ("flip": another country within hours).
DAILY = ("network", "around", "country", "client", "flip", "failures")
# What is so of some messages or of some recipients.
EACH = (
    "stranger", "new_domain", "link", "attachment", "elsewhere", "other_author", "forwarded", "failed", "invalid",
)  # fmt: skip


class Profile(Struct):
    """Habits. `born` is the time its inflated weights start at, `half_life` (seconds) what they double in.

    `days` are those on which it sent (inflated), `messages` all it ever learned from.
    """

    born: float
    half_life: float
    version: int = VERSION
    messages: int = 0
    days: float = 0.0
    day: int = -1
    hours: list[float] = field(default_factory=lambda: [0.0] * 168)
    hours_sum: float = 0.0
    networks: Known = field(default_factory=lambda: Known(40))
    around: Known = field(default_factory=lambda: Known(24))
    countries: Known = field(default_factory=lambda: Known(16))
    clients: Known = field(default_factory=lambda: Known(16))
    scripts: Known = field(default_factory=lambda: Known(8))
    addresses: Seen = field(default_factory=lambda: Seen.empty(_ADDRESS_BITS, 0.0))
    domains: Seen = field(default_factory=lambda: Seen.empty(_DOMAIN_BITS, 0.0))
    counts: dict[str, Counting] = field(
        default_factory=lambda: {name: Counting(Window(span)) for name, span in SPANS.items()}
    )
    shares: dict[str, Share] = field(default_factory=lambda: {name: Share() for name in (*DAILY, *EACH)})
    today: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=lambda: [0.0] * (len(SCORES) + 1))
    scores_sum: float = 0.0
    last_origin: Origin | None = None
    last_at: float = 0.0

    def weight(self, at: float) -> float:
        """What something seen at a time weighs; reading divides by it."""
        return float(2.0 ** min(900.0, max(0.0, at - self.born) / self.half_life))

    def active_days(self, weight: float) -> float:
        """On how many days it sent, those of long ago fading."""
        return self.days / weight


def hour_of_week(at: float) -> int:
    """0 is Monday from 0:00 to 1:00 UTC. 1970-01-01 was a Thursday."""
    return (int(at // 3600) + 72) % 168


def score_class(score: float) -> int:
    """The class of a content score."""
    return bisect_right(SCORES, score)


def learn(profile: Profile, event: Event) -> None:
    """Take what is seen as usual. Of logins only where they come from is learned. Tens of microseconds."""
    weight = profile.weight(event.at)
    if isinstance(event, Bounced):
        _learn_failures(profile, event, weight)
        return
    _begin_day(profile, event, weight)
    strange = is_strange(profile, event.at, event.origin, weight)
    _learn_origin(profile, event.at, event.origin, weight)
    if isinstance(event, LoginSeen):
        if event.failures >= 3:
            _mark(profile, "failures")
        return
    profile.messages += 1
    hour = hour_of_week(event.at)
    profile.hours[hour] += weight
    profile.hours_sum += weight
    _learn_targets(profile, event, weight, strange=strange)
    _learn_content(profile, event, weight)


def _begin_day(profile: Profile, event: Event, weight: float) -> None:
    day = int(event.at // DAY)
    if day <= profile.day:
        return
    if profile.day >= 0:
        for name in DAILY:
            profile.shares[name].add(weight, yes=name in profile.today)
        profile.today.clear()
    profile.day = day
    profile.days += weight


def _mark(profile: Profile, name: str) -> None:
    if name not in profile.today:
        profile.today.append(name)


def _learn_origin(profile: Profile, at: float, origin: Origin, weight: float) -> None:
    for name, known, key in origin_keys(profile, origin):
        if not key:
            continue
        if key not in known.uses:
            _mark(profile, name)
        known.add(key, at, weight)
    if flips(profile.last_origin, profile.last_at, origin, at):
        _mark(profile, "flip")
    profile.last_origin, profile.last_at = origin, at


def trust(profile: Profile, at: float, origin: Origin) -> None:
    """Take a place and a program as familiar from now on: somebody asked the owner."""
    weight = profile.weight(at)
    for _, known, key in origin_keys(profile, origin):
        if key:
            known.trust(key, at, weight)


def origin_keys(profile: Profile, origin: Origin) -> tuple[tuple[str, Known, str], ...]:
    """What an origin consists of, with the memory of each; "" for what is not known."""
    return (
        ("network", profile.networks, f"{origin.network:x}"),
        ("around", profile.around, f"{origin.around:x}"),
        ("country", profile.countries, origin.country),
        ("client", profile.clients, f"{origin.client:x}" if origin.client else ""),
    )


def is_strange(profile: Profile, at: float, origin: Origin, weight: float) -> bool:
    """Whether the wider network or the program is new to the account."""
    keys = origin_keys(profile, origin)
    return any(key and known.novelty(key, at, weight) > _STRANGE for name, known, key in keys if name in _TELLING)


def _learn_targets(profile: Profile, event: Sending, weight: float, *, strange: bool) -> None:
    generation = 4 * profile.half_life
    strangers = 0
    for target in event.targets:
        if target.internal:
            continue
        new = target.address not in profile.addresses
        strangers += new
        profile.shares["stranger"].add(weight, yes=new)
        if new:
            profile.shares["new_domain"].add(weight, yes=target.domain not in profile.domains)
    for target in event.targets:
        profile.addresses.add(target.address, event.at, generation)
        if not target.internal:
            profile.domains.add(target.domain, event.at, generation)
    counts = profile.counts
    for name, amount in amounts(len(event.targets), strangers, strange=strange):
        counts[name].add(event.at, amount, weight)


def amounts(recipients: int, strangers: int, *, strange: bool) -> tuple[tuple[str, float], ...]:
    """What one message adds to each count."""
    every = (
        ("recipients.10m", recipients), ("recipients.hour", recipients), ("recipients.day", recipients),
        ("messages.hour", 1.0), ("messages.day", 1.0), ("strangers.hour", strangers), ("strangers.day", strangers),
    )  # fmt: skip
    return (*every, ("strange.hour", strangers)) if strange else every


def _learn_content(profile: Profile, event: Sending, weight: float) -> None:
    shares = profile.shares
    shares["link"].add(weight, yes=event.links > 0)
    shares["attachment"].add(weight, yes=event.attachments > 0)
    shares["elsewhere"].add(weight, yes=event.elsewhere)
    shares["other_author"].add(weight, yes=event.other_author)
    shares["forwarded"].add(weight, yes=event.forwarded)
    shares["failed"].add(weight * len(event.targets), yes=False)
    if event.script:
        profile.scripts.add(event.script, event.at, weight)
    profile.scores[score_class(event.score)] += weight
    profile.scores_sum += weight


def _learn_failures(profile: Profile, event: Bounced, weight: float) -> None:
    # Recipients were counted when they were sent to; here only that it was for nothing.
    profile.shares["failed"].yes += weight * event.failed
    profile.shares["invalid"].yes += weight * event.invalid
    profile.counts["failed.day"].add(event.at, event.failed, weight)
