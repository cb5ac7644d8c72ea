"""Our own accounts: passwords, app passwords and where they are good, hashes of other systems."""

import asyncio
import hashlib
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.accounts.passwords import hashing
from sekisho.accounts.passwords.hashing import Hasher, kept
from sekisho.accounts.sources.own import APP_PASSWORD, OwnAccounts, bare_app_password
from sekisho.accounts.sources.source import Known, SourceAwayError, Wrong
from sekisho.config.account_settings import PasswordHashSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.store.accounts import AppPassword, NewAccount, StoredAccount
from sekisho.store.sqlite import SqliteStore

CHEAP = PasswordHashSettings(memory_kib=1024, passes=1, scram_iterations=4096)
LOGIN = "hana@acme.example"
GOOD = "quiet harbour seventeen lamps"
APP = "abcdefgh23456789jkmnpqrs"
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(name="store")
def _store(tmp_path):
    with closing(SqliteStore.open(tmp_path / "state")) as store:
        yield store


@pytest.fixture(name="own")
def _own(store):
    return OwnAccounts(store.accounts, Hasher(CHEAP), lambda: NOW)


def made(store, **more):
    of = kept(GOOD, CHEAP)
    stored = StoredAccount(Account("acme", LOGIN), NOW, password=of.encoded, scram=of.scram)
    asyncio.run(store.accounts.add([NewAccount(replace(stored, **more))]))


def attempt(login=LOGIN, ip="192.0.2.1", listener="submission", tenant="acme"):
    return LoginAttempt(Session("s", ip, tenant=tenant, listener=listener), "PLAIN", login)


def check(own, password, **more):
    return asyncio.run(own.check(attempt(**more), password))


def stored(store):
    return asyncio.run(store.accounts.find(LOGIN))


def test_passwords(store, own):
    made(store)
    assert check(own, GOOD) == Known(Account("acme", LOGIN))
    assert check(own, GOOD, login=LOGIN.upper(), tenant="beta") == Known(Account("acme", LOGIN))
    assert check(own, "wrong") == Wrong()
    assert check(own, "") == Wrong()
    assert check(own, GOOD, login="nobody@acme.example") is None
    assert check(own, GOOD, login="\0") is None


@pytest.mark.parametrize("password", ["", GOOD, "wrong"])
def test_an_account_without_a_password_has_none_that_is_right(store, own, password):
    made(store, password="", scram=None)
    assert check(own, password) == Wrong()


def test_disabled_accounts(store, own):
    made(store, disabled=True)
    assert check(own, GOOD) == Wrong()
    assert asyncio.run(own.keys(attempt())) is None
    assert asyncio.run(own.proved(attempt())) == Wrong()


def test_accounts_of_another_source_are_not_ours(store, own):
    made(store, source="ad")
    assert check(own, GOOD) is None
    assert asyncio.run(own.keys(attempt())) is None
    assert asyncio.run(own.proved(attempt())) is None


@pytest.fixture(name="made_with", params=[{"disabled": True}, {"password": ""}, {"source": "ad"}, {"name": "usual"}])
def _made_with(request, store):
    made(store, **{key: value for key, value in request.param.items() if key != "name"})
    return request.param


@pytest.fixture(name="verified")
def _verified(monkeypatch):
    """The parameters of each argon2id that is worked out."""
    seen, real = [], hashing.verify_secret
    monkeypatch.setattr(hashing, "verify_secret", lambda *words: seen.append(words[0][:30]) or real(*words))
    return seen


@pytest.mark.parametrize("password", [GOOD, "wrong"])
@pytest.mark.parametrize("login", [LOGIN, "nobody@acme.example"])
def test_every_check_costs_one_argon2id(made_with, own, verified, login, password):
    """Nobody learns from the time whether an account is there. RFC 9106 is the cost."""
    assert made_with
    check(own, password, login=login)
    assert verified == [b"$argon2id$v=19$m=1024,t=1,p=1$"]


def test_a_store_that_is_away(store, own, monkeypatch):
    async def away(_login):
        raise StoreAwayError("disk")

    monkeypatch.setattr(store.accounts, "find", away)
    with pytest.raises(SourceAwayError):
        check(own, GOOD)


# --- app passwords ------------------------------------------------------------------------------------------------


def app(store, **more):
    digest = store.accounts.digest(APP_PASSWORD, LOGIN, APP)
    made(store, app_passwords=(AppPassword("a1", "copier", digest, NOW, **more),))


@pytest.mark.parametrize("typed", [APP, "ABCD-efgh 2345-6789-jkmn-pqrs", "\u3000" + APP])
def test_an_app_password_is_good_as_people_type_it(store, own, typed):
    app(store)
    assert check(own, typed) == Known(Account("acme", LOGIN), "", "copier")
    assert stored(store).app_passwords[0].last_used_at == NOW


@pytest.mark.parametrize(
    ("scope", "where", "good"),
    [
        ({"listeners": ("smtps",)}, {"listener": "submission"}, False),
        ({"listeners": ("smtps", "submission")}, {}, True),
        ({"networks": ("192.0.2.0/24",)}, {}, True),
        ({"networks": ("192.0.2.0/24",)}, {"ip": "::ffff:192.0.2.9"}, True),
        ({"networks": ("192.0.2.0/24",)}, {"ip": "198.51.100.1"}, False),
        ({"networks": ("192.0.2.0/24",)}, {"ip": "2001:db8::1"}, False),
        ({"networks": ("2001:db8::/64",)}, {"ip": "2001:db8::1"}, True),
        ({"networks": ("192.0.2.0/24",)}, {"ip": "unknown"}, False),
        ({}, {"ip": "unknown"}, True),
        ({"expires_at": NOW}, {}, False),
        ({"expires_at": NOW + timedelta(seconds=1)}, {}, True),
    ],
)
def test_it_is_good_where_and_when_it_may_be(store, own, scope, where, good):
    app(store, **scope)
    assert isinstance(check(own, APP, **where), Known if good else Wrong)


def test_it_is_not_good_for_another_account_nor_a_disabled_one(store, own):
    app(store)
    other = StoredAccount(Account("acme", "taro@acme.example"), NOW, app_passwords=stored(store).app_passwords)
    asyncio.run(store.accounts.add([NewAccount(other)]))
    assert check(own, APP, login="taro@acme.example") == Wrong()
    asyncio.run(store.accounts.change(LOGIN, lambda now: replace(now, disabled=True)))
    assert check(own, APP) == Wrong()


def test_a_compromise_is_told_with_an_app_password_too(store, own):
    app(store)
    asyncio.run(store.accounts.change(LOGIN, lambda now: replace(now, change_why="compromised")))
    assert check(own, APP).change_why == "compromised"


def test_bare():
    assert bare_app_password(" AB-cd\t ef ") == "abcdef"


# --- what is renewed ----------------------------------------------------------------------------------------------


def ssha(password):
    return "{SSHA}" + b64encode(hashlib.sha1(password + b"salt").digest() + b"salt").decode()


def test_a_hash_from_elsewhere_becomes_ours_with_the_first_login(store, own):
    made(store, password=ssha(GOOD.encode()), scram=None)
    assert check(own, "wrong") == Wrong()
    assert stored(store).password.startswith("{SSHA}")
    assert isinstance(check(own, GOOD), Known)
    assert stored(store).password.startswith("$argon2id$")
    assert stored(store).scram.iterations == 4096
    assert isinstance(check(own, GOOD), Known)


def test_a_password_that_is_none_here_is_good_where_it_came_from(store, own):
    """It has a character that RFC 8265 does not allow, so no hash of ours can be made of it."""
    made(store, password=ssha(b"good\x07bell and whistle"), scram=None)
    assert isinstance(check(own, "good\x07bell and whistle"), Known)
    assert stored(store).password.startswith("{SSHA}")


def test_costs_rise_with_the_next_login_unless_the_password_was_changed_meanwhile(store):
    made(store)
    dear = OwnAccounts(store.accounts, Hasher(replace(CHEAP, memory_kib=2048, scram_iterations=8192)), lambda: NOW)
    assert isinstance(check(dear, GOOD), Known)
    assert "m=2048" in stored(store).password
    assert stored(store).scram.iterations == 8192

    class Overtaken(Hasher):
        async def verify(self, known, password):
            verified = await super().verify(known, password)
            await store.accounts.change(LOGIN, lambda now: replace(now, password="new"))
            return verified

    dearer = Overtaken(replace(CHEAP, memory_kib=4096))
    assert isinstance(check(OwnAccounts(store.accounts, dearer, lambda: NOW), GOOD), Known)
    assert stored(store).password == "new"
