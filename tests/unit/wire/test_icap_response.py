import hashlib

import pytest

from sekisho.wire.icap_response import IcapSyntaxError, ResponseReader

# The examples of RFC 3507 4.9.2 and 4.8.3: offsets and lengths are the standard's own.
MODIFIED = b"""ICAP/1.0 200 OK
Date: Mon, 10 Jan 2000  09:55:21 GMT
Server: ICAP-Server-Software/1.0
Connection: close
ISTag: "W3E4R7U9-L2E4-2"
Encapsulated: res-hdr=0, res-body=222

HTTP/1.1 200 OK
Date: Mon, 10 Jan 2000  09:55:21 GMT
Via: 1.0 icap.example.org (ICAP Example RespMod Service 1.1)
Server: Apache/1.3.6 (Unix)
ETag: "63840-1ab7-378d415b"
Content-Type: text/html
Content-Length: 92

5c
This is data that was returned by an origin server, but with
value added by an ICAP server.
0

""".replace(b"\n", b"\r\n")
VALUE = b"This is data that was returned by an origin server, but with\r\nvalue added by an ICAP server."

FORBIDDEN = b"""ICAP/1.0 200 OK
Date: Mon, 10 Jan 2000  09:55:21 GMT
Server: ICAP-Server-Software/1.0
Connection: close
ISTag: "W3E4R7U9-L2E4-2"
Encapsulated: res-hdr=0, res-body=213

HTTP/1.1 403 Forbidden
Date: Wed, 08 Nov 2000 16:02:10 GMT
Server: Apache/1.3.12 (Unix)
Last-Modified: Thu, 02 Nov 2000 13:51:37 GMT
ETag: "63600-1989-3a017169"
Content-Length: 58
Content-Type: text/html

3a
Sorry, you are not allowed to access that naughty content.
0

""".replace(b"\n", b"\r\n")


def read(octets, *, limit=1000, step=None):
    reader = ResponseReader(limit)
    step = step or len(octets)
    for start in range(0, len(octets), step):
        response = reader.feed(octets[start : start + step])
        if response is not None:
            assert start + step >= len(octets)
            return response
    return None


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100, 100_000])
def test_a_modified_response_in_any_pieces(step):
    response = read(MODIFIED, step=step)
    assert (response.status, response.reason, response.http_status) == (200, "OK", 200)
    assert response.headers["istag"] == '"W3E4R7U9-L2E4-2"'
    assert response.http_headers["via"] == "1.0 icap.example.org (ICAP Example RespMod Service 1.1)"
    assert (response.body_bytes, response.body_sha256) == (92, hashlib.sha256(VALUE).digest())
    assert response.closes


def test_an_error_page():
    response = read(FORBIDDEN)
    assert (response.http_status, response.body_bytes) == (403, 58)
    assert response.http_headers["content-type"] == "text/html"


def test_fields_folded_and_repeated():
    response = read(
        b"ICAP/1.0 204 x\r\nA: 1\r\n\t2\r\n 3\r\nB: x\r\nno field\r\n folded\r\nb: y\r\nC : z\x00\xe9\r\n\r\n"
    )
    assert response.headers == {"a": "1\n2\n3", "b": "x, y", "c": "z?\xe9"}


def test_chunk_extensions_and_trailers():
    head = b"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n"
    response = read(head + b'003 ;a="b"\r\nabc\r\nA\r\n0123456789\r\n0;x\r\nTrailer: 1\r\n\r\n', step=1)
    assert (response.body_bytes, response.body_sha256) == (13, hashlib.sha256(b"abc0123456789").digest())


def test_a_modified_request_has_no_http_status():
    head = b"ICAP/1.0 200 OK\r\nEncapsulated: req-hdr=0, req-body=18\r\n\r\n"
    assert read(head + b"POST / HTTP/1.1\r\n\r\n"[:18] + b"0\r\n\r\n").http_status == 0


@pytest.mark.parametrize("octets", [MODIFIED[:n] for n in range(1, len(MODIFIED), 13)])
def test_what_is_not_complete_is_not_a_response(octets):
    assert read(octets) is None


HEAD = b"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"ICAP/1.0 2000 OK\r\n\r\n",
        b"ICAP/1.0 200OK\r\n\r\n",
        b"\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nA: " + b"x" * 70_000,
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-body\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=9, res-body=5\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=9999999\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=-1, res-body=5\r\n\r\n",
        HEAD + b"x\r\n",
        HEAD + b"-5\r\n",
        HEAD + b"\r\n",
        HEAD + b"1\r\nab\r\n",
        HEAD + b"1" * 5000,
        HEAD + b"ffffffffffffff\r\n",
        HEAD + b"3e9\r\n",
        HEAD + b"0\r\n" + b"T: 1\r\n" * 100,
    ],
)
def test_what_is_no_response(octets):
    with pytest.raises(IcapSyntaxError):
        read(octets, limit=1000)


def test_many_folded_lines_cost_no_more_than_their_length():
    """65 536 octets of shortest folds; read at once, for a copy of everything at each of them would take minutes."""
    octets = b"ICAP/1.0 204 x\r\nA: 1" + b"\r\n x" * 16_000 + b"\r\n\r\n"
    assert read(octets).headers["a"].count("\n") == 16_000
