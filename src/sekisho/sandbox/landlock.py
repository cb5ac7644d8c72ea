"""Landlock (landlock(7)): a wall around names of files, ports and signals that needs no library, only Linux 5.13."""

from __future__ import annotations

import ctypes
import os

# The same on every architecture that this runs on (arch/*/include/asm/unistd.h).
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_ASK_VERSION = 1

# Rights on files by the version that brought them (linux/landlock.h): the lowest bits, then one each.
_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_BIND_AND_CONNECT = 0b11  # TCP, from version 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11  # to processes outside, from version 6

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr of linux/landlock.h: what is denied where no rule allows it."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def ruleset() -> int | None:
    """A descriptor to a ruleset that denies all that this kernel can; None without Landlock."""
    version = _syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return None
    files = sum(right for since, right in _FILES.items() if since <= version)
    attributes = _Ruleset(
        files,
        _BIND_AND_CONNECT if version >= 4 else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    descriptor = _syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    return int(descriptor) if descriptor >= 0 else None


def restrict(descriptor: int) -> bool:
    """Put this process, which has no_new_privs, behind the ruleset, and close its descriptor."""
    done = _syscall(_RESTRICT_SELF, descriptor, 0, 0) == 0
    os.close(descriptor)
    return bool(done)
