"""What is done to accounts, with their store."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sekisho.accounts.passwords.hashing import Hasher
from sekisho.accounts.passwords.policy import PasswordPolicy
from sekisho.accounts.sources.own import OwnAccounts
from sekisho.accounts.sources.source import Known, Wrong
from sekisho.accounts.totp import _totp
from sekisho.accounts.upkeep import NoAccountError, RefusedError, Upkeep
from sekisho.config.account_settings import PasswordHashSettings, PasswordSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session
from sekisho.store.accounts import AccountExistsError
from sekisho.store.sqlite import SqliteStore

HANA = Account("acme", "hana@acme.example")
TARO = Account("acme", "taro@acme.example")
GOOD, OTHER = "quiet harbour seventeen lamps", "brown teapot under winter moon"
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
HASHER_SETTINGS = PasswordHashSettings(memory_kib=1024, passes=1, scram_iterations=4096)


@pytest.fixture(name="store")
def _store(tmp_path):
    with closing(SqliteStore.open(tmp_path / "state")) as store:
        yield store


@pytest.fixture(name="upkeep")
def _upkeep(store):
    policy = PasswordPolicy(PasswordSettings(), None)
    return Upkeep(store.accounts, Hasher(HASHER_SETTINGS), policy, b"k" * 32, lambda: NOW)


def login(store, password, account=HANA):
    own = OwnAccounts(store.accounts, Hasher(HASHER_SETTINGS), lambda: NOW)
    attempt = LoginAttempt(Session("s", "192.0.2.1", tenant="acme", listener="submission"), "PLAIN", account.login)
    return asyncio.run(own.check(attempt, password))


def run(work):
    return asyncio.run(work)


def found(store, account=HANA):
    return run(store.accounts.find(account.login))


def test_what_an_administrator_sets_is_to_be_changed(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    assert login(store, GOOD) == Known(HANA, "given")
    run(upkeep.set_password(HANA.login, OTHER, by_owner=True))
    assert login(store, OTHER) == Known(HANA)
    assert login(store, GOOD) == Wrong()


@pytest.mark.parametrize("password", ["short", "x" * 300, "hana@acme.example", "bell\x07 and whistle and more"])
def test_bad_passwords_are_refused_and_not_in_the_text(store, upkeep, password):
    with pytest.raises(RefusedError) as refused:
        run(upkeep.add(HANA, password))
    assert password == "short" or password not in str(refused.value)
    assert found(store) is None


def test_no_password_twice(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    with pytest.raises(RefusedError):
        run(upkeep.add(TARO, GOOD))
    with pytest.raises(RefusedError):
        run(upkeep.set_password(HANA.login, GOOD, by_owner=True))
    with pytest.raises(AccountExistsError):
        run(upkeep.add(HANA, OTHER))


def test_a_second_factor_makes_no_shorter_password_good(store, upkeep):
    """Mail programs are let in with the password alone: it is a single factor there. NIST SP 800-63B-4 3.1.1.2."""
    run(upkeep.add(HANA, GOOD))
    run(upkeep.enrol(HANA.login))
    assert run(upkeep.second_factor(HANA.login, code_of(store)))
    with pytest.raises(RefusedError):
        run(upkeep.set_password(HANA.login, "Kv7#pq2!x", by_owner=True))


def test_app_passwords_end_with_the_password(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    app = run(upkeep.app_password(HANA.login, "copier"))
    assert login(store, app).app_password == "copier"
    assert app.replace("-", "") not in repr(found(store)) + repr(found(store).app_passwords)
    run(upkeep.set_password(HANA.login, OTHER, by_owner=True))
    assert login(store, app) == Wrong()


def test_an_app_password_that_ended_meanwhile_does_not_come_back(store, upkeep, monkeypatch):
    """Two administrators end one each: what the later one has read must not bring back the earlier one's."""
    run(upkeep.add(HANA, GOOD))
    first, second = (run(upkeep.app_password(HANA.login, name)) for name in ("copier", "phone"))
    change = store.accounts.change

    async def overtaken(*words, **more):
        monkeypatch.setattr(store.accounts, "change", change)
        assert await upkeep.end_app_password(HANA.login, "phone")
        return await change(*words, **more)

    monkeypatch.setattr(store.accounts, "change", overtaken)
    assert run(upkeep.end_app_password(HANA.login, "copier"))
    assert login(store, first) == Wrong()
    assert login(store, second) == Wrong()
    assert not run(upkeep.end_app_password(HANA.login, "copier"))


def test_the_worse_reason_to_change_a_password_stays(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    run(upkeep.must_change(HANA.login, "compromised"))
    run(upkeep.must_change(HANA.login, "weak"))
    assert login(store, GOOD) == Known(HANA, "compromised")


def test_nobody(upkeep):
    for work in (
        upkeep.set_password("no", GOOD, by_owner=True),
        upkeep.must_change("no", "weak"),
        upkeep.enrol("no"),
        upkeep.second_factor("no", "123456"),
        upkeep.app_password("no", "copier"),
        upkeep.end_app_password("no", "copier"),
        upkeep.change("no", lambda now: now),
    ):
        with pytest.raises(NoAccountError):
            run(work)


def code_of(store):
    return _totp(found(store).second_factor).at(int(NOW.timestamp()))


def test_a_code_is_good_once_whoever_else_gives_it(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    assert not run(upkeep.second_factor(HANA.login, "123456"))
    uri, codes = run(upkeep.enrol(HANA.login))
    assert uri.startswith("otpauth://totp/")
    assert not run(upkeep.second_factor(HANA.login, codes[0]))  # not before the factor is confirmed

    async def both():
        code = code_now
        return await asyncio.gather(*(upkeep.second_factor(HANA.login, code) for _ in range(2)))

    code_now = code_of(store)
    assert sorted(run(both())) == [False, True]
    assert found(store).second_factor.confirmed
    assert run(upkeep.second_factor(HANA.login, codes[0].upper().replace("-", " ")))
    assert not run(upkeep.second_factor(HANA.login, codes[0]))


def test_a_login_changes_for_nobody(store, upkeep):
    run(upkeep.add(HANA, GOOD))
    run(upkeep.change(HANA.login, lambda now: replace(now, account=replace(TARO, name="Hana"))))
    assert found(store).account == replace(HANA, name="Hana")
    assert found(store, TARO) is None
