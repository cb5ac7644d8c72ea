"""`sekisho rules`: the detection rules, and the run of their own examples."""

from __future__ import annotations

import argparse
from typing import Any

from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json, problems_error, table
from sekisho.daemon.compose import rules_of
from sekisho.inspect.examples import test_rules
from sekisho.inspect.rules import Rules
from sekisho.store.compiled import compiled_files


def add_to(commands: Any) -> None:
    """Add `rules list`, `rules test` and `rules show`."""
    verbs = noun(commands, "rules", "Detection rules")
    command(
        verbs, "list", list_, "Every finding id with its severity and title", "sekisho rules list", prints_data=True
    )
    command(verbs, "test", test, "Run each rule's own examples", "sekisho rules test", prints_data=True)
    show_ = command(
        verbs,
        "show",
        show,
        "One rule, with its reason in both languages",
        "sekisho rules show dlp/card",
        prints_data=True,
    )
    show_.add_argument("id", help="the rule's id")


def list_(given: argparse.Namespace) -> int:
    """Print the heads of all rules."""
    rules = _rules(given)
    heads = list(rules.by_id.values())
    if given.json:
        for head in heads:
            print_json({"id": head.id, "severity": head.severity, "title": head.title, "why": head.why})
    else:
        print(table(((h.id, h.severity, h.title.en, h.title.ja) for h in heads), ("id", "severity", "title", "題名")))
    return 0


def test(given: argparse.Namespace) -> int:
    """Run the examples. Returns 1 if any rule fails its own."""
    rules = _rules(given)
    failures = test_rules(rules, compiled_files(configuration_of(given).state_dir))
    if given.json:
        print_json({"rules": len(rules.by_id), "failures": [str(failure) for failure in failures]})
    else:
        for failure in failures:
            print(failure)
        print(f"{len(rules.by_id)} rules, {len(failures)} failures")
    return 1 if failures else 0


def show(given: argparse.Namespace) -> int:
    """Print one rule. Raises CommandError where there is none of this id."""
    head = _rules(given).by_id.get(given.id)
    if head is None:
        raise CommandError(f"no rule {given.id!r}; `sekisho rules list` lists them")
    if given.json:
        print_json(head)
    else:
        print(f"{head.id}  ({head.severity})\n{head.title.en} / {head.title.ja}\n\n{head.why.en}\n{head.why.ja}")
    return 0


def _rules(given: argparse.Namespace) -> Rules:
    rules, problems = rules_of(configuration_of(given))
    if rules is None:
        raise problems_error(problems)
    return rules
