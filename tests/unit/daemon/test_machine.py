"""What the kernel says, compared with what others read there."""

import resource
import shutil

from sekisho.daemon import machine


def test_memory_of_this_process():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 5_000_000 < machine.process_octets() <= peak * 1.1
    machine.give_memory_back()


def test_allowed(monkeypatch):
    assert machine.allowed_octets(123, 4) == 123
    monkeypatch.setattr(machine, "_group_limits", lambda: [4_000, 1_000])
    assert machine.allowed_octets(0, 2) == 400
    monkeypatch.setattr(machine, "_group_limits", list)
    assert machine.allowed_octets(0, 2) == 0


def test_disk(tmp_path):
    free, size = machine.disk_octets(tmp_path)
    seen = shutil.disk_usage(tmp_path)
    assert size == seen.total
    assert abs(free - seen.free) < 1 << 30


def test_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        machine.raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 1 << 16)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
