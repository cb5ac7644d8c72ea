"""Dialogues: what the client says ("C:") and what the server says ("S:"), in lines that end in CRLF."""

import pytest

from sekisho.wire.icap import (
    CHUNK_BYTES,
    Infection,
    Options,
    Service,
    ask_options,
    have_scanned,
    infection,
    istag,
    read_options,
)
from sekisho.wire.icap_response import IcapSyntaxError, Response

SERVICE = Service("icap.example.org", 1344, "avscan")

# Offsets counted by hand: the request's header has 48 octets, the response's 78.
RESPMOD = """
C: RESPMOD icap://icap.example.org:1344/avscan ICAP/1.0
C: Host: icap.example.org:1344
C: Allow: 204
{preview}C: Encapsulated: req-hdr=0, res-hdr=48, res-body=126
C:
C: GET /attachment HTTP/1.1
C: Host: mail.invalid
C:
C: HTTP/1.1 200 OK
C: Content-Type: application/octet-stream
C: Content-Length: 5
C:
"""
WHOLE = RESPMOD.format(preview="")
WITH_PREVIEW = RESPMOD.format(preview="C: Preview: {0}\n")

NO_CONTENT = """
S: ICAP/1.0 204 No Content
S: ISTag: "one"
S:
"""


def play(exchange, dialog):
    """Go through the dialog and return the response. Neither side may say anything else, or anything earlier."""
    outgoing, result = exchange.outgoing(), None
    for side, text in turns(dialog):
        if side == "C":
            outgoing, result = (exchange.rest(), None) if result == "continue" else (outgoing, None)
            assert b"".join(outgoing) == text
            outgoing = iter(())
        else:
            for octet in text:
                assert result is None
                result = exchange.receive(bytes([octet]))
    return result


def turns(dialog):
    found = []
    for line in filter(None, dialog.splitlines()):
        side, octets = line[0], line[3:].encode() + b"\r\n"
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1] + octets)
        else:
            found.append((side, octets))
    return found


def test_options_as_in_rfc_3507_4_10_3():
    exchange = ask_options(SERVICE)
    response = play(
        exchange,
        """
C: OPTIONS icap://icap.example.org:1344/avscan ICAP/1.0
C: Host: icap.example.org:1344
C: Encapsulated: null-body=0
C:
S: ICAP/1.0 200 OK
S: Date: Mon, 10 Jan 2000  09:55:21 GMT
S: Methods: RESPMOD
S: Service: FOO Tech Server 1.0
S: ISTag: "W3E4R7U9-L2E4-2"
S: Encapsulated: null-body=0
S: Max-Connections: 1000
S: Options-TTL: 7200
S: Allow: 204
S: Preview: 2048
S: Transfer-Complete: asp, bat, exe, com
S: Transfer-Ignore: html
S: Transfer-Preview: *
S:
""",
    )
    assert read_options(response) == Options("W3E4R7U9-L2E4-2", "FOO Tech Server 1.0", 2048, 1000, ("RESPMOD",))
    assert exchange.complete


@pytest.mark.parametrize("preview", ["", "x", "-1", "9" * 30, "\u0662"])
def test_a_preview_that_is_no_number_is_none(preview):
    assert read_options(Response(200, "OK", {"preview": preview})).preview is None


def test_options_may_be_refused():
    with pytest.raises(IcapSyntaxError, match="404 ICAP Service not found"):
        read_options(Response(404, "ICAP Service not found", {}))


def test_everything_at_once_without_preview():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", None)
    response = play(exchange, WHOLE + "C: 5\nC: hello\nC: 0\nC:\n" + NO_CONTENT)
    assert (response.status, istag(response), exchange.complete) == (204, "one", True)


def test_the_rest_after_100_continue():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", 2)
    dialog = (
        WITH_PREVIEW.format(2)
        + "C: 2\nC: he\nC: 0\nC:\nS: ICAP/1.0 100 Continue\nS:\nC: 3\nC: llo\nC: 0\nC:\n"
        + NO_CONTENT
    )
    assert play(exchange, dialog).status == 204
    assert exchange.complete


@pytest.mark.parametrize("preview", [5, 1024])
def test_a_preview_that_is_everything_says_so(preview):
    """RFC 3507 4.5: ieof."""
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", preview)
    dialog = WITH_PREVIEW.format(5) + "C: 5\nC: hello\nC: 0; ieof\nC:\n" + NO_CONTENT
    assert play(exchange, dialog).status == 204


def test_a_preview_of_nothing():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", 0)
    dialog = (
        WITH_PREVIEW.format(0) + "C: 0\nC:\nS: ICAP/1.0 100 Continue\nS:\nC: 5\nC: hello\nC: 0\nC:\n" + NO_CONTENT
    )
    assert play(exchange, dialog).status == 204


def test_an_answer_to_the_preview_alone():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", 2)
    assert play(exchange, WITH_PREVIEW.format(2) + "C: 2\nC: he\nC: 0\nC:\n" + NO_CONTENT).status == 204
    assert exchange.complete


def test_reqmod():
    exchange = have_scanned(SERVICE, "REQMOD", b"hello", None)
    response = play(
        exchange,
        """
C: REQMOD icap://icap.example.org:1344/avscan ICAP/1.0
C: Host: icap.example.org:1344
C: Allow: 204
C: Encapsulated: req-hdr=0, req-body=108
C:
C: POST /attachment HTTP/1.1
C: Host: mail.invalid
C: Content-Type: application/octet-stream
C: Content-Length: 5
C:
C: 5
C: hello
C: 0
C:
"""
        + NO_CONTENT,
    )
    assert response.status == 204


def test_long_content_goes_in_chunks():
    content = bytes(range(256)) * (CHUNK_BYTES // 256) * 2 + b"end"
    sent = b"".join(have_scanned(SERVICE, "RESPMOD", content, None).outgoing())
    rest = sent.split(b"\r\n\r\n", 3)[3]
    found = b""
    while size := int(rest.partition(b"\r\n")[0], 16):
        body = rest.partition(b"\r\n")[2]
        assert body[size : size + 2] == b"\r\n"
        found, rest = found + body[:size], body[size + 2 :]
    assert (found, rest) == (content, b"0\r\n\r\n")


@pytest.mark.parametrize("preview", [None, 5, 10])
def test_100_is_not_an_answer_where_nothing_is_left(preview):
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", preview)
    with pytest.raises(IcapSyntaxError):
        exchange.receive(b"ICAP/1.0 100 Continue\r\n\r\n")


def test_100_only_once():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", 2)
    assert exchange.receive(b"ICAP/1.0 100 Continue\r\n\r\n") == "continue"
    with pytest.raises(IcapSyntaxError):
        exchange.receive(b"ICAP/1.0 100 Continue\r\n\r\n")


def test_the_response_may_come_with_the_100():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", 2)
    assert exchange.receive(b"ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 204 No Content\r\n\r\n") == "continue"
    assert exchange.receive(b"").status == 204


def test_the_connection_is_not_used_again_when_more_came():
    exchange = have_scanned(SERVICE, "RESPMOD", b"hello", None)
    assert exchange.receive(b"ICAP/1.0 204 No Content\r\n\r\nmore").status == 204
    assert not exchange.complete


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, None),
        ({"x-infection-found": "Type=0; Resolution=2; Threat=EICAR Test;"}, Infection("EICAR Test")),
        ({"x-infection-found": "Type=1; Resolution=2; Threat=bad name"}, Infection("bad name", "policy")),
        ({"x-infection-found": "Type=2; Resolution=0; Threat=Encrypted;"}, Infection("Encrypted", "container")),
        ({"x-infection-found": "Type=9;Threat=X"}, Infection("X")),
        ({"x-infection-found": "EICAR"}, Infection("EICAR")),
        ({"x-virus-id": "EICAR Test String"}, Infection("EICAR Test String")),
        ({"x-virus-id": "no threats"}, None),
        ({"x-violations-found": "0"}, None),
        ({"x-violations-found": "1\nfile.zip\nEICAR\n0\n2"}, Infection("EICAR")),
        ({"x-violations-found": "1"}, Infection("unnamed")),
    ],
)
def test_what_engines_say_that_they_found(headers, found):
    assert infection(Response(200, "OK", headers)) == found
    assert infection(Response(200, "OK", {}, http_headers=headers)) == found
    assert infection(Response(204, "", headers)) == found


def test_an_address_of_ip_version_6():
    assert Service("2001:db8::1", 1344, "x").uri == "icap://[2001:db8::1]:1344/x"
