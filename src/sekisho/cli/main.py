"""`sekisho`: reads the arguments, runs one command, and turns its end into an exit status.

Exit status: 0 done, nothing to object to; 1 done, something to object to; 2 the command or its configuration is
wrong; 3 the work could not be done.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from sekisho import __version__
from sekisho.cli import (
    account,
    audit,
    check,
    configuration,
    dkim,
    dlp,
    domain,
    first_message,
    hold,
    learn,
    password,
    policy,
    rules,
    serve,
    spf,
    status,
)
from sekisho.cli.terms import CommandError
from sekisho.mail.kept import StoreAwayError

COMMANDS = (
    serve,
    check,
    configuration,
    rules,
    policy,
    dlp,
    hold,
    learn,
    account,
    password,
    spf,
    dkim,
    domain,
    audit,
    status,
    first_message,
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(prog="sekisho", description="Gateway for outgoing mail.")
    root.add_argument("--version", action="version", version=f"sekisho {__version__}")
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_to(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status; prints a traceback only where SEKISHO_TRACEBACK is set."""
    _print_anything()
    given = parser().parse_args(arguments)
    try:
        status_code: int = given.run(given)
        sys.stdout.flush()
    except CommandError as error:
        print(f"sekisho: {error}", file=sys.stderr)
        return error.exit_status
    except StoreAwayError as error:
        print(f"sekisho: the store cannot be used: {error}", file=sys.stderr)
        return 3
    except BrokenPipeError:
        # whoever read our output has seen enough; keep the interpreter from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("SEKISHO_TRACEBACK"):
            raise
        print(f"sekisho: unexpected failure: {type(error).__name__}: {error}", file=sys.stderr)
        print("Set SEKISHO_TRACEBACK=1 and run it again to see where.", file=sys.stderr)
        return 3
    return status_code


def _print_anything() -> None:
    """Characters that the terminal's encoding has no form for are shown as escapes, and never end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
