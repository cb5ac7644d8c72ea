import asyncio

import pytest

from sekisho.inspect.antivirus.engine import EngineAwayError
from sekisho.inspect.antivirus.pool import Pool


class Connection:
    most_connections = 0
    version = "1"

    def __init__(self):
        self.usable = True
        self.closed = False

    def close(self):
        self.closed = True
        self.usable = False


class Dialer:
    """Makes connections, or fails; it keeps those that it made."""

    def __init__(self, *, most=0, fails=False):
        self.made, self.most, self.fails, self.asked = [], most, fails, 0

    async def __call__(self):
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise EngineAwayError("no connection: refused", reached=False)
        connection = Connection()
        connection.most_connections = self.most
        self.made.append(connection)
        return connection


async def itself(connection):
    return connection


def test_a_connection_is_used_again():
    async def go():
        dialer = Dialer()
        pool = Pool(dialer, 3)
        first = await pool.use(itself)
        assert await pool.use(itself) is first
        pool.close()
        assert first.closed

    asyncio.run(go())


def test_never_more_than_so_many():
    async def go():
        dialer = Dialer()
        pool = Pool(dialer, 3)
        at_once, most = 0, 0

        async def work(_):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

        await asyncio.gather(*(pool.use(work) for _ in range(50)))
        pool.close()
        return most, len(dialer.made)

    assert asyncio.run(go()) == (3, 3)


def test_one_closed_while_idle_is_replaced():
    async def go():
        dialer = Dialer()
        pool = Pool(dialer, 3)
        first = await pool.use(itself)
        first.usable = False
        second = await pool.use(itself)
        assert second is not first
        pool.close()
        return first.closed

    assert asyncio.run(go())


def test_one_that_turns_out_to_be_closed_is_replaced_too():
    async def go():
        dialer = Dialer()
        pool = Pool(dialer, 3)
        first = await pool.use(itself)

        async def work(connection):
            if connection is first:
                raise EngineAwayError("closed", reached=True)
            return connection

        second = await pool.use(work)
        pool.close()
        return first.closed, second is not first

    assert asyncio.run(go()) == (True, True)


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, TimeoutError])
def test_after_a_failure_the_connection_is_closed_and_its_turn_free(error):
    async def go():
        dialer = Dialer()
        pool = Pool(dialer, 1)

        async def fails(_):
            raise error

        for _ in range(3):
            with pytest.raises(error):
                await pool.use(fails)
        await pool.use(itself)
        pool.close()
        return [connection.closed for connection in dialer.made]

    assert asyncio.run(go()) == [True] * 4


def test_after_a_failed_attempt_others_do_not_try_at_once():
    async def go():
        dialer = Dialer(fails=True)
        pool = Pool(dialer, 5)
        for _ in range(10):
            with pytest.raises(EngineAwayError, match="refused"):
                await pool.use(itself)
        return dialer.asked

    assert asyncio.run(go()) == 1


def test_a_probe_needs_no_turn_and_ends_the_pause():
    async def go():
        dialer = Dialer(fails=True)
        pool = Pool(dialer, 1)
        with pytest.raises(EngineAwayError):
            await pool.use(itself)
        dialer.fails = False
        assert (await pool.probe(itself)).closed
        await pool.use(itself)
        pool.close()

    asyncio.run(go())


def test_the_engines_own_limit_is_kept():
    async def go():
        dialer = Dialer(most=2)
        pool = Pool(dialer, 8)
        await pool.use(itself)
        for _ in range(6):  # each end of a use gives a turn away for good
            await pool.use(itself)
        held, most = 0, 0

        async def work(_):
            nonlocal held, most
            held += 1
            most = max(most, held)
            await asyncio.sleep(0)
            held -= 1

        await asyncio.gather(*(pool.use(work) for _ in range(20)))
        pool.close()
        return most

    assert asyncio.run(go()) == 2
