"""Accounts for every message that got 250: at the next hop, or held and readable. Nothing else is allowed."""

import asyncio
from collections import Counter
from contextlib import closing

from sekisho.store.sqlite import SqliteStore
from support.sink import IDENTITY


def held_copies(gateway, states=("held", "releasing")):
    """(test id, recipient) of every message in the gateway's keeping whose bytes can be read back."""
    copies = Counter()
    with closing(SqliteStore.open(gateway.state_dir)) as store:
        for kept in (kept for state in states for kept in store.list_kept(state=state, limit=1_000_000)):
            if kept.kind != "notice":
                identity = IDENTITY.search(asyncio.run(store.kept_data(kept)))
                assert identity, f"{kept.id} is held, but its bytes are not the message's"
                copies.update((identity[1].decode(), recipient) for recipient in kept.envelope.rcpt_to)
    return copies


def accounted(promised, at_next_hop, held):
    """What is lost, and how many copies too many there are, for the (test id, recipient) pairs that got 250."""
    lost = [pair for pair in promised if not at_next_hop[pair] and not held[pair]]
    duplicates = sum(at_next_hop[pair] + held[pair] - 1 for pair in promised if at_next_hop[pair] + held[pair] > 1)
    return lost, duplicates
