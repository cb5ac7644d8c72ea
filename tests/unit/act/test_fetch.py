"""Fetching from a real HTTPS server on loopback, with an authority of the test's own."""

import asyncio
import ssl

import pytest
from support.authority import DAY, NOW, made

from sekisho.act.fetch import HttpsFetcher
from sekisho.mail.dns import Records
from sekisho.mailauth.mta_sts import find_sts

OK = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n"
ROOT = made("Root", ca=True)
CERTIFICATES = {
    "good": ROOT.issue("server", hosts=["localhost"]),
    "other-name": ROOT.issue("server", hosts=["example.com"]),
    "expired": ROOT.issue("server", hosts=["localhost"], after=-9 * DAY, until=-DAY),
    "stranger": made("Other", ca=True).issue("server", hosts=["localhost"]),
}


class Server:
    """Says `answer` to every request; None says nothing."""

    def __init__(self, folder, answer, certificate="good", *, newest=None, plain=False):
        self.answer = answer
        self.requests = []
        self.context = None
        self._serving = set()
        if not plain:
            own = CERTIFICATES[certificate]
            (folder / "chain.pem").write_bytes(own.pem)
            (folder / "key.pem").write_bytes(own.key_pem)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
            if newest == ssl.TLSVersion.TLSv1_1:
                self.context.set_ciphers("ALL:@SECLEVEL=0")
                with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                    self.context.minimum_version = self.context.maximum_version = newest
            elif newest:
                self.context.maximum_version = newest

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.url = f"https://localhost:{self._server.sockets[0].getsockname()[1]}/.well-known/mta-sts.txt"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self._serving.add(asyncio.current_task())
        try:
            if self.context:  # else what is said comes at once, where a handshake should be
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if self.answer is None:
                await asyncio.Event().wait()
            writer.write(self.answer)
            await writer.drain()
            writer.write_eof() if writer.can_write_eof() else writer.close()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


def fetched(folder, answer, most=1000, *, private=True, timeout=10.0, url=None, **more):
    async def run():
        async with Server(folder, answer, **more) as server:
            fetcher = HttpsFetcher(timeout, folder / "ca.pem", private=private)
            return await fetcher.fetch(url or server.url, most), server.requests

    (folder / "ca.pem").write_bytes(ROOT.pem)
    return asyncio.run(run())


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
        b"Content-Length: 5\r\n\r\nhello and more",
    ],
)
def test_forms_of_a_body(tmp_path, rest):
    got, requests = fetched(tmp_path, OK + rest)
    assert (got.status, got.body, got.content_type, got.code) == ("ok", b"hello", "text/plain", 200)
    assert got.not_after == NOW + 30 * DAY
    assert requests[0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: localhost:")
    assert b"Cookie" not in requests[0]


def test_interim_answers_are_passed_over(tmp_path):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert fetched(tmp_path, early + OK + b"\r\nhello")[0].body == b"hello"
    assert fetched(tmp_path, early * 1000)[0].status == "bad"


@pytest.mark.parametrize("certificate", ["other-name", "expired", "stranger"])
def test_certificates_that_are_not_valid(tmp_path, certificate):
    got, requests = fetched(tmp_path, OK + b"\r\nhello", certificate=certificate)
    assert (got.status, got.body, requests) == ("certificate", b"", [])
    assert got.why


def test_only_from_tls_1_2_on(tmp_path):
    """Python's server drops the connection before its alert is out: the fetcher may only see that it broke."""
    got, requests = fetched(tmp_path, OK + b"\r\nhello", newest=ssl.TLSVersion.TLSv1_1)
    assert got.status in ("tls", "away")
    assert requests == []
    assert fetched(tmp_path, OK + b"\r\nhello", newest=ssl.TLSVersion.TLSv1_2)[0].status == "ok"


def test_no_tls_at_all(tmp_path):
    assert fetched(tmp_path, b"220 mx.example.com ESMTP\r\n", plain=True)[0].status == "tls"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(tmp_path, code):
    answer = f"HTTP/1.1 {code} Moved\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n".encode()
    got, requests = fetched(tmp_path, answer)
    assert (got.status, got.code, len(requests)) == ("redirect", code, 1)


@pytest.mark.parametrize("code", [204, 206, 404, 500])
def test_other_answers(tmp_path, code):
    got, _ = fetched(tmp_path, f"HTTP/1.1 {code} Whatever\r\n\r\nhello".encode())
    assert (got.status, got.code, got.body) == ("http", code, b"")


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1001\r\n\r\n" + b"x" * 1001,
        b"Content-Length: 99999999999999\r\n\r\n",
        b"\r\n" + b"x" * 1001,
        b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n" + b"x" * 500 + b"\r\n1f5\r\n" + b"x" * 501,
        b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    ],
)
def test_too_long(tmp_path, rest):
    assert fetched(tmp_path, OK + rest)[0].status == "too-long"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mx.example.com ESMTP\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000,
        OK + b"Content-Length: five\r\n\r\nhello",
        OK + b"Content-Length: 9\r\n\r\nhello",
        OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
        OK + b"Content-Encoding: gzip\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
    ],
)
def test_answers_that_are_not_http(tmp_path, answer):
    got = fetched(tmp_path, answer)[0]
    assert (got.status, got.body) == ("bad", b"")


def test_a_server_that_says_nothing(tmp_path):
    assert fetched(tmp_path, None, timeout=0.3)[0].status == "away"


def test_nobody_there(tmp_path):
    assert fetched(tmp_path, OK, url="https://localhost:1/")[0].status == "away"
    assert fetched(tmp_path, OK, url="https://nobody.invalid/")[0].status == "away"


def test_addresses_that_are_not_public_are_not_asked(tmp_path):
    got, requests = fetched(tmp_path, OK + b"\r\nhello", private=False)
    assert (got.status, requests) == ("away", [])


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/", "ftp://localhost/", "https://", "https:///x", "https://user@localhost/", "", "x",
        "https://localhost:99999/", "https://localhost/a b", "https://localhost/\r\nX: y", "https://[::1/",
        "https://localhost/\u3042",
    ],
)  # fmt: skip
def test_urls_that_are_not_asked(tmp_path, url):
    async def run():
        return await HttpsFetcher(1.0, private=True).fetch(url, 1000)

    assert asyncio.run(run()).status == "bad"


def test_a_policy_from_end_to_end(tmp_path):
    """find_sts with the real fetcher; only where the host is differs."""
    policy = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 86400\r\n"

    class Resolver:
        async def records(self, *question):
            assert question == ("_mta-sts.example.com", "TXT")
            return Records("found", (b"v=STSv1; id=1;",), 60.0)

    async def run():
        async with Server(tmp_path, OK + b"\r\n" + policy) as server:
            real = HttpsFetcher(10.0, tmp_path / "ca.pem", private=True)

            class There:
                async def fetch(self, url, most_bytes):
                    assert url == "https://mta-sts.example.com/.well-known/mta-sts.txt"
                    return await real.fetch(server.url, most_bytes)

            return await find_sts("example.com", Resolver(), There())

    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    found = asyncio.run(run())
    assert (found.status, found.policy.mx, found.certificate_until) == ("found", ("mx.example.com",), NOW + 30 * DAY)
