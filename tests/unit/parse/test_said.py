import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.parse import said

NAME = "山田太郎"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (rf"C:\Users\{NAME}\顧客名簿.exe", "*.exe"),
        (rf"C:\\Users\\{NAME}\\a.exe", "*.exe"),
        (f"https://taro:pw@x.example:8443/{NAME}?mail=taro@example.jp#a", "https://x.example/…"),
        ("//cdn.example/taro.js", "//cdn.example/…"),
        (rf"\\srv\share\{NAME}.lnk", r"\\srv\…*.lnk"),
        (rf"\\srv.example@SSL\DavWWWRoot\{NAME}.lnk", r"\\srv.example\…*.lnk"),
        ("file://srv.example/taro/a.exe", r"\\srv.example\…*.exe"),
        (f"file:///C:/Users/{NAME}/a.pdf", "file:…"),
        ("mailto:taro@example.jp", "mailto:…"),
        ("javascript:alert('taro')", "javascript:…"),
        ("https://4111111111111111.x.example/", "https://*.x.example/…"),
        ("https://[taro/", "an address that cannot be read"),
        ("taro:yamada", "something not named here"),
        ("taro.yamada", "something not named here"),
    ],
)
def test_where_something_leads(text, shown):
    assert said.target(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"C:\Windows\cmd.exe /c net use z: \\fs1\home /user:taro hunter2", r"cmd, *.exe, \\fs1\…"),
        ("powershell -enc SQBFAFgA https://x.example/?taro", "powershell, https://x.example/…"),
        ('=HYPERLINK("https://x.example/?n=123456789018","taro")', "hyperlink, https://x.example/…"),
        ("taro 123456789018", "something not named here"),
    ],
)
def test_what_a_command_starts(text, shown):
    assert said.command(text) == shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (said.file_name(f"{NAME}.PDF"), "*.pdf"),
        (said.file_name("report.taro"), "*"),
        (said.media_type("Image/PNG"), "image/png"),
        (said.media_type("text/taro"), "text/*"),
        (said.media_type("taro/yamada"), "another type"),
        (said.object_class("Excel.Sheet.12"), "of class Excel"),
        (said.object_class("Excellent.Taro"), "of another class"),
        (said.class_id("taro"), "without a proper identifier"),
        (said.call("Collab . getIcon"), "Collab.getIcon"),
        (said.call("%u7461%u726f%u7461%u726f"), "escaped characters"),
        (said.call("createElement('taro','iframe"), "createElement"),
        (said.starter("Auto_Open_taro"), "Auto_Open"),
        (said.starter("taro_StatusTextChange"), "an event"),
        (said.part_name("word/document.xml"), "word/document.xml"),
        (said.part_name("word/taro.xml"), "*.xml"),
        (said.field("X-Taro"), "another field"),
        (said.encoding("taro"), "another encoding"),
        (said.reason("Ignoring out-of-order file @1 (taro)"), "Ignoring out-of-order file"),
        (said.reason(""), ""),
    ],
)
def test_our_words_and_those_that_are_known(told, shown):
    assert told == shown


@given(st.text(max_size=60), st.text(string.ascii_uppercase, min_size=1, max_size=5).map("KANARIE{}VOGEL".format))
def test_nothing_of_a_path_or_an_address_is_repeated(before, mark):
    for text in (f"C:\\{before}\\{mark}", f"https://x.example/{before}{mark}", f"https://x.example/?{before}={mark}"):
        assert mark not in said.target(text).upper()
        assert mark not in said.command(text.replace("\n", "")).upper()
