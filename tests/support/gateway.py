"""The real gateway as a process of its own, on free loopback ports, with its state in a temporary folder."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SEKISHO = [sys.executable, "-m", "sekisho.cli"]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(what, condition, seconds=30.0, pause=0.05):
    """Ask `condition` until it is true; what takes longer than `seconds` fails the test."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
    return value


class RunningGateway:
    """`sekisho serve` with a configuration of the test's."""

    def __init__(self, folder, *, sections="", gateway="", listener="", workers=2, state_dir="var"):
        self.folder = Path(folder)
        self.port = free_port()
        self.http_port = free_port()
        self.config = self.folder / "sekisho.toml"
        self._parts = {"gateway": gateway, "listener": listener, "workers": workers, "state_dir": state_dir}
        self.state_dir = (self.folder / state_dir).absolute()
        self.log = self.folder / "gateway.log"
        self.process = None
        self.write_config(sections)

    def write_config(self, sections):
        self.config.write_text(
            f"""
[gateway]
hostname = "gate.example.com"
state_dir = "{self._parts["state_dir"]}"
workers = {self._parts["workers"]}
http_address = "127.0.0.1:{self.http_port}"
{self._parts["gateway"]}

[[listener]]
name = "relay"
address = "127.0.0.1:{self.port}"
{self._parts["listener"]}

{sections}
"""
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*SEKISHO, "serve", "--config", str(self.config)], stdout=log, stderr=log, cwd=self.folder
            )
        wait_for(f"the gateway starts; see {self.log.read_text()[-2000:]}", self._is_up)

    def _is_up(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        # the banner, and not a connection: the socket listens before anybody answers
        return self.log.read_text().count("Sekisho is running.") > self._starts()

    def _starts(self):
        return getattr(self, "_banners", 0)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        self._banners = self.log.read_text().count("Sekisho is running.")
        return self.process.returncode if self.process else None

    def reload(self):
        before = self.log.read_text().count("new configuration in force")
        self.process.send_signal(signal.SIGHUP)
        workers = self._parts["workers"]
        wait_for(
            "every worker reloads",
            lambda: self.log.read_text().count("new configuration in force") >= before + workers,
        )

    def children(self):
        """Pids of workers and background process."""
        with contextlib.suppress(OSError):
            return [
                int(p) for p in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            ]
        return []

    def kill_one(self, random):
        """SIGKILL one child; returns its pid or None."""
        children = self.children()
        if not children:
            return None
        pid = random.choice(children)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid

    def cli(self, *arguments, expect=0):
        """Run a command; returns its standard output."""
        done = self.run_cli(*arguments)
        assert done.returncode == expect, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def run_cli(self, *arguments, stdin=None):
        return subprocess.run(
            [*SEKISHO, *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=120,
            input=stdin,
            check=False,
        )

    def json(self, *arguments, expect=0):
        """The objects that a command prints with --json."""
        return [json.loads(line) for line in self.cli(*arguments, "--json", expect=expect).splitlines()]

    def held(self, *arguments):
        return self.json("hold", "list", "--limit", "100000", *arguments)
