"""The files through which prometheus-client's processes share their values."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

log = logging.getLogger(__name__)

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# File name prefixes and sizes, ample for the bounded labels.
_FILES = {
    "counter": 1 << 20,
    "histogram": 1 << 20,
    "gauge_livesum": 1 << 17,
    "gauge_livemax": 1 << 17,
    "gauge_livemostrecent": 1 << 17,
}
_ADDITIVE = ("counter", "histogram")
_ENDED = 0  # the "pid" whose files hold the sums of processes that have ended


def prepare(directory: Path) -> None:
    """Make the directory, or empty it: for the supervisor, before its first worker. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in directory.glob("*.db*"):
        path.unlink(missing_ok=True)


def allocate(directory: Path) -> bool:
    """Give this process's files their blocks now; False (and a warning) where the disk has no room.

    They are mapped into memory, and a write into a hole of a full disk would kill the process with SIGBUS.
    """
    made: list[Path] = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for prefix, size in _FILES.items():
            path = _file(directory, prefix, os.getpid())
            made.append(path)
            # Renamed when it has its size: whoever is killed in between leaves nothing that cannot be read.
            fresh = path.with_suffix(".db-new")
            made.append(fresh)
            _allocate(fresh, size)
            fresh.rename(path)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        log.warning("metrics of this process are not shared: %s", error.strerror)
        return False
    return True


def _allocate(path: Path, size: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)


def use_files(directory: Path | None) -> ModuleType:
    """Import prometheus-client, told where to keep its values: in files there, or in memory."""
    if directory is not None:
        os.environ[_VARIABLE] = str(directory)
    else:
        os.environ.pop(_VARIABLE, None)
    import prometheus_client  # noqa: PLC0415 - reads the variable when imported
    from prometheus_client import values  # noqa: PLC0415

    # A second series for each counter, and only where there are no files.
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    return prometheus_client


def mark_dead(directory: Path, pid: int) -> None:
    """Add up what an ended process counted and delete its files: for the supervisor, after waiting for it.

    Never raises: a file that cannot be read costs its numbers.
    """
    for prefix in _FILES:
        path = _file(directory, prefix, pid)
        if prefix in _ADDITIVE and path.exists():
            try:
                _add_up(_file(directory, prefix, _ENDED), path)
            except Exception as error:  # noqa: BLE001 - the reader meets damage with errors of many kinds
                log.warning("what %s counted is lost: %s", path.name, error)
        for left in (path, path.with_suffix(".db-new")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _add_up(total: Path, ended: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 - see `use_files`

    sums: dict[str, float] = {}
    for path in (total, ended):
        for key, value in _values(path):
            sums[key] = sums.get(key, 0.0) + value
    fresh = total.with_suffix(".db-new")
    fresh.unlink(missing_ok=True)
    _allocate(fresh, max(_FILES[total.name.partition("_")[0]], total.stat().st_size if total.exists() else 0))
    written = MmapedDict(str(fresh))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        written.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    written.close()  # type: ignore[no-untyped-call]
    fresh.rename(total)


def _values(path: Path) -> Iterator[tuple[str, float]]:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415

    if path.exists():
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            yield key, value


def _file(directory: Path, prefix: str, pid: int) -> Path:
    return directory / f"{prefix}_{pid}.db"
