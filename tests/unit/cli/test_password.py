"""`sekisho password`: exit statuses, what is read, what is printed."""

import hashlib
import io
import os
import pty

import pytest

GOOD = "vjq8-mmu2-zt4k-wy7x"


@pytest.fixture
def typed(monkeypatch, sekisho):
    """Run a command with something at standard input."""

    def run(octets, *arguments):
        stream = io.TextIOWrapper(io.BytesIO(octets), encoding="ascii")  # the terminal's encoding does not matter
        monkeypatch.setattr("sys.stdin", stream)
        return sekisho("password", "check", *arguments)

    return run


@pytest.mark.parametrize("octets", [GOOD.encode(), f"{GOOD}\n".encode(), f"{GOOD}\r\nmore\n".encode()])
def test_good(typed, octets):
    done = typed(octets, "--json")
    assert done.status == 0
    (found,) = done.objects
    assert (found["good"], found["length"], found["reasons"]) == (True, 19, [])
    assert found["guesses_log10"] > 10


def test_not_good(typed):
    done = typed("山田太郎山田太郎19850401生".encode(), "--json", "--name", "山田 太郎", "--login", "yamada")
    assert done.status == 1
    (reason,) = done.objects[0]["reasons"]
    assert reason["code"] == "context"
    assert "your name" in reason["text"]
    assert "お名前" in reason["text_ja"]
    assert reason["advice"]
    assert reason["advice_ja"]


@pytest.mark.parametrize(("language", "en", "ja"), [("en", True, False), ("ja", False, True), ("both", True, True)])
def test_text(typed, language, en, ja):
    done = typed(b"password\n", "--language", language)
    assert done.status == 1
    assert done.out.startswith("not good enough: 8 characters")
    assert ("fewer than 15" in done.out) is en
    assert ("15文字に足りません" in done.out) is ja


def test_language_of_the_tenant(typed, folder):
    (folder / "sekisho.toml").write_text('[tenant.default.notice]\nlanguage = "ja"\n')
    assert "fewer" not in typed(b"password\n").out


def test_never_repeats_it(typed):
    for options in ((), ("--json",)):
        done = typed(b"Xylo-Xylo-Xylo\n", *options)
        assert "xylo" not in (done.out + done.err).lower()


def test_second_factor_and_settings_of_a_tenant(typed, folder):
    assert typed(b"wq7-k9xz\n", "--second-factor").status == 0
    (folder / "sekisho.toml").write_text(
        "[tenant.strict.password]\nleast_length_with_second_factor = 12\n[tenant.default]\n"
    )
    assert typed(b"wq7-k9xz\n", "--second-factor").status == 0
    assert typed(b"wq7-k9xz\n", "--second-factor", "--tenant", "strict").status == 1


def test_wrong_command_and_configuration(typed, folder):
    assert typed(b"x\n", "--tenant", "nobody").status == 2
    assert typed(b"\xff\xfe\n").status == 2
    (folder / "sekisho.toml").write_text("[tenant.default.password]\nleast_length = 3\n")
    done = typed(b"x\n")
    assert done.status == 2
    assert "sekisho.toml:2: tenant.default.password.least_length: must be from 8 to 64, got 3" in done.err


def test_no_password_as_an_argument(sekisho):
    assert sekisho("password", "check", GOOD).status == 2


def test_prompt(sekisho, monkeypatch):
    """At a terminal it asks, and does not show what is typed."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{GOOD}\n".encode())
    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr("getpass.getpass", lambda prompt: terminal.readline().rstrip("\n"))
        assert sekisho("password", "check").status == 0
    os.close(ours)


def test_breach_list(typed, sekisho, folder):
    (folder / "pwned.txt").write_text(f"{hashlib.sha1(GOOD.encode()).hexdigest().upper()}:42\n")
    done = sekisho("password", "breach-list", "pwned.txt", "--output", "breached.list", "--json")
    assert done.status == 0
    assert done.objects == [{"file": "breached.list", "lines": 1, "entries": 1, "skipped": 0}]
    (folder / "sekisho.toml").write_text('[tenant.default.password]\nbreach_list = "breached.list"\n')
    done = typed(GOOD.encode(), "--json")
    assert done.status == 1
    assert [reason["code"] for reason in done.objects[0]["reasons"]] == ["breached"]


def test_breach_list_that_cannot_be_made(sekisho, folder):
    (folder / "ntlm.txt").write_text(f"{'8846F7EAEE8FB117AD06BDD830B7586C'}:9\n")
    done = sekisho("password", "breach-list", "ntlm.txt", "-o", "out")
    assert done.status == 2
    assert "SHA-1" in done.err
    assert sekisho("password", "breach-list", "missing.txt", "-o", "out").status == 3
    assert sekisho("password", "breach-list", "ntlm.txt", "-o", "nowhere/out").status == 3
    assert not (folder / "out").exists()


def test_a_damaged_breach_list(typed, folder):
    (folder / "list").write_bytes(b"SKBRCH01 and nothing")
    (folder / "sekisho.toml").write_text('[tenant.default.password]\nbreach_list = "list"\n')
    assert typed(GOOD.encode()).status == 2
