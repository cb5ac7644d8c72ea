"""Servers as child processes: pinned to a core, counted by the kernel, waited for, stopped by pid."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[min(1, len(CORES) - 1)]


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended, so that they can be waited for."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_port(where: int | Path, seconds: float = 60.0, alive: subprocess.Popen[bytes] | None = None) -> None:
    """Return as soon as a port of 127.0.0.1, or a Unix socket, accepts.

    TimeoutError after `seconds`; RuntimeError if `alive` has ended.
    """
    family = socket.AF_UNIX if isinstance(where, Path) else socket.AF_INET
    address = str(where) if isinstance(where, Path) else ("127.0.0.1", where)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if alive is not None and alive.poll() is not None:
            raise RuntimeError(f"ended with status {alive.returncode} before it listened")
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1.0)
            probe.connect(address)
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listened on {where} within {seconds:.0f} s")


def _cgroup_root() -> Path | None:
    """The mount point of cgroup v2, when groups can be made in it."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2" and os.access(where, os.W_OK):
            return Path(where)
    return None


def _own_cgroup(path: Path) -> Path | None:
    """Make the group `path`; None where the kernel does not let us make it or enter it (some containers)."""
    try:
        path.mkdir(exist_ok=True)
    except OSError:
        return None
    enter = ["/bin/sh", "-c", f"echo 0 > {path}/cgroup.procs"]
    if subprocess.run(enter, stderr=subprocess.DEVNULL, check=False).returncode:
        path.rmdir()
        return None
    return path


def _children() -> dict[int, list[int]]:
    """A pid → the pids of its living children, from /proc."""
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                found.setdefault(parent, []).append(int(entry.name))
    return found


def cpu_of(pid: int) -> float:
    """User and system seconds of one living process and of the children it has waited for; 0 when it is gone.

    /proc/PID/stat counts in ticks (10 ms); the threads' schedstat has the nanoseconds, but not of ended threads.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return 0.0
    fine = 0.0
    for thread in threads:
        with contextlib.suppress(OSError, ValueError, IndexError):
            fine += int((thread / "schedstat").read_text().split()[0]) / 1e9
    return max((int(stat[11]) + int(stat[12])) / TICK, fine) + (int(stat[13]) + int(stat[14])) / TICK


def busy(core: int) -> float:
    """Seconds that `core` has spent on anything but idling and waiting for a disk, since boot (steps of 10 ms)."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            used = [int(value) for value in ticks[:8]]
            return (sum(used) - used[3] - used[4]) / TICK
    return 0.0


def memory_of(pids: list[int]) -> dict[str, float]:
    """RSS and PSS in MB summed over `pids`, and how many processes they are."""
    total = {"rss_mb": 0.0, "pss_mb": 0.0, "processes": 0.0}
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kb = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:] if line.endswith("kB")}
        total["rss_mb"] += kb.get("Rss", 0) / 1024
        total["pss_mb"] += kb.get("Pss", 0) / 1024
        total["processes"] += 1
    return {key: round(value, 1) for key, value in total.items()}


@dataclass
class Group:
    """Processes that are counted together: one peer with all it forks, or the programs of the client side.

    In a cgroup v2 of its own where that can be made (`how` = "cgroup"), else by walking /proc (`how` = "proc").
    """

    name: str
    core: int
    log_dir: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    cgroup: Path | None = None

    def __post_init__(self) -> None:
        root = _cgroup_root()
        self.cgroup = root and _own_cgroup(root / f"sekisho-bench-{os.getpid()}-{self.name}")

    @property
    def how(self) -> str:
        """Which accounting is used: "cgroup" or "proc"."""
        return "cgroup" if self.cgroup else "proc"

    def start(self, command: list[str], **more: object) -> subprocess.Popen[bytes]:
        """Start `command` on the group's core; its output goes to a file of its own in `log_dir`."""
        enter = f"echo 0 > {self.cgroup}/cgroup.procs && " if self.cgroup else ""
        shell = ["/bin/sh", "-c", f'{enter}exec taskset -c {self.core} "$@"', "sh", *command]
        out = self.log_dir / f"{Path(command[0]).name}.out"
        with out.open("ab") as file:
            options = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": subprocess.STDOUT} | more
            child = subprocess.Popen(shell, start_new_session=True, **options)
        self.started.append(child)
        return child

    def pids(self) -> list[int]:
        """Every living process of the group."""
        if self.cgroup:
            return [int(pid) for pid in (self.cgroup / "cgroup.procs").read_text().split()]
        tree, found = _children(), []
        todo = [child.pid for child in self.started if child.poll() is None]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += tree.get(pid, [])
        return found

    def cpu(self) -> float:
        """Seconds of processor time used so far by the group, with the processes that have ended."""
        if self.cgroup:
            return int((self.cgroup / "cpu.stat").read_text().split()[1]) / 1e6
        return sum(cpu_of(pid) for pid in self.pids())

    def memory(self) -> dict[str, float]:
        """`memory_of` the whole group, now."""
        return memory_of(self.pids())

    def settle(self, seconds: float = 90.0, quiet: float = 0.02) -> bool:
        """Wait until the group uses less than `quiet` of a core over a second: start-up work is not the message's."""
        end = time.monotonic() + seconds
        before, calm = self.cpu(), 0
        while time.monotonic() < end:
            time.sleep(0.5)
            now = self.cpu()
            calm = calm + 1 if now - before < quiet * 0.5 else 0
            before = now
            if calm == 2:
                return True
        return False

    def stop(self, seconds: float = 10.0) -> None:
        """End what was started, newest first, then whatever it left; by pid, TERM and after `seconds` KILL."""
        pids = self.pids()
        for child in reversed(self.started):
            _end(child, seconds)
        for pid in set(pids) - {child.pid for child in self.started}:
            _reap(pid, seconds)
        self.started.clear()
        if self.cgroup:
            _remove(self.cgroup)
            self.cgroup = None


def _end(child: subprocess.Popen[bytes], seconds: float) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _reap(pid: int, seconds: float) -> None:
    """Wait for a process that lost its parent and became ours; KILL it when it does not end by itself."""
    end = time.monotonic() + seconds
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


def _remove(cgroup: Path) -> None:
    """Remove the group once the kernel has let go of its last process."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            cgroup.rmdir()
            return
        time.sleep(0.05)
