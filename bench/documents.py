"""Files of about 500 kB as offices send them: pages with tables and pictures, a workbook, a PDF, a ZIP of ten.

The same for the same seed, and different in every inner file for another one, so that no cache of content helps.
"""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from attachments import OFFICE, XML
from words import Prose

SIZE = 500_000
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
OFFICE_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/"
EDITOR = "application/vnd.openxmlformats-"
PICTURE_OCTETS = 0.34  # of a JPEG, for each pixel
Members = dict[str, bytes]


@dataclass(frozen=True)
class File:
    """One file to be attached."""

    name: str
    content_type: str
    content: bytes


def document(kind: str, seed: str, size: int = SIZE) -> File:
    """A file of about `size` octets; `kind` is a key of `KINDS`."""
    rng = random.Random(f"{kind}/{seed}")
    content_type, write = KINDS[kind]
    return File(f"{rng.choice(Prose(rng).words)}-{rng.randrange(1000)}.{kind}", content_type, write(rng, size))


def package(members: Members) -> bytes:
    """A ZIP as Office and Explorer write it: deflated, but what is compressed already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            stored = name.endswith((".jpg", ".jpeg", ".png"))
            info = zipfile.ZipInfo(name, (2025, 1, 6, 8, 0, 0))  # a fixed date: the same octets every time
            archive.writestr(info, content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def picture(rng: random.Random, octets: int) -> tuple[bytes, int, int]:
    """A JPEG of about `octets` with soft shapes in colour, like a photograph; its width and height."""
    from PIL import Image  # noqa: PLC0415 - comes with the gateway; keeps --help fast

    height = max(24, int((octets / PICTURE_OCTETS / 1.5) ** 0.5))
    width = height * 3 // 2
    small = (width // 4 + 1, height // 4 + 1)
    seen = Image.frombytes("RGB", small, rng.randbytes(small[0] * small[1] * 3))
    out = io.BytesIO()
    seen.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=80)
    return out.getvalue(), width, height


def chart(rng: random.Random) -> bytes:
    """A PNG of plain bars on white: what a spreadsheet exports."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - as above

    image = Image.new("RGB", (640, 360), "white")
    draw = ImageDraw.Draw(image)
    for bar in range(24):
        draw.rectangle((20 + bar * 25, 340 - rng.randrange(300), 38 + bar * 25, 340), fill=(68, 114, 196))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _relations(*entries: tuple[str, str]) -> bytes:
    """A part of relationships: type (below `OFFICE_DOCUMENT` or whole), target."""
    lines = [
        f'<Relationship Id="rId{number}" Type="{kind if ":" in kind else OFFICE_DOCUMENT + "relationships/" + kind}" '
        f'Target="{target}"{" TargetMode=" + chr(34) + "External" + chr(34) if target.startswith("http") else ""}/>'
        for number, (kind, target) in enumerate(entries, 1)
    ]
    return f'{XML}<Relationships xmlns="{PACKAGE}relationships">{"".join(lines)}</Relationships>'.encode()


def _office(main: str, family: str, overrides: dict[str, str], members: Members, rng: random.Random) -> bytes:
    """An Office package: content types, relationships, properties, then `members`; `main` is where reading begins."""
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{EDITOR}{kind}+xml"/>'
        for name, kind in {main: f"officedocument.{family}.main", **overrides}.items()
    )
    defaults = {"rels": f"{EDITOR}package.relationships+xml", "xml": "application/xml"}
    defaults |= {"jpeg": "image/jpeg", "png": "image/png"}
    known = "".join(f'<Default Extension="{end}" ContentType="{kind}"/>' for end, kind in defaults.items())
    space = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    core = (
        f'{XML}<cp:coreProperties xmlns:cp="{PACKAGE}metadata/core-properties" {space}>'
        f"<dc:title>Report {rng.getrandbits(32)}</dc:title><dc:creator>User {rng.randrange(40)}</dc:creator>"
        f"<cp:revision>{rng.randrange(50)}</cp:revision></cp:coreProperties>"
    )
    app = f'{XML}<Properties xmlns="{OFFICE_DOCUMENT}extended-properties"><Company>Corp Ltd</Company></Properties>'
    first = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}content-types">{known}{types}</Types>'.encode(),
        "_rels/.rels": _relations(
            ("officeDocument", main),
            (f"{PACKAGE}relationships/metadata/core-properties", "docProps/core.xml"),
            ("extended-properties", "docProps/app.xml"),
        ),
        "docProps/core.xml": core.encode(),
        "docProps/app.xml": app.encode(),
    }
    return package(first | members)


def _run(text: str, rng: random.Random) -> str:
    """A run of text as Word writes it: revision marks, fonts, size, language."""
    return (
        f'<w:r w:rsidRPr="00{rng.getrandbits(24):06X}"><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" '
        'w:cs="Calibri" w:eastAsia="游明朝"/><w:sz w:val="22"/><w:szCs w:val="22"/><w:lang w:val="en-US"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )


def _paragraph(text: str, rng: random.Random, style: str = "BodyText") -> str:
    """A paragraph of one to three runs: Word begins one wherever somebody edited."""
    words, cuts = text.split(" "), rng.randint(1, 3)
    step = len(words) // cuts + 1
    runs = "".join(_run(" ".join(words[at : at + step]) + " ", rng) for at in range(0, len(words), step))
    mark = f'w:rsidR="00{rng.getrandbits(24):06X}" w:rsidRDefault="00A77B3E"'
    return f'<w:p {mark}><w:pPr><w:pStyle w:val="{style}"/><w:spacing w:after="160"/></w:pPr>{runs}</w:p>'


def _table(rng: random.Random, prose: Prose, rows: int) -> str:
    """Four columns: a word, a quantity, a price, a date."""
    out = []
    for _ in range(rows):
        values = (
            rng.choice(prose.words),
            f"{rng.randrange(900)}",
            f"{rng.random() * 1e4:.2f}",
            f"2025-{rng.randint(1, 12):02}",
        )
        cells = (
            f'<w:tc><w:tcPr><w:tcW w:w="2265"/></w:tcPr><w:p>{_run(value, rng)}</w:p></w:tc>' for value in values
        )
        out.append(f"<w:tr>{''.join(cells)}</w:tr>")
    return f'<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/></w:tblPr>{"".join(out)}</w:tbl>'


def _shown(relation: int, width: int, height: int) -> str:
    """A paragraph with a picture in its line."""
    return (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{DRAWING}wordprocessingDrawing"><wp:extent cx="{width * 6350}" '
        f'cy="{height * 6350}"/><wp:docPr id="{relation}" name="Picture {relation}"/>'
        f'<a:graphic xmlns:a="{DRAWING}main">'
        f'<a:graphicData uri="{DRAWING}picture"><pic:pic xmlns:pic="{DRAWING}picture"><pic:blipFill>'
        f'<a:blip r:embed="rId{relation}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )


def _styles(rng: random.Random) -> bytes:
    """What Word writes into every file: a few hundred styles that nobody uses."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Style{number}"><w:name w:val="Style {number}"/>'
        '<w:basedOn w:val="Normal"/>'
        f'<w:rsid w:val="00{rng.getrandbits(24):06X}"/><w:pPr><w:spacing w:before="{number}"/></w:pPr></w:style>'
        for number in range(200)
    )
    return f'{XML}<w:styles xmlns:w="{WORD}">{styles}</w:styles>'.encode()


def docx(rng: random.Random, size: int) -> bytes:
    """About twelve pages: prose in English and Japanese, four tables, three pictures, links, a header."""
    prose, pictures = Prose(rng), [picture(rng, int(size * 0.298)) for _ in range(3)]
    scale = min(1.0, size / SIZE)
    blocks = [_paragraph(text, rng) for text in prose.english(int(28_000 * scale))]
    blocks += [_paragraph(text, rng) for text in prose.japanese(int(6_000 * scale))]
    rng.shuffle(blocks)
    blocks += [_table(rng, prose, int(25 * scale) + 1) for _ in range(4)]
    blocks += [_shown(number, width, height) for number, (_, width, height) in enumerate(pictures, 4)]
    link = f'<w:p><w:hyperlink r:id="rId3">{_run("our portal", rng)}</w:hyperlink></w:p>'
    names = f'xmlns:w="{WORD}" xmlns:r="{OFFICE_DOCUMENT}relationships"'
    body = f"{XML}<w:document {names}><w:body>{''.join(blocks)}{link}<w:sectPr/></w:body></w:document>"
    header = f'{XML}<w:hdr xmlns:w="{WORD}">{_paragraph("Corp Ltd, internal", rng, "Header")}</w:hdr>'
    targets = [("styles", "styles.xml"), ("header", "header1.xml")]
    targets += [("hyperlink", f"https://portal.partner.example/doc/{rng.getrandbits(40):x}")]
    targets += [("image", f"media/image{number}.jpeg") for number in range(1, 4)]
    parts = {
        "word/document.xml": body.encode(),
        "word/_rels/document.xml.rels": _relations(*targets),
        "word/styles.xml": _styles(rng),
        "word/header1.xml": header.encode(),
    }
    parts |= {f"word/media/image{number}.jpeg": data for number, (data, _, _) in enumerate(pictures, 1)}
    family = "wordprocessingml"
    kinds = {
        "word/styles.xml": f"officedocument.{family}.styles",
        "word/header1.xml": f"officedocument.{family}.header",
    }
    return _office("word/document.xml", f"{family}.document", kinds, parts, rng)


def _row(number: int, strings: int, rng: random.Random) -> str:
    """Ten cells: three shared strings, a date, five numbers, a formula with its result."""
    cells = [f'<c r="{column}{number}" t="s"><v>{rng.randrange(strings)}</v></c>' for column in "ABC"]
    cells.append(f'<c r="D{number}" s="2"><v>{45_000 + rng.randrange(700)}</v></c>')
    cells += [f'<c r="{column}{number}" s="1"><v>{rng.randrange(10**6) / 100}</v></c>' for column in "EFGHI"]
    cells.append(f'<c r="J{number}" s="1"><f>SUM(E{number}:I{number})</f><v>{rng.randrange(10**7) / 100}</v></c>')
    return f'<row r="{number}" spans="1:10">{"".join(cells)}</row>'


def xlsx(rng: random.Random, size: int) -> bytes:
    """Three sheets of ten columns with shared strings, dates, numbers and formulas, and a picture of a chart."""
    prose, rows = Prose(rng), max(10, size // 3 // 77)
    strings = [" ".join(rng.choices(prose.words, k=3)) for _ in range(400)]
    strings += [text.replace("\n", "") for text in prose.japanese(4000)]
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    sheets = "".join(
        f'<sheet name="第{number}四半期" sheetId="{number}" r:id="rId{number}"/>' for number in (1, 2, 3)
    )
    names = f'xmlns="{SHEET}" xmlns:r="{OFFICE_DOCUMENT}relationships"'
    styles = '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="4"/><xf numFmtId="14"/></cellXfs>'
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in (1, 2, 3)]
    parts = {
        "xl/workbook.xml": f"{XML}<workbook {names}><sheets>{sheets}</sheets></workbook>".encode(),
        "xl/_rels/workbook.xml.rels": _relations(
            *targets, ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
        "xl/styles.xml": f'{XML}<styleSheet xmlns="{SHEET}">{styles}</styleSheet>'.encode(),
        "xl/sharedStrings.xml": f'{XML}<sst xmlns="{SHEET}" count="{len(strings)}">{shared}</sst>'.encode(),
        "xl/media/image1.png": chart(rng),
    }
    for number in (1, 2, 3):
        data = "".join(_row(row, len(strings), rng) for row in range(1, rows))
        sheet = f'{XML}<worksheet {names}><dimension ref="A1:J{rows}"/><sheetData>{data}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet.encode()
    family = "officedocument.spreadsheetml"
    kinds = {f"xl/worksheets/sheet{number}.xml": f"{family}.worksheet" for number in (1, 2, 3)}
    kinds |= {"xl/styles.xml": f"{family}.styles", "xl/sharedStrings.xml": f"{family}.sharedStrings"}
    return _office("xl/workbook.xml", "spreadsheetml.sheet", kinds, parts, rng)


def _page(prose: Prose, image: int) -> bytes:
    """The drawing of a page: a heading, some fifty lines of text, a table's rules, perhaps a picture."""
    out = ["BT /F2 16 Tf 60 780 Td (Report) Tj ET", "BT /F1 10 Tf 13 TL 60 750 Td"]
    for paragraph in prose.english(2800):
        text = paragraph.replace("(", "").replace(")", "")
        out += [f"({text[at : at + 88]}) Tj T*" for at in range(0, len(text), 88)]
    out.append("ET")
    out += [f"0.5 w 60 {60 + 12 * line} m 535 {60 + 12 * line} l S" for line in range(8)]
    out += [f"q 300 0 0 200 60 100 cm /I{image} Do Q"] if image else []
    return zlib.compress("\n".join(out).encode("latin-1"))


def _stream(dictionary: str, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (dictionary.encode(), len(content), content)


def pdf(rng: random.Random, size: int) -> bytes:
    """Pages of text with a link each, four of them with a picture; cross-reference table in order."""
    prose, pictures = Prose(rng), [picture(rng, int(size * 0.222)) for _ in range(4)]
    pages = max(4, 16 * size // SIZE)
    first = 5 + len(pictures)  # objects: catalogue, pages, two fonts, the pictures, then three for each page
    kids = " ".join(f"{first + 3 * number} 0 R" for number in range(pages))
    images = "".join(f"/I{number} {4 + number} 0 R" for number in range(1, len(pictures) + 1))
    resources = f"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>/XObject<<{images}>>>>/MediaBox[0 0 595 842]"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {pages}{resources}>>".encode()]
    objects += [
        f"<</Type/Font/Subtype/Type1/Encoding/WinAnsiEncoding/BaseFont/{name}>>".encode()
        for name in ("Helvetica", "Helvetica-Bold")
    ]
    for data, width, height in pictures:
        shape = f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB/BitsPerComponent 8"
        objects.append(_stream(f"{shape}/Filter/DCTDecode", data))
    for number in range(pages):
        at = first + 3 * number
        objects.append(f"<</Type/Page/Parent 2 0 R/Contents {at + 1} 0 R/Annots[{at + 2} 0 R]>>".encode())
        drawn = number // (pages // 4) + 1 if number % (pages // 4) == 0 else 0
        objects.append(_stream("/Filter/FlateDecode", _page(prose, drawn if drawn <= len(pictures) else 0)))
        link = f"https://portal.partner.example/page/{rng.getrandbits(40):x}"
        objects.append(f"<</Type/Annot/Subtype/Link/Rect[60 770 200 800]/A<</S/URI/URI({link})>>>>".encode())
    return _with_table(objects, rng)


def _with_table(objects: list[bytes], rng: random.Random) -> bytes:
    """Objects numbered from 1, the table of their offsets, and the end."""
    out, offsets = bytearray(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    name = rng.getrandbits(128).to_bytes(16, "big").hex().encode()
    return bytes(out) + b"trailer<</Size %d/Root 1 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (
        count,
        name,
        name,
        start,
    )


def archive(rng: random.Random, size: int) -> bytes:
    """Ten files: two documents, two workbooks, two PDFs, two pictures, a CSV and a text, in folders."""
    prose, part = Prose(rng), int(size * 0.106)
    members: Members = {}
    for number, write in enumerate((docx, docx, xlsx, xlsx, pdf, pdf)):
        members[f"documents/{rng.choice(prose.words)}-{number}.{write.__name__}"] = write(rng, part)
    for number in range(2):
        members[f"pictures/IMG_{rng.randrange(9000)}_{number}.jpg"] = picture(rng, part)[0]
    lines = (f"{row},{rng.choice(prose.words)},{rng.randrange(500)},{rng.random() * 1e4:.2f}" for row in range(2500))
    members["data/list.csv"] = "\r\n".join(("number,item,quantity,price", *lines)).encode()
    members["readme.txt"] = "\r\n".join(prose.japanese(3000)).encode("cp932", "replace")
    return package(members)


KINDS: dict[str, tuple[str, Callable[[random.Random, int], bytes]]] = {
    "docx": (f"{OFFICE}wordprocessingml.document", docx),
    "xlsx": (f"{OFFICE}spreadsheetml.sheet", xlsx),
    "pdf": ("application/pdf", pdf),
    "zip": ("application/zip", archive),
}
