"""A private c-icap with its virus_scan service: its own configuration and port, stopped by its own pid."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from support.gateway import free_port, wait_for

_MODULES = next(Path("/usr/lib").glob("*/c_icap"), None)
MISSING = (
    ""
    if shutil.which("c-icap") and _MODULES and (_MODULES / "virus_scan.so").exists()
    else "c-icap and its virus_scan service are not installed (make test installs them, as root)"
)


class CIcap:
    """One instance that has clamd scan what it gets. `settings` are more lines of c-icap.conf."""

    def __init__(self, clamd, settings=""):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="sekisho-c-icap-"))
        self.folder.chmod(0o755)
        self.log = self.folder / "server.log"
        templates = "/usr/share/c_icap/templates/"
        (self.folder / "c-icap.conf").write_text(
            f"""
PidFile {self.folder}/pid
CommandsSocket {self.folder}/commands
Timeout 20
KeepAliveTimeout 60
StartServers 1
MaxServers 1
ThreadsPerChild 12
MinSpareThreads 1
MaxSpareThreads 12
Port 127.0.0.1:{self.port}
TmpDir {self.folder}
ServerAdmin postmaster@example.com
ServerName icap.example.com
LoadMagicFile /etc/c-icap/c-icap.magic
ModulesDir {_MODULES}
ServicesDir {_MODULES}
TemplateDir {templates}
TemplateDefaultLanguage en
ServerLog {self.log}
AccessLog {self.folder}/access.log
Service echo srv_echo.so
Service antivirus_module virus_scan.so
ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GRAPHICS STREAM DOCUMENT
virus_scan.SendPercentData 5
virus_scan.MaxObjectSize 50M
virus_scan.DefaultEngine clamd
Module common clamd_mod.so
clamd_mod.ClamdSocket {clamd.socket}
{settings}
"""
        )
        self._process = None

    @property
    def address(self):
        """The address as the setting writes it."""
        return f"icap://127.0.0.1:{self.port}/avscan"

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
            ["c-icap", "-N", "-f", str(self.folder / "c-icap.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"c-icap starts: {self.log}", self._answers)

    def _answers(self):
        assert self._process.poll() is None, self.log.read_text()[-2000:] if self.log.exists() else "no log"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2):
            return True
        return False

    def stop(self):
        """End the master and its children at once: they are one process group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait(10)
            self._process = None
