"""What each event says for or against abuse, as natural log-odds against this account's own habits."""

from __future__ import annotations

import math

from sekisho.accounts.behaviour.events import Bounced, LoginSeen, Origin, Sending
from sekisho.accounts.behaviour.journeys import flips
from sekisho.accounts.behaviour.profile import Profile, amounts, hour_of_week, origin_keys, score_class
from sekisho.accounts.behaviour.recent import Recent, Stream
from sekisho.accounts.behaviour.weights import Weights

# Surprise below this is chance: a year has a few hundred days, some thousand hours and more spans of 10 minutes.
_CHANCE = {
    "recipients.10m": 5.5,
    "recipients.hour": 5.0,
    "recipients.day": 3.2,
    "messages.hour": 5.0,
    "messages.day": 3.2,
    "strangers.hour": 4.6,
    "strangers.day": 3.0,
    "failed.day": 2.5,
    "strange.hour": 2.2,
}
_FEW = 5  # accounts and texts below this many recipients are no mailing


def ratio(abuse: float, usual: float, part: float = 1.0) -> float:
    """The log-odds of a sign that shows to a part: wholly (1) or not at all (0)."""
    return part * math.log(abuse / usual) + (1.0 - part) * math.log((1.0 - abuse) / (1.0 - usual))


def _share(profile: Profile, weights: Weights, name: str, weight: float) -> float:
    """How often a sign shows with this owner; as often as not before there are days to tell from."""
    sign = weights.signs[name]
    young = math.exp(-profile.active_days(weight) / 4.0)
    usual = sign.usual + young * max(0.0, sign.abuse - sign.usual) if sign.young else sign.usual
    return min(0.98, max(0.0005, profile.shares[name].of(weight, usual, sign.strength)))


def _sign(profile: Profile, weights: Weights, name: str, weight: float, part: float) -> float:
    sign = weights.signs[name]
    return max(sign.least, min(sign.most, ratio(sign.abuse, _share(profile, weights, name, weight), part)))


def where(profile: Profile, recent: Recent, at: float, origin: Origin, weights: Weights) -> dict[str, float]:
    """Levels of the signs of an origin."""
    weight = profile.weight(at)
    levels: dict[str, float] = {}
    for name, known, key in origin_keys(profile, origin):
        if not key:
            continue
        novelty = known.novelty(key, at, weight)
        levels[name] = _sign(profile, weights, name, weight, novelty)
    if flips(recent.last_origin, recent.last_at, origin, at):
        levels["flip"] = _sign(profile, weights, "flip", weight, 1.0)
    failures = recent.failures.add(at, 0.0)
    if failures >= 3:
        part = min(1.0, failures / 12.0)
        levels["failures"] = part * max(0.0, _sign(profile, weights, "failures", weight, 1.0))
    return levels


def when(profile: Profile, at: float) -> float:
    """How odd the hour of the week is, at most 1.5 either way."""
    weight = profile.weight(at)
    hour, hours = hour_of_week(at), profile.hours
    day = hour // 24
    alike = range(5) if day < 5 else range(5, 7)
    total = 0.0
    for other in alike:
        base = other * 24 + hour % 24
        near = hours[base] + 0.5 * (hours[base - 1] + hours[(base + 1) % 168])
        total += near * (0.5 if other == day else 0.5 / len(alike))
    # Of an account that sends at any time alike each hour of the week has 1/168, with its neighbours twice that.
    expected = 2.0 * (0.5 / 168 + 0.5 / 168)
    own = (total / weight + 20.0 * expected) / (profile.hours_sum / weight + 20.0)
    return max(-0.5, min(1.5, math.log(expected / own) * 0.5))


def whom(profile: Profile, event: Sending, weights: Weights) -> tuple[dict[str, float], list[int], int]:
    """The log-odds of the recipients together, the known ones among them, and the number of first-time ones."""
    weight = profile.weight(event.at)
    known: list[int] = []
    strangers = new_domains = outside = 0
    for target in event.targets:
        if target.address in profile.addresses:
            known.append(target.address)
            outside += not target.internal
        elif not target.internal:
            outside += 1
            strangers += 1
            new_domains += target.domain not in profile.domains
    part = strangers / outside if outside else 0.0
    levels = {"stranger": _sign(profile, weights, "stranger", weight, part) * (1.0 if outside else 0.5)}
    if strangers:
        levels["new_domain"] = max(0.0, _sign(profile, weights, "new_domain", weight, new_domains / strangers))
    return levels, known, strangers


def what(profile: Profile, recent: Recent, event: Sending, weights: Weights) -> dict[str, float]:
    """The log-odds of what the message is like."""
    weight = profile.weight(event.at)
    levels = {
        "content": _content(profile, event.score, weight, weights),
        "link": _sign(profile, weights, "link", weight, float(event.links > 0)),
        "attachment": _sign(profile, weights, "attachment", weight, float(event.attachments > 0)),
    }
    for name, shows in (
        ("elsewhere", event.elsewhere),
        ("other_author", event.other_author),
        ("forwarded", event.forwarded),
    ):
        levels[name] = _sign(profile, weights, name, weight, 1.0) if shows else -0.1
    if event.script and profile.scripts.uses:
        novelty = profile.scripts.novelty(event.script, event.at, weight)
        settled = min(1.0, max(0.0, profile.active_days(weight) - 3.0) / 5.0)
        levels["script"] = 1.5 * novelty * settled if novelty > 0.3 else -0.1
    times, recipients = recent.repeat(event.template, event.at, len(event.targets))
    if times > 1:  # what one text is like is hardly more than one fact, to however many it goes
        levels = {name: level / times**2 for name, level in levels.items()}
    if recipients >= 2 * _FEW:
        levels["same_text"] = 0.5
    return levels


def _content(profile: Profile, score: float, weight: float, weights: Weights) -> float:
    at = score_class(score)
    strength = weights.score_strength
    own = (profile.scores[at] / weight + strength * weights.usual_scores[at]) / (
        profile.scores_sum / weight + strength
    )
    return max(-0.8, min(2.0, math.log(weights.abuse_scores[at] / own)))


def much(profile: Profile, stream: Stream, event: Sending, strangers: int, weights: Weights) -> dict[str, float]:
    """How odd the amounts of the stream's windows are by now; 0 for what is within chance."""
    weight = profile.weight(event.at)
    levels = {}
    for name, amount in amounts(len(event.targets), strangers, strange=not stream.usual):
        total = stream.windows[name].add(event.at, amount)
        levels[name] = _odd(profile, name, total, weight, weights)
    return levels


def _odd(profile: Profile, name: str, total: float, weight: float, weights: Weights) -> float:
    likely = profile.counts[name].spread.tail(weight, total, weights.typical[name], weights.span_strength)
    return max(0.0, 0.8 * (-math.log(max(likely, 1e-9)) - _CHANCE[name]))


def address_book(profile: Profile, recent: Recent, event: Sending, known: list[int]) -> float:
    """How much of those it ever wrote to the account writes to within hours: 0 below a fifth, at most 2."""
    met = recent.meet(known, event.at)
    book = min(profile.addresses.entries, 600)
    if met < 4 * _FEW or not book:
        return 0.0
    return min(2.0, max(0.0, 4.0 * (met / book - 0.2)))


def trouble(profile: Profile, stream: Stream, event: Bounced, weights: Weights) -> dict[str, float]:
    """What failed deliveries say: how odd their number is for the account, and how many are no recipients."""
    weight = profile.weight(event.at)
    total = stream.windows["failed.day"].add(event.at, event.failed)
    odd = min(3.0, _odd(profile, "failed.day", total, weight, weights))
    sign = weights.signs["failed"]
    level = ratio(sign.abuse, min(0.9, profile.shares["failed"].of(weight, sign.usual, sign.strength)))
    rate = min(0.8 * event.failed, level) * (1.0 if event.invalid else 0.5)
    return {"failed.day": odd, "failed": max(0.0, rate)}


def login(recent: Recent, event: LoginSeen) -> None:
    """Note a login: failures before it weigh for an hour."""
    if event.failures > recent.failures.add(event.at, 0.0):
        recent.failures.amount = float(event.failures)
