"""A name server that knows no name: every question gets NXDOMAIN at once, so that no peer waits for the network.

python nxdomain.py PORT
"""

from __future__ import annotations

import socket
import sys


def answer(query: bytes) -> bytes:
    """The question of `query` with QR, RA and RCODE 3 set and every other section left out (RFC 1035 4.1.1)."""
    end = 12
    while end < len(query) and query[end]:
        end += query[end] + 1
    flags = bytes((query[2] | 0x80, 0x83))
    return query[:2] + flags + b"\0\x01\0\0\0\0\0\0" + query[12 : end + 5]


def main() -> None:
    """Answer over UDP until stopped."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        while True:
            query, client = server.recvfrom(4096)
            if len(query) > 12:
                server.sendto(answer(query), client)


if __name__ == "__main__":
    main()
