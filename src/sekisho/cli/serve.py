"""`sekisho serve`: run the gateway."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sekisho.cli.first_message import SAMPLES, accepted_text, send_sample
from sekisho.cli.terms import CommandError, command, problems_error
from sekisho.config.load import Configuration, find_file
from sekisho.daemon.compose import prepared_from
from sekisho.daemon.serve import CannotStartError, serve


def add_to(commands: Any) -> None:
    """Add `serve`."""
    parser = command(commands, "serve", run, "Run the gateway", "sekisho serve --config /etc/sekisho/sekisho.toml")
    parser.add_argument(
        "--first-message", action="store_true", help="send a harmless message through it, and show where that went"
    )


def run(given: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT. Raises CommandError where it cannot start."""
    prepared, problems = prepared_from(find_file(given.config))
    if prepared is None:
        raise problems_error(problems)
    configuration = prepared.configuration

    def ready() -> None:
        print(_banner(configuration), file=sys.stderr)
        if given.first_message:
            print(_first_message(configuration), file=sys.stderr, flush=True)

    try:
        return serve(prepared, ready)
    except CannotStartError as error:
        raise CommandError(str(error), 3) from error


def _banner(configuration: Configuration) -> str:
    settings = configuration.settings
    return "\n".join(
        [
            "Sekisho is running.",
            *(f"  listens    {x.address} ({x.name}), for {', '.join(x.clients)}" for x in settings.listener),
            f"  http       http://{settings.gateway.http_address}/metrics and /health",
            f"  state      {configuration.state_dir}",
            f"  settings   {configuration.file or 'built-in defaults'}",
        ]
    )


def _first_message(configuration: Configuration) -> str:
    try:
        reply = send_sample(configuration.settings.listener[0].address, "plain")
    except CommandError as error:
        return f"  the first message could not be sent: {error}"
    return "\n".join(
        [
            "",
            accepted_text(configuration, reply),
            "",
            "Try next, in another terminal:",
            *(f"  sekisho first-message --sample {name:8} # {what}" for name, (what, _) in SAMPLES.items()),
            "  sekisho hold list                     # what waits, and sekisho hold show|release|reject ID",
            "  sekisho audit search                  # what happened to each message",
            "  sekisho status                        # how the gateway is",
            "(sekisho is .venv/bin/sekisho in a clone. Ctrl-C stops the gateway.)",
            "",
        ]
    )
