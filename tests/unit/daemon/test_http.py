"""`/metrics` and `/health`: what monitoring asks, and what a hostile or broken client does to it."""

import contextlib
import http.client
import logging
import socket
import struct

import pytest
from support.gateway import free_port, wait_for

from sekisho.daemon.http import HttpServer
from sekisho.daemon.sockets import listen


class Asked:
    """A server whose answers a test may change."""

    def __init__(self):
        self.port = free_port()
        self.body = b"sekisho_up 1\n"
        self.why = ""

    def render(self):
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    def request(self, method, path):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()


@pytest.fixture
def asked():
    made = Asked()
    with listen(f"127.0.0.1:{made.port}") as sock:
        server = HttpServer(sock, made.render, lambda: made.why)
        server.start()
        yield made
        server.stop()


def test_metrics(asked):
    status, headers, body = asked.request("GET", "/metrics")
    assert (status, body) == (200, b"sekisho_up 1\n")
    # the Content-Type of Prometheus's text format
    assert dict(headers)["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_health(asked):
    assert asked.request("GET", "/health")[::2] == (200, b"ok\n")
    asked.why = "No space left on device"
    assert asked.request("GET", "/health")[::2] == (503, b"No space left on device\n")
    asked.why = ""
    assert asked.request("GET", "/health")[0] == 200


def test_a_query_is_passed_over(asked):
    assert asked.request("GET", "/health?from=monitoring")[0] == 200


def test_head_is_get_without_the_body(asked):
    status, headers, body = asked.request("HEAD", "/metrics")
    assert (status, body) == (200, b"")
    assert dict(headers)["Content-Length"] == str(len(asked.body))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/../../etc/passwd", 404), ("GET", "/metricsx", 404), ("POST", "/metrics", 501)],
)
def test_there_is_nothing_else(asked, method, path, status):
    assert asked.request(method, path)[0] == status


def test_it_does_not_tell_which_python_it_is(asked):
    headers = dict(asked.request("GET", "/health")[1])
    assert "python" not in headers["Server"].lower()


def test_one_slow_client_stops_nobody(asked):
    with socket.create_connection(("127.0.0.1", asked.port)) as slow:
        slow.sendall(b"GET /met")
        assert asked.request("GET", "/health")[0] == 200


def test_a_client_that_goes_away_is_nothing_to_say(asked, caplog, capfd):
    asked.body = b"x" * 30_000_000
    with socket.create_connection(("127.0.0.1", asked.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert client.recv(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with RST
    asked.body = b"small"
    assert asked.request("GET", "/metrics")[2] == b"small"
    assert caplog.records == []
    assert capfd.readouterr().err == ""


def test_a_failure_is_logged_and_the_next_request_served(asked, caplog, capfd):
    asked.body = ValueError("odd")
    with pytest.raises(http.client.RemoteDisconnected):
        asked.request("GET", "/metrics")
    wait_for("logged", lambda: caplog.records)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Traceback" not in capfd.readouterr().err
    asked.body = b"well again"
    assert asked.request("GET", "/metrics")[2] == b"well again"


@pytest.mark.parametrize("data", [b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000])
def test_what_is_no_http(asked, data, capfd):
    with socket.create_connection(("127.0.0.1", asked.port), timeout=10) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while client.recv(65536):
                pass
    assert asked.request("GET", "/health")[0] == 200
    assert "Traceback" not in capfd.readouterr().err
