"""`sekisho account lock` and `unlock`, and what `hold` does with mail of a locked account."""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sekisho.accounts.unlock import Proofs
from sekisho.cli import account_lock
from sekisho.cli.account_lock import add_lock_verbs, lock_lines, lock_shown
from sekisho.mail.envelope import Session

HANA = "hana@example.com"


def steps(store):
    return [(e.step, e.by, e.reasons[0].text) for e in asyncio.run(store.locks.history("default", HANA))]


def test_lock_and_unlock(sekisho, store):
    done = sekisho("account", "lock", "Hana@Example.com", "--reason", "phone call", "--by", "ann", "--json")
    assert (done.status, done.objects) == (
        0, [{"tenant": "default", "login": HANA, "done": True, "state": "locked", "why": ""}],
    )  # fmt: skip
    again = sekisho("account", "lock", HANA, "--reason", "x")
    assert (again.status, again.out) == (1, f"{HANA}: is locked already\n")
    assert sekisho("account", "unlock", HANA).status == 2
    done = sekisho("account", "unlock", HANA, "--reason", "cleaned", "--by", "ann")
    assert (done.status, done.out) == (0, f"{HANA}: may send again\n")
    again = sekisho("account", "unlock", HANA, "--reason", "x")
    assert (again.status, again.out) == (1, f"{HANA}: the account is not locked\n")
    assert steps(store) == [("locked", "ann", "phone call"), ("unlocked", "ann", "cleaned")]


@pytest.mark.parametrize(
    "arguments",
    [("lock", HANA), ("lock", HANA, "--reason", " "), ("lock", HANA, "--reason", "x", "--tenant", "none"),
     ("lock", "a\x01b", "--reason", "x"), ("unlock", HANA, "--reason", "")],
)  # fmt: skip
def test_what_is_missing(sekisho, arguments):
    assert sekisho("account", *arguments).status == 2


def test_shown(sekisho, store):
    sekisho("account", "lock", HANA, "--reason", "phone call", "--by", "ann")
    shown = lock_shown(store, "default", "HANA@example.com")
    assert (shown["lock"]["state"], shown["lock"]["before"]) == ("locked", 0)
    assert shown["lock_history"][0]["reasons"] == [{"code": "administrator", "text": "phone call"}]
    lines = lock_lines(shown)
    assert lines[0].startswith("sending: locked (locked 20")
    assert lines[1].endswith("locked            by ann: phone call")
    assert lock_lines(lock_shown(store, "default", "nobody")) == ["sending: open"]


@pytest.fixture
def owner(folder, capsys, monkeypatch):
    """Run `unlock --as-owner` with an account source that knows one password and one code."""
    assert folder.is_dir()
    changed = [datetime.now(UTC) + timedelta(seconds=5)]

    def prove(_configuration, _store, tenant, login, password, code):
        assert (tenant, login) == ("default", HANA)
        return Proofs(changed[0], second_factor=True) if (password, code) == ("right", "123456") else None

    def run(password, code, prove=prove):
        answers = iter((password, code))
        monkeypatch.setattr(account_lock.getpass, "getpass", lambda _prompt: next(answers))
        root = argparse.ArgumentParser()
        add_lock_verbs(root.add_subparsers(), prove)
        given = root.parse_args(["unlock", HANA, "--as-owner"])
        return given.run(given), capsys.readouterr().out

    run.changed = changed
    return run


def test_the_owner_shows_password_and_second_factor(sekisho, store, owner):
    sekisho("account", "lock", HANA, "--reason", "x")
    for password, code in (("wrong", "123456"), ("right", "000000")):
        with pytest.raises(account_lock.CommandError, match="wrong") as error:
            owner(password, code)
        assert error.value.exit_status == 1
    with pytest.raises(account_lock.CommandError, match="administrator"):
        owner("right", "123456", prove=None)
    changed, owner.changed[0] = owner.changed[0], datetime(2020, 1, 1, tzinfo=UTC)
    assert owner("right", "123456")[0] == 1
    owner.changed[0] = changed
    assert owner("right", "123456") == (0, f"{HANA}: may send again\n")
    assert steps(store)[-1][:2] == ("unlocked", "owner")


def test_held_mail_of_a_locked_account_is_not_released(sekisho, store, kept):
    for name, account in (("k1", "Hana@example.com"), ("k2", "jiro@example.com")):
        asyncio.run(store.keep(*kept(name, session=Session("s", "192.0.2.1", account=account))))
    sekisho("account", "lock", HANA, "--reason", "x")
    done = sekisho("hold", "release", "k1", "k2", "--no-learn")
    assert done.status == 1
    assert (
        done.out
        == f"k1: stays held, account {HANA} is locked; unlock it first: sekisho account unlock\nk2: releasing\n"
    )
    (refused,) = sekisho("hold", "release", "k1", "--json").objects
    assert (refused["done"], refused["state"]) == (False, "held")
    (shown,) = sekisho("hold", "list", "--json").objects
    assert (shown["id"], shown["account_locked"]) == ("k1", True)
    assert "(account locked)" in sekisho("hold", "list").out
    assert "account_locked: True" in sekisho("hold", "show", "k1").out
    assert sekisho("hold", "reject", "k1", "--no-learn").status == 0
