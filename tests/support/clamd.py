"""A private clamd: its own configuration, signatures and sockets, stopped by its own pid. Nothing is fetched."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.gateway import free_port, wait_for

CLAMD = shutil.which("clamd") or next((p for p in ("/usr/sbin/clamd",) if Path(p).exists()), None)
MISSING = "" if CLAMD else "clamd is not installed (make test installs it, as root)"

# The test file of https://www.eicar.org/, in two pieces so that no scanner takes this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
HASHED = b"a file that is known by its hash\n" * 10
YARA_WORDS = b"two words that a rule of ours looks for: ookinamimi chiisanahana"


def signatures():
    """File name → content: EICAR's bytes anywhere, one file by its hash, one YARA rule."""
    return {
        "own.ndb": f"Sekisho.Eicar:0:*:{EICAR.hex()}\nPUA.Sekisho.Tool:0:*:{b'sekisho-unwanted-tool'.hex()}\n",
        "own.hdb": f"{hashlib.md5(HASHED).hexdigest()}:{len(HASHED)}:Sekisho.Hashed\n",
        "own.yar": 'rule Words { strings: $a = "ookinamimi" $b = "chiisanahana" condition: $a and $b }\n',
    }


class Clamd:
    """One instance on a UNIX socket and a loopback port. `settings` are more lines of clamd.conf."""

    def __init__(self, settings="", stream_max="2M"):
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-clamd-"))
        self.port = free_port()
        self.socket = self.folder / "clamd.sock"
        self.log = self.folder / "clamd.log"
        self.database = self.folder / "db"
        self.database.mkdir()
        for name, content in signatures().items():
            (self.database / name).write_text(content)
        (self.folder / "clamd.conf").write_text(
            f"""
Foreground yes
DatabaseDirectory {self.database}
LocalSocket {self.socket}
TCPSocket {self.port}
TCPAddr 127.0.0.1
LogFile {self.log}
TemporaryDirectory {self.folder}
StreamMaxLength {stream_max}
AlertEncrypted yes
AlertExceedsMax yes
SelfCheck 0
{settings}
"""
        )
        self._process = None

    @property
    def unix(self):
        """The address as the setting writes it."""
        return f"unix:{self.socket}"

    @property
    def tcp(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self._process = subprocess.Popen(
            [CLAMD, "-c", str(self.folder / "clamd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(f"clamd starts: {self.log}", self._answers, seconds=60)

    def _answers(self):
        assert self._process.poll() is None, self.log.read_text()[-2000:] if self.log.exists() else "no log"
        with contextlib.suppress(OSError):
            return self.command(b"zPING\0") == b"PONG\0"
        return False

    def command(self, command):
        with socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            sock.sendall(command)
            return sock.recv(200)

    def reload(self, name, content):
        """Add a signature file and have clamd take it."""
        (self.database / name).write_text(content)
        before = self.log.read_text().count("Database correctly reloaded")
        self.command(b"zRELOAD\0")
        wait_for("clamd reloads", lambda: self.log.read_text().count("Database correctly reloaded") > before)

    def pause(self):
        """It stays connected and says nothing more."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self, how=signal.SIGKILL):
        """As in a crash: at once."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
        self._process.wait(20)
        self._process = None
        self.socket.unlink(missing_ok=True)
