"""Logging in: the guard and the sources in their order, and what nobody can learn from it."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sekisho.accounts.guard import Guard
from sekisho.accounts.login import LEAST_SECONDS, LoginService
from sekisho.accounts.naming import Names
from sekisho.accounts.passwords.hashing import Hasher
from sekisho.accounts.sources.own import OwnAccounts
from sekisho.accounts.sources.source import Known, SourceAwayError, Wrong
from sekisho.config.account_settings import AuthGuardSettings, PasswordHashSettings
from sekisho.mail.account import Account, Login, LoginAttempt, LoginFailure
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.store.accounts import NewAccount, StoredAccount
from sekisho.store.counters_memory import MemoryCounters
from sekisho.store.sqlite import SqliteStore

CHEAP = PasswordHashSettings(memory_kib=1024, passes=1, scram_iterations=4096)
KEY = b"k" * 32
HANA = Account("acme", "hana@acme.example")
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


class Told:
    """A guard that notes what it is told."""

    def __init__(self, delay=0.0):
        self.delay = delay
        self.calls = []

    async def before(self, _attempt):
        self.calls.append("before")

    async def after(self, _attempt, failure, password=""):
        self.calls.append((failure.kind if failure else "in", password))
        return self.delay


class Says:
    """A source that says this of everybody, once `ready` is set."""

    has_keys = True

    def __init__(self, checked, name="own", ready=None, *, has_keys=True):
        self.name, self.checked, self.ready, self.asked = name, checked, ready, 0
        self.has_keys = has_keys

    async def check(self, *_):
        self.asked += 1
        if self.ready is not None:
            await self.ready.wait()
        if isinstance(self.checked, Exception):
            raise self.checked
        return self.checked

    async def keys(self, _attempt):
        return await self.check()

    def iterations(self):
        return ()

    async def proved(self, _attempt):
        return await self.check()

    async def check_token(self, *_):
        return await self.check()


def attempt(login=HANA.login, ip="192.0.2.1", mechanism="PLAIN"):
    return LoginAttempt(Session("s", ip, tenant="acme", listener="submission"), mechanism, login)


def service(*sources, guard=None, tokens=(), iterations=4096, **more):
    return LoginService(sources, tokens, guard or Told(), KEY, iterations, **more)


def ended(*sources, password="pw", **more):
    return asyncio.run(service(*sources, **more).check_password(attempt(), password))


AWAY, BROKEN = SourceAwayError("no route"), RuntimeError("a mistake")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ((None, None), "denied"),
        ((Wrong(), Known(HANA)), "denied"),  # who knows the account decides
        ((AWAY, None), "away"),
        ((AWAY, Wrong()), "denied"),
        ((BROKEN, None), "away"),
        ((Known(HANA, "compromised"),), "change-password"),
        ((Known(HANA, "breached", "copier"),), "change-password"),
    ],
)
def test_who_is_not_let_in_and_that_the_guard_hears_of_it_once(said, kind):
    guard = Told()
    outcome = ended(*[Says(one, f"source{n}") for n, one in enumerate(said)], guard=guard)
    assert isinstance(outcome, LoginFailure)
    assert outcome.kind == kind
    assert guard.calls == [(kind, "pw")]


@pytest.mark.parametrize("why", ["", "given", "shared", "weak"])
def test_who_is_let_in(why):
    logged, guard = [], Told()

    async def logged_in(_attempt, login, _at):
        logged.append(login)

    outcome = ended(
        Says(None, "first"), Says(AWAY, "ad"), Says(Known(HANA, why, "copier")), guard=guard, logged_in=logged_in
    )
    assert outcome == Login(HANA, "PLAIN", "own", "copier")
    assert guard.calls == [("in", "pw")]
    assert logged == [outcome]


def test_every_refusal_comes_as_late_as_the_others():
    moments = iter([100.0, 100.4])
    assert ended(Says(Wrong()), clock=lambda: next(moments)).wait_seconds == pytest.approx(LEAST_SECONDS - 0.4)
    assert ended(Says(Wrong()), guard=Told(30.0)).wait_seconds == 30.0


def test_who_hangs_up_is_counted_all_the_same():
    """Else guesses at another server's accounts would cost nothing: it counts them, against the owner."""

    async def run():
        guard, ready = Told(), asyncio.Event()
        source = Says(Wrong(), ready=ready)
        asking = asyncio.create_task(service(source, guard=guard).check_password(attempt(), "guess"))
        while not source.asked:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        ready.set()
        async with asyncio.timeout(10):
            while not guard.calls:
                await asyncio.sleep(0)
        return guard.calls

    assert asyncio.run(run()) == [("denied", "guess")]


def test_very_many_who_hang_up_keep_nobody_waiting(monkeypatch):
    monkeypatch.setattr("sekisho.accounts.login._MOST_ENDING", 3)

    async def run():
        source = Says(Wrong(), ready=asyncio.Event())
        logins = service(source)
        asking = [asyncio.create_task(logins.check_password(attempt(), "guess")) for _ in range(10)]
        while source.asked < 10:
            await asyncio.sleep(0)
        for one in asking:
            one.cancel()
        assert all(
            isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*asking, return_exceptions=True)
        )
        for _ in range(10):
            await asyncio.sleep(0)
        return len(logins._ending)

    assert asyncio.run(run()) == 3


def test_attempts_that_end_badly_do_not_fill_the_places_of_others():
    async def run():
        guard = Guard(MemoryCounters(1000, 1000), AuthGuardSettings(), Names(KEY))
        logins = service(Says(BROKEN), guard=guard)
        for _ in range(30):
            assert await logins.admit(attempt()) is None
            assert (await logins.check_password(attempt(), "pw")).kind == "away"
        for _ in range(30):
            assert await logins.admit(attempt()) is None
            with pytest.raises(StoreAwayError):
                await service(Says(AWAY), guard=guard).scram_keys(attempt())

    asyncio.run(run())


def test_scram_with_a_store_that_is_away_is_no_wrong_password():
    guard = Told()
    with pytest.raises(StoreAwayError, match="no route"):
        asyncio.run(service(Says(AWAY), guard=guard).scram_keys(attempt()))
    assert guard.calls == [("away", "")]


def test_a_proof_that_is_none_asks_nobody():
    source = Says(Known(HANA))
    outcome = asyncio.run(service(source).scram_done(attempt(mechanism="SCRAM-SHA-256"), proved=False))
    assert (outcome.kind, source.asked) == ("denied", 0)
    outcome = asyncio.run(service(source).scram_done(attempt(mechanism="SCRAM-SHA-256"), proved=True))
    assert outcome == Login(HANA, "SCRAM-SHA-256", "own")


def test_tokens_are_for_their_sources():
    assert asyncio.run(service(tokens=(Says(Known(HANA), "sso"),)).check_token(attempt(), "t")).source == "sso"
    assert asyncio.run(service(Says(Known(HANA))).check_token(attempt(), "t")).kind == "denied"


def test_mechanisms():
    plain, scram = ("PLAIN", "LOGIN"), ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    own, ad, sso = Says(None), Says(None, has_keys=False), Says(None)

    def of(*sources, protected=True, **more):
        return service(*sources, **more).mechanisms("submission", protected=protected)

    assert of(own) == (*scram, *plain)
    assert of(own, protected=False) == scram
    assert of(own, ad) == plain
    assert of(own, iterations=0) == plain
    assert of(tokens=(sso,)) == ("OAUTHBEARER", "XOAUTH2")
    assert of() == ()


# --- our own accounts, with their store ---------------------------------------------------------------------------


@pytest.fixture(name="store")
def _store(tmp_path):
    with closing(SqliteStore.open(tmp_path / "state")) as store:
        yield store


async def _made(store, logins, settings, **more):
    hasher = Hasher(settings)
    new = []
    for login in logins:
        kept = await hasher.keep("quiet harbour seventeen lamps")
        stored = StoredAccount(Account("acme", login), NOW, password=kept.encoded, scram=kept.scram, **more)
        new.append(NewAccount(stored))
    await store.accounts.add(new)


def test_made_up_accounts_look_like_real_ones_after_costs_were_raised(store):
    """Real ones keep their iterations until their owner logs in again; RFC 5802 9 wants no difference."""
    dear = replace(CHEAP, scram_iterations=8192)

    async def run():
        await _made(store, [f"old{n}@acme.example" for n in range(6)], CHEAP)
        await _made(store, [f"new{n}@acme.example" for n in range(2)], dear)
        await _made(store, ["gone@acme.example"], replace(CHEAP, scram_iterations=5000), disabled=True)
        own = OwnAccounts(store.accounts, Hasher(dear))
        await own.refresh()
        logins = service(own, iterations=8192)
        real = {(await logins.scram_keys(attempt(f"old{n}@acme.example"))).iterations for n in range(6)}
        unknown = [(await logins.scram_keys(attempt(f"no{n}@acme.example"))).iterations for n in range(200)]
        again = [(await logins.scram_keys(attempt(f"NO{n}@acme.example"))).iterations for n in range(200)]
        return real, unknown, again

    real, unknown, again = asyncio.run(run())
    assert real == {4096}
    assert again == unknown
    assert set(unknown) == {4096, 8192}
    assert 120 < unknown.count(4096) < 180  # three of four, as the real ones


def test_made_up_keys_have_the_form_of_real_ones(store):
    async def run():
        await _made(store, [HANA.login], CHEAP)
        logins = service(OwnAccounts(store.accounts, Hasher(CHEAP)))
        return await logins.scram_keys(attempt()), await logins.scram_keys(attempt("nobody@acme.example"))

    real, unknown = asyncio.run(run())
    for part in ("salt", "stored_key", "server_key"):
        assert len(getattr(real, part)) == len(getattr(unknown, part))
    assert real.iterations == unknown.iterations
