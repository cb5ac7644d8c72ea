"""The socket of one connection, with TLS over it where that is spoken."""

from __future__ import annotations

import asyncio
import ssl

from sekisho.accept.tls import TlsLayer


class Channel:
    """Octets to and from a client. `tls` is None in clear; `lost`: the connection is gone."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.tls: TlsLayer | None = None
        self.lost = False
        self._paused = False

    @property
    def ready(self) -> bool:
        """Whether no handshake is under way."""
        return self.tls is None or self.tls.established is not None

    def read(self, data: bytes) -> bytes:
        """The clear text in what came from the socket; what TLS has to say itself is sent. Raises ssl.SSLError."""
        if self.tls is None:
            return data
        try:
            return self.tls.receive(data)
        finally:
            self._send(self.tls.outgoing())

    def write(self, data: bytes) -> None:
        """Send, encrypted where TLS is spoken. Raises ssl.SSLError."""
        if data and self.tls is not None and self.tls.established is not None:
            self.tls.send(data)
            data = self.tls.outgoing()
        self._send(data)

    def pause(self) -> None:
        """Take no more from the socket for now."""
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Go on taking."""
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def close(self) -> None:
        """Close once everything is sent, with TLS's own goodbye where it is spoken."""
        if self.tls is not None and self.tls.established is not None:
            self.tls.close()
            self._send(self.tls.outgoing())
        self.transport.close()

    def abort(self) -> None:
        """Cut it off."""
        if not self.lost:
            self.transport.abort()

    def _send(self, data: bytes) -> None:
        if data and not self.lost:
            self.transport.write(data)


def reason(error: ssl.SSLError) -> str:
    """Why TLS failed, in a word where OpenSSL has one."""
    return error.reason or str(error)
