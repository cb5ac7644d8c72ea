from __future__ import annotations

import base64
import random
import time

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack import payloads
from sekisho.parse.unpack.opening import OverLimitError

FILE = b"MZ" + random.Random(1).randbytes(700)


def budget(**limits):
    return opening_of(b"", **limits).budget


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(FILE).decode(),
        base64.b64encode(FILE).decode().rstrip("="),
        base64.urlsafe_b64encode(FILE).decode(),
        FILE.hex(),
        FILE.hex().upper(),
        "[" + ",".join(map(str, FILE)) + "]",
        "[" + ",\n ".join(map(hex, FILE)) + "]",
        "[" + ",".join(str(octet - 256 if octet > 127 else octet) for octet in FILE) + "]",
    ],
)
def test_a_file_in_each_spelling(written):
    script = f"x='{written}';" if written[0] != "[" else f"x={written};"
    assert [(p.kind, p.content) for p in payloads.in_script(script, budget()) if p.kind] == [("exe", FILE)]


def test_data_addresses():
    html = f"""<a href="data:application/octet-stream;charset=x;base64,{base64.b64encode(FILE).decode()}">x</a>
    <img src='data:image/png;base64,{base64.b64encode(FILE).decode()}'>
    <iframe src="data:text/html,%3Chtml%3E%3Cbody%3Ewords and more words%3C/body%3E">"""
    seen = [(media, p.kind, p.content) for media, p in payloads.in_data_urls(html, budget())]
    assert seen == [
        ("application/octet-stream", "exe", FILE),
        ("text/html", "page", b"<html><body>words and more words</body>"),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04", "zip"), (b"\x89PNG\r\n", ""), (b"\x1f\x8b\x08\0", ""), (b'{"a":1}', ""),
        (b"  <!DOCTYPE html>", "page"),
        (b"\0" * 32769 + b"CD001", "iso"), (b"", ""),
    ],
)  # fmt: skip
def test_kinds(content, kind):
    assert payloads.payload_kind(content) == kind


def test_output_is_counted_and_time_is_linear():
    with pytest.raises(OverLimitError):
        list(payloads.in_script("x='" + "QUFB" * 100_000 + "'", budget(unpacked_bytes=1000)))
    started = time.process_time()
    for hostile in ("[" + "1," * 199 + "x", '"+"', "A" * 399 + "-", "data:a/b,", "\\x41", "%41", "[\n" * 3, "0x1 , "):
        list(payloads.in_script(hostile * (1_000_000 // len(hostile)), budget()))
        list(payloads.in_data_urls(hostile * (1_000_000 // len(hostile)), budget()))
    assert time.process_time() - started < 20
