"""How many takeovers are noticed, how soon, and how many honest accounts are locked: `make bench-accounts`.

Everything is made up by `accounts_honest.py` and `accounts_attacks.py`; see docs/reference/accounts-bench.md. Seeds
below 200,000 are for tuning; those that are reported were never tuned on.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

from accounts_attacks import ATTACKS, STRENGTHS
from accounts_honest import DAY, PERSONAS
from accounts_play import Attacked, Played, play

RESULTS = Path(__file__).resolve().parent / "results"
REPORTED = 200_000
FAST = ("fast run", "spray, then use")
SLOW = ("slow drip",)


def main() -> None:
    args = arguments()
    began = time.monotonic()
    seeds = range(args.seed, args.seed + args.years)
    with ProcessPoolExecutor(args.processes) as pool:
        played = list(pool.map(play, seeds, chunksize=4))
    text = report(played, alarms=args.alarms) + f"\n{time.monotonic() - began:.0f} s\n"
    print(text)
    if args.seed >= REPORTED:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "accounts.txt").write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=450, help="account-years")
    parser.add_argument("--seed", type=int, default=REPORTED, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--alarms", action="store_true", help="print what was locked wrongly, and the attacks that were missed"
    )
    return parser.parse_args()


def report(played: Sequence[Played], *, alarms: bool = False) -> str:
    """The tables, as Markdown."""
    attacks = [attacked for one in played for attacked in one.attacks]
    lines = [*honest(played), "", *caught(attacks), "", *targets(played, attacks)]
    if alarms:
        lines += [f"late {a}" for a in attacks if a.kind in FAST and not soon(a) and a.seconds is not None]
        lines += ["", *(f"lock {a}" for one in played for a in one.locks)]
        lines += [f"missed {a}" for a in attacks if a.kind in (*FAST, *SLOW) and a.seconds is None][:40]
    return "\n".join(lines)


def honest(played: Sequence[Played]) -> list[str]:
    lines = [
        "| accounts | account-years | messages a year | false locks | for 1,000 years (95 %) | notices a year |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    groups = [(p.name, [one for one in played if one.persona == p.name]) for p in PERSONAS]
    for name, some in [*groups, ("all", list(played))]:
        years = sum(one.days for one in some) / 365
        if not years:
            continue
        locks = sum(len(one.locks) for one in some)
        low, high = poisson_interval(locks)
        messages = sum(one.messages for one in some) / years
        notices = sum(len(one.notices) for one in some) / years
        rate, low, high = (1000 * number / years for number in (locks, low, high))
        counted = f"{years:.0f} | {messages:,.0f} | {locks} | {rate:.1f} ({low:.1f} to {high:.1f}) | {notices:.2f}"
        lines.append(f"| {name} | {counted} |")
    return lines


def caught(attacks: Sequence[Attacked]) -> list[str]:
    lines = [
        "| attack | strength | attacks | locked | messages before, median (95 %) | recipients | time to lock |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for kind in ATTACKS:
        for strength in STRENGTHS:
            some = [a for a in attacks if (a.kind, a.strength) == (kind, strength)]
            if not some:
                continue
            locked = [a for a in some if a.seconds is not None]
            counted = (
                kind, strength, str(len(some)), f"{100 * len(locked) / len(some):.1f} %",
                _two([a.messages for a in some]), _two([a.recipients for a in some]),
                _span([a.seconds for a in locked if a.seconds is not None]),
            )  # fmt: skip
            lines.append(f"| {' | '.join(counted)} |")
    return lines


def targets(played: Sequence[Played], attacks: Sequence[Attacked]) -> list[str]:
    fast = [a for a in attacks if a.kind in FAST]
    slow = [a for a in attacks if a.kind in SLOW]
    years = sum(one.days for one in played) / 365
    locks = sum(len(one.locks) for one in played)
    in_time = sum(soon(a) for a in fast)
    in_a_day = sum(a.seconds is not None and a.seconds <= DAY for a in slow)
    messages = sum(one.messages for one in played)
    most = 100 * poisson_interval(locks)[1] / years
    cost, size = 1e6 * sum(one.seconds for one in played) / messages, max(one.size for one in played)
    return [
        f"Fast takeovers locked within 20 messages or 60 recipients: {share(in_time, len(fast))} (target 99 %)",
        f"Slow takeovers locked within a day: {share(in_a_day, len(slow))} (target 90 %)",
        f"False locks for 100 account-years: {100 * locks / years:.2f}, 95 % interval up to {most:.2f} (target 1)",
        f"Weighing and learning: {cost:.0f} µs of the processor for a message; a row has {size:,} octets at most",
    ]


def soon(attacked: Attacked) -> bool:
    """Locked before more than 20 messages, or before more than 60 recipients, had left."""
    return attacked.seconds is not None and (attacked.messages <= 20 or attacked.recipients <= 60)


def share(some: int, every: int) -> str:
    """A share in percent with its 95 % interval (Wilson)."""
    if not every:
        return "none"
    z, p = 1.96, some / every
    middle = (p + z * z / 2 / every) / (1 + z * z / every)
    half = z / (1 + z * z / every) * math.sqrt(p * (1 - p) / every + z * z / 4 / every / every)
    return f"{100 * p:.1f} % of {every} ({100 * (middle - half):.1f} to {100 * min(1.0, middle + half):.1f})"


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson rate of which `count` was seen (Garwood), by bisection."""
    return (0.0 if count == 0 else _rate(count - 1, 0.975)), _rate(count, 0.025)


def _rate(count: int, chance: float) -> float:
    low, high = 0.0, count * 3.0 + 20.0
    for _ in range(60):
        middle = (low + high) / 2
        below = sum(math.exp(-middle + n * math.log(middle) - math.lgamma(n + 1)) for n in range(count + 1))
        low, high = (middle, high) if below > chance else (low, middle)
    return low


def _two(values: Sequence[int]) -> str:
    ordered = sorted(values)
    return f"{median(ordered):.0f} ({ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]})"


def _span(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    middle = median(seconds)
    return (
        f"{middle:.0f} s" if middle < 120 else f"{middle / 60:.0f} min" if middle < 7200 else f"{middle / 3600:.1f} h"
    )


if __name__ == "__main__":
    main()
