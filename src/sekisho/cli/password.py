"""`sekisho password`: whether a new password would be good enough, and lists of those that became known."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from sekisho.accounts.passwords.blocklist import FilterError
from sekisho.accounts.passwords.breach_build import BreachSourceError, build
from sekisho.accounts.passwords.breaches import BreachListError
from sekisho.accounts.passwords.policy import PasswordPolicy, Reason, Verdict, policy_of
from sekisho.cli.terms import CommandError, command, configuration_of, noun, print_json
from sekisho.config.load import Configuration
from sekisho.config.tenants import inherited

_MOST_OCTETS = 65_536  # of standard input: a password is one line


def add_to(commands: Any) -> None:
    """Add `password check` and `password breach-list`."""
    verbs = noun(commands, "password", "Whether passwords are good enough")
    _add_check(verbs)
    parser = command(
        verbs,
        "breach-list",
        breach_list,
        "Make a list of passwords that became known, for the setting `breach_list`",
        "sekisho password breach-list pwned-passwords-sha1.txt --output breached.list",
        prints_data=True,
    )
    parser.add_argument("file", type=Path, help="SHA1:count lines (Have I Been Pwned), or passwords, one a line")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where the list goes")
    parser.add_argument("--format", choices=("sha1", "plain"), help="of the lines (default: told by them)")


def _add_check(verbs: Any) -> None:
    parser = command(
        verbs,
        "check",
        check,
        "Judge a new password, from a prompt or standard input",
        "sekisho password check --login t-yamada@example.jp --name '山田 太郎'",
        prints_data=True,
    )
    parser.add_argument("--tenant", metavar="NAME", default="default", help="whose policy (default: default)")
    parser.add_argument("--login", default="", help="whose password it would be")
    parser.add_argument("--name", action="append", default=[], help="of its owner, in any script; again for more")
    parser.add_argument("--second-factor", action="store_true", help="the account has a second factor")
    parser.add_argument("--language", choices=("en", "ja", "both"), help="of the text (default: the tenant's)")


def check(given: argparse.Namespace) -> int:
    """Judge one password. Returns 1 where it is not good enough."""
    configuration = configuration_of(given)
    policy = _policy(configuration, given.tenant)
    verdict = policy.judge(_password(), login=given.login, names=given.name, second_factor=given.second_factor)
    if given.json:
        print_json(_object(verdict))
    else:
        notice = inherited(configuration.settings, given.tenant).notice
        _print(verdict, given.language or (notice.language if notice else "both"))
    return 0 if verdict.good else 1


def breach_list(given: argparse.Namespace) -> int:
    """Make a breach list and say what is in it."""
    configuration_of(given)
    try:
        done = build(given.file, given.output, given.format)
    except BreachSourceError as error:
        raise CommandError(f"{given.file}: {error}") from error
    except OSError as error:
        raise CommandError(f"{error.filename or given.file}: {error.strerror or error}", 3) from error
    if given.json:
        print_json({"file": str(given.output), "lines": done.lines, "entries": done.entries, "skipped": done.skipped})
        return 0
    print(f"{given.output}: {done.entries} passwords of {done.lines} lines, {done.skipped} left out")
    return 0


def _policy(configuration: Configuration, tenant: str) -> PasswordPolicy:
    if tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {tenant!r} in the configuration")
    try:
        return policy_of(configuration, tenant)
    except BreachListError as error:
        raise CommandError(str(error)) from error
    except (FilterError, OSError) as error:
        raise CommandError(f"the lists of passwords cannot be read: {error}", 3) from error


def _password() -> str:
    """From a prompt, or the first line of standard input; never an argument, which others on the machine see."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    line = sys.stdin.buffer.readline(_MOST_OCTETS)
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise CommandError("standard input is not UTF-8") from None


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "good": verdict.good,
        "length": verdict.length,
        "guesses_log10": verdict.guesses_log10,
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "hints": [{"text": hint.en, "text_ja": hint.ja} for hint in verdict.hints],
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {
        "code": reason.code,
        "text": reason.text.en,
        "advice": reason.advice.en,
        "text_ja": reason.text.ja,
        "advice_ja": reason.advice.ja,
    }


def _print(verdict: Verdict, language: str) -> None:
    print(f"{'good' if verdict.good else 'not good enough'}: {verdict.length} characters, "
          f"about 10^{verdict.guesses_log10:.0f} guesses")  # fmt: skip
    for reason in verdict.reasons:
        print(f"\n{reason.code}")
        for line in f"{reason.text.in_language(language)}\n{reason.advice.in_language(language)}".splitlines():
            print(f"  {line}")
    if not verdict.good and verdict.hints:
        print("\nhints")
        for hint in verdict.hints:
            for line in hint.in_language(language).splitlines():
                print(f"  {line}")
