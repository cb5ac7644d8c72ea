"""Places are given in turns: whoever asks for much waits for himself."""

import asyncio

import pytest

from sekisho.inspect.turns import NoTurnError, Turns


def story(turns, asked, done):
    """Each name of `asked` wants a place; `done` gets them in the order in which they had one."""

    async def one(name):
        async with turns.turn(name):
            done.append(name)
            await asyncio.sleep(0)

    async def all_of_them():
        tasks = []
        for name in asked:
            tasks.append(asyncio.create_task(one(name)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    return all_of_them()


def test_one_who_asks_once_does_not_wait_for_one_who_asks_often():
    async def crowd():
        turns, done, gate = Turns(1), [], asyncio.Event()

        async def hold():
            async with turns.turn("flood"):
                await gate.wait()

        holding = asyncio.create_task(hold())
        await asyncio.sleep(0)
        rest = asyncio.create_task(story(turns, ["flood"] * 5 + ["honest"] + ["flood"] * 5, done))
        for _ in range(20):
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(holding, rest)
        return done

    done = asyncio.run(crowd())
    assert done.index("honest") <= 1
    assert len(done) == 11


def test_never_more_than_there_are_places():
    async def crowd():
        turns, most, now = Turns(3), 0, 0

        async def one(name):
            nonlocal most, now
            async with turns.turn(name):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0)
                now -= 1

        await asyncio.gather(*(one(f"n{number % 4}") for number in range(50)))
        return most

    assert asyncio.run(crowd()) == 3


def test_who_waits_too_long_is_told_and_blocks_nobody():
    async def crowd():
        turns = Turns(1, wait_seconds=0.02)
        async with turns.turn("a"):
            with pytest.raises(NoTurnError):
                async with turns.turn("b"):
                    pass
        async with turns.turn("c"):
            return True

    assert asyncio.run(crowd())


def test_who_is_cancelled_gives_his_place_back():
    async def crowd():
        turns = Turns(1)
        async with turns.turn("a"):
            waiting = asyncio.create_task(story(turns, ["b"], []))
            for _ in range(3):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with turns.turn("c"):
            pass
        return turns._waiting, turns._held, turns._free

    assert asyncio.run(crowd()) == ({}, {}, 1)
