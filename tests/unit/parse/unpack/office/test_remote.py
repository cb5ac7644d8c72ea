from __future__ import annotations

import pytest
from support.opened_file import found, opening_of

from sekisho.parse.unpack.office.remote import tell_target


def severity(kind, target):
    opening = opening_of(b"")
    tell_target(opening, kind, target)
    return next(iter(found(opening).values()), None)


@pytest.mark.parametrize(
    "target",
    ["https://www.example.co.jp/", "mailto:a@example.jp", "tel:+81312345678", "#Sheet2!A1", "a.xlsx",
     "..\\data\\a.xlsx", "\\\\fileserver\\共有\\a.xlsx", "file:///C:/a.pdf", "javascript:void(0)",
     "onenote:https://d.example/", "msteams:/l/x"],
)  # fmt: skip
def test_plain_links(target):
    assert severity("hyperlink", target) is None


@pytest.mark.parametrize(
    "target",
    [
        "ms-msdt:/id x",
        "search-ms:query=a",
        "mhtml:http://a!b",
        "script:http://a",
        "vbscript:x",
        "ms-appinstaller:?s=x",
    ],
)
def test_links_that_start_programs(target):
    assert severity("hyperlink", target) == "high"
    assert severity("hyperlink", target.replace(":", "%3A", 1)) == "high"


@pytest.mark.parametrize(
    ("target", "expected"),
    [("http://203.0.113.9/t", "high"), ("HTTPS://E.example/T", "high"), ("ftp://e.example/t", "high"),
     ("\\\\e.example@SSL\\DavWWWRoot\\t.dotm", "high"), ("file://///203.0.113.9/t.dotm", "high"),
     ("\\\\server\\t.dotm", "low"), ("C:\\t.dotm", None), ("Normal.dotm", None), ("%APPDATA%\\t.dotm", None)],
)  # fmt: skip
def test_templates(target, expected):
    assert severity("attachedTemplate", target) == expected


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [("oleObject", "https://e.example/a.xlsx", "high"), ("oleObject", "https://c.sharepoint.com/a.xlsx", "medium"),
     ("oleObject", "file:///\\\\server\\a.xlsx", "low"), ("oleObject", "file:///C:\\a.xlsx", None),
     ("image", "https://e.example/a.png", "low"), ("image", "cid:a", None)],
)  # fmt: skip
def test_objects(kind, target, expected):
    assert severity(kind, target) == expected
