"""Listening sockets: bound once, or a reason why not."""

import contextlib
import os
import socket

import pytest
from support.gateway import free_port

from sekisho.daemon.sockets import CannotListenError, listen


def test_somebody_can_connect():
    port = free_port()
    with listen(f"127.0.0.1:{port}") as sock:
        assert sock.getblocking() is False
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, (address, _) = sock.accept()
            accepted.close()
            assert address == client.getsockname()[0]


def test_a_connection_waits_for_a_worker_that_is_not_there_yet():
    """The queue belongs to the socket: who connects while a worker is replaced is served by the next one."""
    port = free_port()
    with listen(f"127.0.0.1:{port}") as sock, socket.create_connection(("127.0.0.1", port)) as client:
        pid = os.fork()
        if pid == 0:
            accepted, _ = sock.accept()
            accepted.sendall(b"220 hello\r\n")
            os._exit(0)
        assert client.recv(100) == b"220 hello\r\n"
        os.waitpid(pid, 0)


def test_the_same_port_at_once_after_a_stop():
    """A connection in TIME_WAIT does not keep the next start from binding (SO_REUSEADDR)."""
    port = free_port()
    with listen(f"127.0.0.1:{port}") as sock, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = sock.accept()
        accepted.close()  # our side closes first and keeps the port in TIME_WAIT
        assert client.recv(1) == b""
    listen(f"127.0.0.1:{port}").close()


def test_v6_leaves_v4_alone():
    port = free_port()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(listen(f"[::]:{port}"))
        except CannotListenError:
            pytest.skip("no IPv6 here")
        stack.enter_context(listen(f"0.0.0.0:{port}"))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("192.0.2.1:25", "Cannot assign requested address"),
        ("256.256.256.256:25", "not known"),
        (f"{'a' * 64}.example:25", "not a host name"),
        ("x..example:25", "not a host name"),
    ],
)
def test_what_cannot_be_bound_is_named(address, why):
    with pytest.raises(CannotListenError) as caught:
        listen(address)
    assert str(caught.value).startswith(f"cannot listen on {address}: ")
    assert why in str(caught.value)


def test_a_port_that_is_taken():
    with listen(f"127.0.0.1:{free_port()}") as taken, pytest.raises(CannotListenError, match="in use"):
        listen(f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("address", ["25", "host", "::1:25"])
def test_no_address_at_all(address):
    with pytest.raises(ValueError, match=r"expected"):
        listen(address)
