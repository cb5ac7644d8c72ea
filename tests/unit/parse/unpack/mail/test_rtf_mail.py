import random
import struct

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.mail.rtf_mail import decompressed, encapsulated
from sekisho.parse.unpack.opening import CorruptError, OverLimitError

# The examples of MS-OXRTFCP 4.1 and 4.2.
SIMPLE = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af3 2068656c090020627705b06c647d0a800fa0"
)
CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b5141000420 5758595a0d6e7d010eb0")


def budget(**limits):
    return opening_of(b"", **limits).budget


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (SIMPLE, rb"{\rtf1\ansi\ansicpg1252\pard hello world}" + b"\r\n"),
        (CROSSING, rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
        (struct.pack("<II4sI", 16, 4, b"MELA", 0) + b"abcdef", b"abcd"),
    ],
)
def test_the_examples_of_the_specification(packed, plain):
    assert decompressed(packed, budget()) == plain


def test_long_runs_go_round_the_dictionary_many_times():
    # One literal, then references to the octet before, each 17 long; the ring has 4096 places, 207 of them preset.
    out = bytearray(b"A" * 1)
    body = bytearray(b"\xfe") + b"A"
    position = 208
    tokens = 5000
    for n in range(tokens):
        if n % 8 == 7:
            body.append(0xFF)
        body += struct.pack(">H", ((position - 1) % 4096) << 4 | 15)
        out += b"A" * 17
        position += 17
    packed = struct.pack("<II4sI", len(body) + 12, len(out), b"LZFu", 0) + body
    assert decompressed(packed, budget()) == bytes(out)
    with pytest.raises(OverLimitError):
        decompressed(packed, budget(unpacked_bytes=10_000))


def test_what_is_broken_raises_a_named_error():
    for data in (b"", SIMPLE[:15], SIMPLE[:8] + b"xxxx" + SIMPLE[12:]):
        with pytest.raises(CorruptError):
            decompressed(data, budget())


def test_mutations_end():
    chance = random.Random(3)
    for _ in range(300):
        data = bytearray(SIMPLE * 20)
        for _ in range(5):
            data[chance.randrange(16, len(data))] = chance.randrange(256)
        assert len(decompressed(bytes(data), budget())) < 20_000


HTML = (
    rb"{\rtf1\ansi\ansicpg932\fromhtml1 \deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS PGothic;}}"
    rb"{\*\generator Microsoft Exchange;}{\*\htmltag64}{\*\htmltag34 <html>}\htmlrtf{\f1\htmlrtf0"
    rb"{\*\htmltag84 <a href=\'22http://www.example.com/\'22>}\htmlrtf {\b x\htmlrtf0\'90\'bf\'8b\'81\'8f\'91"
    rb"\htmlrtf }\htmlrtf0{\*\htmltag92 </a>}{\*\htmltag244 <o:p>}{\*\mhtmltag84 <a href=\'22cid:1\'22>}\u9670?\line"
    rb"\{\\\}\htmlrtf}\htmlrtf0{\*\htmltag27 </html>}}"
)


def test_html_is_taken_out():
    made_from, html = encapsulated(HTML, budget())
    assert made_from == "html"
    assert html == '<html><a href="http://www.example.com/">請求書</a><o:p>\u25c6\n{\\}</html>'.replace(
        "\u25c6", chr(9670)
    )


def test_text_is_taken_out():
    rtf = rb"{\rtf1\ansi\ansicpg1252\fromtext \deff0{\fonttbl{\f0 Arial;}}\pard caf\'e9\par\tab\u-10179?\u-8704?\par}"
    assert encapsulated(rtf, budget()) == ("text", "café\n\t\U0001f600\n")


def test_rtf_in_its_own_right():
    assert encapsulated(rb"{\rtf1\ansi hello}", budget()) == ("", "")


def test_deep_groups_end():
    rtf = rb"{\rtf1\fromhtml1 " + b"{" * 500_000 + b"x" + b"}" * 500_000
    assert encapsulated(rtf, budget()) == ("html", "x")
