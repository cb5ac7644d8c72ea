import io
import zipfile

import pytest

from sekisho.parse.unpack.kind_zip import zip_kind

_TYPES = '<?xml version="1.0"?><Types><Override PartName="/x" ContentType="{}"/></Types>'


def made(*members, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("main", "kind"),
    [
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", "docx"),
        ("application/vnd.ms-word.document.macroEnabled.main+xml", "docm"),
        ("application/vnd.ms-word.template.macroEnabledTemplate.main+xml", "dotm"),
        ("application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xlsb"),
        ("application/vnd.ms-excel.sheet.MACROENABLED.main+xml", "xlsm"),
        ("application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml", "ppsx"),
        ("application/vnd.ms-visio.drawing.main+xml", "vsdx"),
    ],
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_office_by_main_part(main, kind, compression):
    types = ("[Content_Types].xml", _TYPES.format(main))
    assert zip_kind(made(types, ("word/a.xml", "x"), compression=compression)) == kind
    assert zip_kind(made(("word/a.xml", "x"), types, compression=compression)) == kind


def test_office_by_folder():
    assert zip_kind(made(("[Content_Types].xml", "broken"), ("xl/workbook.xml", ""))) == "xlsx"
    assert zip_kind(made(("[Content_Types].xml", "broken"), ("word/vbaProject.bin", ""))) == "docm"


def test_a_folder_called_word_is_no_document():
    assert zip_kind(made(("word/list.txt", "x"), ("xl/a.txt", "x"))) == "zip"


@pytest.mark.parametrize(
    ("mimetype", "kind"), [("text", "odt"), ("spreadsheet-template", "ods"), ("graphics", "odg")]
)
def test_open_document(mimetype, kind):
    content = made(("mimetype", f"application/vnd.oasis.opendocument.{mimetype}"), compression=zipfile.ZIP_STORED)
    assert zip_kind(content) == kind


def test_a_book_is_a_zip():
    assert zip_kind(made(("mimetype", "application/epub+zip"), compression=zipfile.ZIP_STORED)) == "zip"


def test_octets_before_the_zip_do_not_matter():
    content = b"PK00" + made(("a.txt", "x"), ("META-INF/MANIFEST.MF", "x"))
    assert zip_kind(content) == "jar"


@pytest.mark.parametrize("cut", range(4, 120, 7))
def test_cut_off(cut):
    whole = made(("[Content_Types].xml", _TYPES.format("x")), ("word/a", "x"))
    assert zip_kind(whole[:cut]) in {"zip", "docx"}


@pytest.mark.parametrize("more", [b"PK\5\6" + bytes(18), (b"PK\5\6" + bytes(18)) * 3])
def test_a_document_with_an_end_record_behind_it_stays_one(more):
    names = ("_rels/.rels", "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")
    content = made(*((name, b"x") for name in names))
    assert zip_kind(content) == "docm"
    assert zip_kind(content + more) == "docm"
