import asyncio
import multiprocessing
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.counting import Sqlite, Valkey, takes_of
from support.valkey import valkey_server

from sekisho.mail.counting import Charge, Fresh, Take
from sekisho.mail.kept import StoreAwayError
from sekisho.store.counters import FILE, SqliteCounters, opened, tidy
from sekisho.store.counters_memory import MemoryCounters
from sekisho.store.counters_valkey import ValkeyCounters

AT = 1_800_000_000.0
KEY, OTHER, GROUP = b"k" * 16, b"o" * 16, b"g" * 16


@pytest.fixture(scope="module")
def valkey_url():
    with tempfile.TemporaryDirectory() as folder, valkey_server(Path(folder)) as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "valkey"])
def make(request, tmp_path):
    """Makes counters; for Valkey, the keys of earlier tests are gone."""
    if request.param == "memory":
        return MemoryCounters
    if request.param == "sqlite":
        return lambda: SqliteCounters(tmp_path)
    url = request.getfixturevalue("valkey_url")
    return lambda: _emptied(url)


def _emptied(url):
    counters = ValkeyCounters(url)
    counters._flush = True
    return counters


def run(make, body):
    async def with_counters():
        counters = make()
        if getattr(counters, "_flush", False):
            await counters._client.flushdb()
        try:
            await body(counters)
        finally:
            await counters.close()

    asyncio.run(with_counters())


def test_takes_up_to_the_limit_and_not_one_more(make):
    async def body(counters):
        charge = Charge(KEY, 3600, 1, most=10)
        results = [await counters.take(Take((charge,)), AT) for _ in range(12)]
        assert [r.taken for r in results] == [True] * 10 + [False] * 2
        assert [r.counts[0] for r in results] == [*range(1, 11), 11, 11]

    run(make, body)


def test_one_charge_beyond_its_limit_and_none_is_taken(make):
    async def body(counters):
        take = Take((Charge(KEY, 3600, 5, most=100), Charge(OTHER, 86400, 2, most=3)))
        assert (await counters.take(take, AT)).taken
        refused = await counters.take(take, AT)
        assert (refused.taken, refused.counts) == (False, (10, 4))
        assert refused.frees[0] == 0.0
        assert refused.frees[1] > 0
        assert (await counters.look(take, AT)).counts == (10, 4)

    run(make, body)


def test_never_more_than_the_limit_in_any_such_time(make):
    async def body(counters):
        take, every = Take((Charge(KEY, 600, 1, most=20),)), range(0, 3600, 7)
        times = [second for second in every if (await counters.take(take, AT + second)).taken]
        worst = max(sum(begin <= t < begin + 600 for t in times) for begin in times)
        assert worst == 20
        assert len(times) >= 100  # six times ten minutes, of which a twelfth each may be lost

    run(make, body)


def test_frees_says_when_it_fits_again(make):
    async def body(counters):
        charge = Charge(KEY, 3600, 10, most=30)
        for minute in (0, 10, 20):
            await counters.take(Take((charge,)), AT + 60 * minute)
        wait = (await counters.take(Take((charge,)), AT + 1800)).frees[0]
        assert 0 < wait <= 3600 + 300 - 1800
        assert not (await counters.look(Take((charge,)), AT + 1800 + wait - 1)).taken
        assert (await counters.look(Take((charge,)), AT + 1800 + wait + 1)).taken

    run(make, body)


def test_new_items_count_once(make):
    async def body(counters):
        def take(*items):
            return Take((Charge(KEY, 86400, 1, most=4, fresh=0),), (Fresh(GROUP, items, 1000),))

        first = await counters.take(take(b"a", b"b", b"a"), AT)
        assert (first.fresh, first.counts) == ((2,), (2,))
        second = await counters.take(take(b"b", b"c"), AT)
        assert (second.fresh, second.counts) == ((1,), (3,))
        refused = await counters.take(take(b"d", b"e"), AT)
        assert (refused.taken, refused.fresh) == (False, (2,))
        assert (await counters.look(take(b"d", b"a"), AT)).fresh == (1,)  # what was refused was not remembered
        later = await counters.look(take(b"a", b"d"), AT + 1001)
        assert later.fresh == (2,)  # forgotten after its time

    run(make, body)


def test_what_is_met_again_is_remembered_for_longer(make):
    async def body(counters):
        take = Take((), (Fresh(GROUP, (b"a",), 1000),))
        await counters.take(take, AT)
        await counters.take(take, AT + 900)
        assert (await counters.look(take, AT + 1800)).fresh == (0,)

    run(make, body)


def test_a_group_keeps_its_latest(make):
    async def body(counters):
        for number in range(300):
            item = number.to_bytes(8, "big")
            await counters.take(Take((), (Fresh(GROUP, (item,), 10_000, most=100),)), AT + number)
        items = tuple(number.to_bytes(8, "big") for number in range(300))
        looked = await counters.look(Take((), (Fresh(GROUP, items, 10_000, most=100),)), AT + 300)
        assert 200 <= looked.fresh[0] <= 207
        newest = await counters.look(Take((), (Fresh(GROUP, items[-90:], 10_000, most=100),)), AT + 300)
        assert newest.fresh == (0,)

    run(make, body)


def test_large_amounts(make):
    async def body(counters):
        take = Take((Charge(KEY, 3600, 4_000_000_000_001, most=9_000_000_000_000),))
        assert (await counters.take(take, AT)).counts == (4_000_000_000_001,)
        assert (await counters.take(take, AT)).counts == (8_000_000_000_002,)
        assert not (await counters.take(take, AT)).taken

    run(make, body)


def test_many_items_at_once(make):
    async def body(counters):
        items = tuple(number.to_bytes(8, "big") for number in range(1300))
        take = Take((Charge(KEY, 60, 1, fresh=0),), (Fresh(GROUP, items, 1000, most=5000),))
        assert (await counters.take(take, AT)).counts == (1300,)
        assert (await counters.take(take, AT)).fresh == (0,)

    run(make, body)


def test_a_clock_that_was_far_ahead_stops_nobody(make):
    async def body(counters):
        charge = Charge(KEY, 60, 5, most=5)
        assert (await counters.take(Take((charge,)), AT + 86400)).taken
        assert (await counters.take(Take((charge,)), AT)).taken

    run(make, body)


# --- Several processes ---


def _four_processes(make_counters):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=takes_of, args=(make_counters, barrier, results, AT)) for _ in range(4)]
    for process in processes:
        process.start()
    taken = [results.get(timeout=90) for _ in processes]
    for process in processes:
        process.join()
    return taken


def test_four_processes_take_exactly_the_limit_sqlite(tmp_path):
    taken = _four_processes(Sqlite(tmp_path))
    assert sum(taken) == 1000  # of 6400 asked for


def test_four_processes_take_exactly_the_limit_valkey(valkey_url):
    run(lambda: _emptied(valkey_url), lambda counters: asyncio.sleep(0))
    taken = _four_processes(Valkey(valkey_url))
    assert sum(taken) == 1000


# --- The file ---


def test_counts_outlive_the_process(tmp_path):
    async def body(counters):
        return (await counters.take(Take((Charge(KEY, 3600, 7),)), AT)).counts[0]

    async def once():
        counters = SqliteCounters(tmp_path)
        try:
            return await body(counters)
        finally:
            await counters.close()

    assert [asyncio.run(once()), asyncio.run(once())] == [7, 14]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_removed_is_made_anew_for_all(tmp_path):
    async def body():
        take = Take((Charge(KEY, 3600),))
        one, other = SqliteCounters(tmp_path), SqliteCounters(tmp_path)
        assert [(await counters.take(take, AT)).counts[0] for counters in (one, other)] == [1, 2]
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
            (tmp_path / name).unlink()
        assert [(await counters.take(take, AT)).counts[0] for counters in (one, other)] == [1, 2]
        await one.close()
        await other.close()

    asyncio.run(body())


def test_a_damaged_file_is_begun_anew(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database " * 1000)

    async def body():
        counters = SqliteCounters(tmp_path)
        with pytest.raises(StoreAwayError):
            await counters.take(Take((Charge(KEY, 60),)), AT)
        assert counters.trouble()
        assert (await counters.take(Take((Charge(KEY, 60),)), AT)).taken
        assert counters.trouble() == ""
        await counters.close()

    asyncio.run(body())


def test_what_cannot_be_opened_is_a_trouble(tmp_path):
    async def body():
        counters = SqliteCounters(tmp_path / "not there")
        with pytest.raises(StoreAwayError):
            await counters.take(Take((Charge(KEY, 60),)), AT)
        await counters.close()

    asyncio.run(body())


def test_a_lock_that_somebody_else_holds_is_waited_for_a_second(tmp_path):
    async def body():
        counters = SqliteCounters(tmp_path)
        await counters.take(Take((Charge(KEY, 60),)), AT)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StoreAwayError, match="locked"):
                await counters.take(Take((Charge(KEY, 60),)), AT)
            assert time.monotonic() - began < 10
            other.execute("ROLLBACK")
        assert (await counters.take(Take((Charge(KEY, 60),)), AT)).counts == (2,)
        await counters.close()

    asyncio.run(body())


def test_tidy_forgets_what_is_over_and_what_is_too_much(tmp_path):
    def state(table):
        return connection.execute(f"SELECT count(*), min(until) FROM {table}").fetchone()

    with closing(opened(tmp_path / FILE)) as connection:
        # Ten keys for each first octet: forty in each of the slices, which end at 0 to 2559.
        rows = [
            (bytes([octet]) + number.to_bytes(15, "big"), number * 256 + octet)
            for octet in range(256)
            for number in range(10)
        ]
        for key, until in rows:
            connection.execute("INSERT INTO counter VALUES (?, ?, ?)", (key, until, b""))
            connection.execute("INSERT INTO item VALUES (?, ?, ?)", (key, b"i", until))
        for turn in range(64):
            tidy(connection, 255, 1_000_000)
            tidy(connection, 255, 1_000_000)  # another process did it just now
            connection.execute("UPDATE tidied SET at = at - 10")
            assert state("counter")[0] == 2560 - 4 * (turn + 1)
        assert state("counter") == state("item") == (2560 - 256, 256)
        for _ in range(64):
            tidy(connection, 255, 32 * 64)
            connection.execute("UPDATE tidied SET at = at - 10")
        for table in ("counter", "item"):
            count, least = state(table)
            assert count == 30 * 64  # a sixteenth less than the bound, so that it is not reached at once
            assert least > 256


def test_valkey_away(tmp_path):
    async def body():
        counters = ValkeyCounters(f"unix://{tmp_path}/nobody.sock")
        with pytest.raises(StoreAwayError):
            await counters.take(Take((Charge(KEY, 60),)), AT)
        assert counters.trouble()
        await counters.close()

    asyncio.run(body())


def test_valkey_forgets_by_itself(valkey_url):
    async def body(counters):
        await counters.take(Take((Charge(KEY, 120),), (Fresh(GROUP, (b"a",), 50),)), AT)
        assert 0 < await counters._client.ttl(b"{sekisho}:" + KEY) <= 131
        assert 0 < await counters._client.ttl(b"{sekisho}:" + GROUP) <= 50

    run(lambda: _emptied(valkey_url), body)
