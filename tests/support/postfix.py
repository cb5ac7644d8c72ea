"""A private Postfix: its own configuration, queue and data folders, one loopback port, stopped by its own pid."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support.gateway import free_port, wait_for

MISSING = (
    "Postfix is not installed (make test installs it, as root)"
    if not shutil.which("postfix")
    else "a Postfix of its own needs root"
    if os.geteuid() != 0
    else ""
)

_MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance that relays everything to `relayhost_port` on loopback. `settings` are more lines of main.cf."""

    def __init__(self, relayhost_port, settings=""):
        self.port = free_port()
        # Not below the test's own folder: Postfix's processes run as another user and could not enter that.
        self._folder = Path(tempfile.mkdtemp(prefix="sekisho-postfix-"))
        self._etc = self._folder / "etc"
        self._queue = self._folder / "spool"
        for place in (self._etc, self._queue, self._folder / "data"):
            place.mkdir(parents=True)
        self._folder.chmod(0o755)
        shutil.chown(self._folder / "data", "postfix")
        self.log = self._folder / "mail.log"
        (self._etc / "master.cf").write_text(_MASTER.format(port=f"127.0.0.1:{self.port}"))
        (self._etc / "main.cf").write_text(
            f"""
compatibility_level = 3.6
queue_directory = {self._queue}
data_directory = {self._folder}/data
maillog_file = {self.log}
maillog_file_prefixes = {self._folder}
myhostname = postfix.example.com
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{relayhost_port}
disable_dns_lookups = yes
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_connect_timeout = 5s
smtp_destination_concurrency_failed_cohort_limit = 0
destination_concurrency_feedback_debug = no
append_dot_mydomain = no
append_at_myorigin = no
smtpd_client_connection_count_limit = 0
maximal_queue_lifetime = 1d
{settings}
"""
        )
        # Postfix waits for a configuration that is younger than some seconds, in case it is being written.
        past = time.time() - 60
        for file in self._etc.iterdir():
            os.utime(file, (past, past))
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self):
        environment = {**os.environ, "MAIL_CONFIG": str(self._etc), "MAIL_LOGTAG": "postfix"}
        subprocess.run(["postfix", "-c", str(self._etc), "check"], check=False, capture_output=True, env=environment)
        self._process = subprocess.Popen(
            ["/usr/lib/postfix/sbin/master", "-c", str(self._etc), "-d"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"Postfix starts: {self.log}", self._answers)

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as sock:
            return sock.recv(100).startswith(b"220 ")
        return False

    def stop(self):
        """End the master and all that it started: they are one process group."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def queue(self):
        """What waits in the queue."""
        done = subprocess.run(["postqueue", "-c", str(self._etc), "-j"], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flush(self):
        subprocess.run(["postqueue", "-c", str(self._etc), "-f"], capture_output=True, check=False)
