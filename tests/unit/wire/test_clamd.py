import pytest

from sekisho.wire.clamd import CHUNK_BYTES, ClamdSession, ClamdSyntaxError, Clean, Found, Refused, TooLarge, Version


def asked(*commands):
    """A session in which these were asked: "VERSION", or content to scan. And the octets it sent."""
    session, sent = ClamdSession(), b""
    for command in commands:
        sent += session.version() if command == "VERSION" else b"".join(session.scan(command))
    return session, sent


def test_a_session_as_clamd_8_describes_it():
    _, sent = asked("VERSION", b"hello", "VERSION")
    assert sent == b"zIDSESSION\0zVERSION\0zINSTREAM\0\0\0\0\x05hello\0\0\0\0zVERSION\0"


def test_nothing_to_scan_is_only_the_end():
    assert asked(b"")[1] == b"zIDSESSION\0zINSTREAM\0\0\0\0\0"


def test_long_content_goes_in_chunks():
    content = bytes(range(256)) * (CHUNK_BYTES // 256) + b"rest"
    _, sent = asked(content)
    rest = sent.removeprefix(b"zIDSESSION\0zINSTREAM\0")
    found = b""
    while size := int.from_bytes(rest[:4], "big"):
        assert size <= CHUNK_BYTES
        found, rest = found + rest[4 : 4 + size], rest[4 + size :]
    assert (found, rest) == (content, bytes(4))


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"1: stream: OK", Clean()),
        (b"1: stream: Win.Test.EICAR_HDB-1 FOUND", Found("Win.Test.EICAR_HDB-1")),
        (b"1: stream: Name with spaces FOUND", Found("Name with spaces")),
        (b"1: stream: A.B(44d88612fea8a8f36de82e1278abb02f:68) FOUND", Found("A.B")),
        (b"1: stream: \xff\x1b[2J FOUND", Found("\ufffd?[2J")),
        (b"1: INSTREAM size limit exceeded. ERROR", TooLarge()),
        (b"INSTREAM size limit exceeded. ERROR", TooLarge()),
        (b"1: stream: Can't allocate memory ERROR", Refused("Can't allocate memory")),
        (b"1: Command invalid inside IDSESSION. ERROR", Refused("Command invalid inside IDSESSION")),
        (b"COMMAND READ TIMED OUT ERROR", Refused("COMMAND READ TIMED OUT")),
    ],
)
def test_replies_to_a_scan(line, reply):
    session, _ = asked(b"x")
    assert session.receive(line + b"\0") == [reply]
    assert not session.waits


def test_the_version():
    session, _ = asked("VERSION")
    text = "ClamAV 1.4.6/27500/Mon Nov 24 09:00:00 2025"
    assert session.receive(f"1: {text}\0".encode()) == [Version(text)]


def test_replies_in_any_order_and_any_pieces():
    stream = b"3: stream: OK\x002: stream: Bad FOUND\x001: ClamAV 1.4.6\0"
    expected = [Clean(), Found("Bad"), Version("ClamAV 1.4.6")]
    for step in range(1, len(stream) + 1):
        session, _ = asked("VERSION", b"a", b"b")
        replies = []
        for start in range(0, len(stream), step):
            replies += session.receive(stream[start : start + step])
        assert replies == expected
        assert not session.waits


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0",
        b"220 mail.example.com ESMTP\r\n\0",
        b"2: stream: OK\0",
        b"1: stream: OK\x001: stream: OK\0",
        b"1: stream: maybe\0",
        b"1: OKAY\0",
        b"1: \0",
        b": stream: OK\0",
        b"99999999999: stream: OK\0",
        b"x" * 9000,
    ],
)
def test_what_clamd_never_says(garbage):
    session, _ = asked(b"x")
    with pytest.raises(ClamdSyntaxError):
        session.receive(garbage)
