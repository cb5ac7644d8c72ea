from __future__ import annotations

import msgspec
import pytest

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack import job, rehearsal
from sekisho.parse.unpack.run import unpack


@pytest.fixture(scope="module")
def opened():
    return unpack(rehearsal.request())


def test_common_kinds_are_opened(opened):
    kinds = {file.kind for file in opened.files}
    assert kinds == {"docx", "xlsx", "pdf", "jpeg", "png", "csv", "text", "html", "eml", "zip", "unknown"}


def test_what_they_say_is_read(opened):
    texts = {file.path: file.texts[0].text for file in opened.files if file.texts}
    assert texts["letter.docx"] == "One\t\nTwo\n\n"
    assert texts["sheet.xlsx"] == "One\t2023-03-15\t1.5"
    assert "ご確認" in texts["files.zip/readme.txt"]
    assert "https://www.example.com/a" in {link.url for file in opened.files for link in file.links}


def test_nothing_is_wrong_with_them(opened):
    assert not opened.findings
    assert not opened.cut


def test_they_are_no_part_of_an_answer():
    answer = job.prepare(b"")(msgspec.msgpack.encode(OpenRequest((Attachment("1", "a.txt", "", b"hello"),))))
    assert [file.path for file in job.decode(answer).files] == ["a.txt"]
