"""Turns at something scarce, fair between tenants, then between their clients, then between senders.

Start-time fair queueing (Goyal, Vin and Cheng 1996), one within the other: each flow has a tag that grows by what its
work has cost, and the one with the least goes next. Who was idle starts where the others are: it saves nothing up.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import pairwise

from sekisho.mail.reply import Reply, ReplyError

BUSY = Reply(451, "3.2", "Too much mail waits here at the moment (flood.messages_waiting), please try again later")
WAITED = Reply(451, "3.2", "Too busy at the moment (flood.wait_seconds), please try again later")
_MOST_FLOWS = 1_000  # of a flow, with those that only owe something
_TENANT, _CLIENT = 2, 1  # a tenant has no more in work, and waiting, than twice what is free, a client than once
_LEAST_COST = 1e-6

Path = tuple[str, str, str]  # tenant, client, sender
_Waiting = tuple[asyncio.Future[None], float]  # the place, and what is said to be its cost


class _Flow:
    """A tenant, a client of it, or a sender of that. `tag` is what it has had, `virtual` where its members stand."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        self.tag = self.virtual = 0.0
        self.running = self.queued = 0
        self.members: dict[str, _Flow] = {}
        self.waiting: deque[_Waiting] = deque()

    def member(self, name: str, weight: float) -> _Flow:
        found = self.members.get(name)
        if found is None:
            if len(self.members) >= _MOST_FLOWS:
                self._tidy()
            found = self.members[name] = _Flow(weight)
        if not found.queued and not found.running:
            found.tag = max(found.tag, self.virtual)
        return found

    def _tidy(self) -> None:
        """Forget members that do nothing: those that owe nothing, then as many others as need be."""
        idle = sorted((f.tag, name) for name, f in self.members.items() if not (f.running or f.queued))
        owing = [name for tag, name in idle if tag > self.virtual]
        for _, name in idle[: len(idle) - len(owing) // 2]:
            del self.members[name]


class FairTurns:
    """`places` at once. `bound` waiting ones are let in, each for at most `seconds`; beyond that ReplyError 451.

    With `reserve` a flow takes no more than twice what is left over, so that a newcomer finds a place. One whose work
    is done gives its place on in the loop's next round: what came in meanwhile has its chance. `weights` by tenant.
    """

    def __init__(
        self,
        places: int,
        *,
        bound: int = 1_000_000,
        seconds: float = math.inf,
        reserve: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.places, self.bound, self.seconds = places, bound, seconds
        self.weights: Mapping[str, float] = {}
        self._reserve = reserve
        self._clock = clock
        self._root = _Flow()

    @property
    def running(self) -> int:
        """How many have a place."""
        return self._root.running

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return self._root.queued

    def turn(self, path: Path, cost: float = _LEAST_COST, *, timed: bool = True) -> Turn:
        """A place, for `async with`. `cost` in seconds; `timed`: or as long as it is held, if that is more."""
        return Turn(self, path, cost, timed=timed)

    async def take(self, path: Path, cost: float) -> list[_Flow]:
        """Wait for a place. Raises ReplyError."""
        flows = self._flows(path)
        free = self.bound - self._root.queued
        if flows[1].queued >= _TENANT * free or flows[2].queued >= _CLIENT * free:
            raise ReplyError(BUSY)
        if not self._root.queued and self._root.running < self.places and self._may(flows[1:]):
            self._begin(flows, cost)
            return flows
        waiting = asyncio.get_running_loop().create_future(), cost
        flows[-1].waiting.append(waiting)
        for flow in flows:
            flow.queued += 1
        self._serve()
        await self._wait(flows, waiting)
        return flows

    async def _wait(self, flows: list[_Flow], waiting: _Waiting) -> None:
        try:
            if self.seconds == math.inf:
                await waiting[0]
            else:
                async with asyncio.timeout(self.seconds):
                    await waiting[0]
        except BaseException as error:
            self._give_up(flows, waiting)
            if isinstance(error, TimeoutError):
                raise ReplyError(WAITED) from None
            raise

    def _give_up(self, flows: list[_Flow], waiting: _Waiting) -> None:
        if waiting not in flows[-1].waiting:  # it was given a place in the same moment
            self.end(flows, 0.0)
            return
        flows[-1].waiting.remove(waiting)
        for flow in flows:
            flow.queued -= 1

    def end(self, flows: list[_Flow], more: float) -> None:
        """Give a place back; it has cost so many seconds more than was said."""
        for flow in flows[1:]:
            flow.tag += more / flow.weight
        asyncio.get_running_loop().call_soon(self._ended, flows)

    def _ended(self, flows: list[_Flow]) -> None:
        for flow in flows:
            flow.running -= 1
        self._serve()

    def _flows(self, path: Path) -> list[_Flow]:
        flows = [self._root]
        for level, name in enumerate(path):
            flows.append(flows[-1].member(name, self.weights.get(name, 1.0) if level == 0 else 1.0))
        return flows

    def _may(self, flows: list[_Flow]) -> bool:
        """Tenant and client leave places for others; a client's senders share what it has."""
        free = self.places - self._root.running if self._reserve else self.places
        return flows[0].running < _TENANT * free and flows[1].running < _CLIENT * free

    @staticmethod
    def _begin(flows: list[_Flow], cost: float) -> None:
        for above, flow in pairwise(flows):
            above.virtual = max(above.virtual, flow.tag)
            flow.tag += max(cost, _LEAST_COST) / flow.weight
        for flow in flows:
            flow.running += 1

    def _serve(self) -> None:
        """Give free places to those whose turn it is."""
        while self._root.queued and self._root.running < self.places and (flows := self._next()) is not None:
            place, cost = flows[-1].waiting.popleft()
            for flow in flows:
                flow.queued -= 1
            self._begin(flows, cost)
            if not place.done():
                place.set_result(None)

    def _next(self) -> list[_Flow] | None:
        clients = [
            (tenant, client)
            for tenant in self._root.members.values()
            if tenant.queued
            for client in tenant.members.values()
            if client.queued and self._may([tenant, client])
        ]
        if not clients:
            return None
        tenant, client = min(clients, key=lambda flows: (flows[0].tag, flows[1].tag))
        sender = min((flow for flow in client.members.values() if flow.queued), key=lambda flow: flow.tag)
        return [self._root, tenant, client, sender]


class Turn:
    """One place for one piece of work."""

    def __init__(self, turns: FairTurns, path: Path, cost: float, *, timed: bool) -> None:
        self._turns, self._path, self._cost, self._timed = turns, path, cost, timed
        self._flows: list[_Flow] = []
        self._since = 0.0

    async def __aenter__(self) -> None:
        """Wait for it. Raises ReplyError."""
        self._flows = await self._turns.take(self._path, self._cost)
        self._since = self._turns._clock()  # noqa: SLF001 - two halves of one thing

    async def __aexit__(self, *_: object) -> None:
        """Give it back."""
        spent = self._turns._clock() - self._since if self._timed else 0.0  # noqa: SLF001 - as above
        self._turns.end(self._flows, max(spent - self._cost, 0.0))
