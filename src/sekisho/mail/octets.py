"""A search through the octets of a message, several times as fast as `bytes.find` for more than one octet."""

from __future__ import annotations

import threading
from typing import cast

import hyperscan


class OctetSearch:
    r"""A regular expression over octets, in hyperscan's syntax: `.` and `[^…]` match line ends too.

    Compiled once and shared by all threads, each of which has a scratch of its own. Every search is linear.
    """

    def __init__(self, expression: bytes) -> None:
        self._database = hyperscan.Database()
        self._database.compile(expressions=[expression], ids=[0], flags=[hyperscan.HS_FLAG_DOTALL])
        self._local = threading.local()

    def occurs(self, data: bytes | bytearray) -> bool:
        """Whether it matches anywhere."""
        return self.first_end(data) >= 0

    def first_end(self, data: bytes | bytearray, start: int = 0) -> int:
        """The earliest offset at which a match that begins at `start` or later ends, -1 where there is none."""
        found: list[int] = []

        def on_match(_number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            found.append(end)
            return True

        try:
            with memoryview(data) as whole, whole[start:] as rest:
                # Any buffer will do, whatever the stubs say.
                self._database.scan(cast("bytes", rest), match_event_handler=on_match, scratch=self._scratch())
        except hyperscan.ScanTerminated:
            return start + found[0]
        return -1

    def _scratch(self) -> hyperscan.Scratch:
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch
