"""TLS: certificates that may change under a running listener, and one connection's TLS as bytes in, bytes out.

TLS runs over memory buffers and not over `loop.start_tls`: so bytes that came in with STARTTLS or behind a PROXY
header are handed on in order, and nothing depends on which of two callbacks runs first.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import ssl
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from sekisho.mail.envelope import Tls

_log = logging.getLogger(__name__)
_READ_OCTETS = 65_536


class Certificate:
    """A certificate chain and its key in PEM files; `private_key` "" means the key is in `certificate`.

    Raises OSError or ssl.SSLError (a ValueError for a bad PEM) when the files cannot be used at the start; later a
    pair that cannot be used is logged and the one in use stays. `end_point` is the digest of the certificate in use
    that SCRAM can be bound to, b"" where there is none.
    """

    def __init__(self, certificate: str, private_key: str = "") -> None:
        self._files = (certificate, private_key or certificate)
        self._seen = self._stamps()
        self.end_point = b""
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
        self.end_point = _end_point(Path(self._files[0]).read_bytes())
        return context


def _end_point(pem: bytes) -> bytes:
    """The digest of a server's certificate by the hash of its signature. RFC 5929 4.1."""
    certificate = load_pem_x509_certificates(pem)[0]
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return b""
    if algorithm is None:  # Ed25519 has none of its own, and then nothing is defined
        return b""
    weak = algorithm.name in ("md5", "sha1")
    return hashlib.new("sha256" if weak else algorithm.name, certificate.public_bytes(Encoding.DER)).digest()


class TlsLayer:
    """The TLS of one connection, server side. `established` is None until the handshake is done.

    `end_point` is that of the context's certificate.
    """

    def __init__(self, context: ssl.SSLContext, end_point: bytes = b"") -> None:
        self._end_point = end_point
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established: Tls | None = None
        self.closed = False

    def bindings(self) -> dict[str, bytes]:
        """What SCRAM can be bound to, by the name of the binding (RFC 5056).

        RFC 9266 2's tls-exporter is missing, for Python's ssl does not give it. RFC 9266 3: there is no tls-unique in
        TLS 1.3; of a session that was taken up again it would bind nothing.
        """
        found = {"tls-server-end-point": self._end_point} if self._end_point else {}
        if self.established is not None and self.established.version == "TLSv1.2" and not self._tls.session_reused:
            unique = self._tls.get_channel_binding("tls-unique")
            found |= {"tls-unique": unique} if unique else {}
        return found

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
