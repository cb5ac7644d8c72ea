"""Office files made by hand: packages, VBA projects, binary workbooks."""

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from sekisho.parse.unpack.mail.compound_writer import ROOT, STORAGE, STREAM, Node, written

FILES = Path(__file__).parents[3] / "shared/data/attachments/files.tar.xz"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="r"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="r"'
DRAWING = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="p" xmlns:r="r"'


def corpus(name):
    """A file of the corpus by the end of its path."""
    if not FILES.exists():
        pytest.skip("needs ../shared/data/attachments/files.tar.xz")
    with tarfile.open(FILES) as archive:
        return next(archive.extractfile(m).read() for m in archive if m.name.endswith(name))


def office_corpus():
    """Every file of the corpus that oletools keeps, by its path there."""
    if not FILES.exists():
        pytest.skip("needs ../shared/data/attachments/files.tar.xz")
    with tarfile.open(FILES) as archive:
        return {
            m.name.removeprefix("oletools/"): archive.extractfile(m).read()
            for m in archive
            if m.isfile() and m.name.startswith("oletools/")
        }


def relations(*rows):
    """A relations part of (id, kind, target) or (id, kind, target, "External")."""
    body = "".join(
        f'<Relationship Id="{row[0]}" Type="{KIND}{row[1]}" Target="{row[2]}"'
        + (' TargetMode="External"/>' if len(row) > 3 else "/>")
        for row in rows
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{body}</Relationships>'
    )


def package(parts, main="word/document.xml", more=(), compression=zipfile.ZIP_DEFLATED):
    """A package of these parts; `more` are relations of the package."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relations(("rId1", "officeDocument", main), *more))
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def word(body, *rows, **parts):
    """A docx with this body; `rows` are relations of the document, `parts` others under word/."""
    files = {"word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>"}
    if rows:
        files["word/_rels/document.xml.rels"] = relations(*rows)
    return package(files | {f"word/{name.replace('__', '.')}": content for name, content in parts.items()})


def run(text):
    return f"<w:r><w:t>{text}</w:t></w:r>"


def paragraph(*pieces):
    return f"<w:p>{''.join(pieces)}</w:p>"


def workbook(sheets, *, strings="", styles="", names="", states=(), kinds=(), more=None, rows=()):
    """An xlsx of sheetData by sheet name."""
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n + 1}" r:id="rId{n}"' + (f' state="{states[n]}"/>' if states else "/>")
        for n, name in enumerate(sheets)
    ).replace("r:id", "x:id")
    files = {
        "xl/workbook.xml": f'<workbook {SHEET} xmlns:x="x"><sheets>{listed}</sheets>'
        f"<definedNames>{names}</definedNames></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            *[(f"rId{n}", kinds[n] if kinds else "worksheet", f"worksheets/s{n}.xml") for n in range(len(sheets))],
            ("s", "sharedStrings", "sharedStrings.xml"),
            ("t", "styles", "styles.xml"),
            *rows,
        ),
    }
    for n, data in enumerate(sheets.values()):
        files[f"xl/worksheets/s{n}.xml"] = (
            data if data.startswith("<?xml") or "<worksheet" in data
            else f"<worksheet {SHEET}><sheetData>{data}</sheetData></worksheet>"
        )  # fmt: skip
    if strings:
        files["xl/sharedStrings.xml"] = f"<sst {SHEET}>{strings}</sst>"
    if styles:
        files["xl/styles.xml"] = f"<styleSheet {SHEET}>{styles}</styleSheet>"
    return package(files | (more or {}), "xl/workbook.xml")


def compound(streams, class_ids=None):
    """A compound file of streams by path ("VBA/dir"), storages with class ids by path."""
    nodes = [Node("Root Entry", ROOT)]
    places = {"": 0}

    def storage(path):
        if path not in places:
            above, _, name = path.rpartition("/")
            parent = storage(above)
            places[path] = len(nodes)
            nodes.append(Node(name, STORAGE, class_id=(class_ids or {}).get(path, bytes(16))))
            nodes[parent].children.append(places[path])
        return places[path]

    for path, content in streams.items():
        above, _, name = path.rpartition("/")
        parent = storage(above)
        nodes[parent].children.append(len(nodes))
        nodes.append(Node(name, STREAM, content))
    return written(nodes)


def packed(source):
    """The compression of MS-OVBA 2.4.1 with nothing but literal tokens."""
    out = b"\x01"
    for start in range(0, len(source), 3600):
        piece = source[start : start + 3600]
        tokens = b"".join(b"\0" + piece[at : at + 8] for at in range(0, len(piece), 8))
        out += struct.pack("<H", 0xB000 | len(tokens) + 2 - 3) + tokens
    return out


def project(modules, codepage=932, cached=b"", root="VBA"):
    """The streams of a VBA project of sources by module name."""
    encoded = f"cp{codepage}"
    directory = struct.pack("<HIH", 3, 2, codepage) + struct.pack("<HIIH", 9, 4, 1, 1)
    for name in modules:
        octets, wide = name.encode(encoded), name.encode("utf-16-le")
        directory += struct.pack("<HI", 0x19, len(octets)) + octets + struct.pack("<HI", 0x47, len(wide)) + wide
        directory += struct.pack("<HI", 0x1A, len(octets)) + octets + struct.pack("<HI", 0x32, len(wide)) + wide
        directory += struct.pack("<HII", 0x31, 4, len(cached)) + struct.pack("<HI", 0x2B, 0)
    directory += struct.pack("<HI", 0x10, 0)
    streams = {f"{root}/dir": packed(directory), f"{root}/_VBA_PROJECT": b"\xcc\x61\xff\xff\0\0\0"}
    for name, source in modules.items():
        streams[f"{root}/{name}"] = cached + packed(source.encode(encoded))
    return streams


def macro_file(*sources, **more):
    """vbaProject.bin with these module sources."""
    return compound(project({f"Module{n}": source for n, source in enumerate(sources, 1)}, **more))


def macro_document(*sources):
    """A docm with a VBA project."""
    return word(paragraph(run("text")), ("m", "vbaProject", "vbaProject.bin"), vbaProject__bin=macro_file(*sources))
