"""Which networks clients come from, how often, and who has sent mail before: over all workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sekisho.accept.networks import network_of
from sekisho.config.flood_settings import FloodSettings
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import TOO_MANY_FROM_NETWORK, TOO_MANY_NEW

if TYPE_CHECKING:
    from sekisho.accept.fleet import FleetCounts

_OPEN, _NEW, _KNOWN = 1, 2, 3  # banks of the shared table
_KNOWN_MINUTES = 7 * 24 * 60
_KNOWN_FACTOR = 10
_COUNT_BITS = 20  # a cell of new connections: twelve bits of the minute, and their number in it
_MOST = (1 << _COUNT_BITS) - 1


class Newcomers:
    """A worker's view. Two networks may share a bucket of the table, and then a limit. `clock` as `time.time`."""

    def __init__(self, table: FleetCounts, row: int, clock: Callable[[], float] = time.time) -> None:
        self._table, self._row, self._clock = table, row, clock
        self.settings = FloodSettings()

    def known(self, client_ip: str) -> bool:
        """Whether mail of this address was taken in the last week, since the gateway started."""
        latest = max(self._table.row(self._table.bucket(client_ip, _KNOWN)))
        return latest > 0 and self._minute() - latest <= _KNOWN_MINUTES

    def welcome(self, client_ip: str) -> None:
        """Mail of this address was taken."""
        self._table.put(self._row, self._table.bucket(client_ip, _KNOWN), self._minute())

    def enter(self, client_ip: str, *, total: int, most: int) -> Reply | None:
        """Count a connection in, or why it may not be. `total` are open, `most` may be."""
        network, known = network_of(client_ip), self.known(client_ip)
        settings = self.settings
        opened = self._table.bucket(network, _OPEN)
        crowded = total >= settings.crowded_share * most
        if crowded and not known and self._table.sum(opened) >= max(1, int(settings.network_share * most)):
            return TOO_MANY_FROM_NETWORK
        allowed = settings.new_connections_per_network * (_KNOWN_FACTOR if known else 1)
        if self._one_more(self._table.bucket(network, _NEW)) > allowed > 0:
            return TOO_MANY_NEW
        self._table.put(self._row, opened, self._table.cell(self._row, opened) + 1)
        return None

    def leave(self, client_ip: str) -> None:
        """Count a connection out."""
        opened = self._table.bucket(network_of(client_ip), _OPEN)
        self._table.put(self._row, opened, self._table.cell(self._row, opened) - 1)

    def _one_more(self, cell: int) -> int:
        """New connections in this minute, with this one; those that are refused count as well."""
        minute = self._minute() & 0xFFF
        counts = [value & _MOST for value in self._table.row(cell) if value >> _COUNT_BITS == minute]
        own = self._table.cell(self._row, cell)
        mine = own & _MOST if own >> _COUNT_BITS == minute else 0
        self._table.put(self._row, cell, minute << _COUNT_BITS | min(mine + 1, _MOST))
        return sum(counts) + 1

    def _minute(self) -> int:
        return int(self._clock() // 60)
