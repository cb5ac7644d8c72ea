import time

import pytest

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.names import extension_of, look_at_name, name_oddities
from sekisho.parse.unpack.opening import Budget, Opening


def told(name, kind=""):
    return {o.rule.removeprefix("attachment/"): o.severity.word for o in name_oddities(name, kind)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("v1.2.pdf", "pdf"),
        ("report.2024.xlsx", "xlsx"),
        ("株式会社○○.様.pdf", "pdf"),
        ("archive.tar.gz", "gzip"),
        ("見積書 2024.05.10.xlsx", "xlsx"),
        ("議事録　　最終.docx", "docx"),
        ("photo.png", "jpeg"),
        ("old.doc", "docx"),
        ("list.xls", "html"),
        ("list.xls", "csv"),
        ("letter.doc", "rtf"),
        ("a.log", "text"),
        ("data.dat", "unknown"),
        ("setup.exe", "exe"),
        ("app.js", "javascript"),
        ("jquery.min.js", "javascript"),
        ("page.html.js", "javascript"),
        ("lib.jar", "jar"),
        ("source.zip", "jar"),
        ("x.pdf.zip", "zip"),
        ("mail.eml", "eml"),
        ("README", "shell"),
        ("setup.ex_", "exe"),
        ("会議室.予約.ics", "text"),
        ("👨‍👩‍👧 family.jpg", "jpeg"),
        ("☺️.png", "png"),
        ("", "pdf"),
        (".bashrc", "text"),
        ("12.05.2024", "pdf"),
        ("a.pdf", "unknown"),
        ("config.xml", "sct"),
        ("notes.txt", "reg"),
        ("invoice.pdf", "encrypted-office"),
        ("①㈱.pdf", "pdf"),
        ("_______________.xlsx", "xlsx"),
        ("a" * 200 + ".pdf", "pdf"),
    ],
)
def test_ordinary_names_are_at_most_low(name, kind):
    assert set(told(name, kind).values()) <= {"low"}


@pytest.mark.parametrize(
    "name", ["v1.2.pdf", "report.2024.xlsx", "株式会社○○.様.pdf", "archive.tar.gz", "議事録　.docx"]
)
def test_good_names_say_nothing(name):
    assert told(name, {"pdf": "pdf", "xlsx": "xlsx", "gz": "gzip", "docx": "docx"}[name.rsplit(".", 1)[-1]]) == {}


@pytest.mark.parametrize(
    ("name", "kind", "rules"),
    [
        ("invoice.pdf.exe", "exe", {"double-extension", "disguised-program"}),
        ("invoice.pdf.exe", "", {"double-extension", "disguised-program"}),
        ("請求書．ｐｄｆ.exe", "exe", {"double-extension", "disguised-program"}),
        ("写真.jpg                .exe", "exe", {"double-extension", "disguised-program"}),
        ("写真　　　　　　　　　　.scr", "exe", {"double-extension", "disguised-program"}),
        ("invoice.pdf.lnk", "lnk", {"double-extension", "disguised-program"}),
        ("invoice.PDF.JS ", "javascript", {"double-extension", "disguised-program"}),
        ("invoice.pdf.exe.", "exe", {"double-extension", "disguised-program"}),
        ("invoice\u202efdp.exe", "exe", {"bidi-name", "disguised-program"}),
        ("dir/sub/invoice.doc.vbs", "vbscript", {"double-extension", "disguised-program"}),
        ("report.pdf", "exe", {"disguised-program"}),
        ("report.docx", "jar", {"disguised-program"}),
        ("photo.jpg", "lnk", {"disguised-program"}),
        ("report.pdf", "vbscript", {"type-mismatch"}),
        ("report.pdf", "html", {"type-mismatch"}),
        ("photo.jpg", "zip", {"type-mismatch"}),
        ("report.pdf", "iso", {"type-mismatch"}),
        ("backup.csv.sh", "shell", {"double-extension"}),
        ("a\u200bb.pdf", "pdf", {"bidi-name"}),
        ("../../x.txt", "text", {"unsafe-name"}),
        ("..\\x.txt", "text", {"unsafe-name"}),
        ("/etc/passwd", "text", {"unsafe-name"}),
        ("C:\\x.txt", "text", {"unsafe-name"}),
        ("a\0.txt", "text", {"unsafe-name"}),
        ("con.txt", "text", {"unsafe-name"}),
        ("a.txt:b.exe", "", {"unsafe-name"}),
        ("a" * 300 + ".pdf", "pdf", {"long-name"}),
    ],
)
def test_odd_names(name, kind, rules):
    assert set(told(name, kind)) == rules


def test_severities():
    assert told("invoice.pdf.exe", "exe")["disguised-program"] == "critical"
    assert told("invoice\u202efdp.exe", "exe")["bidi-name"] == "medium"
    assert told("a.tgz", "zip") == {"type-mismatch": "low"}
    assert told("x.dat", "exe") == {"type-mismatch": "low"}


def test_the_look_tells_findings():
    opening = Opening(b"MZ", "a.pdf", budget=Budget(OpenLimits()))
    opening.kind = "exe"
    look_at_name(opening)
    assert [(f.rule, f.severity, f.path) for f in opening.findings] == [
        ("attachment/disguised-program", Severity.CRITICAL, "a.pdf")
    ]


@pytest.mark.parametrize(
    ("name", "extension"), [("a.PDF ", "pdf"), ("d.x/a", ""), ("a.e\u200bxe", "exe"), ("a.", "")]
)
def test_extension_of(name, extension):
    assert extension_of(name) == extension


@pytest.mark.parametrize(
    "bait", ["." * 100_000, " " * 100_000 + "x", "\u202e" * 100_000, "../" * 50_000, "a:" * 50_000, "_." * 50_000]
)
def test_bait_is_quick(bait):
    before = time.process_time()
    list(name_oddities(bait, "exe"))
    assert time.process_time() - before < 0.1
