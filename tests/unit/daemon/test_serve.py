"""What has to be right before the first message, and what the log says when a process cannot work."""

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.gateway import SEKISHO, free_port, wait_for

import sekisho


def configuration(folder, gateway="", sections="", ports=None):
    smtp, http = ports or (free_port(), free_port())
    file = folder / "sekisho.toml"
    file.write_text(
        f'[gateway]\nhostname = "gate.example.com"\nworkers = 1\nhttp_address = "127.0.0.1:{http}"\n{gateway}\n'
        f'[[listener]]\nname = "relay"\naddress = "127.0.0.1:{smtp}"\n{sections}\n'
    )
    return file


def cannot_start(folder, **parts):
    """Run `serve`, which has to end by itself; returns what it says."""
    file = configuration(folder, **parts)
    done = subprocess.run(
        [*SEKISHO, "serve", "--config", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "running" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_that_is_taken(tmp_path, which):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [free_port(), free_port()]
        ports[which] = taken.getsockname()[1]
        said = cannot_start(tmp_path, ports=ports)
    assert f"cannot listen on 127.0.0.1:{ports[which]}" in said
    assert not (tmp_path / "var").exists()


def test_a_file_where_the_state_directory_should_be(tmp_path):
    (tmp_path / "var").write_text("")
    assert f"{tmp_path}/var: " in cannot_start(tmp_path)


def test_a_file_where_the_metrics_should_be(tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "metrics").write_text("")
    assert f"{tmp_path}/var/metrics: " in cannot_start(tmp_path)


def test_a_store_that_is_none(tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "sekisho.db").write_bytes(b"this is no database" * 1000)
    assert f"the store in {tmp_path}/var cannot be opened" in cannot_start(tmp_path)


@pytest.mark.parametrize(("log", "why"), [("none/x.log", "none is no directory"), (".", "cannot be written")])
def test_a_log_that_cannot_be_written(tmp_path, log, why):
    said = cannot_start(tmp_path, sections=f'[record]\nlog = "{log}"')
    assert "record.log" in said
    assert why in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_a_user_that_is_none(tmp_path):
    assert "no user 'nobody-here'" in cannot_start(tmp_path, gateway='user = "nobody-here"')


class Piped:
    """A gateway whose standard output and error are a pipe, as under a supervisor of services."""

    def __init__(self, file):
        self.process = subprocess.Popen(
            [*SEKISHO, "serve", "--config", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=file.parent,
        )
        self.said = []
        self._thread = threading.Thread(target=lambda: self.said.extend(self.process.stdout))
        self._thread.start()

    def lines(self, *words):
        return [line for line in self.said if all(word in line for word in words)]

    def children(self):
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self._thread.join(10)
        self.process.stdout.close()
        return status


@contextmanager
def running(file):
    gateway = Piped(file)
    try:
        wait_for("the gateway starts", lambda: gateway.lines("Sekisho is running.") or gateway.process.poll())
        assert gateway.process.poll() is None, gateway.said
        yield gateway
    finally:
        gateway.stop()


def test_the_log_says_why_a_worker_cannot_work_and_the_next_one_does(tmp_path):
    """A forked process has not the thread that writes its parent's log to a pipe."""
    with running(configuration(tmp_path)) as gateway:
        key = tmp_path / "var" / "keys" / "hold.key"
        key.rename(tmp_path / "away")
        key.mkdir()
        os.kill(gateway.children()[0], signal.SIGKILL)
        wait_for("the reason", lambda: gateway.lines("the store is away"))
        wait_for("the end", lambda: gateway.lines("worker-1", "exit status 1"))
        key.rmdir()
        (tmp_path / "away").rename(key)
        wait_for("a new worker", lambda: len(gateway.children()) == 2)
        assert gateway.lines("worker-1", "SIGKILL")
        assert gateway.stop() == 0
    assert gateway.lines("background", "exit status 0")  # the supervisor's own last words are written out


def test_a_reload_says_what_waits_for_a_restart(tmp_path):
    file = configuration(tmp_path)
    with running(file) as gateway:
        file.write_text(file.read_text().replace("workers = 1", 'workers = 2\nstate_dir = "elsewhere"'))
        gateway.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: gateway.lines("worker-1", "new configuration in force"))
        for key in ("gateway.workers", "gateway.state_dir"):
            assert gateway.lines(key, "next restart")
        assert not gateway.lines("gateway.http_address", "next restart")
        assert not (tmp_path / "elsewhere").exists()


def readable_by_nobody(path):
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        return os.access(path, os.R_OK, effective_ids=True)
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_it_becomes_another_user_and_what_it_keeps_is_that_users():
    if not readable_by_nobody(os.__file__) or not readable_by_nobody(sekisho.__file__):
        pytest.skip("Python or Sekisho lies where another user cannot read it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "var").mkdir()
        (folder / "var" / "left by root").write_text("")
        with running(configuration(folder, gateway='user = "nobody"')) as gateway:
            nobody = pwd.getpwnam("nobody")
            for pid in (gateway.process.pid, *gateway.children()):
                status = Path(f"/proc/{pid}/status").read_text()
                fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
                assert set(fields["Uid"].split()) == {str(nobody.pw_uid)}
                assert set(fields["Gid"].split()) == {str(nobody.pw_gid)}
                assert "0" not in fields["Groups"].split()
            assert {path.stat().st_uid for path in (folder / "var").rglob("*")} == {nobody.pw_uid}
