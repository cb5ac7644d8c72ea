"""clamd with a signature of our own, alone or asked by others. ClamAV's databases cannot be fetched here.

With them a scan costs more: they hold millions of signatures, of which this one has a single one.
"""

from __future__ import annotations

from pathlib import Path

from peers import Peer, Sekisho
from process import Group, wait_port
from rspamd import PostfixRspamd

# The test file of https://www.eicar.org/, in two pieces so that no scanner takes this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def start_clamd(group: Group, directory: Path) -> Path:
    """Start clamd in `group`; the path of its socket, which everybody may use."""
    database, temporary, path = directory / "signatures", directory / "scanned", directory / "clamd.sock"
    for place in (database, temporary):
        place.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    (database / "own.ndb").write_text(f"Bench.Eicar:0:*:{EICAR.hex()}\n")
    lines = (
        "Foreground yes",
        f"DatabaseDirectory {database}",
        f"LocalSocket {path}",
        "LocalSocketMode 666",
        f"LogFile {directory}/clamd.log",
        f"TemporaryDirectory {temporary}",
        "StreamMaxLength 50M",
        "MaxFileSize 50M",
        "SelfCheck 0",
    )
    config = directory / "clamd.conf"
    config.write_text("\n".join([*lines, ""]))
    wait_port(path, alive=group.start(["/usr/sbin/clamd", "-c", str(config)]))
    return path


class Clamd(Peer):
    """clamd, asked directly: it gets the files and not the messages around them, and passes nothing on."""

    name = "clamd"
    packages = ("clamav-daemon",)
    scans = True

    @property
    def socket(self) -> Path:
        """Where it is asked."""
        return self.directory / "clamd.sock"

    def launch(self, group: Group) -> None:
        """Start it."""
        start_clamd(group, self.directory)


class SekishoClamd(Sekisho):
    """The gateway, which also asks clamd about each attachment."""

    name = "sekisho+clamd"
    packages = ("clamav-daemon",)

    def available(self) -> str:
        """It takes the gateway and clamd."""
        return super().available() or Peer.available(self)

    def launch(self, group: Group) -> None:
        """Start clamd, then the gateway."""
        path = start_clamd(group, self.directory)
        self.more = f'\n[[antivirus]]\nname = "clamd"\naddress = "unix:{path}"\n'
        super().launch(group)


class PostfixRspamdClamd(PostfixRspamd):
    """Postfix with rspamd, whose antivirus module asks clamd about each attachment and rejects what it finds."""

    name = "postfix+rspamd+clamd"
    packages = ("postfix", "rspamd", "redis-server", "clamav-daemon")

    def launch(self, group: Group) -> None:
        """Start clamd, then the others."""
        start_clamd(group, self.directory)
        super().launch(group)

    def configuration(self, redis: int, proxy: Path, controller: int) -> dict[str, str]:
        """The antivirus module with its defaults, but for the time that a busy core may take."""
        engine = f'clamav {{ type = "clamav"; symbol = "CLAM_VIRUS"; servers = "{self.directory}/clamd.sock";\n'
        engine += 'action = "reject"; timeout = 60; }'
        return super().configuration(redis, proxy, controller) | {"antivirus.conf": engine}
