"""What a limit's finding says: the limit, the count and the time, for the sender and the administrator. Pure."""

from __future__ import annotations

from sekisho.accounts.limits.plan import Counted

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def duration(seconds: float) -> str:
    """A time in the largest unit that it is whole in, or nearly: "1 hour", "90 minutes"."""
    for size, unit in _UNITS:
        number = round(seconds / size)
        if number >= 1 and (abs(seconds - number * size) < 1 or seconds >= 10 * size or unit == "second"):
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "a moment"


def excerpt(counted: Counted, count: int, step: int) -> str:
    """As in: recipients-hour: 612 external recipients in 1 hour, more than 600."""
    limit = counted.limit
    side = "" if limit.to == "any" else f" {limit.to}"
    to = f" to{side} recipients" if side else ""
    nouns = {"messages": f" messages{to}", "recipients": f"{side} recipients", "bytes": to}
    noun = nouns.get(limit.of, f"{side} recipients never written to before")
    much, most = (_octets(count), _octets(step)) if limit.of == "bytes" else (str(count), str(step))
    return f"{limit.name}: {much}{noun}{_whom(counted)} in {duration(limit.seconds)}, more than {most}"


def _whom(counted: Counted) -> str:
    whom = counted.whom[:100]
    names = {"domain": f" from {whom}", "listener": f" through {whom}", "tenant": " of the whole company"}
    return names.get(counted.limit.per, "")


def _octets(count: int) -> str:
    for size, unit in _SIZES:
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 1000 * size else f"{count // size} {unit}"
    return f"{count} octets"
