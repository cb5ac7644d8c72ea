from __future__ import annotations

import zlib

import pytest
from support.opened_file import all_text, found, opening_of, urls

from sekisho.parse.unpack.document import pdf_structure

HARMLESS = 'if (event.value < 0) { app.alert("Please enter a positive number"); event.rc = false; }'


def look(*objects: str | bytes):
    """The findings of a file of these objects, numbered from 1."""
    whole = b"%PDF-1.7\n" + b"".join(
        b"%d 0 obj\n" % n + (o.encode("latin-1") if isinstance(o, str) else o) + b"\nendobj\n"
        for n, o in enumerate(objects, 1)
    )
    opening = opening_of(whole, "a.pdf")
    pdf_structure.scan(opening, whole)
    return opening


def string(script: str) -> str:
    return script.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


@pytest.mark.parametrize(
    ("objects", "severity"),
    [
        ((f"<</S/JavaScript/JS({string(HARMLESS)})>>",), "low"),
        ((f"<</FT/Tx/AA<</K<</S/JavaScript/JS({string(HARMLESS)})>>>>>>",), "low"),
        ((f"<</FT/Tx/AA<</C<</S/JavaScript/JS({string(HARMLESS)})>>/F 3 0 R>>>>",), "low"),
        (("<</OpenAction 2 0 R>>", f"<</S/JavaScript/JS({string(HARMLESS)})>>"), "medium"),
        (("<</OpenAction<</S/GoTo/Next 2 0 R>>>>", f"<</S/JavaScript/JS({string(HARMLESS)})>>"), "medium"),
        (("<</Type/Page/AA<</O 2 0 R>>>>", f"<</S /JavaScript/JS({string(HARMLESS)})>>"), "medium"),
        (("<</Names<</JavaScript 2 0 R>>>>", "<</Names[(a) 3 0 R]>>", "<</S/JavaScript/JS(var a=1)>>"), "medium"),
        (('<</S/JavaScript/JS(util.printf\\("%45000f", 1\\))>>',), "high"),
        (('<</S/JavaScript/JS(this.exportDataObject\\({cName:"a",nLaunch:2}\\))>>',), "high"),
        (("<</S/JavaScript/JS<6576616c28756e657363617065282225753930393025753930393022292929>>>",), "high"),
        (("<</S/JavaScript/JS(eval\\(unescape\\('%61%62'\\)\\))>>",), "high"),
    ],
)
def test_scripts_by_what_they_do_and_when(objects, severity):
    assert found(look(*objects)) == {"pdf-javascript": severity}


def test_a_script_in_a_packed_stream_and_in_an_object_stream_is_read():
    script = b"Collab.getIcon('a')"
    packed = zlib.compress(script)
    body = b"<</Filter/FlateDecode/Length %d>>\nstream\n" % len(packed) + packed + b"\nendstream"
    assert found(look("<</S/JavaScript/JS 2 0 R>>", body)) == {"pdf-javascript": "high"}
    inner = b"7 0 <</S/JavaScript/JS(Collab.getIcon\\(1\\))>>"
    hexed = zlib.compress(inner).hex().encode() + b">"
    header = b"<</Type/ObjStm/N 1/First 4/Filter[/ASCIIHexDecode/FlateDecode]/Length %d>>\nstream\n" % len(hexed)
    assert found(look(header + hexed + b"\nendstream")) == {"pdf-javascript": "high"}


def test_names_written_in_hexadecimal_are_read_and_are_a_finding():
    severities = found(look("<</S/Java#53cript/#4aS(var a = 1)>>"))
    assert severities == {"pdf-javascript": "high", "pdf-obfuscated": "high"}
    # "#20" in the name of a font is how a blank has to be written (ISO 32000-1 7.3.5)
    assert found(look("<</BaseFont/MS#20Gothic>>")) == {}


@pytest.mark.parametrize(
    ("action", "severity"),
    [
        ("<</S/Launch/F(cmd.exe)>>", "high"),
        ("<</S/Launch/Win<</F(powershell.exe)/P(-enc AAAA)>>>>", "high"),
        ("<</S/Launch/F<</F(report.vbs)/Type/Filespec>>>>", "high"),
        ("<</S/Launch/F(appendix.pdf)>>", "medium"),
        ("<</S/Launch/F<</UF<feff8cc765993001002e0078006c00730078>>>>>", "medium"),  # 資料、.xlsx
        ("<</OpenAction<</S/Launch/F(appendix.pdf)>>>>", "high"),
    ],
)
def test_launches(action, severity):
    assert found(look(action)) == {"pdf-launch": severity}


def test_remote_targets_are_low_and_a_share_that_is_asked_at_once_is_high():
    form = look("<</S/SubmitForm/F<</FS/URL/F(https://forms.example.jp/in)>>/Flags 4>>")
    assert found(form) == {"pdf-remote": "low"}
    assert [(link.url, link.origin) for link in form.links] == [("https://forms.example.jp/in", "form")]
    assert found(look("<</S/GoToR/F(other.pdf)/D[0]>>")) == {"pdf-remote": "low"}
    assert found(look(r"<</S/GoToR/F(\\\\198.51.100.7\\share\\a.pdf)/D[0]>>")) == {"pdf-remote": "medium"}
    assert found(look(r"<</AA<</O<</S/GoToR/F(\\\\198.51.100.7\\share\\a.pdf)/D[0]>>>>>>")) == {"pdf-remote": "high"}


def test_links_in_all_their_spellings():
    opening = look(
        "<</S/URI/URI(https://a.example/\\(x\\))>>",
        "<</S/URI/URI<68747470733a2f2f622e6578616d706c65>>>",
        "<</S/URI/URI 4 0 R>>",
        "(https://c.example)",
        "<</URI<</Base(https://base.example)>>>>",
    )
    assert urls(opening) == ["https://a.example/(x)", "https://b.example", "https://c.example"]


def test_what_is_typed_into_forms_and_comments_is_text():
    opening = look("<</FT/Tx/T(name)/V<feff5c717530>>>", "<</Subtype/Text/Contents(please check)>>",
                   "<</Type/Sig/Contents<308201>>>")  # fmt: skip
    assert all_text(opening).split("\n") == ["山田", "please check"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_embedded_files_are_handed_on_by_name(end):
    opening = look(
        "<</Type/Filespec/F(a.txt)/UF<feff8acb6c42002e006500780065>/EF<</F 2 0 R>>>>",
        b"<</Type/EmbeddedFile/Length 4>>" + end + b"stream" + end + b"MZ\0\0" + end + b"endstream",
    )
    assert [(c.name, c.content) for c in opening.children] == [("請求.exe", b"MZ\0\0")]
    assert found(opening) == {"pdf-embedded-file": "low"}
    assert opening.findings[0].path.endswith("/請求.exe")
    assert "請求" not in opening.findings[0].explanation  # there a value in a name would not be masked


def test_actions_inside_of_a_stream_are_no_actions():
    """A content stream and an attached PDF hold names that mean nothing to the file around."""
    inner = b"<</S/Launch/F(cmd.exe)>> endstream \n<</S/JavaScript/JS(Collab.getIcon\\(1\\))>>"
    assert found(look(b"<</Length %d>>\nstream\n" % len(inner) + inner + b"\nendstream")) == {}


def test_a_short_declared_length_hides_nothing():
    hidden = b"<</Length 2>>\nstream\nab\nendstream\nendobj\n2 0 obj<</S/Launch/F(cmd.exe)>>"
    assert found(look(hidden)) == {"pdf-launch": "high"}
