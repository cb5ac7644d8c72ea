"""`/metrics` and `/health` over HTTP, in a thread of the background process."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sekisho import __version__

log = logging.getLogger(__name__)

_READ_SECONDS = 10.0


class HttpServer:
    """Serves `render()` at /metrics and 200 or 503 at /health, by `trouble()` ("" is good health)."""

    def __init__(self, listening: socket.socket, render: Callable[[], bytes], trouble: Callable[[], str]) -> None:
        self._server = _Server(listening, _handler(render, trouble))
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; the listening socket stays the supervisor's."""
        self._server.shutdown()


class _Server(ThreadingHTTPServer):
    """On a socket that somebody else has bound."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(listening.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class's
        """A client that went away is nothing to log; anything else is, and not on standard error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.exception("a request over HTTP failed")  # noqa: LOG004 - called by an exception handler


def _handler(render: Callable[[], bytes], trouble: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _READ_SECONDS
        server_version = f"sekisho/{__version__}"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", render())
            elif path == "/health":
                why = trouble()
                self._answer(503 if why else 200, "text/plain; charset=utf-8", f"{why or 'ok'}\n".encode())
            else:
                self._answer(404, "text/plain; charset=utf-8", b"there is /metrics and /health\n")

        do_HEAD = do_GET  # noqa: N815 - the base class asks for this name

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Requests of monitoring are nothing to log."""

    return Handler
