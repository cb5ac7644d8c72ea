from __future__ import annotations

import struct
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from support.office import compound
from support.opened_file import found, opened, urls

from sekisho.parse.unpack.office.ole import open_ole
from sekisho.parse.unpack.opening import EncryptedError


def record(kind, data=b""):
    return struct.pack("<HH", kind, len(data)) + data


def string(text, size="<H"):
    return struct.pack(size, len(text)) + b"\1" + text.encode("utf-16-le")


def bof(kind):
    return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 1997, 0, 6))


def xls(*sheets, strings=(), records=b""):
    """A workbook of (name, state, kind, records of the sheet)."""
    shared = struct.pack("<II", len(strings), len(strings)) + b"".join(map(string, strings))
    formats = record(0x41E, struct.pack("<H", 200) + string("000-0000"))
    formats += b"".join(record(0xE0, struct.pack("<HH", 0, n) + bytes(16)) for n in (0, 14, 200))
    head = bof(5) + record(0x42, struct.pack("<H", 1200)) + formats
    listed = sum(4 + 6 + len(string(name, "<B")) for name, *_ in sheets)
    at = len(head) + listed + len(record(0xFC, shared)) + len(records) + 4
    bounds, bodies = b"", b""
    for name, state, kind, body in sheets:
        bounds += record(0x85, struct.pack("<IBB", at + len(bodies), state, kind) + string(name, "<B"))
        bodies += bof(0x40 if kind == 1 else 0x10) + body + record(0x0A)
    return head + bounds + record(0xFC, shared) + records + record(0x0A) + bodies


def book(*sheets, **more):
    return compound({"Workbook": xls(*sheets, **more)})


def label(row, column, number):
    return record(0xFD, struct.pack("<HHHI", row, column, 0, number))


def number(row, column, value, style=0):
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


CELLS = (
    record(0x200, struct.pack("<IIHHH", 0, 3, 0, 3, 0)) + label(0, 0, 0) + label(0, 1, 1)
    + number(1, 0, 4111111111111111.0) + record(0x27E, struct.pack("<HHHI", 1, 1, 0, 1234 << 2 | 3))
    + record(0xBD, struct.pack("<HHHIHIH", 2, 0, 0, 5 << 2 | 2, 0, 6 << 2 | 2, 1))
)  # fmt: skip


def texts(opening):
    return {text.place: text.text for text in opening.texts}


def test_cells_of_every_sheet():
    content = book(("顧客", 0, 0, CELLS), ("隠し", 2, 0, number(0, 0, 7)), strings=("山田", "太郎"))
    shown = texts(opened(open_ole, content))
    assert shown == {"顧客": "山田\t太郎\n4111111111111111\t12.34\n5\t6", "隠し": "7"}
    theirs = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_name("顧客").to_python()
    assert [[str(c).removesuffix(".0") for c in row if c != ""] for row in theirs] == [
        line.split("\t") for line in shown["顧客"].splitlines()
    ]


def test_formats():
    cells = number(0, 0, 45000, 1) + number(0, 1, 1000001, 2)
    assert texts(opened(open_ole, book(("a", 0, 0, cells)))) == {"a": "2023-03-15\t100-0001"}


def test_strings_of_formulas_and_old_cells():
    formula = struct.pack("<HHH", 0, 0, 0) + b"\0\0\0\0\0\0\xff\xff" + bytes(6) + struct.pack("<H", 0)
    cells = (
        record(0x06, formula)
        + record(0x207, string("結果"))
        + record(0x204, struct.pack("<HHH", 1, 0, 0) + string("旧"))
    )
    assert texts(opened(open_ole, book(("a", 0, 0, cells)))) == {"a": "結果\n旧"}


def test_notes_and_links():
    url = "https://e.example/".encode("utf-16-le") + b"\0\0"
    moniker = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", len(url)) + url
    note = record(0x1B6, bytes(18)) + record(0x3C, b"\1" + "メモ".encode("utf-16-le"))
    opening = opened(open_ole, book(("a", 0, 0, note + record(0x1B8, bytes(32) + moniker))))
    assert texts(opening) == {"comments": "メモ"}
    assert urls(opening) == ["https://e.example/"]
    assert found(opening) == {}


@pytest.mark.parametrize(
    ("path", "severity"), [("cmd\x03/c calc", "high"), ("RSS\x039984.T", "medium"), ("Word.Document.8\x03a", None)]
)
def test_dde(path, severity):
    supbook = record(0x1AE, struct.pack("<HH", 0, len(path)) + b"\1" + path.encode("utf-16-le"))
    assert found(opened(open_ole, book(("a", 0, 0, b""), records=supbook))).get("dde") == severity


def macro(tokens):
    return record(0x06, struct.pack("<HHH", 0, 0, 0) + bytes(14) + struct.pack("<H", len(tokens)) + tokens)


EXEC = b"\x17\4\0calc\x42\1\x6e\0"
AUTO = record(0x18, struct.pack("<HBBHHHI", 0x20, 0, 1, 0, 0, 1, 0) + b"\0\1")


def test_excel_4_macros():
    opening = opened(open_ole, book(("m", 2, 1, macro(EXEC)), records=AUTO), "a.xls")
    (finding,) = opening.findings
    assert (finding.rule, finding.severity.word, finding.path) == ("attachment/xlm-macro", "high", "a.xls/macro")
    assert "starts by itself (Auto_Open); on a hidden sheet" in finding.explanation
    assert texts(opening)["macro"] == 'EXEC("calc")'


def test_a_formula_in_an_ordinary_sheet_is_no_macro():
    assert found(opened(open_ole, book(("a", 0, 0, macro(EXEC))))) == {}


def test_links_in_formulas():
    tokens = b"\x17\x13\0https://e.example/a\x17\1\0b\x42\2\x67\1"
    opening = opened(open_ole, book(("a", 0, 0, macro(tokens))))
    assert [(link.url, link.text) for link in opening.links] == [("https://e.example/a", "b")]


def test_encrypted():
    with pytest.raises(EncryptedError):
        opened(open_ole, compound({"Workbook": bof(5) + record(0x2F, bytes(54))}))


def test_cut_short():
    whole = xls(("a", 0, 0, CELLS), strings=("山田", "太郎"))
    for cut in range(0, len(whole), 7):
        opened(open_ole, compound({"Workbook": whole[:cut] or b"\0"}))
