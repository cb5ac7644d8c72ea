"""The next hop: Debian's smtp-sink, which counts what it takes; and how to wait until it has taken everything."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from process import Group, cpu_of, wait_port

COUNTER = re.compile(rb"mesg=(\d+)")


class Sink:
    """smtp-sink on `port`. With `dump`, every message becomes a file in that directory."""

    def __init__(self, group: Group, port: int, directory: Path, *, dump: bool = False) -> None:
        self.output = directory / "smtp-sink.out"
        self.output.unlink(missing_ok=True)
        self.dumped = directory / "dump"
        more = []
        if dump:
            self.dumped.mkdir(exist_ok=True)
            self.dumped.chmod(0o777)  # smtp-sink gives up root first
            for old in self.dumped.iterdir():
                old.unlink()
            more = ["-d", f"{self.dumped}/message."]
        user = ["-u", "nobody"] if Path("/proc/self").stat().st_uid == 0 else []
        command = ["/usr/sbin/smtp-sink", "-c", *user, *more, f"127.0.0.1:{port}", "1024"]
        self.child: subprocess.Popen[bytes] = group.start(command)
        wait_port(port, alive=self.child)
        self.seen, self.at = 0, time.monotonic()

    def count(self) -> int:
        """How many messages it has taken so far."""
        with self.output.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 200))
            found = COUNTER.findall(file.read())
        return int(found[-1]) if found else 0

    def stop(self) -> None:
        """End it, so that the next one can have the port."""
        self.child.terminate()
        self.child.wait()

    def cpu(self) -> float:
        """Seconds of processor time it has used."""
        return cpu_of(self.child.pid)

    def follow(self, sender: subprocess.Popen[bytes]) -> None:
        """Watch the counter until `sender` ends, so that the time of the last arrival is known to a few ms."""
        self._look()
        while sender.poll() is None:
            time.sleep(0.004)
            self._look()

    def wait(self, expected: int, patience: float) -> tuple[int, float]:
        """Until `expected` messages are here, or none came for `patience` seconds: the count, and when it rose."""
        began = time.monotonic()
        self._look()
        while self.seen < expected and time.monotonic() - max(self.at, began) < patience:
            time.sleep(0.004)
            self._look()
        return self.seen, self.at

    def _look(self) -> None:
        now = self.count()
        if now != self.seen:
            self.seen, self.at = now, time.monotonic()


class NoSink:
    """For a peer that passes nothing on: what it has answered for has arrived."""

    def count(self) -> int:
        """Nothing arrives here."""
        return 0

    def cpu(self) -> float:
        """It costs nothing."""
        return 0.0

    def follow(self, sender: subprocess.Popen[bytes]) -> None:
        """Wait until `sender` ends."""
        sender.wait()

    def wait(self, expected: int, _patience: float) -> tuple[int, float]:
        """All is here, since long ago."""
        return expected, 0.0

    def stop(self) -> None:
        """There is nothing to stop."""
