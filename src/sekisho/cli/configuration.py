"""`sekisho config check`: read configuration, rules and policy, and report every error."""

from __future__ import annotations

import argparse
from typing import Any

from sekisho.cli.terms import command, noun, print_json, problems_error
from sekisho.config.load import find_file
from sekisho.daemon.compose import prepared_from


def add_to(commands: Any) -> None:
    """Add `config check`."""
    verbs = noun(commands, "config", "The configuration")
    summary = "Read the configuration, rules and policy; report every error with file, line and key"
    command(verbs, "check", check, summary, "sekisho config check --config sekisho.toml", prints_data=True)


def check(given: argparse.Namespace) -> int:
    """Read everything that `serve` would read. Raises CommandError with all problems (exit status 2)."""
    prepared, problems = prepared_from(find_file(given.config))
    if prepared is None:
        raise problems_error(problems)
    configuration = prepared.configuration
    listeners = [listener.address for listener in configuration.settings.listener]
    tenants = sorted(configuration.settings.tenant)
    if given.json:
        print_json(
            {
                "file": str(configuration.file) if configuration.file else None,
                "state_dir": str(configuration.state_dir),
                "listeners": listeners,
                "tenants": tenants,
                "rules": len(prepared.rules.by_id),
            }
        )
        return 0
    print(f"{configuration.file or 'built-in defaults'}: good")
    print(f"  listeners  {', '.join(listeners)}")
    print(f"  tenants    {', '.join(tenants)}")
    print(f"  rules      {len(prepared.rules.by_id)}")
    print(f"  state      {configuration.state_dir}")
    return 0
