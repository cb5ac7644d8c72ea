import binascii
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.mail.pieces import PIECE
from sekisho.parse import transfer
from sekisho.parse.transfer import base64, decode, encoding_of, quoted_printable, uuencode, uuencoded


@pytest.mark.parametrize(
    ("value", "name", "plain"),
    [
        ("base64", "base64", True),
        (" BASE64 ", "base64", True),
        ("base64 (comment)", "base64", False),
        ("(comment) base64", "base64", False),
        ("base64;", "base64", False),
        ('"quoted-printable"', "quoted-printable", False),
        ("x-uue", "uuencode", True),
        ("8bits", "8bit", True),
        ("", "7bit", True),
        ("hexa", "hexa", False),
    ],
)
def test_encoding_names(value, name, plain):
    assert encoding_of(value) == (name, plain)


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8", b"hello"),  # padding missing
        (b"aG!Vs*bG8=", b"hello"),  # rubbish between
        (b"aGVsbG8=aGVsbG8=", b"hellohello"),  # two runs: some programs stop at the first "="
        (b"aGVsbG8=\n\n-- \nfooter", b"hello" + binascii.a2b_base64(b"footer==")),
        (b"QUJD=/", b"ABC"),
        (b"a", b""),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64(encoded, octets):
    assert base64(encoded) == octets


@pytest.mark.parametrize(
    ("encoded", "octets"),
    [
        (b"a=3Db", b"a=b"),
        (b"a=\r\nb", b"ab"),
        (b"a= \t\r\nb", b"ab"),  # RFC 2045 6.7 rule 3: blanks at the end of a line are no content
        (b"a=ZZb", b"a=ZZb"),
        (b"a=", b"a"),
        (b"=e3=81=82", "あ".encode()),
    ],
)
def test_quoted_printable(encoded, octets):
    assert quoted_printable(encoded) == octets


def test_uuencode():
    lines = b"".join(binascii.b2a_uu(b"hello world" * 4) for _ in range(3))
    text = b"hi\nbegin 644 a b.txt\n" + lines + b"`\nend\nbye\n"
    assert uuencoded(text) == [("a b.txt", b"hello world" * 12)]
    assert uuencode(text) == b"hello world" * 12
    assert uuencode(text.replace(b"\n", b"\r\n")) == b"hello world" * 12


def test_prose_is_not_uuencoded():
    assert uuencoded(b"we begin 644 times\nbegin 644 now\nand so on\nend\n") == []


def test_unknown_encodings_change_nothing():
    assert decode(b"=41", "hexa") == b"=41"
    assert decode(b"=41", "quoted-printable") == b"A"


def test_base64_is_read_alike_however_its_lines_end():
    rng = random.Random(5)
    for size in range(60):
        octets = rng.randbytes(size)
        lines = binascii.b2a_base64(octets, newline=False).rstrip(b"=")
        for end in (b"", b"=", b"==", b"===", b"=\r\n", b"==\r\n \t\r\n", b"\n"):
            assert base64(lines[: size // 2] + b"\r\n" + lines[size // 2 :] + end) == octets


# --- in pieces -------------------------------------------------------------------------------------------------

BASE64 = st.lists(
    st.sampled_from([b"A", b"QUJD", b"QUI=", b"QQ==", b"=", b"\r\n", b"\n", b" ", b"!", b"\xe3", b"+/"])
)
WRITTEN = st.lists(
    st.sampled_from(
        [b"=", b"=\r\n", b"= \t\r\n", b"=\r", b"\r\n", b"\n", b"=3D", b"=3", b"D", b"=ZZ", b" ", b"\t", b"a"]
    )
)


@given(BASE64.map(b"".join), st.integers(1, 20))
def test_base64_in_pieces_is_that_of_the_whole(data, size):
    whole = base64(data)
    with pieces_of(size):
        assert base64(data) == whole
        assert transfer.content(b"#" + data + b"#", 1, 1 + len(data), "base64") == whole


@given(st.binary(max_size=200), st.integers(1, 79), st.integers(1, 99))
def test_base64_in_pieces_undoes_what_the_library_writes(octets, columns, size):
    written = binascii.b2a_base64(octets, newline=False)
    lines = b"".join(written[at : at + columns] + b"\r\n" for at in range(0, len(written), columns))
    with pieces_of(size):
        assert base64(lines) == octets


@given(WRITTEN.map(b"".join), st.integers(1, 20))
def test_quoted_printable_in_pieces_is_that_of_the_whole(data, size):
    whole = quoted_printable(data)
    with pieces_of(size):
        assert quoted_printable(data) == whole
        assert transfer.content(b"=" + data + b"A", 1, 1 + len(data), "quoted-printable") == whole


@given(WRITTEN.map(b"".join), st.integers(1, 20), st.sampled_from(["7bit", "8bit", "uuencode", "unknown"]))
def test_other_content_in_pieces_is_that_of_the_whole(data, size, encoding):
    with pieces_of(size):
        assert transfer.content(b"=" + data + b"A", 1, 1 + len(data), encoding) == decode(data, encoding)


def test_large_base64_is_never_decoded_in_one_go(monkeypatch):
    given_to = []

    def spied(data):
        given_to.append(len(data))
        return binascii.a2b_base64(data)

    monkeypatch.setattr(transfer, "a2b_base64", spied)
    octets = random.Random(3).randbytes(20_000_000)
    written = binascii.b2a_base64(octets, newline=False)
    lines = b"\r\n".join(written[at : at + 76] for at in range(0, len(written), 76))
    assert transfer.content(b"head" + lines, 4, 4 + len(lines), "base64") == octets
    assert max(given_to) <= PIECE
