"""A tenant's policy from files: its own, then its parents', then the built-in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sekisho.config.account_settings import IdentitySettings, LockSettings
from sekisho.config.settings import TenantSettings
from sekisho.config.toml import Problem, decode, read_toml
from sekisho.decide.entry import PolicyFile
from sekisho.decide.place import Place
from sekisho.decide.policy import Policy
from sekisho.decide.reading import Scope, read_rule
from sekisho.decide.rule import BUILTIN_LEVEL, Outcome, Rule
from sekisho.mail.reply import ACCOUNT_LOCKED
from sekisho.mail.verdict import Disposition

Tenants = dict[str, TenantSettings]

PROBABLE_ABUSE = "probable-abuse"  # the built-in rule that `tenant.NAME.probable_abuse` is about
IDENTITY_MISMATCH = "identity-mismatch"  # the one that `tenant.NAME.identity.enforce` is about
LOCKED = "account-locked"  # the one that `tenant.NAME.lock.mail` is about


def load_policy(
    tenant: str,
    tenants: Tenants,
    base_dir: Path,
    builtin: Path,
    known_ids: frozenset[str] | None = None,
) -> tuple[Policy | None, list[Problem]]:
    """Read and compile the policy that holds for a tenant: its own files, then its parents', then `builtin`.

    File names are relative to `base_dir`. With `known_ids`, the finding ids that inspectors can report, a
    `finding` that matches none of a family that has some is a problem (the built-in file is exempt: it is written for
    inspectors to come). All problems of all files at once; the policy is None if there was any. Never raises.
    """
    problems: list[Problem] = []
    chain = list(_chain(tenant, tenants, problems))
    rules: list[Rule] = []
    for level, name in enumerate(chain):
        # A parent's own groups come first: a tenant must not change what its parent's rules mean.
        scope = Scope(_groups(chain[level:] + chain[:level], tenants), known_ids, level)
        for file in tenants[name].policy:
            rules += read_policy_file(base_dir / file, scope, problems)
    if all(tenants[name].builtin_policy for name in chain):
        shipped = read_policy_file(builtin, Scope({}, None, BUILTIN_LEVEL), problems)
        rules += _as_wanted(shipped, [tenants[name] for name in chain])
    return (None if problems else Policy.of(tenant, rules)), problems


def _as_wanted(builtin: list[Rule], line: list[TenantSettings]) -> list[Rule]:
    """The built-in rules, some of which only watch, or refuse, where the tenant or the nearest parent wants that."""
    watching = set()
    if next((t.probable_abuse for t in line if t.probable_abuse), "") == "monitor":
        watching.add(PROBABLE_ABUSE)
    if next((t.identity for t in line if t.identity), IdentitySettings()).enforce != "enforce":
        watching.add(IDENTITY_MISMATCH)
    rules = [replace(rule, monitor=True) if rule.name in watching else rule for rule in builtin]
    if next((t.lock for t in line if t.lock), LockSettings()).mail == "hold":
        return rules
    refused = Outcome(Disposition.REJECT, reply=ACCOUNT_LOCKED)
    return [replace(rule, then=refused) if rule.name == LOCKED else rule for rule in rules]


def read_policy_file(path: Path, scope: Scope, problems: list[Problem]) -> list[Rule]:
    """The rules of one file that could be read; what is wrong with the others goes to `problems`. Never raises."""
    data, locations, found = read_toml(path)
    rules = [] if data is None else _read_rules(data, Place(locations, found, "rule"), scope)
    problems += sorted(found, key=lambda problem: problem.line)
    return rules


def _read_rules(data: dict[str, Any], place: Place, scope: Scope) -> list[Rule]:
    tables = data.get("rule", [])
    decode({**data, "rule": []} if "rule" in data else data, PolicyFile, place.locations, place.problems)
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        place.bad("must be tables: [[rule]]")
        return []
    places = [place.item(i) for i in range(len(tables))]
    rules = [read_rule(p, t, scope) for p, t in zip(places, tables, strict=True)]
    _check_together(list(zip(places, tables, rules, strict=True)))
    return [r for r in rules if r is not None]


def _check_together(rules: list[tuple[Place, dict[str, Any], Rule | None]]) -> None:
    """What single rules cannot tell: names used twice, and rules that a catch-all before them makes useless."""
    named: dict[str, Place] = {}
    catch_all: Rule | None = None
    for place, table, rule in rules:
        name = table.get("name")
        if isinstance(name, str) and (first := named.setdefault(name, place)) is not place:
            line = place.locations.line(first.key)
            place.below("name").bad(f'"{name}" is already the name of the rule in line {line}')
        if rule is None:
            continue
        if catch_all is not None and not (rule.names_failed and catch_all.then.lets_go):
            place.bad(f'is never reached: "{catch_all.name}" in line {catch_all.line} decides about every message')
        elif catch_all is None and rule.catches_all:
            catch_all = rule


def _chain(tenant: str, tenants: Tenants, problems: list[Problem]) -> Iterator[str]:
    """The tenant, its parent, its parent's parent and so on."""
    seen: list[str] = []
    name, key = tenant, f"tenant.{tenant}"
    while name:
        if name not in tenants or name in seen:
            why = "is its own ancestor" if name in seen else "is not in the settings"
            problems.append(Problem("", 0, key, f'tenant "{name}" {why}'))
            return
        yield name
        seen.append(name)
        name, key = tenants[name].parent, f"tenant.{name}.parent"


def _groups(chain: list[str], tenants: Tenants) -> dict[str, tuple[str, ...]]:
    """The groups that can be seen from the first of these tenants, the nearest of each name."""
    groups: dict[str, tuple[str, ...]] = {}
    for name in chain:
        groups = {**tenants[name].groups, **groups}
    return groups
