"""What the kernel says of this process, its cgroup and a disk."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_GROUPS = Path("/sys/fs/cgroup")
_USABLE = 0.8  # of what the cgroup allows: the processes that open attachments and the others need some
_FILES = 1 << 16


def process_octets() -> int:
    """The memory of this process (RSS); 0 where the kernel does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def allowed_octets(setting: int, workers: int) -> int:
    """What a worker may have: the setting, or its part of what the cgroup allows; 0: not bounded."""
    if setting:
        return setting
    most = min(_group_limits(), default=0)
    return int(most * _USABLE / workers)


def _group_limits() -> list[int]:
    found = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            inner, name = ("", "memory.max") if not controllers else ("memory", "memory.limit_in_bytes")
            for group in (_GROUPS / inner / path.lstrip("/"), _GROUPS / inner):
                with suppress(OSError, ValueError):
                    found.append(int((group / name).read_text("ascii")))  # ValueError: "max"
    return [limit for limit in found if 0 < limit < 1 << 60]


def disk_octets(directory: Path) -> tuple[int, int]:
    """What is free for us on a directory's disk, and its size. Blocks. Raises OSError."""
    seen = os.statvfs(directory)
    return seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize


def give_memory_back() -> None:
    """Give the kernel back what the process no longer needs. Blocks for some milliseconds."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc's


def raise_file_limit() -> None:
    """Allow this process as many connections as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
