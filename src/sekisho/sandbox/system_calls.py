"""The system calls a confined job may make, as a program for the kernel (seccomp(2)). Needs libseccomp."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

import pyseccomp

_AT_EMPTY_PATH = 0x1000
_PROT_EXEC = 0x4
_F_GETFD, _F_GETFL = 1, 3

# What an interpreter and parsers need that read, compute, and write an answer: memory, time, open descriptors.
_ALLOWED = (
    "read pread64 readv preadv write writev pwrite64 close lseek fstat",
    "munmap mremap madvise brk",
    "futex sched_yield sched_getaffinity getcpu membarrier rseq set_robust_list",
    "rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall",
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time",
    "getpid gettid getppid getuid geteuid getgid getegid getrandom getrlimit getrusage times sysinfo uname",
    "exit exit_group",
)

# Nothing that reads a document ever asks for these: the process has been taken over, and is ended.
_FATAL = (
    "execve execveat ptrace process_vm_readv process_vm_writev pidfd_getfd bpf userfaultfd perf_event_open",
    "io_uring_setup mount umount2 pivot_root chroot setns unshare init_module finit_module kexec_load keyctl add_key",
    "request_key",
)


def program() -> bytes:
    """The filter, as instructions of BPF. What it does not know fails with EPERM. Raises OSError."""
    calls = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    calls.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for number in _numbers(_ALLOWED):
        calls.add_rule(pyseccomp.ALLOW, number)
    for number in _numbers(_FATAL):
        calls.add_rule(pyseccomp.KILL_PROCESS, number)
    _add_limited(calls)
    with os.fdopen(os.memfd_create("filter", os.MFD_CLOEXEC), "w+b") as file:
        calls.export_bpf(file)
        file.seek(0)
        return file.read()


def _add_limited(calls: pyseccomp.SyscallFilter) -> None:
    """Calls that are harmless with certain arguments only."""
    # memory whose content may be run would be a way to bring code along
    no_code = pyseccomp.Arg(2, pyseccomp.MASKED_EQ, _PROT_EXEC, 0)
    for number in _numbers(("mmap", "mprotect")):
        calls.add_rule(pyseccomp.ALLOW, number, no_code)
    # fstat(3) is this call in the C library; with another flag it would tell of files by name
    for number in _numbers(("newfstatat",)):
        calls.add_rule(pyseccomp.ALLOW, number, pyseccomp.Arg(3, pyseccomp.MASKED_EQ, _AT_EMPTY_PATH, _AT_EMPTY_PATH))
    for number in _numbers(("fcntl",)):  # F_SETOWN would send signals to others
        for command in (_F_GETFD, _F_GETFL):
            calls.add_rule(pyseccomp.ALLOW, number, pyseccomp.Arg(1, pyseccomp.EQ, command))
    for number in _numbers(("prlimit64",)):  # to read limits, not to set them
        own, no_new = pyseccomp.Arg(0, pyseccomp.EQ, 0), pyseccomp.Arg(2, pyseccomp.EQ, 0)
        calls.add_rule(pyseccomp.ALLOW, number, own, no_new)


def _numbers(lines: Iterable[str]) -> list[int]:
    """The numbers of those calls that this machine has."""
    names = (name for line in lines for name in line.split())
    numbers = (pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in names)
    return [number for number in numbers if number >= 0]
