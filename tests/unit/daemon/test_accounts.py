"""What a worker knows of accounts: whatever goes wrong in it, a message has its findings and its one reply."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.sent import sent, strangers

from sekisho.config.settings import Settings
from sekisho.daemon.accounts import Accounts
from sekisho.mail.account import Account, Login, LoginAttempt
from sekisho.mail.envelope import Session
from sekisho.mail.finding import Finding, Severity
from sekisho.store.sqlite import SqliteStore

FLOOD = Finding("flood/rate-soft", Severity.LOW, 1.0, explanation="x")


class Part:
    """A part of `Accounts`, which raises what it is made with, and notes how it is called."""

    name = "behaviour"
    deadline_seconds = 5.0

    def __init__(self, *says):
        self.says, self.calls = says, []

    def find(self, *of):
        self.calls.append(of)
        if self.says and isinstance(self.says[0], Exception):
            raise self.says[0]
        return self.says

    async def look_up(self, *of):
        return self.find(*of)

    weigh = logged_in = handled = look_up


@pytest.fixture(name="accounts")
def _accounts():
    """Without a store: only the parts that a test gives it."""
    made = object.__new__(Accounts)
    made.limits, made.bounces, made._passwords, made._habits = Part(FLOOD), Part(), Part(), Part()
    return made


def weighed(accounts):
    found = asyncio.run(accounts.weigh(sent(strangers(1), account="hana@acme.example"), ()))
    return [(finding.rule, finding.excerpt or finding.explanation) for finding in found]


def test_all_is_asked_once(accounts):
    assert [rule for rule, _ in weighed(accounts)] == ["flood/rate-soft"]
    parts = (accounts.limits, accounts.bounces, accounts._passwords, accounts._habits)
    assert [len(part.calls) for part in parts] == [1, 1, 1, 1]


@pytest.mark.parametrize("part", ["limits", "bounces", "_passwords", "_habits"])
def test_what_fails_is_a_finding(accounts, part):
    setattr(accounts, part, Part(RuntimeError("a mistake")))
    assert any(rule.startswith("inspection.failed/") for rule, _ in weighed(accounts))


def test_a_login_is_noted_for_the_account_at_its_own_tenant(accounts):
    at = datetime(2026, 11, 1, tzinfo=UTC)
    login = Login(Account("acme", "hana@acme.example"), "PLAIN")
    session = Session("s", "192.0.2.1", tenant="default", listener="submission")  # a listener of all tenants
    asyncio.run(accounts._logged_in(LoginAttempt(session, "PLAIN", "hana"), login, at))
    ((noted, name, _, _),) = accounts._habits.calls
    assert (noted.tenant, name) == ("acme", "hana@acme.example")


def test_habits_that_fail_keep_nobody_out(accounts):
    accounts._habits = Part(RuntimeError("a mistake"))
    at = datetime(2026, 11, 1, tzinfo=UTC)
    login = Login(Account("acme", "hana@acme.example"), "PLAIN")
    attempt = LoginAttempt(Session("s", "192.0.2.1", tenant="acme"), "PLAIN", "hana")
    asyncio.run(accounts._logged_in(attempt, login, at))


class Rows:
    """The accounts round by round; those in capitals are disabled."""

    def __init__(self, *rounds):
        self.rounds = [{("acme", login.lower()): login.isupper() for login in logins} for logins in rounds]
        self.accounts = self

    async def disabled(self):
        return self.rounds.pop(0)


def test_who_is_disabled_or_removed_is_not_let_go_on(accounts):
    dropped = []
    accounts._store = Rows(["hana", "taro"], ["HANA", "taro", "SABURO"], ["HANA", "saburo"], ["hana", "saburo"])
    accounts._disabled, accounts._drop = {}, lambda *who: dropped.append(who)
    for expected in ([], [("acme", "hana"), ("acme", "saburo")], [("acme", "taro")], []):
        asyncio.run(accounts._end_sessions())
        assert sorted(dropped) == expected
        dropped.clear()


def test_a_configuration_that_cannot_be_used_changes_nothing(accounts, monkeypatch, tmp_path):
    def missing(*_):
        raise OSError("ca.pem is missing")

    monkeypatch.setattr("sekisho.daemon.accounts.sources_of", missing)
    configuration = SimpleNamespace(settings=Settings(), path=tmp_path.joinpath)
    with SqliteStore.open(tmp_path / "state") as store:
        accounts._store = store
        before = dict(vars(accounts))
        with pytest.raises(OSError, match="missing"):
            accounts.reload(SimpleNamespace(configuration=configuration, tenants={}, hostname="gate"), None)
    assert vars(accounts) == before
