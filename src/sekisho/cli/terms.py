"""What the commands share: common options, the configuration they run under, and how they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from unicodedata import east_asian_width

import msgspec

from sekisho.config.load import Configuration, find_file, load
from sekisho.config.locations import Problem

Run = Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """A command cannot go on. `exit_status` 2: the command or its configuration is wrong; 3: it could not be done."""

    def __init__(self, text: str, exit_status: int = 2) -> None:
        super().__init__(text)
        self.exit_status = exit_status


def command(
    commands: Any, name: str, run: Run, summary: str, example: str, *, prints_data: bool = False
) -> argparse.ArgumentParser:
    """Add a command with the options that all have: --config, --help with an example, --json where it prints data."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"Example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="configuration (default: ./sekisho.toml, /etc/sekisho/…)")
    if prints_data:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)
    return parser


def noun(commands: Any, name: str, summary: str) -> Any:
    """Add a noun (`hold`, `rules`) whose verbs are commands of their own."""
    parser = commands.add_parser(name, help=summary, description=summary)
    return parser.add_subparsers(metavar="COMMAND", required=True)


def configuration_of(given: argparse.Namespace) -> Configuration:
    """The configuration that a command runs under. Raises CommandError with every problem."""
    configuration, problems = load(find_file(given.config))
    if configuration is None:
        raise problems_error(problems)
    return configuration


def problems_error(problems: Iterable[Problem]) -> CommandError:
    """All problems of a configuration, one a line."""
    lines = [str(problem) for problem in problems]
    return CommandError(f"{len(lines)} problem{'s' if len(lines) != 1 else ''}:\n" + "\n".join(lines))


def print_json(value: object) -> None:
    """One object on one line. Characters that UTF-8 has no form for (from a broken message) become "?"."""
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:
        line = json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "replace")
    sys.stdout.write(line.decode() + "\n")


def rfc3339(moment: datetime) -> str:
    """A time as `contract.md` wants it: RFC 3339, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read an RFC 3339 time or a date, for argparse. Without a zone it is UTC. Raises ValueError."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def table(rows: Iterable[Iterable[object]], heads: Iterable[str]) -> str:
    """Columns of text, padded by the width that Japanese takes on a terminal."""
    lines = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _width(text: str) -> int:

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
