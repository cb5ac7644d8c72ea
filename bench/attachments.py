"""Attachments as offices send them, written with the standard library alone: OOXML, PDF, ZIP, PNG, CSV."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from html import escape

from words import Prose

OFFICE = "application/vnd.openxmlformats-officedocument."
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def attachment(kind: str, size: int, rng: random.Random) -> tuple[bytes, str, str]:
    """The bytes (about `size`), the content type and the file name of one attachment."""
    prose = Prose(rng)
    data, content_type = WRITERS[kind](size, rng, prose)
    return data, content_type, f"{rng.choice(prose.words)}-{rng.randrange(1000)}.{kind}"


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # ZipInfo: no clock in the result
    return out.getvalue()


def _png(size: int, rng: random.Random, _prose: Prose) -> tuple[bytes, str]:
    side = max(8, int((size / 3) ** 0.5))
    rows = b"".join(b"\0" + rng.randbytes(side * 3) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    image = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + image, "image/png"


def _ooxml(kind: str, part: str, body: bytes, more: dict[str, bytes]) -> bytes:
    """An Office package with one main part and, beside it, `more`."""
    types = (
        f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="png" ContentType="image/png"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{part}" ContentType="{OFFICE}{kind}.main+xml"/></Types>'
    )
    relations = (
        f'{XML}<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="rId1" Type="{OFFICE_RELATION}" Target="{part}"/></Relationships>'
    )
    return _zip({"[Content_Types].xml": types.encode(), "_rels/.rels": relations.encode(), part: body} | more)


def _docx(size: int, rng: random.Random, prose: Prose) -> tuple[bytes, str]:
    paragraphs = prose.english(min(size // 2, 150_000))
    text = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in paragraphs)
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'{XML}<w:document xmlns:w="{space}"><w:body>{text}</w:body></w:document>'.encode()
    picture = _png(max(1000, size - len(body) // 4), rng, prose)[0]
    data = _ooxml("wordprocessingml.document", "word/document.xml", body, {"word/media/image1.png": picture})
    return data, f"{OFFICE}wordprocessingml.document"


def _xlsx(size: int, rng: random.Random, _prose: Prose) -> tuple[bytes, str]:
    rows = []
    for number in range(1, max(20, size // 30)):
        cells = (rng.randrange(10**6), rng.randrange(10**4), round(rng.random() * 1e5, 2), rng.randrange(10**9))
        values = "".join(f"<c><v>{cell}</v></c>" for cell in cells)
        rows.append(f'<row r="{number}">{values}</row>')
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'{XML}<worksheet xmlns="{space}"><sheetData>{"".join(rows)}</sheetData></worksheet>'.encode()
    book = f'{XML}<workbook xmlns="{space}"><sheets><sheet name="Data" sheetId="1"/></sheets></workbook>'.encode()
    data = _ooxml("spreadsheetml.sheet", "xl/workbook.xml", book, {"xl/worksheets/sheet1.xml": sheet})
    return data, f"{OFFICE}spreadsheetml.sheet"


def _pdf(size: int, rng: random.Random, prose: Prose) -> tuple[bytes, str]:
    """A PDF of one page of text and one image; the offsets of its table are right."""
    lines = [line[:90] for line in prose.english(4000)]
    text = "BT /F1 10 Tf 12 TL 40 800 Td " + " ".join(f"({line.replace('(', '')}) Tj T*" for line in lines) + " ET"
    side = max(8, int((max(size - 4000, 300) / 3) ** 0.5))
    page, image = zlib.compress(text.encode()), zlib.compress(rng.randbytes(side * side * 3), 1)
    picture = f"/Type/XObject/Subtype/Image/Width {side}/Height {side}/ColorSpace/DeviceRGB/BitsPerComponent 8"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 7 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (picture.encode(), len(image), image),
        b"<</Font<</F1 5 0 R>>/XObject<</I1 6 0 R>>>>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size 8/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return bytes(out) + b"xref\n0 8\n0000000000 65535 f \n" + table + end, "application/pdf"


def _archive(size: int, rng: random.Random, prose: Prose) -> tuple[bytes, str]:
    members, left, number = {}, size, 0
    while left > 0:
        number += 1
        text = "\n".join(prose.english(30_000)).encode()
        members[f"documents/{number}.txt"] = text
        members[f"data/{number}.bin"] = rng.randbytes(max(1, min(left, 150_000)))
        left -= len(text) // 3 + 150_000
    return _zip(members), "application/zip"


def _csv(size: int, rng: random.Random, prose: Prose) -> tuple[bytes, str]:
    lines = ["number,item,quantity,price"]
    for number in range(min(size, 300_000) // 30):
        item = f"{rng.choice(prose.words)} {rng.choice(prose.words)}"
        lines.append(f"{number},{item},{rng.randrange(500)},{rng.random() * 1e4:.2f}")
    return "\r\n".join(lines).encode(), "text/csv"


WRITERS = {"docx": _docx, "xlsx": _xlsx, "pdf": _pdf, "zip": _archive, "png": _png, "csv": _csv}
