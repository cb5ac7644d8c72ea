"""YARA-X rules over every file: ours and the administrator's, compiled by the gateway (`inspect.yara_rules`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yara_x

from sekisho.mail.finding import Severity
from sekisho.parse.unpack.opening import Opening, Step

MOST_OCTETS = 64_000_000  # of one file; the rest is not looked at, which is a finding
_MOST_MATCHES = 100  # places of one pattern in one file; conditions that count do not need more
_MOST_NAMED = 10
_LONGEST_WHY = 300
_FINDING = re.compile(r"(?:malware|attachment)/[a-z0-9]+(?:-[a-z0-9]+)*")
_FOREIGN = "malware/yara"


def look(rules: yara_x.Rules) -> Step:
    """A look that scans every file with these rules; each finding id is told once a file.

    A rule's metadata may give `finding` (an id in malware/ or attachment/), `severity` (a word) and `title`; a rule
    without a finding is malware/yara, high, and named in the explanation. The scan itself has no deadline of its
    own: YARA-X keeps time in a thread, which a confined process may not start; the process as a whole is stopped.
    """
    scanner = yara_x.Scanner(rules)
    scanner.max_matches_per_pattern(_MOST_MATCHES)
    scanner.fast_scan(yes=True)

    def look_with_yara(opening: Opening) -> None:
        content = opening.content
        if not content:
            return
        opening.budget.check_time()
        _tell(opening, scanner.scan(content[:MOST_OCTETS]).matching_rules)
        if len(content) > MOST_OCTETS:
            why = f"only the first {MOST_OCTETS // 1_000_000} MB were compared with the YARA rules"
            opening.finding("attachment/over-limit", Severity.MEDIUM, why)

    return look_with_yara


def _tell(opening: Opening, matching: Iterable[yara_x.Rule]) -> None:
    """One finding for each id: the gravest severity and all titles, since the driver keeps one of each id."""
    graves: dict[str, Severity] = {}
    titles: dict[str, list[str]] = {}
    for rule in matching:
        name, severity, title = described(rule.identifier, dict(rule.metadata))
        graves[name] = max(severity, graves.get(name, severity))
        titles.setdefault(name, []).append(title)
    for name, severity in graves.items():
        opening.finding(name, severity, "; ".join(titles[name][:_MOST_NAMED])[:_LONGEST_WHY])


def described(identifier: str, metadata: dict[str, object]) -> tuple[str, Severity, str]:
    """The finding id, severity and explanation of a rule with this name and metadata."""
    name = str(metadata.get("finding", ""))
    title = str(metadata.get("title", ""))
    word = str(metadata.get("severity", ""))
    severity = Severity.of(word) if word.upper() in Severity.__members__ else Severity.HIGH
    if _FINDING.fullmatch(name):
        return name, severity, title or f"YARA rule {identifier}"
    return _FOREIGN, severity, f"YARA rule {identifier}" + (f": {title}" if title else "")
