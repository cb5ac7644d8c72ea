from __future__ import annotations

import random
import re
from contextlib import suppress
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from support.office import compound, corpus, office_corpus, project
from support.opened_file import NAMED_ERRORS, found, opened, urls

from sekisho.parse.unpack.office.ole import open_ole
from sekisho.parse.unpack.office.ooxml import open_ooxml
from sekisho.parse.unpack.office.word import without_fields
from sekisho.parse.unpack.opening import CorruptError

OLE = b"\xd0\xcf\x11\xe0"


def texts(opening, *places):
    return "".join(text.text for text in opening.texts if text.place in places)


def words(text):
    return re.findall(r"[^\W_]{2,}", text)


@pytest.mark.parametrize("name", ["msodde/harmless-clean", "oleobj/embedded-simple-2007"])
def test_doc_says_the_same_as_docx(name):
    old = opened(open_ole, corpus(f"{name}.doc"))
    new = opened(open_ooxml, corpus(f"{name}.docx"))
    assert words(texts(old, "")) == [w for w in words(texts(new, "")) if w != "J"]  # a symbol's letter
    assert found(old) == {}


def test_ppt_says_the_same_as_pptx():
    old = opened(open_ole, corpus("oleobj/embedded-simple-2007.ppt"))
    new = opened(open_ooxml, corpus("oleobj/embedded-simple-2007.pptx"))
    assert words(texts(old, "slide", "slide 1")) == words(texts(new, "slide 1"))


BINARY_WORKBOOKS = (
    "oleobj/embedded-simple-2007.xls",
    "oleobj/embedded-simple-2007.xla",
    "oleobj/embedded-simple-2007.xlt",
)


@pytest.mark.parametrize("name", BINARY_WORKBOOKS)
def test_xls_against_calamine(name):
    content = corpus(name)
    opening = opened(open_ole, content)
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    for sheet in book.sheet_names:
        cells = [
            str(c) for row in book.get_sheet_by_name(sheet).to_python() for c in row if c not in ("", True, False)
        ]
        assert texts(opening, sheet).split("\t") == ["\n".join(cells)] or words(texts(opening, sheet)) == words(
            " ".join(cells)
        )


@pytest.mark.parametrize("ending", ["xls", "xlt"])
def test_excel_4_macros(ending):
    opening = opened(open_ole, corpus(f"excel4-macros/excel4_sample_macro.{ending}"))
    assert texts(opening, "macro") == 'ALERT("This is a sample Excel 4 macro")\nHALT()'
    assert found(opening) == {"xlm-macro": "medium"}


def test_excel_4_macros_of_excel_5():
    opening = opened(open_ole, corpus("excel4_sample_macro_excel5_format.xls"))
    assert texts(opening, "macro") == 'ALERT("This is a sample Excel 4 macro")\nHALT()'
    assert found(opening) == {"xlm-macro": "medium"}


PACKAGES = {
    "oleobj/embedded-simple-2007.doc": "simple-text-file.txt",
    "oleobj/embedded-simple-2007.xls": "simple-text-file.txt",
    "oleobj/embedded-unicode.doc": "ünicöde-수식끝이잘못되었습니다.txt",
    "oleobj/sample_with_calc_embedded.doc": "calc.exe",
    "oleobj/sample_with_lnk_file.doc": "calc.lnk",
}


@pytest.mark.parametrize(("name", "inner"), PACKAGES.items())
def test_packages_with_their_names(name, inner):
    (child,) = opened(open_ole, corpus(name)).children
    assert child.name == inner
    assert len(child.content) > 40


def test_the_file_in_a_package_is_whole():
    (child,) = opened(open_ole, corpus("oleobj/embedded-simple-2007.doc")).children
    assert child.content.startswith(b"This is the contents of a simple ascii text file.")


def test_an_object_that_points_to_a_program():
    assert found(opened(open_ole, corpus("sample_with_lnk_to_calc.doc"))) == {"remote-object": "high"}


def test_macros_of_a_presentation():
    opening = opened(open_ole, corpus("olevba/sample_with_vba.ppt"), "a.ppt")
    assert "Sub Action_Click()" in texts(opening, "macro")
    assert found(opening) == {"macro": "low"}
    assert opening.findings[0].path == "a.ppt/macro"


def test_macros_of_a_workbook():
    streams = {"Workbook": b"\x09\x08\x10\0\0\x06\x05\0" + bytes(12) + b"\x0a\0\0\0"}
    macros = project({"ThisWorkbook": "Sub Workbook_Open()\r\n Shell x\r\nEnd Sub"}, root="_VBA_PROJECT_CUR/VBA")
    assert found(opened(open_ole, compound(streams | macros)))["macro-dangerous"] == "high"


EQUATION = bytes.fromhex("02ce020000000000c000000000000046")
FORMULA = b"\x1c\0\0\0\2\0" + bytes(22) + b"\3\1\1\3\0" + b"\x08\x12\x81Times New Roman\0" + b"x" * 60


def test_equation_editor():
    def severity(streams):
        return found(opened(open_ole, compound(streams, {"ObjectPool/_1": EQUATION}))).get("exploit-object")

    assert severity({"ObjectPool/_1/Equation Native": FORMULA}) == "medium"
    assert severity({"ObjectPool/_1/Equation Native": FORMULA.replace(b"Times", b"T" * 60)}) == "high"
    assert severity({"ObjectPool/_1/Equation Native": FORMULA + b"cmd.exe /c calc"}) == "high"
    assert severity({"ObjectPool/_1/\x01oLe10nAtiVe": b"\x40\0\0\0" + b"x" * 64}) == "high"
    assert severity({"ObjectPool/_1/\x01CompObj": b"x"}) == "high"


def test_a_link_to_a_url():
    moniker = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
    url = "http://evil.example/a.hta".encode("utf-16-le") + b"\0\0"
    stream = b"\x01\0\0\x02" + bytes(20) + moniker + len(url).to_bytes(4, "little") + url
    opening = opened(open_ole, compound({"ObjectPool/_1/\x01Ole": stream}))
    assert urls(opening) == ["http://evil.example/a.hta"]
    assert found(opening) == {"remote-object": "high"}


def test_properties():
    text = texts(opened(open_ole, corpus("oleobj/embedded-unicode.doc")), "properties")
    assert "Microsoft Office Word" in text
    assert "Normal.dot" in text


def test_fields_of_word():
    opening = opened(open_ole, corpus("msodde/harmless-clean.doc"))
    shown = without_fields(
        opening, 'a\x13 HYPERLINK "https://e.example/" \x14here\x15b\x13 DDEAUTO cmd "/c x" \x14r\x15'
    )
    assert shown == "aherebr"
    assert [(link.url, link.text) for link in opening.links] == [("https://e.example/", "here")]
    assert found(opening) == {"dde": "high"}


def test_not_a_compound_file():
    for content in (b"", b"x" * 600, OLE + bytes(600)):
        with pytest.raises(CorruptError):
            opened(open_ole, content)


def test_mutations_end_in_named_errors():
    rng = random.Random(12)
    files = [c for n, c in office_corpus().items() if c.startswith(OLE) and "crypt" not in n]
    for _ in range(300):
        broken = bytearray(rng.choice(files))
        for _ in range(rng.choice((1, 5, 40))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        if rng.random() < 0.2:
            del broken[rng.randrange(len(broken)) :]
        with suppress(*NAMED_ERRORS):
            opened(open_ole, bytes(broken))
