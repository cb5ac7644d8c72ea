"""What the content benchmark prints: by tool, by source, by language, and calibration."""

from __future__ import annotations

from collections.abc import Sequence

from content_scores import above, calibration_error, interval, recall_at, reliability, roc_auc, threshold
from content_sets import KNOWN, NEVER_TRAINED, Scored
from msgspec import Struct
from table import Row, table

RATES = (0.001, 0.0005)  # of ham that is flagged
HOLDS = (0.75, 0.95)  # the built-in policy: probable, certain


class Outcome(Struct, frozen=True):
    """What one tool said of every message, and the processor time it took for one.

    `prior` is the share of bad mail that its probabilities are meant for.
    """

    tool: str
    probabilities: bool
    prior: float | None
    scored: Sequence[Scored]
    milliseconds: float

    def bad(self, source: str = "", language: str = "", family: str = "") -> list[float]:
        """The scores of bad messages; see `Scored.is_of`."""
        return [one.score for one in self.scored if one.label != "ham" and one.is_of(source, language, family)]

    def ham(self, source: str = "", language: str = "", family: str = "") -> list[float]:
        """The scores of ham; see `Scored.is_of`."""
        return [one.score for one in self.scored if one.label == "ham" and one.is_of(source, language, family)]

    def limit(self, rate: float, without: str = "") -> float | None:
        """The threshold that flags at most `rate` of the ham mail, of all sources or of all but one."""
        ham = (one for one in self.scored if one.label == "ham" and one.is_of())
        return threshold([one.score for one in ham if one.source != without], rate)

    def sources(self, *, ham: bool) -> list[str]:
        """The sources of either kind, in the order of the folds."""
        scored = (one for one in self.scored if one.family != KNOWN)
        return list(dict.fromkeys(one.source for one in scored if (one.label == "ham") == ham))


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """Every table."""
    calibrated = [make(one) for one in outcomes if one.probabilities for make in (at_policy, calibration)]
    return [
        summary(outcomes),
        summary(outcomes, NEVER_TRAINED),
        of_known_ham(outcomes),
        bad_by_source(outcomes),
        ham_by_source(outcomes),
        by_language(outcomes),
        *calibrated,
    ]


def summary(outcomes: Sequence[Outcome], family: str = "") -> str:
    """One row a tool, over all bad messages that were held out or those of one family; always against all ham."""
    rows: list[Row] = []
    for outcome in outcomes:
        ham, bad = outcome.ham(), outcome.bad(family=family)
        error = calibration_error(ham, bad, outcome.prior) if outcome.probabilities else None
        recalls = [_share(above(bad, outcome.limit(rate))) for rate in RATES]
        means = [_share(_mean_of_sources(outcome, rate, family)) for rate in RATES]
        cost = f"{outcome.milliseconds:.2f}"
        rows.append([outcome.tool, _number(roc_auc(ham, bad)), *recalls, *means, _number(error), cost])
    head = ["tool", "ROC-AUC", *map(_at, RATES), *(f"{_at(rate)}, mean of sources" for rate in RATES)]
    count = len(outcomes[0].bad(family=family))
    title = f"{count} bad messages of sources {family or 'left out'}, {len(outcomes[0].ham())} ham mails left out"
    return table(title, [*head, "ECE", "CPU ms/message"], rows)


def of_known_ham(outcomes: Sequence[Outcome]) -> str:
    """One model, trained as for shipping: abuse of sources it never saw, thresholds from ham of those it knows."""
    rows: list[Row] = []
    sources = [source for source in outcomes[0].sources(ham=False) if outcomes[0].bad(source, family=NEVER_TRAINED)]
    for source in [*sources, ""]:
        row = [source or "all of them", str(len(outcomes[0].bad(source, family=NEVER_TRAINED)))]
        for outcome in outcomes:
            ham, bad = outcome.ham(family=KNOWN), outcome.bad(source, family=NEVER_TRAINED)
            row += [_number(roc_auc(ham, bad)), *(_share(recall_at(ham, bad, rate)) for rate in RATES)]
        rows.append(row)
    head = [f"{outcome.tool} {what}" for outcome in outcomes for what in ("AUC", *map(_at, RATES))]
    count = len(outcomes[0].ham(family=KNOWN))
    title = f"sources {NEVER_TRAINED}, beside {count} ham mails of known sources that were kept back from training"
    return table(title, ["source", "bad", *head], rows)


def bad_by_source(outcomes: Sequence[Outcome]) -> str:
    """Recall of each source that was left out of training, at the thresholds over all ham."""
    rows: list[Row] = []
    for source in outcomes[0].sources(ham=False):
        row = [source, str(len(outcomes[0].bad(source)))]
        for outcome in outcomes:
            bad = outcome.bad(source)
            row += [
                _number(roc_auc(outcome.ham(), bad)),
                *(_share(above(bad, outcome.limit(rate))) for rate in RATES),
            ]
        rows.append(row)
    head = [f"{outcome.tool} {what}" for outcome in outcomes for what in ("AUC", *map(_at, RATES))]
    return table("found, by source left out", ["source", "bad", *head], rows)


def ham_by_source(outcomes: Sequence[Outcome]) -> str:
    """False alarms in each ham source at the threshold that all other ham sources give, with its interval."""
    rows: list[Row] = []
    for source in outcomes[0].sources(ham=True):
        row = [source, str(len(outcomes[0].ham(source)))]
        for outcome in outcomes:
            ham = outcome.ham(source)
            alarms = above(ham, outcome.limit(RATES[0], without=source))
            row += [_share(alarms), _interval(alarms, len(ham))]
        rows.append(row)
    head = [f"{outcome.tool} {what}" for outcome in outcomes for what in ("flagged", "95 %")]
    return table(
        "false alarms, by ham source; threshold at 0.1 % of the other sources", ["source", "ham", *head], rows
    )


def by_language(outcomes: Sequence[Outcome]) -> str:
    """Each language with its own ham where it has some."""
    rows: list[Row] = []
    for language in sorted({one.language for one in outcomes[0].scored}):
        row = [language, str(len(outcomes[0].ham("", language))), str(len(outcomes[0].bad("", language)))]
        for outcome in outcomes:
            ham, bad = outcome.ham("", language), outcome.bad("", language)
            row.append(_number(roc_auc(ham, bad)))
            row += [_share(above(scores, outcome.limit(RATES[0]))) for scores in (bad, ham)]
        rows.append(row)
    head = [f"{outcome.tool} {what}" for outcome in outcomes for what in ("AUC", "found", "false alarms")]
    return table("by language, at 0.1 % of all ham", ["language", "ham", "bad", *head], rows)


def at_policy(outcome: Outcome) -> str:
    """What the built-in policy would hold: each source, and all ham mail."""
    rows: list[Row] = [["all ham mail", "ham", *_held(outcome.ham())], ["all bad", "bad", *_held(outcome.bad())]]
    for ham in (True, False):
        for source in outcome.sources(ham=ham):
            found = outcome.ham(source) if ham else outcome.bad(source)
            rows.append([source, "ham" if ham else "bad", *_held(found)])
    head = ["source", "", "messages", *(f"from {least}" for least in HOLDS)]
    return table(f"{outcome.tool}: held by the built-in policy's thresholds", head, rows)


def _held(scores: Sequence[float]) -> Row:
    shares = [sum(score >= least for score in scores) / max(1, len(scores)) for least in HOLDS]
    return [str(len(scores)), *(f"{share * 100:.2f} %" for share in shares)]


def calibration(outcome: Outcome) -> str:
    """The reliability table: of the messages that got such a probability, how many are bad."""
    rows = [
        [f"{row.low:.1f}..{row.low + 0.1:.1f}", str(row.messages), *map(_number, (row.weight, row.mean, row.bad))]
        for row in reliability(outcome.ham(), outcome.bad(), outcome.prior)
    ]
    weighed = "" if outcome.prior is None else f", weighed as if {outcome.prior * 100:g} % were bad"
    return table(f"calibration of {outcome.tool}{weighed}", ["probability", "messages", "share", "mean", "bad"], rows)


def _mean_of_sources(outcome: Outcome, rate: float, family: str) -> float | None:
    limit = outcome.limit(rate)
    sources = dict.fromkeys(s.source for s in outcome.scored if s.label != "ham" and s.is_of(family=family))
    shares = [above(outcome.bad(source), limit) for source in sources]
    return sum(share or 0.0 for share in shares) / len(shares) if shares and limit is not None else None


def _at(rate: float) -> str:
    return f"at {rate * 100:g} %"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _interval(share: float | None, count: int) -> str:
    if share is None:
        return "-"
    low, high = interval(share, count)
    return f"{low * 100:.1f}-{high * 100:.1f}"
