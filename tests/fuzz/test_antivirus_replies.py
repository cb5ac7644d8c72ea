"""Whatever a virus scanner says: a reply, or the named error; and the same however it is cut into pieces."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sekisho.wire.clamd import ClamdSession, ClamdSyntaxError
from sekisho.wire.icap import Service, have_scanned, infection, istag
from sekisho.wire.icap_response import IcapSyntaxError

CLAMD = (b"1: ", b"2: ", b"stream: ", b"OK", b" FOUND", b" ERROR", b"\0", b"INSTREAM size limit exceeded.", b"x")
ICAP = (
    b"ICAP/1.0 200 OK",
    b"ICAP/1.0 100 Continue",
    b"\r\n",
    b"\r\n\r\n",
    b"Encapsulated: res-hdr=0, res-body=19",
    b"Encapsulated: null-body=0",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"X-Infection-Found: Type=0; Threat=",
    b"X-Violations-Found: 1\r\n\ta\r\n\tb",
    b"ISTag: ",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"\t",
    b"\xff",
)


def words(known):
    return st.lists(st.sampled_from(known) | st.binary(max_size=6), max_size=25).map(b"".join)


def clamd(pieces):
    session = ClamdSession()
    b"".join([session.version(), *session.scan(b"content")])
    said = []
    try:
        for piece in pieces:
            said += session.receive(piece)
    except ClamdSyntaxError as error:
        said.append(str(error))
    return said


def icap(pieces):
    exchange = have_scanned(Service("icap.example.com", 1344, "x"), "RESPMOD", b"content", 3)
    said, rest = [], b""
    try:
        for piece in (*pieces, b""):
            response = exchange.receive(piece)
            if response is not None:
                said.append(response)
                rest = response
    except IcapSyntaxError as error:
        said.append(str(error))
    if rest and rest != "continue":
        assert infection(rest) is None or infection(rest).name.isprintable()
        istag(rest)
    return said


def one_by_one(octets):
    return [octets[n : n + 1] for n in range(len(octets))]


@settings(max_examples=400, deadline=2000)
@given(words(CLAMD))
@example(b"1: ClamAV\x002: stream: OK\0")
@example(b"2: stream: A FOUND\x001: ClamAV\0")
def test_clamd(octets):
    """After a syntax error the replies that came in the same piece count for nothing either."""
    whole, cut = clamd([octets]), clamd(one_by_one(octets))
    assert whole == cut or (isinstance(whole[-1], str) and whole[-1] == cut[-1])


@settings(max_examples=400, deadline=2000)
@given(words(ICAP))
@example(b"ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 200 OK\r\nEncapsulated: null-body=0\r\n\r\n")
@example(
    b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
)
def test_icap(octets):
    assert icap([octets]) == icap(one_by_one(octets))


@pytest.mark.parametrize("read", [clamd, icap])
def test_endless(read):
    """What never ends is refused long before it is all there."""
    assert isinstance(read([b"x" * 10_000] * 50)[-1], str)
