import os
import subprocess
import sys

import pytest

from sekisho.record.metric_files import allocate, mark_dead, prepare


def test_prepare_makes_and_empties(tmp_path):
    directory = tmp_path / "metrics"
    prepare(directory)
    (directory / "counter_1.db").write_bytes(b"x")
    (directory / "counter_0.db-new").write_bytes(b"x")
    prepare(directory)
    assert list(directory.iterdir()) == []
    assert directory.stat().st_mode & 0o777 == 0o700


def test_allocated_files_have_all_their_blocks_and_are_the_ones_in_use(tmp_path):
    """A hole, written to on a full disk, would be SIGBUS."""
    script = """
import sys
from pathlib import Path
from sekisho.mail.reply import Reply
from sekisho.record.metrics import Metrics
metrics = Metrics.open(Path(sys.argv[1]))
for number in range(5000):
    metrics.relayed(f"h{number}", 0.1, (Reply(250, None, ""), Reply(450, None, "")))
    metrics.message_answered(f"l{number}", 1, Reply(250, None, ""), 0.1)
    metrics.connection_refused(f"l{number}", "networks")
    metrics.connection_opened(f"l{number}")
metrics.store_trouble("x")
metrics.kept([])
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    found = {path.name.rpartition("_")[0]: path.stat() for path in tmp_path.iterdir()}
    assert set(found) == {"counter", "histogram", "gauge_livesum", "gauge_livemax", "gauge_livemostrecent"}
    for status in found.values():
        assert status.st_size in (1 << 20, 1 << 17)
        assert status.st_blocks * 512 >= status.st_size


def test_a_full_disk_leaves_a_process_with_metrics_of_its_own(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    script = """
import sys
from pathlib import Path
from sekisho.record.metrics import Metrics
metrics = Metrics.open(Path(sys.argv[1]))
metrics.store_failed()
assert b"sekisho_store_failures_total 1.0" in metrics.render()
"""
    try:
        subprocess.run([sys.executable, "-c", script, str(small)], check=True)
        assert not allocate(small)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 4, b"\xff" * 4096, b"\0\1\0\0" + b"\x7f" * 4092], ids=len)
@pytest.mark.parametrize("name", ["counter_77.db", "histogram_77.db", "counter_0.db"])
def test_a_damaged_file_of_a_killed_process_costs_its_numbers_and_nothing_else(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "gauge_livesum_77.db").write_bytes(content)
    mark_dead(tmp_path, 77)
    assert not list(tmp_path.glob("*_77.db"))


def test_no_file_is_seen_before_it_has_its_size(tmp_path, monkeypatch):
    seen = []

    def look(fd, offset, size):
        seen.extend(path for path in tmp_path.glob("*.db") if path.stat().st_size == 0)
        os.ftruncate(fd, offset + size)

    monkeypatch.setattr(os, "posix_fallocate", look)
    assert allocate(tmp_path)
    assert len(list(tmp_path.glob("*.db"))) == 5
    assert seen == []
