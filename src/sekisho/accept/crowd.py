"""Which clients of a process make room when there is none."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, Protocol

from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import MAKING_ROOM
from sekisho.wire.smtp_server import SmtpServer

Standing = Literal["silent", "greeted", "sending", "known"]

# Who goes first, and how many times `evict_idle_seconds` he has had.
_FOR_OTHERS: dict[Standing, float] = {"silent": 1, "greeted": 1, "sending": 10}
_FOR_KNOWN: dict[Standing, float] = {"silent": 0.1, "greeted": 1, "sending": 10, "known": 10}
_LOOK_AT = 8  # of those that are sending, to find a slow one


class Leaving(Protocol):
    """A connection that can be told to go."""

    def shut_down(self, reply: Reply) -> None:
        """Say 421 (`reply`) and close."""

    def slow(self) -> bool:
        """Whether its message comes in so slowly that nobody would miss it."""


def standing_of(server: SmtpServer | None, *, useful: bool) -> Standing:
    """What sets a client off from those that only take places. `useful`: its mail was taken; None: no dialog yet."""
    if server is None or not server.helo:
        return "silent"
    if server.receiving:
        return "sending"
    return "known" if useful or server.auth.done else "greeted"


class Crowd:
    """Clients by what they have done so far, the longest without doing more first. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by: dict[Standing, OrderedDict[Leaving, float]] = {name: OrderedDict() for name in _FOR_KNOWN}
        self._where: dict[Leaving, Standing] = {}
        self.evicted = 0

    def stands(self, client: Leaving, standing: Standing | None) -> None:
        """A client has come, or gone on; None: it waits for us, and stays."""
        before = self._where.get(client)
        if before == standing:
            return
        self.forget(client)
        if standing is not None:
            self._where[client] = standing
            self._by[standing][client] = self._clock()

    def forget(self, client: Leaving) -> None:
        """A client is gone."""
        before = self._where.pop(client, None)
        if before is not None:
            del self._by[before][client]

    def make_room(self, idle_seconds: float, *, known: bool = False) -> bool:
        """Send one away that has done nothing for so long; False: there is none.

        For a known client the silent ones go sooner; known ones go for nobody else.
        """
        now = self._clock()
        for standing, patience in (_FOR_KNOWN if known else _FOR_OTHERS).items():
            clients = self._by[standing]
            for client in [client for client, _ in zip(clients, range(_LOOK_AT), strict=False)]:
                if now - clients[client] < idle_seconds * patience:
                    break
                if standing == "sending" and not client.slow():
                    clients.move_to_end(client)
                    clients[client] = now
                    continue
                self.forget(client)
                self.evicted += 1
                client.shut_down(MAKING_ROOM)
                return True
        return False
