"""Small files of the common kinds, opened once before a process is confined and forked.

What is touched at the first use of a library, of the interpreter's code and of the YARA rules is then shared by all
processes: each of them would else spend some 4 ms of its own on it.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

import PIL.Image

from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.document.pdf import SAMPLE as PDF

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SCHEMA = "http://schemas.openxmlformats.org"
_TEXT = "Please confirm the order. See https://www.example.com/orders or call us.\r\nご確認をお願いいたします。\r\n"
_BODY = (
    "<w:body><w:p><w:r><w:t>One</w:t><w:tab/></w:r></w:p><w:p><w:hyperlink r:id='rId2'><w:r><w:t>Two</w:t></w:r>"
    "</w:hyperlink></w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl></w:body>"
)
_SHEET = (
    '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{}/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45000</v></c><c r="C1"><f>A1</f><v>1.5</v></c></row>'
    "</sheetData></worksheet>"
)


def request() -> OpenRequest:
    """The files as a message carries them."""
    picture = _picture("JPEG")
    files = {
        "letter.docx": _word(picture),
        "sheet.xlsx": _workbook(),
        "a.pdf": PDF,
        "photo.jpg": picture,
        "chart.png": _picture("PNG"),
        "list.csv": b"number,item,price\r\n1,pump,2.50\r\n",
        "readme.txt": _TEXT.encode("cp932"),
        "page.html": f"<p>{_TEXT}<a href='https://www.example.com/'>here</a></p>".encode(),
        "mail.eml": f"Subject: order\r\nFrom: a@example.com\r\nContent-Type: text/plain\r\n\r\n{_TEXT}".encode(),
        "data.bin": bytes(range(256)) * 8,
    }
    files["files.zip"] = _zipped(files)
    return OpenRequest(tuple(Attachment("2", name, "", content) for name, content in files.items()), ("word",))


def _picture(kind: str) -> bytes:
    """With stripes, and large enough for every look that is taken at a photograph."""
    octets = BytesIO()
    PIL.Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(octets, kind)
    return octets.getvalue()


def _zipped(files: dict[str, bytes]) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def _relations(*relations: tuple[str, str]) -> bytes:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{_SCHEMA}/officeDocument/2006/relationships/{kind}" Target="{target}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if ':' in target else ''}/>"
        for number, (kind, target) in enumerate(relations, 1)
    )
    return f'<Relationships xmlns="{_SCHEMA}/package/2006/relationships">{lines}</Relationships>'.encode()


def _package(main: str, kind: str, parts: dict[str, bytes]) -> bytes:
    types = (
        f'<Types xmlns="{_SCHEMA}/package/2006/content-types">'
        f'<Override PartName="/{main}" ContentType="{_OFFICE}.{kind}.main+xml"/></Types>'
    )
    first = {"[Content_Types].xml": types.encode(), "_rels/.rels": _relations(("officeDocument", main))}
    return _zipped(first | parts)


def _word(picture: bytes) -> bytes:
    names = f'xmlns:w="{_SCHEMA}/wordprocessingml/2006/main" xmlns:r="{_SCHEMA}/officeDocument/2006/relationships"'
    parts = {
        "word/document.xml": f"<w:document {names}>{_BODY}</w:document>".encode(),
        "word/_rels/document.xml.rels": _relations(
            ("image", "media/image1.jpeg"), ("hyperlink", "https://www.example.com/a")
        ),
        "word/media/image1.jpeg": picture,
    }
    return _package("word/document.xml", "wordprocessingml.document", parts)


def _workbook() -> bytes:
    space, relation = (f"{_SCHEMA}/{end}" for end in ("spreadsheetml/2006/main", "officeDocument/2006/relationships"))
    sheets = '<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets>'
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{relation}">{sheets}</workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")
        ),
        "xl/worksheets/sheet1.xml": _SHEET.format(_SCHEMA).encode(),
        "xl/sharedStrings.xml": f'<sst xmlns="{space}"><si><t>One</t></si></sst>'.encode(),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{space}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
        ).encode(),
    }
    return _package("xl/workbook.xml", "spreadsheetml.sheet", parts)
