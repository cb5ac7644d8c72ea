"""Connection counts over all workers, in memory that they share, so that a limit means the whole gateway.

Each worker writes only its own row, so there is nothing to lock; a reader sums the rows. A worker clears its row when
it starts, and so what a dead one had counted.
"""

from __future__ import annotations

import mmap
import secrets
from zlib import crc32

from sekisho.accept.newcomers import Newcomers
from sekisho.accept.usage import Usage

_BUCKETS = 8192
BANKS = 4  # of clients' connections, and what `newcomers` keeps of networks and of clients
_TOTAL = BANKS * _BUCKETS  # one cell more than buckets: the row's total
_CELLS = _TOTAL + 1


class FleetCounts:
    """The shared table: a row for each worker, a cell for each bucket of client addresses in each bank, and a total.

    Two addresses may share a bucket; which ones do changes with every start.
    """

    def __init__(self, workers: int) -> None:
        self._rows = workers
        self._memory = mmap.mmap(-1, workers * _CELLS * 4)
        self._cells = memoryview(self._memory).cast("I")
        self._salt = secrets.token_bytes(8)

    def clear(self, row: int) -> None:
        """Forget what a dead worker had counted."""
        first = row * _CELLS
        self._cells[first : first + _CELLS] = memoryview(bytes(_CELLS * 4)).cast("I")

    def bucket(self, client: str, bank: int = 0) -> int:
        """The bucket of a client's address, or of a network, in one of the banks."""
        return bank * _BUCKETS + crc32(client.encode(), crc32(self._salt)) % _BUCKETS

    def row(self, cell: int) -> list[int]:
        """One cell of each worker."""
        return [self._cells[row * _CELLS + cell] for row in range(self._rows)]

    def sum(self, cell: int) -> int:
        """One cell over all workers."""
        return sum(self._cells[row * _CELLS + cell] for row in range(self._rows))

    def cell(self, row: int, cell: int) -> int:
        """One cell of one worker."""
        return self._cells[row * _CELLS + cell]

    def put(self, row: int, cell: int, number: int) -> None:
        """Set a cell of a worker's own row; never below zero."""
        self._cells[row * _CELLS + cell] = max(0, number)

    def total(self) -> int:
        """Open connections of the whole gateway."""
        return self.sum(_TOTAL)


class FleetUsage(Usage):
    """A worker's `Usage` against limits that hold for all workers together; memory stays its own."""

    def __init__(self, counts: FleetCounts, row: int) -> None:
        self._counts = counts
        self._row = row
        super().__init__(Newcomers(counts, row))

    @property
    def connections(self) -> int:
        """Open connections of this worker."""
        return self._counts.cell(self._row, _TOTAL)

    @connections.setter
    def connections(self, number: int) -> None:
        self._counts.put(self._row, _TOTAL, number)

    @property
    def total(self) -> int:
        """Open connections of the whole gateway."""
        return self._counts.total()

    def _of_client(self, client_ip: str) -> int:
        return self._counts.sum(self._counts.bucket(client_ip))

    def _count(self, client_ip: str, more: int) -> None:
        bucket = self._counts.bucket(client_ip)
        self._counts.put(self._row, bucket, self._counts.cell(self._row, bucket) + more)
