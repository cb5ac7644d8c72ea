"""Turns: who has had least goes next, at every level; bounds on places, on waiting and on time."""

import asyncio

import pytest

from sekisho.accept.turns import BUSY, WAITED, FairTurns
from sekisho.mail.reply import ReplyError


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


class Work:
    """Asks for turns; `order` has the names of those that got one. A turn ends when the test lets it."""

    def __init__(self, turns):
        self.turns, self.order, self.tasks = turns, [], []
        self.ends = {}

    def ask(self, name, path, cost=1.0):
        self.ends[name] = asyncio.get_running_loop().create_future()
        self.tasks.append(asyncio.ensure_future(self._one(name, path, cost)))

    async def _one(self, name, path, cost):
        async with self.turns.turn(path, cost, timed=False):
            self.order.append(name)
            await self.ends[name]

    async def run(self):
        """Let one after the other end, until none waits."""
        await settle()
        while any(not task.done() for task in self.tasks):
            running = [name for name in self.order if not self.ends[name].done()]
            self.ends[running[0]].set_result(None)
            await settle()
        return self.order


def run(test):
    asyncio.run(test())


def test_a_newcomer_is_next_however_many_of_another_wait():
    async def test():
        work = Work(FairTurns(1))
        for number in range(50):
            work.ask(f"flood{number}", ("a", "client", "sender"))
        await settle()
        work.ask("honest", ("b", "client", "sender"))
        order = await work.run()
        assert order.index("honest") == 1

    run(test)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_tenants_then_clients_then_senders_share_alike(level):
    async def test():
        work = Work(FairTurns(1))
        for number in range(30):
            work.ask(f"a{number}", ("t", "c", "s"))
        for number in range(5):
            path = ["t", "c", "s"]
            path[level] = "other"
            work.ask(f"b{number}", tuple(path))
        order = await work.run()
        assert sum(name.startswith("b") for name in order[:11]) == 5

    run(test)


def test_many_senders_of_a_client_get_no_more_than_one_of_another():
    async def test():
        work = Work(FairTurns(1))
        for number in range(40):
            work.ask(f"flood{number}", ("t", "c1", f"forged{number}"))
        for number in range(4):
            work.ask(f"honest{number}", ("t", "c2", "s"))
        order = await work.run()
        assert sum(name.startswith("honest") for name in order[:9]) == 4

    run(test)


def test_cost_counts_and_not_the_number():
    async def test():
        work = Work(FairTurns(1))
        for number in range(10):
            work.ask(f"heavy{number}", ("a", "c", "s"), 10.0)
        for number in range(20):
            work.ask(f"light{number}", ("b", "c", "s"), 1.0)
        order = await work.run()
        assert 1 <= sum(name.startswith("heavy") for name in order[:20]) <= 3

    run(test)


def test_a_tenants_weight():
    async def test():
        turns = FairTurns(1)
        turns.weights = {"big": 3.0}
        work = Work(turns)
        for number in range(40):
            work.ask(f"big{number}", ("big", "c", "s"))
            work.ask(f"small{number}", ("small", "c", "s"))
        order = await work.run()
        assert 28 <= sum(name.startswith("big") for name in order[:40]) <= 32

    run(test)


def test_who_was_idle_has_saved_nothing_up():
    async def test():
        work = Work(FairTurns(1))
        for number in range(20):
            work.ask(f"a{number}", ("a", "c", "s"))
        await work.run()
        for number in range(20):
            work.ask(f"b{number}", ("b", "c", "s"))
            work.ask(f"a{number + 20}", ("a", "c", "s"))
        order = (await work.run())[20:]
        assert 8 <= sum(name.startswith("b") for name in order[:20]) <= 12

    run(test)


def test_one_client_leaves_half_of_the_places_and_a_tenant_a_third():
    async def test():
        turns = FairTurns(12, reserve=True)
        work = Work(turns)
        for number in range(20):
            work.ask(f"a{number}", ("a", "c", "s"))
        await settle()
        assert (turns.running, turns.waiting) == (6, 14)
        for number in range(20):
            work.ask(f"d{number}", ("a", "other", "s"))
        await settle()
        assert turns.running == 8
        work.ask("honest", ("b", "c", "s"))
        await settle()
        assert work.order[-1] == "honest"
        await work.run()
        assert (turns.running, turns.waiting) == (0, 0)

    run(test)


def test_too_many_wait_and_others_still_may():
    async def test():
        turns = FairTurns(1, bound=10)
        work = Work(turns)
        for number in range(6):
            work.ask(f"a{number}", ("a", "c", "s"))
        await settle()
        with pytest.raises(ReplyError) as refused:
            await turns.take(("a", "c", "s"), 1.0)
        assert refused.value.reply == BUSY
        work.ask("honest", ("b", "c", "s"))
        assert (await work.run())[1] == "honest"

    run(test)


def test_who_waits_too_long_is_put_off_and_takes_no_place():
    async def test():
        turns = FairTurns(1, seconds=0.01)
        async with turns.turn(("a", "c", "s")):
            with pytest.raises(ReplyError) as refused:
                await turns.take(("b", "c", "s"), 1.0)
        assert refused.value.reply == WAITED
        assert refused.value.reply.code == 451
        await settle()
        assert (turns.running, turns.waiting) == (0, 0)

    run(test)


@pytest.mark.parametrize("given", [False, True])
def test_who_is_cancelled_leaves_no_place_taken(given):
    async def test():
        turns = FairTurns(1)
        flows = await turns.take(("a", "c", "s"), 1.0)
        waiting = asyncio.ensure_future(turns.take(("b", "c", "s"), 1.0))
        await settle()
        if given:
            turns._ended(flows)
            waiting.cancel()
        else:
            waiting.cancel()
            turns._ended(flows)
        await settle()
        assert (turns.running, turns.waiting) == (0, 0)

    run(test)


def test_one_turn_in_a_round_of_the_loop():
    async def test():
        turns, done = FairTurns(1), []

        async def one(name):
            async with turns.turn((name, "c", "s")):
                done.append(name)

        tasks = [asyncio.ensure_future(one(str(number))) for number in range(5)]
        await asyncio.sleep(0)
        assert done == ["0"]
        await asyncio.gather(*tasks)
        assert len(done) == 5

    run(test)


def test_forgotten_senders_take_no_memory():
    async def test():
        turns = FairTurns(1)
        for number in range(5_000):
            async with turns.turn(("a", "c", f"s{number}"), 1.0):
                pass
            await asyncio.sleep(0)
        assert len(turns._root.members["a"].members["c"].members) <= 1_000

    run(test)
