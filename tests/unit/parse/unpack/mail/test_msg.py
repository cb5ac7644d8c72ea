import contextlib
import random
import struct
import time

import pytest
from support.opened_file import NAMED_ERRORS, all_text, opened, opening_of, urls
from support.outlook import BINARY, INTEGER, STRING, STRING8, compound, message_tree, msg, stored_rtf

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.mail.msg import open_msg
from sekisho.parse.unpack.opening import CorruptError
from sekisho.parse.unpack.run import unpack

SUBJECT, BODY, HTML, RTF = 0x0037, 0x1000, 0x1013, 0x1009
DATA, LONG_NAME, SHORT_NAME, METHOD, MIME_TYPE = 0x3701, 0x3707, 0x3704, 0x3705, 0x370E
NOTE = {(0x001A, STRING): "IPM.Note"}


def place(opening, name):
    return "\n".join(text.text for text in opening.texts if text.place == name)


def test_header_and_bodies():
    content = msg(
        NOTE
        | {
            (SUBJECT, STRING): "請求書の件",
            (0x0C1A, STRING): "山田花子",
            (0x5D01, STRING): "hanako@example.com",
            (0x0C1F, STRING): "/O=EXAMPLE/CN=HANAKO",
            (0x0E04, STRING): "鈴木太郎",
            (BODY, STRING): "本文です http://www.example.com/a 。\r\n二行目",
            (HTML, BINARY): '<p>社外秘</p><a href="http://www.example.net/b">開く</a>'.encode("iso-2022-jp"),
            (0x3FDE, INTEGER): 50220,
        },
        recipients=[{(0x3001, STRING): "鈴木太郎", (0x39FE, STRING): "taro@example.net"}],
    )
    opening = opened(open_msg, content, "a.msg")
    assert place(opening, "header").split("\n") == [
        "Subject: 請求書の件",
        "From: 山田花子 <hanako@example.com>",
        "To: 鈴木太郎",
        "To: 鈴木太郎 <taro@example.net>",
    ]
    assert "本文です http://www.example.com/a 。\n二行目" in place(opening, "body")
    assert "社外秘\n開く" in place(opening, "body")
    assert urls(opening) == ["http://www.example.com/a", "http://www.example.net/b"]
    assert [(link.text, link.origin) for link in opening.links] == [("", "text"), ("開く", "href")]
    assert opening.findings == []


@pytest.mark.parametrize("number", [0x3FFD, 0x3FDE])
def test_text_in_a_code_page(number):
    content = msg(NOTE | {(SUBJECT, STRING8): "見積書①".encode("cp932"), (number, INTEGER): 932})
    assert "Subject: 見積書①" in place(opened(open_msg, content), "header")


def test_html_as_a_string_and_html_inside_rtf():
    rtf = rb"{\rtf1\ansi\ansicpg932\fromhtml1 {\*\htmltag <p>}\'90\'bf\'8b\'81{\*\htmltag </p>}}"
    opening = opened(open_msg, msg(NOTE | {(RTF, BINARY): stored_rtf(rtf)}))
    assert (place(opening, "body"), opening.children) == ("請求", [])
    opening = opened(open_msg, msg(NOTE | {(HTML, STRING): "<p>価格</p>"}))
    assert place(opening, "body") == "価格"


def test_rtf_that_is_more_than_a_copy_is_handed_on():
    for rtf in (rb"{\rtf1\ansi hello}", rb"{\rtf1\ansi\fromtext hello{\object\objdata 00}}"):
        opening = opened(open_msg, msg(NOTE | {(RTF, BINARY): stored_rtf(rtf)}))
        assert [(child.name, child.content) for child in opening.children] == [("body.rtf", rtf)]


def test_attachments():
    content = msg(
        NOTE,
        attachments=[
            {(LONG_NAME, STRING): "見積書.xlsx", (SHORT_NAME, STRING): "HFOO~1.XLS", (DATA, BINARY): b"PK" * 5000,
             (MIME_TYPE, STRING): "Application/Zip", (METHOD, INTEGER): 1},
            {(SHORT_NAME, STRING8): "一覧.csv".encode("cp932"), (DATA, BINARY): b"a,b"},
            {(DATA, BINARY): b"x", (0x3001, STRING): "shown", (0x3703, STRING): ".txt"},
            {(0x370D, STRING): "\\\\server.example\\share\\a.exe", (METHOD, INTEGER): 2},
        ],
    )  # fmt: skip
    opening = opened(open_msg, content)
    assert [(child.name, child.content[:4], child.declared) for child in opening.children] == [
        ("見積書.xlsx", b"PKPK", "application/zip"),
        ("一覧.csv", b"a,b", ""),
        ("shown.txt", b"x", ""),
    ]
    assert urls(opening) == ["\\\\server.example\\share\\a.exe"]


def test_messages_in_messages_are_opened_with_their_attachments():
    inner = {(LONG_NAME, STRING): "inner.exe", (DATA, BINARY): b"MZ" + bytes(100)}
    for depth in range(3):
        tree = message_tree(NOTE | {(SUBJECT, STRING): f"level {depth}"}, attachments=[inner], top=False)
        inner = {(METHOD, INTEGER): 5, (0x3001, STRING): f"転送 {depth}", "tree": tree}
    content = compound(message_tree(NOTE, attachments=[inner]))
    seen = unpack(OpenRequest((Attachment("1", "outer.msg", "", content),)))
    assert [(file.path, file.kind) for file in seen.files][1:] == [
        ("outer.msg/転送 2.msg", "msg"),
        ("outer.msg/転送 2.msg/転送 1.msg", "msg"),
        ("outer.msg/転送 2.msg/転送 1.msg/転送 0.msg", "msg"),
        ("outer.msg/転送 2.msg/転送 1.msg/転送 0.msg/inner.exe", "exe"),
    ]
    assert ["Subject: level 2" in t.text for file in seen.files for t in file.texts] == [False, True, False, False]


def test_an_embedded_object_is_a_compound_file():
    tree = {"WordDocument": b"w" * 5000, "Macros": {"VBA": {"dir": b"d"}}}
    opening = opened(
        open_msg, msg(NOTE, attachments=[{(METHOD, INTEGER): 6, (LONG_NAME, STRING): "a.doc", "tree": tree}])
    )
    assert [child.name for child in opening.children] == ["a.doc"]
    assert opening.children[0].content.startswith(bytes.fromhex("d0cf11e0"))


def test_contacts_and_appointments_tell_all_their_texts():
    content = msg(
        {(0x001A, STRING): "IPM.Contact", (0x3A1C, STRING): "090-1234-5678", (0x8005, STRING): "東京都港区"}
    )
    assert place(opened(open_msg, content), "properties").split("\n") == ["090-1234-5678", "東京都港区"]


def test_a_broken_body_does_not_hide_the_attachments():
    content = msg(NOTE | {(RTF, BINARY): b"rubbish rubbish rubbish"}, attachments=[{(DATA, BINARY): b"x"}])
    opening = opening_of(content)
    with pytest.raises(CorruptError):
        open_msg(opening)
    assert len(opening.children) == 1


def test_a_message_that_looks_like_another_document_is_opened_too():
    tree = message_tree(NOTE, attachments=[{(LONG_NAME, STRING): "a.exe", (DATA, BINARY): b"MZ" + bytes(100)}])
    for extra in ("WordDocument", "EncryptedPackage", "Workbook"):
        seen = unpack(OpenRequest((Attachment("1", "a.msg", "", compound(tree | {extra: b"x"})),)))
        assert "a.msg/a.exe" in [file.path for file in seen.files]


def test_a_message_to_thousands_is_opened():
    recipients = [{(0x3001, STRING): f"{n}", (0x39FE, STRING): f"{n}@example.com"} for n in range(800)]
    content = msg(NOTE, recipients, [{(LONG_NAME, STRING): "a.bin", (DATA, BINARY): b"x"}])
    seen = unpack(OpenRequest((Attachment("1", "a.msg", "", content),)))
    assert [file.path for file in seen.files] == ["a.msg", "a.msg/a.bin"]
    assert "799 <799@example.com>" in seen.files[0].texts[0].text


def test_another_compound_file_is_no_message():
    with pytest.raises(CorruptError):
        opened(open_msg, compound({"WordDocument": b"x"}))


def test_mutations_end_in_named_errors_and_in_time():
    content = msg(
        NOTE | {(SUBJECT, STRING): "件名", (BODY, STRING): "x" * 6000, (HTML, BINARY): b"<p>" * 3000},
        recipients=[{(0x3001, STRING): "a"}],
        attachments=[{(LONG_NAME, STRING): f"{n}.bin", (DATA, BINARY): bytes(n * 900)} for n in range(12)],
    )
    chance = random.Random(11)
    for _ in range(300):
        data = bytearray(content)
        for _ in range(chance.choice((1, 4, 30))):
            at = chance.randrange(len(data) // 4) * 4
            data[at : at + 4] = struct.pack(
                "<I", chance.choice((0, 1, 5, 0xFFFFFFFF, 0xFFFFFFFE, chance.randrange(200)))
            )
        started = time.monotonic()
        with contextlib.suppress(NAMED_ERRORS):
            opened(open_msg, bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
        assert time.monotonic() - started < 5


def test_all_texts_are_told_once():
    opening = opened(open_msg, msg(NOTE | {(SUBJECT, STRING): "only once"}))
    assert all_text(opening).count("only once") == 1
