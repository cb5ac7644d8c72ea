"""Back-off by the clock's own numbers; everything else of the pool is in test_relay.py, against servers."""

import asyncio

import pytest

from sekisho.act.dial import Dialer
from sekisho.act.pool import Host, Pool, Unavailable
from sekisho.config.settings import NextHopSettings

SETTINGS = NextHopSettings(hosts=("127.0.0.1:9",), backoff_seconds=5, backoff_max_seconds=30)


def test_back_off_doubles_up_to_its_limit():
    host, now, waits = Host("mx", SETTINGS), 100.0, []
    for _ in range(5):
        assert host.may_open(now)
        host.opening()
        host.failed("refused", now)
        host.opened()
        wait = next(s for s in range(1000) if host.may_open(now + s))
        waits.append(wait)
        now += wait
    assert waits == [5, 10, 20, 30, 30]


def test_one_probe_at_a_time_after_a_failure():
    host = Host("mx", SETTINGS)
    host.failed("refused", 0)
    assert not host.may_open(4.9)
    assert host.may_open(5)
    host.opening()
    assert not host.may_open(5)
    assert host.status(5).state == "backing off"
    host.opened()
    assert host.may_open(5)


def test_failures_that_were_under_way_together_count_once():
    host = Host("mx", SETTINGS)
    for _ in range(20):
        host.failed("reset", 0)
    assert host.may_open(5)


def test_a_transaction_ends_the_doubling():
    host = Host("mx", SETTINGS)
    host.failed("refused", 0)
    host.failed("refused", 5)
    host.worked()
    assert host.status(100).last_error == ""
    host.failed("refused", 100)
    assert host.may_open(105)


def test_status_of_a_host_that_backs_off():
    host = Host("[2001:db8::1]:2525", SETTINGS)
    host.failed("cannot connect", 0)
    status = host.status(1)
    assert (status.host, status.state, status.last_error) == ("[2001:db8::1]:2525", "backing off", "cannot connect")
    assert status.until is not None


@pytest.mark.parametrize("kept", [0, 1])
def test_a_waiter_that_is_cancelled_leaves_no_gap(kept):
    """Whoever gives up in the queue, before or after his turn has come, takes no slot with him."""

    async def main():
        settings = NextHopSettings(hosts=("127.0.0.1:9",), connections=1, backoff_seconds=1000)
        pool = Pool(settings, Dialer(settings, "gw"))
        pool.hosts[0].failed("by hand", asyncio.get_running_loop().time())
        await pool._slot()
        waiting = [asyncio.create_task(pool.lease()) for _ in range(3)]
        await asyncio.sleep(0)
        if kept:
            waiting[0].cancel()
            pool._free_slot()
        else:
            pool._free_slot()
            waiting[0].cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(Unavailable):
            await pool.lease()
        await pool.close()
        return [type(result) for result in results], pool._leased

    assert asyncio.run(main()) == ([asyncio.CancelledError, Unavailable, Unavailable], 0)
