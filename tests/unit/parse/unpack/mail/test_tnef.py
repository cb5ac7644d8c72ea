import contextlib
import random
import struct
import time

import pytest
from support.opened_file import NAMED_ERRORS, opened, opening_of, urls
from support.outlook import BINARY, INTEGER, STRING, STRING8, attribute, mapi, padded, stored_rtf, tnef

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.mail.tnef import open_tnef
from sekisho.parse.unpack.opening import CorruptError
from sekisho.parse.unpack.run import unpack

CODEPAGE = attribute(1, 0x69007, struct.pack("<II", 932, 0))
RENDERING = attribute(2, 0x69002, bytes(14))


def place(opening, name):
    return "\n".join(text.text for text in opening.texts if text.place == name)


def attachment(title, data, properties=None):
    made = RENDERING + attribute(2, 0x18010, title.encode("cp932") + b"\0") + attribute(2, 0x6800F, data)
    return made + (attribute(2, 0x69005, mapi(properties)) if properties else b"")


def test_attributes_of_the_old_form():
    sender = b"\xe9\x8e\x96\xd8".ljust(8, b"\0")
    address = b"SMTP:taro@example.com\0"
    content = tnef(
        CODEPAGE,
        attribute(1, 0x78008, b"IPM.Microsoft Mail.Note\0"),
        attribute(1, 0x8000, struct.pack("<HHHH", 4, 0, len(sender), len(address)) + sender + address),
        attribute(1, 0x18004, "請求書①".encode("cp932") + b"\0"),
        attribute(1, 0x2800C, "本文 http://www.example.com/".encode("cp932") + b"\0"),
        attachment("一覧表.xls", b"abc"),
        attachment("b.txt", b""),
    )
    opening = opened(open_tnef, content, "winmail.dat")
    assert place(opening, "header") == f"Subject: 請求書①\nFrom: {sender[:4].decode('cp932')} <taro@example.com>"
    assert place(opening, "body") == "本文 http://www.example.com/"
    assert urls(opening) == ["http://www.example.com/"]
    assert [(child.name, child.content) for child in opening.children] == [("一覧表.xls", b"abc"), ("b.txt", b"")]


def test_properties_of_the_message_and_its_recipients():
    rtf = rb"{\rtf1\ansi\ansicpg932\fromhtml1 {\*\htmltag <b>}\'8e\'d0\'8a\'4f\'94\'e9{\*\htmltag </b>}}"
    content = tnef(
        attribute(
            1, 0x69003, mapi({(0x0037, STRING): "件名", (0x1009, BINARY): stored_rtf(rtf), (0x3FDE, INTEGER): 65001})
        ),
        attribute(
            1, 0x69004, struct.pack("<I", 1) + mapi({(0x3001, STRING): "花子", (0x39FE, STRING): "h@example.net"})
        ),
    )
    opening = opened(open_tnef, content)
    assert place(opening, "header") == "Subject: 件名\nTo: 花子 <h@example.net>"
    assert place(opening, "body") == "社外秘"


def test_long_names_and_types_from_the_properties():
    properties = {(0x3707, STRING): "とても長い名前の見積書 2026年11月.xlsx", (0x370E, STRING8): b"application/zip\0"}
    opening = opened(open_tnef, tnef(CODEPAGE, attachment("HFOO~1.XLS", b"x", properties)))
    child = opening.children[0]
    assert (child.name, child.declared) == ("とても長い名前の見積書 2026年11月.xlsx", "application/zip")


def test_named_and_multivalued_properties_are_stepped_over():
    guid = bytes(range(16))
    properties = (
        struct.pack("<I", 6)
        + struct.pack("<HH", 0x101F, 0x8001) + guid + struct.pack("<II", 1, 10) + padded("Name\0".encode("utf-16-le"))
        + struct.pack("<II", 2, 4) + b"a\0\0\0" + struct.pack("<I", 6) + padded(b"b\0c\0\0\0")
        + struct.pack("<HH", 0x0003, 0x8002) + guid + struct.pack("<III", 0, 0x8503, 7)
        + struct.pack("<HHIII", 0x1003, 0x0FF0, 2, 1, 2)
        + struct.pack("<HHQ", 0x0040, 0x0039, 5)
        + struct.pack("<HHHH", 0x000B, 0x0E1B, 1, 0)
        + struct.pack("<HHII", STRING, 0x0037, 1, 4) + "件名".encode("utf-16-le")
    )  # fmt: skip
    assert place(opened(open_tnef, tnef(attribute(1, 0x69003, properties))), "header") == "Subject: 件名"


def test_a_message_in_a_message_is_opened():
    inner = tnef(attribute(1, 0x18004, b"inner subject\0"), attachment("deep.exe", b"MZ" + bytes(100)))
    identifier = bytes.fromhex("0703020000000000c000000000000046")
    object_ = (
        struct.pack("<I", 1) + struct.pack("<HHII", 0x000D, 0x3701, 1, 16 + len(inner)) + padded(identifier + inner)
    )
    content = tnef(RENDERING, attribute(2, 0x18010, b"Re: hello\0"), attribute(2, 0x69005, object_))
    seen = unpack(OpenRequest((Attachment("1", "winmail.dat", "application/ms-tnef", content),)))
    assert [(f.path, f.kind) for f in seen.files] == [
        ("winmail.dat", "tnef"),
        ("winmail.dat/Re: hello.tnef", "tnef"),
        ("winmail.dat/Re: hello.tnef/deep.exe", "exe"),
    ]


def test_a_second_content_for_one_attachment_is_not_lost():
    content = tnef(attachment("a.txt", b"first"), attribute(2, 0x6800F, b"second"))
    assert [child.content for child in opened(open_tnef, content).children] == [b"first", b"second"]


def test_an_attached_message_and_what_stands_for_it_are_both_told():
    inner = tnef(attribute(1, 0x18004, b"inner\0"))
    identifier = bytes.fromhex("0703020000000000c000000000000046")
    object_ = struct.pack("<IHHII", 1, 0x000D, 0x3701, 1, 16 + len(inner)) + padded(identifier + inner)
    content = tnef(attachment("Untitled Attachment", b"This attachment is a message"), attribute(2, 0x69005, object_))
    assert [(child.name, child.content) for child in opened(open_tnef, content).children] == [
        ("Untitled Attachment.tnef", inner),
        ("Untitled Attachment", b"This attachment is a message"),
    ]


def test_the_last_checksum_may_be_missing():
    content = tnef(attachment("a.txt", b"first"))[:-2]
    assert [child.content for child in opened(open_tnef, content).children] == [b"first"]


def test_wrong_checksums_do_not_matter():
    content = bytearray(tnef(CODEPAGE, attachment("a.txt", b"first")))
    content[-1] ^= 0xFF
    assert [child.content for child in opened(open_tnef, bytes(content)).children] == [b"first"]


def test_what_stands_before_the_cut_is_told():
    whole = tnef(attribute(1, 0x18004, b"subject\0"), attachment("a.bin", b"x" * 1000))
    opening = opening_of(whole[:-500])
    with pytest.raises(CorruptError):
        open_tnef(opening)
    assert place(opening, "header") == "Subject: subject"
    assert opening.children[0].content == b"x" * 502


@pytest.mark.parametrize(
    "properties",
    [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x1003, 0x0FF0, 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x1001, 0x0FF0, 0xFFFFFFFF) + bytes(100),
        struct.pack("<IHHII", 1, 0x001E, 0x0037, 1, 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x7777, 0x0037, 1),
    ],
)
def test_lying_counts_end_at_once(properties):
    opening = opening_of(tnef(attribute(1, 0x69003, properties), attachment("a.txt", b"x")))
    started = time.monotonic()
    with pytest.raises(CorruptError):
        open_tnef(opening)
    assert time.monotonic() - started < 2
    assert len(opening.children) == 1


def test_a_hundred_thousand_attachments_stop_at_the_limit():
    opening = opening_of(tnef(*[RENDERING + attribute(2, 0x6800F, b"x")] * 100_000))
    with pytest.raises(NAMED_ERRORS):
        open_tnef(opening)
    assert len(opening.children) == 2000


def test_mutations_end_in_named_errors_and_in_time():
    rtf = rb"{\rtf1\ansi\fromhtml1 {\*\htmltag <b>}abc}"
    content = tnef(
        CODEPAGE,
        attribute(1, 0x69003, mapi({(0x0037, STRING): "件名", (0x1009, BINARY): stored_rtf(rtf)})),
        *[attachment(f"{n}.txt", bytes(50), {(0x3707, STRING): "long"}) for n in range(20)],
    )
    chance = random.Random(5)
    for _ in range(400):
        data = bytearray(content)
        for _ in range(chance.choice((1, 5, 40))):
            data[chance.randrange(4, len(data))] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
        started = time.monotonic()
        with contextlib.suppress(NAMED_ERRORS):
            opened(open_tnef, bytes(data))
        assert time.monotonic() - started < 5
