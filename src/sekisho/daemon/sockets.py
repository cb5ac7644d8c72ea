"""Listening sockets, bound once by the supervisor and shared by all workers."""

from __future__ import annotations

import socket

from sekisho.config.load import host_and_port

_BACKLOG = 1024


class CannotListenError(Exception):
    """An address cannot be bound; says which and why."""


def listen(address: str) -> socket.socket:
    """A listening TCP socket for "host:port". Raises CannotListenError.

    A worker that dies takes no waiting connection with it: the queue belongs to the socket, not to the process.
    """
    host, port = host_and_port(address)
    try:
        family, kind, protocol, _, bound_to = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise CannotListenError(f"cannot listen on {address}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise CannotListenError(f"cannot listen on {address}: not a host name") from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(bound_to)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListenError(f"cannot listen on {address}: {error.strerror or error}") from error
    sock.settimeout(0)
    return sock
