"""A real name server (Knot DNS) on a loopback port that takes dynamic updates signed with a TSIG key."""

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

KEY_NAME = "sekisho.example"
SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgb2N0ZXRzISE="
_CONFIGURATION = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}"
log:
  - target: stdout
    any: info
key:
  - id: {key_name}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: update
    key: {key_name}
    action: update
zone:
  - domain: {zone}
    storage: "{folder}"
    file: "zone"
    acl: update
"""
_ZONE = """$TTL 60
@ IN SOA ns h 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
taken._domainkey IN TXT "somebody else's"
"""


@contextlib.contextmanager
def knot_server(folder: Path, zone: str):
    """Its address, "127.0.0.1:port"."""
    program = shutil.which("knotd") or shutil.which("/usr/sbin/knotd")
    if program is None:
        pytest.skip("needs Knot DNS (apt install knot)")
    port = _free_port()
    of = {"folder": folder, "port": port, "zone": zone, "key_name": KEY_NAME, "secret": SECRET}
    (folder / "knot.conf").write_text(_CONFIGURATION.format(**of))
    (folder / "zone").write_text(_ZONE)
    process = subprocess.Popen(
        [program, "-c", folder / "knot.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "server started" in line:
                break
        else:
            pytest.fail("".join(said))
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def _free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
