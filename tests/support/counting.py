"""What a process of its own takes from counters: in a module that such a process can import."""

import asyncio

from sekisho.mail.counting import Charge, Take
from sekisho.store.counters import SqliteCounters
from sekisho.store.counters_valkey import ValkeyCounters

KEY, OTHER = b"k" * 16, b"o" * 16


def takes_of(make_counters, barrier, results, at):
    async def go():
        counters = make_counters()
        barrier.wait()
        taken = 0
        for _ in range(400):
            takes = [
                counters.take(Take((Charge(KEY, 3600, 1, most=1000), Charge(OTHER, 60, 1))), at) for _ in range(4)
            ]
            taken += sum(result.taken for result in await asyncio.gather(*takes))
        await counters.close()
        return taken

    results.put(asyncio.run(go()))


class Sqlite:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self):
        return SqliteCounters(self.folder)


class Valkey:
    def __init__(self, url):
        self.url = url

    def __call__(self):
        return ValkeyCounters(self.url)
