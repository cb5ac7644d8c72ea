"""Attacks and honest people against the guard, on a clock of the test's own."""

import asyncio
import random

import pytest

from sekisho.accounts.guard import Guard
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import AuthGuardSettings
from sekisho.mail.account import LoginAttempt, LoginFailure
from sekisho.mail.envelope import Session
from sekisho.store.counters_memory import MemoryCounters

NAMES = Names(b"k" * 32)
START = 1_800_000_000.0


class World:
    """A guard, its clock, and accounts whose password is "right"."""

    def __init__(self, **settings):
        self.now = START
        self.events = []
        self.guard = Guard(
            MemoryCounters(200_000, 50_000),
            AuthGuardSettings(**settings),
            NAMES,
            observe=self.events.append,
            now=lambda: self.now,
        )

    def attempt(self, ip, login):
        return LoginAttempt(Session("s", ip, listener="submission"), "PLAIN", login)

    async def login(self, ip, login, password="right"):
        """ "in", "wrong" or "throttled", and the seconds that it takes."""
        attempt = self.attempt(ip, login)
        refused = await self.guard.before(attempt)
        if refused is not None:
            return "throttled", refused.wait_seconds
        failure = None if password == "right" else LoginFailure("denied")
        return ("in" if failure is None else "wrong"), await self.guard.after(attempt, failure, password)

    def kinds(self):
        return [event.kind for event in self.events]


def world_run(body, **settings):
    world = World(**settings)
    asyncio.run(body(world))
    return world


def address(number, network=10):
    """One address in a /24 of its own."""
    return f"{network}.{number >> 8 & 255}.{number & 255}.7"


# --- One who guesses ---


def test_delays_grow_to_a_ban():
    async def body(world):
        waits = []
        for number in range(40):
            outcome, wait = await world.login("192.0.2.1", "hana", f"guess{number}")
            waits.append((outcome, wait))
        assert waits[:5] == [("wrong", 0.0)] * 5
        assert [wait for _, wait in waits[5:12]] == [1, 2, 4, 8, 16, 30, 30]
        assert [outcome for outcome, _ in waits] == ["wrong"] * 20 + ["throttled"] * 20

    world = world_run(body)
    assert world.kinds() == ["auth-address"]  # told once
    assert "192.0.2.1" in world.events[0].text


def test_a_ban_ends_and_comes_back_for_the_day():
    async def body(world):
        judged = 0
        for _hour in range(24):
            for _ in range(60):
                outcome, _wait = await world.login("192.0.2.1", "hana", f"guess{judged}")
                judged += outcome == "wrong"
                world.now += 60
        assert 55 <= judged <= 65  # a day bears three times twenty

    world_run(body)


def test_who_changes_his_address_within_the_network_is_turned_away_as_well():
    async def body(world):
        outcomes = [(await world.login(f"192.0.2.{n % 250}", f"a{n % 10}", f"g{n}"))[0] for n in range(600)]
        assert outcomes.count("wrong") == 100  # five times twenty
        assert (await world.login("192.0.3.9", "a1", "g"))[0] == "wrong"  # the next network pays nothing

    assert "auth-network" in world_run(body).kinds()


def test_addresses_of_one_ipv6_line_count_as_one():
    async def body(world):
        random.seed(6)
        ips = [f"2001:db8:0:1::{random.randrange(1, 65536):x}" for _ in range(60)]
        outcomes = [(await world.login(ip, "hana", f"g{n}"))[0] for n, ip in enumerate(ips)]
        assert outcomes.count("wrong") == 20

    world_run(body)


def test_the_same_wrong_password_counts_once():
    """A program with an old password tries it for a day."""

    async def body(world):
        for _ in range(1440):
            assert await world.login("192.0.2.1", "hana", "last year's") == ("wrong", 0.0)
            world.now += 60
        assert (await world.login("192.0.2.1", "hana"))[0] == "in"

    assert world_run(body).events == []


def test_many_at_once_do_not_get_more_in():
    async def body(world):
        attempts = [world.attempt("192.0.2.1", f"a{n}") for n in range(200)]
        refused = [await world.guard.before(attempt) for attempt in attempts]
        assert sum(failure is None for failure in refused) == 5
        world.now += 31  # nobody told how those ended
        assert await world.guard.before(attempts[0]) is None

    world_run(body)


# --- Many places, one account ---


def test_botnet_over_5000_addresses_and_the_owner():
    """5,000 guesses in an hour, each from another network; the owner logs in every minute from where he is known."""

    async def body(world):
        assert await world.login("198.51.100.5", "hana") == ("in", 0.0)
        judged = owner = 0
        for number in range(5000):
            outcome, _ = await world.login(address(number), "hana", f"guess{number}")
            judged += outcome == "wrong"
            if number % 83 == 0:
                assert await world.login("198.51.100.77", "hana") == ("in", 0.0)  # his network, another address
                owner += 1
            world.now += 0.72
        assert judged <= 32  # 10 until it is noticed, 20 an hour, and what a twelfth of the hour adds
        assert owner == 61
        assert (await world.login("203.0.113.1", "hana"))[0] == "throttled"  # from a new place he waits as they do
        assert (await world.login("203.0.113.1", "jiro"))[0] == "in"  # another account does not

    world = world_run(body)
    assert world.kinds() == ["auth-distributed"]
    assert world.events[0].subject == "hana"


def test_an_account_that_nobody_has_looks_the_same():
    async def trace(login):
        world, seen = World(), []
        for number in range(200):
            seen.append(await world.login(address(number), login, f"guess{number}"))
            seen.append(await world.login("192.0.2.1", login, f"other{number}"))
            world.now += 1
        return seen

    assert asyncio.run(trace("hana")) == asyncio.run(trace("nobody-of-this-name"))


def test_a_guess_that_was_right_is_told():
    async def body(world):
        for number in range(12):
            await world.login(address(number), "hana", f"guess{number}")
        assert (await world.login(address(99), "hana"))[0] == "in"

    assert world_run(body).kinds() == ["auth-distributed", "auth-guessed"]


# --- Many accounts ---


def test_spray_over_1000_accounts_from_one_address():
    async def body(world):
        outcomes = []
        for number in range(1000):
            outcomes.append((await world.login("192.0.2.1", f"user{number}", "Summer2026!"))[0])
            world.now += 3.6
        assert outcomes.count("wrong") <= 22

    assert "auth-spray" in world_run(body).kinds()


def test_spray_over_1000_accounts_from_200_networks():
    """Five accounts from each: no address has more failures than it may have. It is noticed, and made slow."""

    async def body(world):
        waits = []
        for number in range(1000):
            waits.append(await world.login(address(number % 200), f"user{number}", "Summer2026!"))
            world.now += 3.6
        assert all(wait == 0 for _, wait in waits[:99])
        slow = [wait for outcome, wait in waits if wait and outcome == "wrong"]
        assert len(slow) >= 600
        assert (await world.login("198.51.100.1", "user1"))[0] == "in"

    world = world_run(body)
    assert world.kinds().count("auth-spray-tenant") == 1
    assert next(e for e in world.events if e.kind == "auth-spray-tenant").count == 100


# --- Honest people ---


def test_600_honest_people_behind_one_address():
    """A working day: one in twenty mistypes twice, and ten have programs with old passwords."""

    async def body(world):
        random.seed(2)
        people = [f"user{n}" for n in range(600)]
        outcomes = {"in": 0, "wrong": 0, "throttled": 0}
        for number, login in enumerate(people):
            for attempt in range(random.choice([0] * 19 + [2])):
                outcome, wait = await world.login("203.0.113.9", login, f"typo{attempt}")
                outcomes[outcome] += 1
                assert wait <= 30
            outcome, _ = await world.login("203.0.113.9", login)
            outcomes[outcome] += 1
            if number < 10:
                for _ in range(50):
                    assert (await world.login("203.0.113.9", login, "an old one"))[0] == "wrong"
            world.now += 12
        assert outcomes["throttled"] == 0
        assert outcomes["in"] == 600

    assert world_run(body).events == []


def test_a_guesser_among_them_locks_nobody_out():
    async def body(world):
        for number in range(50):
            await world.login("203.0.113.9", f"user{number}")
        outcomes = [(await world.login("203.0.113.9", f"boss{n}", f"guess{n}"))[0] for n in range(300)]
        assert outcomes.count("wrong") <= 20 + 50
        for number in range(50):
            assert await world.login("203.0.113.9", f"user{number}") == ("in", 0.0)

    world_run(body)


def test_known_places_are_forgotten_after_their_days():
    async def body(world):
        await world.login("198.51.100.5", "hana")
        world.now += 59 * 86400
        for number in range(12):
            await world.login(address(number), "hana", f"guess{number}")
        for number in range(30):
            await world.login(address(number, 11), "hana", f"other{number}")
        assert (await world.login("198.51.100.5", "hana"))[0] == "in"
        world.now += 61 * 86400
        for number in range(60):
            await world.login(address(number), "hana", f"guess{number}")
        assert (await world.login("198.51.100.5", "hana"))[0] == "throttled"

    world_run(body)


def test_very_many_guesses_from_the_owners_own_place():
    async def body(world):
        await world.login("198.51.100.5", "hana")
        outcomes = [(await world.login("198.51.100.5", "hana", f"g{n}"))[0] for n in range(150)]
        assert outcomes.count("wrong") == 100

    world_run(body)


def test_a_trusted_network_is_never_turned_away_but_accounts_are_watched():
    async def body(world):
        outcomes = [(await world.login("192.0.2.80", f"user{n}", f"g{n}"))[0] for n in range(300)]
        assert outcomes == ["wrong"] * 300

    world_run(body, trusted_networks=("192.0.2.80/32", "2001:db8::/64"))


def test_switched_off():
    async def body(world):
        outcomes = {await world.login("192.0.2.1", "hana", f"g{n}") for n in range(100)}
        assert outcomes == {("wrong", 0.0)}

    assert world_run(body, enabled=False).events == []


@pytest.mark.parametrize("kind", ["away", "locked", "change-password", "throttled"])
def test_what_is_no_guess_does_not_count(kind):
    async def body(world):
        for _ in range(100):
            attempt = world.attempt("192.0.2.1", "hana")
            assert await world.guard.before(attempt) is None
            assert await world.guard.after(attempt, LoginFailure(kind)) == 0.0

    assert world_run(body).events == []


def test_anything_may_be_an_address_or_a_login():
    async def body(world):
        for ip, login in (
            ("", ""),
            ("no address", "\ud800"),
            ("::ffff:192.0.2.1", "x" * 10_000),
            ("fe80::1%eth0", "a\0b"),
        ):
            await world.login(ip, login, "wrong\ud800")

    world_run(body)
