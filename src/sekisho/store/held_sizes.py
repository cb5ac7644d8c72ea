"""What each tenant's kept messages take on disk."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sekisho.mail.kept import StoreAwayError

_OPEN_ROWS = "SELECT id, tenant FROM kept WHERE state IN ('held', 'releasing', 'rejecting')"
_DATABASE, _HELD = "sekisho.db", "held"


class HeldSizes:
    """Octets by tenant. Sizes of files are asked for once, for a kept message does not change."""

    def __init__(self, state_dir: Path) -> None:
        self._database, self._directory = state_dir / _DATABASE, state_dir / _HELD
        self._sizes: dict[str, int] = {}

    def read(self) -> Mapping[str, int]:
        """Look again; blocks. Raises StoreAwayError."""
        address = f"{self._database.as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
                rows = connection.execute(_OPEN_ROWS).fetchall()
        except sqlite3.Error as error:
            raise StoreAwayError(str(error)) from error
        self._sizes = {kept_id: self._sizes.get(kept_id) or self._size(kept_id) for kept_id, _ in rows}
        total: Counter[str] = Counter()
        for kept_id, tenant in rows:
            total[tenant] += self._sizes[kept_id]
        return total

    def _size(self, kept_id: str) -> int:
        try:
            return (self._directory / kept_id).stat().st_size
        except (OSError, ValueError):
            return 0
