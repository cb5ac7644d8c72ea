"""What is asked of the accounts, what the client hears, and how long that takes."""

import asyncio
import logging

import pytest
from support.logins import DictAuthenticator

from sekisho.accept.login import Logins, PutOff
from sekisho.accept.metrics import NoMetrics
from sekisho.config.settings import ListenerSettings
from sekisho.mail.account import Login, LoginFailure, ScramKeys
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.wire import smtp_replies as say
from sekisho.wire.sasl.steps import CheckPassword, CheckProof, CheckToken, GiveKeys
from sekisho.wire.smtp_auth import Allowed, LoginAsked

SESSION = Session("s1", "192.0.2.1", listener="submission")
RIGHT = CheckPassword("tim", "pencil")


class Counted(NoMetrics):
    def __init__(self):
        self.results = []

    def login_answered(self, *what):
        self.results.append(what)


def answer(question, authenticator, metrics=None):
    asked = LoginAsked("PLAIN", question)
    return asyncio.run(Logins(authenticator, metrics or NoMetrics()).answer(SESSION, asked))


def accounts(**more):
    return DictAuthenticator({"tim": "pencil"}, {"token": "tim"}, **more)


def test_the_port_is_asked_in_its_order():
    authenticator = accounts()
    assert answer(RIGHT, authenticator).account.login == "tim"
    assert authenticator.asked == ["admit", "check_password"]
    assert isinstance(answer(CheckToken("", "token"), authenticator), Login)
    assert authenticator.asked[2:] == ["admit", "check_token"]
    assert isinstance(answer(GiveKeys("tim"), authenticator), ScramKeys)
    assert isinstance(answer(CheckProof("tim", proved=True), authenticator), Login)
    assert authenticator.asked[4:] == ["admit", "scram_keys", "scram_done"]


@pytest.mark.parametrize(
    ("failure", "reply"),
    [
        ("denied", say.AUTH_FAILED),
        ("throttled", say.AUTH_LATER),
        ("locked", say.AUTH_LOCKED),
        ("change-password", say.AUTH_CHANGE_PASSWORD),
        ("away", say.AUTH_AWAY),
    ],
)
def test_replies(failure, reply):
    metrics = Counted()
    assert answer(RIGHT, accounts(failures={"tim": LoginFailure(failure)}), metrics) == reply
    assert metrics.results == [("submission", "PLAIN", failure)]


@pytest.mark.parametrize("failure", ["locked", "change-password", "denied"])
@pytest.mark.parametrize("question", [RIGHT, GiveKeys("tim"), CheckToken("tim", "token")])
def test_before_anything_is_proved_nothing_is_told(failure, question):
    authenticator = accounts(refused={"tim": LoginFailure(failure)})
    assert answer(question, authenticator) == say.AUTH_FAILED
    assert authenticator.asked == ["admit"]


def test_a_lock_is_not_told_to_who_failed_to_prove():
    class Locked(DictAuthenticator):
        async def scram_done(self, _attempt, *, proved):
            assert not proved
            return LoginFailure("locked")

    assert answer(CheckProof("tim", proved=False), Locked({})) == say.AUTH_FAILED


def test_accounts_that_fail_are_away(caplog):
    class Broken(DictAuthenticator):
        async def check_password(self, _attempt, _password):
            raise RuntimeError("gone")

    with caplog.at_level(logging.ERROR):
        assert answer(RIGHT, Broken({})) == say.AUTH_AWAY
    assert "pencil" not in caplog.text
    assert answer(RIGHT, None) == say.AUTH_AWAY


def test_accounts_that_do_not_answer_are_away(monkeypatch):
    class Silent(DictAuthenticator):
        async def check_password(self, _attempt, _password):
            await asyncio.Event().wait()

    monkeypatch.setattr("sekisho.accept.login._ANSWER_SECONDS", 0.01)
    assert answer(RIGHT, Silent({})) == say.AUTH_AWAY


def test_a_refusal_is_put_off_and_a_success_and_throttling_are_not():
    async def seconds(question, authenticator):
        loop = asyncio.get_running_loop()
        start = loop.time()
        await Logins(authenticator, NoMetrics()).answer(SESSION, LoginAsked("PLAIN", question))
        return loop.time() - start

    wrong = CheckPassword("tim", "pen")
    assert asyncio.run(seconds(wrong, accounts(wait_seconds=0.2))) >= 0.2
    assert asyncio.run(seconds(RIGHT, accounts(wait_seconds=30))) < 20
    throttled = accounts(refused={"tim": LoginFailure("throttled", 30)})
    assert asyncio.run(seconds(RIGHT, throttled)) < 20


def test_one_too_many_ends_the_longest_wait():
    async def test():
        put_off = PutOff(2)
        waits = []
        for _ in range(3):
            waits.append(asyncio.create_task(put_off.wait(60)))
            await asyncio.sleep(0)
        assert await waits[0] is False
        assert len(put_off) == 2
        waits[1].cancel()
        await asyncio.wait(waits[1:2])
        assert len(put_off) == 1
        waits[2].cancel()

    asyncio.run(test())


def test_who_waits_and_is_cut_short_is_closed(monkeypatch):
    async def test():
        monkeypatch.setattr("sekisho.accept.login._MOST_WAITING", 1)
        logins = Logins(accounts(wait_seconds=60), NoMetrics())
        asked = LoginAsked("PLAIN", CheckPassword("tim", "pen"))
        first = asyncio.create_task(logins.answer(SESSION, asked))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(logins.answer(SESSION, asked))
        assert await first == say.AUTH_TOO_MANY_WAIT
        second.cancel()

    asyncio.run(test())


def test_what_may_be_used():
    logins = Logins(accounts(), NoMetrics())
    listener = ListenerSettings("s", "127.0.0.1:587", role="submission", tls="starttls")
    assert logins.allowed(listener).clear == ()
    assert set(logins.allowed(listener).protected) == set(accounts().names)
    named = ListenerSettings("s", "h:1", role="submission", mechanisms=("PLAIN", "SCRAM-SHA-256"), require_tls=False)
    assert logins.allowed(named) == Allowed(("PLAIN", "SCRAM-SHA-256"), ("SCRAM-SHA-256",))
    assert logins.allowed(ListenerSettings("r", "127.0.0.1:25")) == Allowed()
    assert Logins(None, NoMetrics()).allowed(listener) == Allowed()


def test_one_more_where_the_longest_wait_ends_just_now():
    """Its time is up, but it has not gone yet: nothing is left to be ended."""

    async def run():
        put_off = PutOff(1)
        over = asyncio.get_running_loop().create_future()
        over.cancel()
        put_off._waiting[over] = None
        return await put_off.wait(0.0)

    assert asyncio.run(run())


def test_accounts_that_raise_are_away(caplog):
    class Away:
        async def admit(self, _attempt):
            return None

        async def scram_keys(self, _attempt):
            raise StoreAwayError("disk")

    with caplog.at_level(logging.WARNING):
        assert answer(GiveKeys("tim"), Away()) == say.AUTH_AWAY
    assert "Traceback" not in caplog.text
