"""A private Dovecot: IMAP on loopback ports with passwords of its own, stopped by its own pid."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.certificates import self_signed
from support.gateway import free_port, wait_for

DOVECOT = shutil.which("dovecot") or next((p for p in ("/usr/sbin/dovecot",) if Path(p).exists()), None)
MISSING = (
    "Dovecot is not installed (make test installs it, as root)"
    if not DOVECOT or not Path("/usr/lib/dovecot/imap-login").exists()
    else "a Dovecot of its own needs root"
    if os.geteuid() != 0
    else ""
)

PASSWORDS = {"taro@example.jp": "correct horse battery", "hanako@example.jp": "パスワード-長い-例"}


class Dovecot:
    """One instance: `port` speaks IMAP with STARTTLS, `tls_port` IMAP in TLS; `certificate` is its own authority."""

    def __init__(self, mechanisms="plain login", host="localhost"):
        # Not below the test's own folder: Dovecot's processes run as other users and could not enter that.
        self._folder = Path(tempfile.mkdtemp(prefix="sekisho-dovecot-"))
        self._folder.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.certificate, key = self_signed(self._folder, host)
        users = [f"{login}:{{PLAIN}}{password}::::::" for login, password in PASSWORDS.items()]
        (self._folder / "users").write_text("\n".join(users) + "\n")
        (self._folder / "users").chmod(0o644)
        (self._folder / "dovecot.conf").write_text(
            f"""
base_dir = {self._folder}/run
state_dir = {self._folder}/state
log_path = {self._folder}/log
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{self.certificate}
ssl_key = <{key}
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = yes
mail_location = maildir:{self._folder}/mail/%u
passdb {{
  driver = passwd-file
  args = {self._folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self._folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  client_limit = 100
}}
"""
        )
        (self._folder / "mail").mkdir(mode=0o777)
        (self._folder / "mail").chmod(0o777)
        self._process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self):
        command = [DOVECOT, "-F", "-c", str(self._folder / "dovecot.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for("Dovecot starts", self._answers)

    def _answers(self):
        assert self._process.poll() is None, self._process.stderr.read().decode() + self.log
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            return sock.recv(100).startswith(b"* OK")
        return False

    @property
    def log(self):
        file = self._folder / "log"
        return file.read_text() if file.exists() else ""

    def stop(self):
        """Its master process ends the others."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
            self._process.wait(20)
            self._process.stderr.close()
            self._process = None
