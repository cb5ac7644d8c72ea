"""The walls around a job: what a forked process takes from itself before it reads a request."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path

from sekisho.sandbox import landlock
from sekisho.sandbox.limits import SandboxLimits

NOBODY = 65534
NICE = 5

# Operations of prctl.
_SET_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_SET_SECCOMP = 22
_SET_NO_NEW_PRIVILEGES = 38
_FILTER = 2

_INSTRUCTION_OCTETS = 8

_prctl = ctypes.CDLL(None, use_errno=True).prctl
_prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Walls:
    """What confines a job, made ready in the spawner so that the forked process has little left to do.

    Make it when all is warm: the memory that is in use now is what `limits.memory_bytes` comes on top of. This
    process and its children are from then on the first that a machine without memory ends, before the gateway.
    """

    def __init__(self, limits: SandboxLimits) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_bytes(b"1000")
        self._limits = limits
        self._spawner_pid = os.getpid()
        self._address_space = memory()[0] + limits.memory_bytes
        self._ruleset = landlock.ruleset()
        self._seccomp = _seccomp_program()

    def enter(self) -> tuple[str, ...]:
        """Confine this process for good. Returns the walls that it put up, the same ones each time on one machine.

        Raises OSError, ValueError where a wall that every Linux has could not be put up.
        """
        os.nice(NICE)
        up = ["rlimits"]
        if _become_nobody():
            up.append("unprivileged user")
        prctl(_SET_NO_NEW_PRIVILEGES, 1)
        prctl(_SET_DUMPABLE, 0)
        die_with(self._spawner_pid)
        if self._ruleset is not None and landlock.restrict(self._ruleset):
            up.append("landlock")
        self._limit()
        if self._seccomp is not None and _filter_calls(self._seccomp):
            up.append("seccomp")
        return tuple(up)

    def _limit(self) -> None:
        cpu = self._limits.cpu_seconds
        _set_limit(resource.RLIMIT_CORE, 0)
        _set_limit(resource.RLIMIT_FSIZE, 0)
        _set_limit(resource.RLIMIT_MEMLOCK, 0)
        _set_limit(resource.RLIMIT_MSGQUEUE, 0)
        _set_limit(resource.RLIMIT_NPROC, 0)
        _set_limit(resource.RLIMIT_CPU, cpu, cpu + 1)  # SIGXCPU tells why; a second later SIGKILL makes sure
        _set_limit(resource.RLIMIT_AS, self._address_space)
        # Open ones stay usable, no further one can be had: no file, socket, pipe or memory file.
        _set_limit(resource.RLIMIT_NOFILE, 0)


def prctl(option: int, argument: int, second: int = 0) -> None:
    """Change something of this process (prctl(2)). Raises OSError."""
    if _prctl(option, argument, second, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies. Raises ProcessLookupError where it is dead already."""
    prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise ProcessLookupError


def _become_nobody() -> bool:
    """Give up being root. False where this process was not, or may not."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:  # a user namespace that does not know the number
        return False
    return True


def _set_limit(which: int, soft: int, hard: int | None = None) -> None:
    _, highest = resource.getrlimit(which)
    hard = soft if hard is None else hard
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(which, (soft, hard))


def memory() -> tuple[int, int]:
    """Octets of address space that this process has, and of memory that it occupies (proc(5))."""
    space, resident = Path("/proc/self/statm").read_bytes().split()[:2]
    return int(space) * resource.getpagesize(), int(resident) * resource.getpagesize()


def _seccomp_program() -> tuple[_Program, bytes] | None:
    """The filter in the kernel's form, and the octets that it points to; None without libseccomp."""
    try:
        from sekisho.sandbox.system_calls import program  # noqa: PLC0415 - pyseccomp does not import without libseccomp

        instructions = program()
    except (ImportError, RuntimeError, OSError, AttributeError):
        return None
    address = ctypes.cast(ctypes.c_char_p(instructions), ctypes.c_void_p)
    return _Program(len(instructions) // _INSTRUCTION_OCTETS, address), instructions


def _filter_calls(program: tuple[_Program, bytes]) -> bool:
    try:
        prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(program[0]))
    except OSError:  # a kernel without it
        return False
    return True
