"""`sekisho learn`: what reviewers' decisions have taught the content models: look at it, judge it, undo it."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from sekisho.cli.lessons import learning_of
from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json, rfc3339, table
from sekisho.config.load import Configuration
from sekisho.config.settings import LearningSettings
from sekisho.daemon.compose import open_store
from sekisho.daemon.learning import shipped_model
from sekisho.learn.counted import LABELS
from sekisho.learn.evaluate import Outcome, evaluate
from sekisho.learn.ground import Ground
from sekisho.learn.layer import Layer
from sekisho.learn.model import ModelError, probability
from sekisho.mail.decision import Decision

_STRONGEST = 10


def add_to(commands: Any) -> None:
    """Add `learn show`, `evaluate`, `forget`, `reset` and `restore`."""
    verbs = noun(commands, "learn", "What reviewers have taught the content models")
    parsers = [
        command(
            verbs, "show", show, "What was decided, and what of it counts", "sekisho learn show", prints_data=True
        ),
        command(verbs, "evaluate", run_evaluation, "Whether it helps", "sekisho learn evaluate", prints_data=True),
        command(verbs, "forget", forget, "Take decisions out for good", "sekisho learn forget ID", prints_data=True),
        command(
            verbs, "reset", reset, "Take all out; `restore` undoes it", "sekisho learn reset --yes", prints_data=True
        ),
        command(verbs, "restore", restore, "Undo the last reset", "sekisho learn restore", prints_data=True),
    ]
    for parser in parsers:
        parser.add_argument("--tenant", metavar="NAME", default="default", help="whose (default: default)")
    parsers[2].add_argument("id", nargs="+", help="of the held message; `learn show` names them")
    parsers[3].add_argument("--yes", action="store_true", help="needed: nothing is asked")


class _Known(Struct, frozen=True, eq=False):
    """What there is to know of a tenant: its decisions, and its layer where there is a model."""

    settings: LearningSettings
    decisions: list[Decision]
    ground: Ground | None
    layer: Layer | None
    aside: tuple[int, int]

    def counted(self, label: str) -> float:
        """How many decisions of a label count."""
        return self.layer.counted.totals[label] if self.layer is not None else 0.0

    def why_not(self, label: str) -> str:
        """Why those of a label change nothing; "" where they do."""
        return self.layer.counted.why_not[label] if self.layer is not None else "no content model"


def show(given: argparse.Namespace) -> int:
    """Print decisions by label and reviewer, whether they are in effect, and which weigh most."""
    known = _known(given)
    state = _state(given.tenant, known)
    if given.json:
        print_json(state)
        return 0
    print(f"{given.tenant}: {'in effect' if state['in_effect'] else 'not in effect'}")
    for label in LABELS:
        of_label = state[label]
        why = f" (change nothing: {of_label['why_not']})" if of_label["why_not"] else ""
        print(f"{label}: {of_label['decisions']} decisions, of which {of_label['counted']:.1f} count{why}")
    if state["reviewers"]:
        print(table((row.values() for row in state["reviewers"]), ("reviewer", *LABELS)))
    if state["strongest"]:
        rows = (
            (x["id"], x["at"], x["reviewer"], x["sender"], x["label"], f"{x['pull']:+.2f}")
            for x in state["strongest"]
        )
        print("\nThe strongest:", table(rows, ("id", "at", "reviewer", "sender", "label", "pull")), sep="\n")
    if state["set_aside"]:
        print(
            f"\n{state['set_aside']} set aside at {state['set_aside_at']}; `sekisho learn restore` brings them back"
        )
    return 0


def run_evaluation(given: argparse.Namespace) -> int:
    """Print how the models judge the decided messages, alone and with what was learned from the others."""
    known = _known(given)
    if known.ground is None:
        raise CommandError("no content model came with this version", 3)
    found = evaluate(known.ground, known.decisions, known.settings, datetime.now(UTC))
    outcomes = {"before": found.before, "after": found.after}
    if given.json:
        print_json(
            {"tenant": given.tenant, "changed": found.changed, **{k: _outcome(o) for k, o in outcomes.items()}}
        )
        return 0
    rows = ((name, o.decisions, f"{o.accuracy:.1%}", o.false_holds, o.missed) for name, o in outcomes.items())
    print(table(rows, ("", "decisions", "right", "false holds", "missed")))
    print(f"{found.changed} decided otherwise with what was learned")
    return 0


def forget(given: argparse.Namespace) -> int:
    """Take decisions out for good. Returns 1 if one is not there."""
    missing = 0
    with closing(open_store(_configuration(given))) as store:
        for decision_id in given.id:
            done = asyncio.run(store.decisions.forget(given.tenant, decision_id))
            missing += not done
            if given.json:
                print_json({"id": decision_id, "done": done})
            else:
                print(f"{decision_id}: {'forgotten' if done else 'no such decision'}")
    return 1 if missing else 0


def reset(given: argparse.Namespace) -> int:
    """Take all of a tenant's decisions out of force and keep them for `restore`."""
    if not given.yes:
        raise CommandError("this takes all that was learned out of force: say --yes (`learn restore` undoes it)")
    with closing(open_store(_configuration(given))) as store:
        count = asyncio.run(store.decisions.set_aside(given.tenant, datetime.now(UTC)))
    return _done(given, count, "set aside; `sekisho learn restore` brings them back")


def restore(given: argparse.Namespace) -> int:
    """Bring back what the last reset took out."""
    with closing(open_store(_configuration(given))) as store:
        count = asyncio.run(store.decisions.restore(given.tenant))
    return _done(given, count, "in force again")


def _done(given: argparse.Namespace, count: int, what: str) -> int:
    if given.json:
        print_json({"tenant": given.tenant, "decisions": count})
    else:
        print(f"{given.tenant}: {count} decisions {what}" if count else f"{given.tenant}: there are none")
    return 0


def _configuration(given: argparse.Namespace) -> Configuration:
    configuration = configuration_of(given)
    if given.tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {given.tenant!r} in the configuration")
    return configuration


def _known(given: argparse.Namespace) -> _Known:
    configuration = _configuration(given)
    settings = learning_of(configuration, given.tenant)
    with closing(open_store(configuration)) as store:
        decisions = asyncio.run(store.decisions.of(given.tenant))
        aside = asyncio.run(store.decisions.copies(given.tenant))
    try:
        model = shipped_model()
    except (ModelError, OSError) as error:
        raise CommandError(f"the content model cannot be read: {error}", 3) from error
    ground = Ground(model) if model is not None else None
    layer = Layer(ground, decisions, settings, datetime.now(UTC)) if ground is not None else None
    return _Known(settings, decisions, ground, layer, aside)


def _state(tenant: str, known: _Known) -> dict[str, Any]:
    said = Counter((decision.reviewer, decision.label) for decision in known.decisions)
    count, at = known.aside
    return {
        "tenant": tenant,
        "enabled": known.settings.enabled,
        "in_effect": known.layer is not None and known.layer.in_effect,
        **{label: _of_label(known, label) for label in LABELS},
        "reviewers": [
            {"reviewer": reviewer, **{label: said[reviewer, label] for label in LABELS}}
            for reviewer in sorted({reviewer for reviewer, _ in said})
        ],
        "strongest": _strongest(known),
        "set_aside": count,
        "set_aside_at": rfc3339(datetime.fromtimestamp(at / 1e6, UTC)) if count else None,
    }


def _of_label(known: _Known, label: str) -> dict[str, Any]:
    return {
        "decisions": sum(decision.label == label for decision in known.decisions),
        "counted": round(known.counted(label), 2),
        "why_not": known.why_not(label),
    }


def _strongest(known: _Known) -> list[dict[str, Any]]:
    if known.layer is None:
        return []
    influence = known.layer.influence
    found = sorted((d for d in known.decisions if influence.get(d.id)), key=lambda d: -abs(influence[d.id]))
    return [
        {
            "id": decision.id,
            "at": rfc3339(decision.at),
            "reviewer": decision.reviewer,
            "sender": decision.sender,
            "label": decision.label,
            "kind": decision.kind,
            "probability": round(probability(decision.logit), 4),
            "pull": round(influence[decision.id], 3),
        }
        for decision in found[:_STRONGEST]
    ]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "decisions": outcome.decisions,
        "accuracy": round(outcome.accuracy, 4),
        "false_holds": outcome.false_holds,
        "missed": outcome.missed,
    }
