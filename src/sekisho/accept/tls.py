"""TLS: certificates that may change under a running listener, and one connection's TLS as bytes in, bytes out.

TLS runs over memory buffers and not over `loop.start_tls`: so bytes that came in with STARTTLS or behind a PROXY
header are handed on in order, and nothing depends on which of two callbacks runs first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl

from sekisho.mail.envelope import Tls

_log = logging.getLogger(__name__)
_READ_OCTETS = 65_536


class Certificate:
    """A certificate chain and its key in PEM files; `private_key` "" means the key is in `certificate`.

    Raises OSError or ssl.SSLError (a ValueError for a bad PEM) when the files cannot be used at the start; later a
    pair that cannot be used is logged and the one in use stays.
    """

    def __init__(self, certificate: str, private_key: str = "") -> None:
        self._files = (certificate, private_key or certificate)
        self._seen = self._stamps()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """The context for a new connection; the files are read again when they have changed."""
        try:
            seen = self._stamps()
            if seen != self._seen:
                self._context = self._load()
                self._seen = seen
                _log.info("certificate %s loaded again", self._files[0])
        except (OSError, ValueError):
            _log.exception("certificate %s cannot be loaded, the old one stays in use", self._files[0])
        return self._context

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        stats = (os.stat(name) for name in self._files)  # noqa: PTH116 - a path object would double the cost
        return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in stats)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996, RFC 8997
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_COMPRESSION
        context.load_cert_chain(*self._files)
        return context


class TlsLayer:
    """The TLS of one connection, server side. `established` is None until the handshake is done."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established: Tls | None = None
        self.closed = False

    def receive(self, data: bytes) -> bytes:
        """Take in what came from the socket; returns the clear text in it. Raises ssl.SSLError."""
        self._incoming.write(data)
        plain = []
        try:
            if self.established is None:
                self._tls.do_handshake()
                cipher = self._tls.cipher()
                self.established = Tls(self._tls.version() or "", cipher[0] if cipher else "")
            while piece := self._tls.read(_READ_OCTETS):
                plain.append(piece)
            self.closed = True
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        return b"".join(plain)

    def send(self, data: bytes) -> None:
        """Encrypt; the bytes for the socket are in `outgoing`. Raises ssl.SSLError."""
        if data:
            self._tls.write(data)

    def outgoing(self) -> bytes:
        """What has to go to the socket since the last call."""
        return self._outgoing.read()

    def close(self) -> None:
        """Say close_notify (RFC 8446 6.1); the bytes for it are in `outgoing`."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
