"""How commands end: one line on standard error and an exit status, never a traceback."""

import os
import re
import subprocess
import sys

import pytest

from sekisho import __version__
from sekisho.cli import rules
from sekisho.cli.main import COMMANDS, parser

SEKISHO = [sys.executable, "-m", "sekisho.cli"]


def run(*arguments, **more):
    return subprocess.run([*SEKISHO, *arguments], capture_output=True, timeout=60, check=False, **more)


def test_version(sekisho):
    assert sekisho("--version").out == f"sekisho {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["sing"], ["hold"], ["hold", "sing"], ["check"], ["hold", "list", "--limit"]]
)
def test_a_wrong_command_line(sekisho, arguments):
    done = sekisho(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "usage: sekisho" in done.err


def verbs(read):
    """Every command with its parser, as `sekisho COMMAND…` names it."""
    for action in read._actions:
        for name, below in (action.choices or {}).items() if hasattr(action.choices, "items") else ():
            found = list(verbs(below))
            yield from ((f"{name} {verb}", leaf) for verb, leaf in found)
            if not found:
                yield name, below


def test_every_command_has_its_help_with_an_example_and_takes_a_configuration():
    found = dict(verbs(parser()))
    assert len(found) >= len(COMMANDS)
    for name, leaf in found.items():
        shown = leaf.format_help()
        assert re.search(rf"Example:\n  sekisho {name}\b", shown), name
        assert "--config FILE" in shown, name


def test_an_unexpected_failure_is_told_without_a_traceback(sekisho, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(rules, "_rules", fail)
    done = sekisho("rules", "list")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("sekisho: unexpected failure: ZeroDivisionError: odd\n")
    assert "Traceback" not in done.err


def test_the_traceback_for_whoever_asks(sekisho, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(rules, "_rules", fail)
    monkeypatch.setenv("SEKISHO_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        sekisho("rules", "list")


def test_an_interrupt(sekisho, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(rules, "_rules", interrupt)
    assert sekisho("rules", "list") == type(sekisho("--version"))(130, "", "")


def test_a_store_that_cannot_be_opened(sekisho, folder):
    (folder / "var").write_text("a file where a folder should be")
    for command in (("hold", "list"), ("hold", "show", "x"), ("audit", "search"), ("policy", "replay")):
        done = sekisho(*command)
        assert (done.status, done.out) == (3, ""), command
        assert done.err.startswith("sekisho: the store cannot be used: "), command
        assert "Traceback" not in done.err


def test_a_reader_that_has_seen_enough(tmp_path):
    """`sekisho rules list | head -1`, made certain: the reader is gone before the first line."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*SEKISHO, "rules", "list"], stdout=write, stderr=subprocess.PIPE, timeout=60, cwd=tmp_path, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_under_the_output(tmp_path):
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*SEKISHO, "rules", "list"], stdout=full, stderr=subprocess.PIPE, timeout=60, cwd=tmp_path, check=False
        )
    assert done.returncode == 3
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_terminal_that_knows_ascii_alone(tmp_path):
    done = run("rules", "show", "dlp/card", cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "クレジットカード".encode("ascii", "backslashreplace") in done.stdout
    assert done.stderr == b""


def test_a_file_name_that_is_no_utf_8(tmp_path):
    file = os.fsencode(tmp_path) + b"/\xff.eml"
    with open(file, "wb") as mail:  # noqa: PTH123 - pathlib takes no bytes
        mail.write(b"From: a@example.com\r\nTo: b@example.net\r\n\r\nhello\r\n")
    for options in ((), ("--json",)):
        done = run("check", *options, file, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode()  # is UTF-8
