"""The tables of false alarms, of what confidence means, and of speed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import dlp_sets
from dlp_engine import search
from dlp_peers import PRESIDIO_ALL, ask
from dlp_score import Found, right_or_wrong
from dlp_tables import HOLDS, SURE, Looked, kinds_of
from table import table

from sekisho.mail.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.inspect.patterns import Patterns

Findings = tuple[Finding, ...]
STEPS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.01)

# What is personal by itself; addresses, dates, links and telephone numbers are in most mail and no alarm.
_PLAIN = frozenset(("EMAIL_ADDRESS", "URL", "PHONE_NUMBER", "DATE_TIME", "IP_ADDRESS", "MAC_ADDRESS", "UUID"))


def ordinary(looked: Looked) -> str:
    """Order, part and tracking numbers: how many are taken for the identifier whose shape they have."""
    texts = looked.labelled.texts
    rows = [_ordinary_row(tool, texts, [found[t.text] for t in texts]) for tool, found in looked.found.items()]
    title = f"Numbers of the same shapes as order, part and tracking numbers ({len(texts)} texts): taken for a leak"
    return table(title, ["tool", "texts", "any", f"from {SURE}", f"from {HOLDS}"], rows)


def _ordinary_row(tool: str, texts: list[dlp_sets.Labelled], found: list[list[Found]]) -> list[str]:
    kinds = kinds_of(tool)
    known = [(t, f) for t, f in zip(texts, found, strict=True) if t.entity in kinds]
    shares = [
        sum(any(v.kind in kinds[t.entity] and v.score >= least and v.score > 0 for v in f) for t, f in known)
        / len(known)
        for least in (0.0, SURE, HOLDS)
    ]
    return [tool, str(len(known)), *(f"{share * 100:.1f}%" for share in shares)]


def calibration(all_looked: list[Looked], ham: list[Findings]) -> str:
    """Stated confidence against the share of the labelled values that are right, and against mail without a leak."""
    right: Counter[tuple[bool, int]] = Counter()
    total: Counter[tuple[bool, int]] = Counter()
    for entity, confidence, is_right in _judged(all_looked):
        key = (entity == dlp_sets.SECRET, _step(confidence))
        right[key] += is_right
        total[key] += 1
    in_ham = Counter(_step(f.confidence) for findings in ham for f in findings)
    rows = []
    for i in range(len(STEPS) - 1):
        row = [f"{STEPS[i]:.2f} to {min(STEPS[i + 1], 1):.2f}"]
        for key in ((False, i), (True, i)):
            row += [str(total[key]), f"{right[key] / total[key]:.3f}" if total[key] else "-"]
        rows.append([*row, f"{in_ham[i] * 1000 / len(ham):.2f}"])
    title = (
        "What confidence means: values in all labelled texts and in made-up order numbers, how many of them are "
        "right, and findings in ham"
    )
    return table(title, ["stated", "identifiers", "right", "secrets", "right", "per 1,000 ham mails"], rows)


def _judged(all_looked: list[Looked]) -> list[tuple[str, float, bool]]:
    """Every value of a labelled entity: its confidence, and whether it is right."""
    kinds = kinds_of("sekisho")
    judged = []
    for one in all_looked:
        for text in one.labelled.texts:
            if text.by_line and text.count and not text.spans:
                continue  # only a number of lines is known, not which
            values = [v for v in one.found["sekisho"][text.text] if v.kind in kinds[text.entity] and v.score > 0]
            judged += [(text.entity, value.score, right) for value, right in right_or_wrong(text, values)]
    return judged


def _step(confidence: float) -> int:
    return sum(confidence >= step for step in STEPS[1:-1])


def by_source(mails: list[dlp_sets.Ham], found: list[Findings]) -> str:
    """High findings in each collection of ham."""
    count = Counter(mail.source for mail in mails)
    high = Counter(m.source for m, f in zip(mails, found, strict=True) if _high(f))
    held = Counter(m.source for m, f in zip(mails, found, strict=True) if any(map(_held, f)))
    rows = [[s, str(n), f"{high[s] * 1000 / n:.2f}", f"{held[s] * 1000 / n:.2f}"] for s, n in count.items()]
    rows.append(["all", str(len(mails)), *(f"{c.total() * 1000 / len(mails):.2f}" for c in (high, held))])
    return table(
        "Mails without a leak: with a finding of severity high, per 1,000", ["ham", "mails", "high", "held"], rows
    )


def by_rule(found: list[Findings]) -> str:
    """By rule, over all ham."""
    thousand = 1000 / len(found)
    mails: Counter[str] = Counter()
    high: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for findings in found:
        mails.update({f.rule for f in findings})
        high.update({f.rule for f in findings if f.severity >= Severity.HIGH})
        held.update({f.rule for f in findings if _held(f)})
    mails["any rule"] = sum(map(bool, found))
    high["any rule"] = sum(map(_high, found))
    held["any rule"] = sum(any(map(_held, findings)) for findings in found)
    rows = [
        [rule, *(f"{counts[rule] * thousand:.2f}" for counts in (mails, high, held))]
        for rule, _ in mails.most_common()
    ]
    return table(
        f"Sekisho on {len(found)} mails without a leak: mails per 1,000", ["rule", "any", "high", "held"], rows
    )


def _high(findings: Findings) -> bool:
    return any(f.severity >= Severity.HIGH for f in findings)


def _held(finding: Finding) -> bool:
    """Whether the built-in policy would hold it on its way outside."""
    secret = finding.rule.startswith("dlp/secret/")
    return finding.confidence >= HOLDS and (finding.severity >= Severity.HIGH or secret)


def speed(mails: list[dlp_sets.Ham], engine: Patterns, peers: Sequence[str], seconds: float, sample: int) -> str:
    """Time on one core, and alarms, on every n-th mail for all tools and on all mail for us."""
    part = mails[:: max(1, len(mails) // sample)]
    joined = [mail.joined for mail in part]
    size = _megabytes(joined)
    found, own = search(engine, [mail.texts for mail in part])
    rows = [
        ["sekisho", *_cells(own, len(part), size, own), *_per_1000([sum(map(_high, found))], len(part)), "-", "-"]
    ]
    for peer in peers:
        if peer == PRESIDIO_ALL:
            continue
        answer = ask(peer, joined)
        flagged = [
            sum(any(_alarming(v) and v.score >= least for v in one) for one in answer.found) for least in (0.0, SURE)
        ]
        cells = _cells(answer.seconds, len(part), size, own)
        most = _most(answer.found, len(part))
        rows.append([f"{peer} {answer.version}", *cells, *_per_1000(flagged, len(part)), most])
    all_ = _cells(seconds, len(mails), _megabytes([m.joined for m in mails]), own * len(mails) / len(part))
    rows.append([f"sekisho, all {len(mails)}", *all_, "", "", ""])
    title = (
        f"A sample for the slower tools: {len(part)} of these mails, {size:.1f} MB, one core; time against Sekisho\n"
        "Alarms: mails per 1,000 with severity high; of the peers, with anything but addresses, links, dates, phones"
    )
    return table(title, ["tool", "ms a mail", "MB/s", "time", "alarms", f"from {SURE}", "most of them"], rows)


def _megabytes(texts: list[str]) -> float:
    return sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6


def _per_1000(counts: list[int], mails: int) -> list[str]:
    return [f"{count * 1000 / mails:.1f}" for count in counts]


def _alarming(value: Found) -> bool:
    return value.kind not in _PLAIN


def _most(values: list[list[Found]], mails: int) -> str:
    by_kind: dict[str, int] = defaultdict(int)
    for one in values:
        for kind in {v.kind for v in one if _alarming(v)}:
            by_kind[kind] += 1
    largest = sorted(by_kind.items(), key=lambda item: -item[1])[:4]
    return ", ".join(f"{kind} {count * 1000 / mails:.0f}" for kind, count in largest)


def _cells(seconds: float, mails: int, megabytes: float, own: float) -> list[str]:
    return [f"{seconds / mails * 1000:.2f}", f"{megabytes / seconds:.2f}", f"{seconds / own:.1f}x"]
