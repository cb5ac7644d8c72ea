"""Counters shared by several machines, in Valkey (or Redis 7): one script for each Take, so that it is one step.

A counter is a hash of slots by their numbers, a group a sorted set of items by their ends. All keys carry one hash
tag, so that a cluster keeps them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sekisho.mail.counting import Take, Taken
from sekisho.mail.kept import StoreAwayError
from sekisho.store.counting import amount_of, judged
from sekisho.store.slots import SLOTS, slot_at

_PREFIX = b"{sekisho}:"
_SCRIPT = """
local at, look, charges = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local arg, answer, new, stale = 4, {}, {}, {}
local groups = #KEYS - charges
local function number() arg = arg + 1 return tonumber(ARGV[arg - 1]) end
for g = 1, groups do
  local seconds, most, items = number(), number(), number()
  local found, fresh = {}, 0
  for i = 1, items do
    local item = ARGV[arg]
    arg = arg + 1
    local ends = tonumber(redis.call('ZSCORE', KEYS[charges + g], item) or '0')
    if ends <= at then fresh = fresh + 1 end
    if ends <= at + seconds - seconds / 16 then found[#found + 1] = item end
  end
  new[g] = fresh
  stale[g] = {items = found, seconds = seconds, most = most}
  answer[#answer + 1] = fresh
end
local fits, todo = true, {}
for c = 1, charges do
  local slot, seconds, amount, most, of = number(), number(), number(), number(), number()
  if of > 0 then amount = math.min(amount * new[of], 2^53) end
  local held = redis.call('HGETALL', KEYS[c])
  local sum, old = 0, {}
  for i = 1, #held, 2 do
    local n = tonumber(held[i])
    if n <= slot - SLOTS or n > slot + SLOTS then
      old[#old + 1] = held[i]
    else
      sum = sum + tonumber(held[i + 1])
      answer[#answer + 1] = n
      answer[#answer + 1] = tonumber(held[i + 1])
    end
  end
  answer[#answer + 1] = -1
  if most > 0 and amount > 0 and sum + amount > most then fits = false end
  todo[c] = {slot = slot, seconds = seconds, amount = amount, old = old}
end
if fits and not look then
  for c = 1, charges do
    local t = todo[c]
    if #t.old > 0 then redis.call('HDEL', KEYS[c], unpack(t.old)) end
    if t.amount > 0 then
      redis.call('HINCRBY', KEYS[c], t.slot, t.amount)
      redis.call('EXPIRE', KEYS[c], t.seconds + math.floor(t.seconds / 12) + 1)
    end
  end
  for g = 1, groups do
    local t, key = stale[g], KEYS[charges + g]
    if #t.items > 0 then
      for i = 1, #t.items do redis.call('ZADD', key, math.floor(at) + t.seconds, t.items[i]) end
      local size = redis.call('ZCARD', key)
      if size > t.most then redis.call('ZREMRANGEBYRANK', key, 0, size - t.most - 1) end
      redis.call('EXPIRE', key, t.seconds)
    end
  end
end
return {fits and 1 or 0, answer}
""".replace("SLOTS", str(SLOTS))


class ValkeyCounters:
    """See `mail.ports.Counters`; raises StoreAwayError. `url`: redis://host:port/0, rediss://…, unix:///path.

    Raises StoreAwayError where the package `valkey` (extra `cluster`) is missing, ValueError for a URL that is none.
    """

    def __init__(self, url: str) -> None:
        try:
            from valkey import asyncio as valkey  # noqa: PLC0415 - an extra
            from valkey.exceptions import ValkeyError  # noqa: PLC0415
        except ImportError as error:
            raise StoreAwayError("the package valkey is not installed (sekisho[cluster])") from error
        self._failures: tuple[type[Exception], ...] = (ValkeyError, OSError)
        self._client: Any = valkey.Valkey.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._script = self._client.register_script(_SCRIPT)
        self._trouble = ""

    async def take(self, take: Take, at: float) -> Taken:
        """Take, in one script."""
        return await self._ask(take, at, look=False)

    async def look(self, take: Take, at: float) -> Taken:
        """What would come of it."""
        return await self._ask(take, at, look=True)

    async def _ask(self, take: Take, at: float, *, look: bool) -> Taken:
        keys = [_PREFIX + c.key for c in take.charges] + [_PREFIX + f.group for f in take.fresh]
        try:
            fits, answer = await self._script(keys=keys, args=_arguments(take, at, look=look))
        except self._failures as error:
            self._trouble = str(error) or type(error).__name__
            raise StoreAwayError(self._trouble) from error
        self._trouble = ""
        return _taken(take, at, bool(fits), answer)

    def trouble(self) -> str:
        """Why the server could not be used the last time, or ""."""
        return self._trouble

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _arguments(take: Take, at: float, *, look: bool) -> list[bytes | int | float]:
    arguments: list[bytes | int | float] = [at, int(look), len(take.charges)]
    for fresh in take.fresh:
        items = tuple(dict.fromkeys(fresh.items))
        arguments += [fresh.seconds, fresh.most, len(items), *items]
    for c in take.charges:
        arguments += [slot_at(c.seconds, at), c.seconds, c.amount, c.most, c.fresh + 1]
    return arguments


def _taken(take: Take, at: float, fits: bool, answer: Sequence[int]) -> Taken:  # noqa: FBT001 - what the script said
    """The script's answer: how many items are new of each, then each counter's slots with a -1 behind them."""
    new = tuple(answer[: len(take.fresh)])
    held: list[list[int]] = []
    rest = iter(answer[len(take.fresh) :])
    for charge in take.charges:
        now = slot_at(charge.seconds, at)
        counts = [0] * SLOTS
        while (slot := next(rest)) != -1:
            counts[min(max(slot - now + SLOTS - 1, 0), SLOTS - 1)] += next(rest)
        held.append(counts)
    amounts = [amount_of(charge, new) for charge in take.charges]
    counts = [sum(slots) + amount for slots, amount in zip(held, amounts, strict=True)]
    _, frees = judged(take.charges, counts, held, amounts, at)
    return Taken(fits, tuple(counts), frees, new)
