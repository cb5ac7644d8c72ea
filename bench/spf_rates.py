"""SPF evaluations per second on one core, from zones in memory, beside pyspf where that is installed.

python bench/spf_rates.py [SECONDS]
"""

from __future__ import annotations

import sys
import time
from ipaddress import ip_address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.zone import ZoneResolver, driven, look

from sekisho.mailauth.spf.check import SpfQuery, check_sender

_BLOCKS = " ".join(f"ip4:10.{number}.0.0/20" for number in range(30))
ZONES = {
    "one address": {"example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}},
    "a and mx": {
        "example.com": {"TXT": ["v=spf1 a mx -all"], "A": ["198.51.100.1"], "MX": [(10, "mx.example.com")]},
        "mx.example.com": {"A": ["192.0.2.1"]},
    },
    "six includes, 180 networks": {
        "example.com": {"TXT": [f"v=spf1 {' '.join(f'include:i{n}.example.com' for n in range(6))} -all"]},
        **{f"i{n}.example.com": {"TXT": [f"v=spf1 {_BLOCKS} ~all"]} for n in range(6)},
    },
    "macros": {
        "example.com": {"TXT": ["v=spf1 exists:%{ir}.%{l1r-}.%{v}._spf.%{d2} -all"]},
        "1.2.0.192.taro.in-addr._spf.example.com": {"A": ["127.0.0.2"]},
    },
}


def evaluations(seconds: float = 2.0) -> dict[str, float]:
    """Evaluations per second of CPU time for each zone."""
    query = SpfQuery(ip_address("192.0.2.1"), "taro@example.com", "mx.example.com")
    resolvers = {name: ZoneResolver(zone) for name, zone in ZONES.items()}
    return {
        name: _rate(lambda resolver=resolver: driven(check_sender(query, resolver)), seconds)
        for name, resolver in resolvers.items()
    }


def of_pyspf(seconds: float = 2.0) -> dict[str, float]:
    """The same by pyspf; nothing where it is not installed."""
    try:
        import spf  # noqa: PLC0415 - not a dependency
    except ImportError:
        return {}
    rates = {}
    for name, zone in ZONES.items():
        spf.DNSLookup = lambda asked, kind, *_, zone=zone, **__: _for_pyspf(zone, asked, kind)
        rates[name] = _rate(lambda: spf.query("192.0.2.1", "taro@example.com", "mx.example.com").check(), seconds)
    return rates


def _for_pyspf(zone: dict, asked: str, kind: str) -> list:
    answer = look(zone, asked, kind)
    key = (asked, kind)
    return [(key, (v.preference, v.host) if kind == "MX" else (v,) if kind == "TXT" else v) for v in answer.values]


def _rate(once, seconds: float) -> float:
    count = 0
    started = time.process_time()
    while (taken := time.process_time() - started) < seconds:
        for _ in range(50):
            once()
        count += 50
    return count / taken


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    theirs = of_pyspf(seconds)
    for name, rate in evaluations(seconds).items():
        beside = f"   pyspf {theirs[name]:8.0f}/s" if theirs else ""
        print(f"{name:28} {rate:8.0f}/s{beside}")


if __name__ == "__main__":
    main()
