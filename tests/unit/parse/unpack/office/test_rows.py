from __future__ import annotations

import random

import pytest
from support.office import workbook
from support.opened_file import found, opened, opening_of, urls

from sekisho.parse.unpack.office.formats import date_text
from sekisho.parse.unpack.office.ooxml import open_ooxml
from sekisho.parse.unpack.office.rows import Book, Sheet, add_rows, formulas_in, unescape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def worksheet(rows, more=""):
    return f'<worksheet xmlns="{MAIN}"{more}><cols><col min="1"/></cols><sheetData>{rows}</sheetData><x/></worksheet>'


def book():
    it = Book()
    it.strings = {"0": "山田", "1": "太\t郎"}
    it.formats = {"2": date_text}
    return it


def lines(text, room=1_000_000):
    """The rows as lines, or None where the cells were not all seen."""
    sheet = Sheet("a", room=room)
    seen = add_rows(text, sheet, book(), opening_of(b"").budget)
    assert seen or not sheet.lines
    return sheet.lines if seen else None


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ('<c r="A1"><v>12</v></c><c r="B1" s="1"><v>-3.5</v></c>', "12\t-3.5"),
        ("<c><v>12</v></c><c><v>13</v></c>", "12\t13"),
        ('<c r="A1" t="n"><v>12</v></c><c r="B1" s="1" t="n"><v>4.1E3</v></c>', "12\t4100"),
        ('<c r="A1" s="2"><v>45000</v></c><c r="B1" s="22"><v>45000</v></c>', "2023-03-15\t45000"),
        ('<c r="A1" t="s"><v>0</v></c><c r="B1" s="2" t="s"><v>1</v></c>', "山田\t太\t郎"),
        ('<c t="s" r="A1"><v>0</v></c><c cm="1" s="2" r="B1"><v>45000</v></c>', "山田\t2023-03-15"),
        (
            '<c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c><c r="C1" t="e"><v>#N/A</v></c>',
            "TRUE\tFALSE\t#N/A",
        ),
        ('<c r="A1"><f>B1*2</f><v>4</v></c><c r="B1"><f t="shared" si="0"/><v>2</v></c>', "4\t2"),
        ('<c r="A1" t="str"><f>B1&amp;"x"</f><v>a&lt;b &#x41;_x0042_</v></c>', "a<b AB"),
        ('<c r="A1"><v>1&#x32;3</v></c><c r="B1"><v>9</v></c>', "123\t9"),
        ('<c r="A1" s="1"/><c r="B1"><v>1</v></c><c r="C1"></c><c r="D1"><f>1</f></c><c r="E1"/>', "1"),
        ('<c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1"><v>1</v></c>', "a\t1"),
        ('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a&amp;b</t></is></c>', " a&b"),
        ('<c r="A1"><v></v></c><c r="B1"><v>1</v></c>', "1"),
        ('<c r="A1" t="s"><v>&#48;</v></c><c r="B1" t="s"><v>\n1\n</v></c>', "山田\t太\t郎"),
        ('<c r="A1" t="s"><v>00</v></c><c r="B1" t="s"><v> 0</v></c>', "山田\t山田"),
        ('<c r="A1" t="s"><v>2</v></c><c r="B1" t="s"><v>x</v></c><c r="C1"><v>1</v></c>', "\t\t1"),
        ('<c r="A1" s="02"><v>45000</v></c><c r="B1" s="2"><v> 45000</v></c>', "2023-03-15\t2023-03-15"),
        ('<c r="A1"><v>4.111111111111111e15</v></c><c r="B1"><v>5e0</v></c>', "4111111111111111\t5"),
        ('<c r="A1" t="str"><v>a&amp;#48;</v></c><c r="B1" t="b"><v> 1</v></c>', "a&#48;\tTRUE"),
    ],
)
def test_cells(cells, shown):
    rows = f'<row r="1">{cells}</row>'
    assert lines(worksheet(rows)) == [shown]
    assert lines(worksheet(f"<row/>{rows}<row r='2'></row>{rows}")) == [shown, shown]


@pytest.mark.parametrize(
    ("cells", "more"),
    [
        ('<x:c r="A1"><x:v>5</x:v></x:c>', f' xmlns:x="{MAIN}"'),
        ('<x:c r="A1"><x:f>1</x:f></x:c>', f" xmlns:x='{MAIN.replace('main', '&#x6d;ain')}'"),
        ('<c r="A1"><v>5</v></c >', ""),
        ('<c r="A1"><v>5</v ></c>', ""),
        ('<c\tr="A1"><v>5</v></c>', ""),
        ("<c r='A1'><v>5</v></c>", ""),
        ("<c r='A1' s='2'><v>5</v></c>", ""),
        ("<c r=\"A1\" t='s'><v>0</v></c>", ""),
        ('<c r="A1">\n<v>5</v></c>', ""),
        ('<c r="A1"><v xml:space="preserve">5</v></c>', ""),
        ('<c r="A1" t="inlineStr"><is><r><t>a</t></r></is></c>', ""),
        ('<c r="A1"><extLst/><v>5</v></c>', ""),
        ('<c r="A1" t="&#115;"><v>0</v></c>', ""),
        ('<c r="A1" s="&#50;"><v>45000</v></c>', ""),
        ('<c r="A1" t="s"><is><t>a</t></is></c>', ""),
        ('<c r="A1" t="b"><is><t>a</t></is></c>', ""),
    ],
)
def test_what_is_not_seen_is_not_passed_over(cells, more):
    rows = f'<row r="1"><c r="B1"><v>1</v></c>{cells}</row>'
    assert lines(worksheet(rows, more)) is None


def test_such_sheets_are_read_all_the_same():
    rows = '<row r="1"><c r="A1"><v>1</v></c><x:c r="B1"><x:v>2</x:v></x:c></row>'
    assert opened(open_ooxml, workbook({"a": worksheet(rows, f' xmlns:x="{MAIN}"')})).texts[0].text == "1\t2"


def test_a_row_end_is_none_of_a_value():
    assert lines(worksheet('<row><c r="A1"><v>1&#30;2</v></c><c r="B1" t="str"><v>a_x001E_b</v></c></row>')) == [
        "1 2\ta b"
    ]
    assert lines(worksheet('<row><c r="A1"><v>1\x1e2</v></c></row>')) is None


def test_many_rows():
    rng = random.Random(3)
    numbers = [[str(rng.randrange(10**6)) for _ in range(7)] for _ in range(5000)]
    rows = ""
    for at, row in enumerate(numbers, 1):
        cells = "".join(f'<c r="{c}{at}"><v>{n}</v></c>' for c, n in zip("ABCDEFG", row, strict=True))
        rows += f'<row r="{at}">{cells}</row>'
    assert lines(worksheet(rows)) == ["\t".join(row) for row in numbers]


STRINGS = '<si><t>one</t></si><si><t xml:space="preserve">tw_x006F_ &#38;</t></si>'
STYLES = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="4"/><xf numFmtId="22"/></cellXfs>'
PLACES = ["0", "1", "00", "01", " 0", "1 ", "\n1\n", "&#48;", "&#x31;", "&#x20;1"]
VALUES = [
    "0", "1", "-5.25", "45000", "45000.5", "1E5", "1.5E-7", "abc", "a&amp;b", "a>b", "山田", "1e0",
    "4.111111111111111e15",
    "4.111111111111111E15", "4500&#48;", "&#52;5000", "45000&#x2E;5", " 45000", "\n45000\n", " a ", "a_x0042_c",
    "&amp;#48;", "a&amp;_x0026_lt;",
]  # fmt: skip
KINDS = ["", "", "", "", ' t="n"', ' t="n"', ' t="s"', ' t="s"', ' t="str"', ' t="str"', ' t="b"']
WITH_REFERENCES = [' t="&#115;"', ' s="&#49;" t="n"', ' s="&#49;"']  # of these lxml has to read the sheet
FORMULAS = ["", "", "", "<f>A1*2</f>", '<f t="shared" si="0"/>', '<f\nca="1"\n>A2</f>']
LINKS = [f"<f{blank}>HYPERLINK(&quot;https://a.example/{ord(blank)}&quot;)</f>" for blank in " \n\t"]
HEADERS = ["", "<oddHeader>&amp;C社外秘</oddHeader>", '<evenFooter xml:space="preserve">a_x0042_c</evenFooter>']


def any_cell(rng, column, kinds):
    kind = rng.choice(kinds)
    formula = rng.choice(FORMULAS + LINKS if rng.random() < 0.1 else FORMULAS)
    value = rng.choice(PLACES if "s" in kind.partition("t=")[2].replace("#115", "s").replace("str", "") else VALUES)
    style = rng.choice(("0", "1", "2", "3", "01", "03"))
    style = f' s="{style}"' if rng.random() < 0.6 and " s=" not in kind else ""
    return f'<c r="{column}1"{style}{kind}>{formula}<v>{value}</v></c>'


@pytest.mark.parametrize("kinds", [KINDS, KINDS + WITH_REFERENCES], ids=["plain", "references"])
def test_as_an_xml_parser_reads_them(kinds):
    """A comment in front of the rows and of the strings has them read by lxml."""
    rng = random.Random(7)
    for _ in range(300):
        rows = ""
        for _ in range(rng.randrange(6)):
            cells = [any_cell(rng, column, kinds) for column in "ABCD"[: rng.randrange(5)]]
            rows += f"<row>{''.join(cells)}</row>"
        rows += f"</sheetData><headerFooter>{rng.choice(HEADERS)}</headerFooter><sheetData>"
        fast, slow = (
            opened(open_ooxml, workbook({"a": worksheet(before + rows)}, strings=before + STRINGS, styles=STYLES))
            for before in ("", "<!-- x -->")
        )
        assert fast.texts == slow.texts, rows
        assert urls(fast) == urls(slow), rows
        assert (lines(worksheet(rows)) is not None) == all(of not in rows for of in WITH_REFERENCES)


def test_the_room_is_kept():
    rows = "".join(f'<row><c r="A{n}"><v>123</v></c><c r="B{n}"><v>45</v></c></row>' for n in range(40_000))
    kept = lines(worksheet(rows), room=1000)
    assert sum(len(line.replace("\t", "")) for line in kept) <= 1000
    assert kept == ["123\t45"] * len(kept[:-1]) + kept[-1:]


def test_cells_that_stand_for_a_long_string_take_bounded_memory():
    it = book()
    it.strings["0"] = "x" * 30_000
    sheet = Sheet("a", room=8_000_000)
    rows = '<row><c r="A1" t="s"><v>0</v></c></row>' * 100_000
    assert add_rows(worksheet(rows), sheet, it, opening_of(b"").budget)
    assert 7_900_000 < sum(map(len, sheet.lines)) <= 8_000_000


@pytest.mark.parametrize(
    "rows",
    [
        "<row>" + "<c " * 1_000_000,
        "<row>" + '<c r="A1"><f>' * 300_000,
        '<row><c r="A1"><v>' + "1" * 3_000_000,
        "<row>" + '<c r="A1"' + ' s="1"' * 500_000 + "><v>1</v></c></row>",
        '<row><c r="A1" s="1"/></row>' * 100_000 + "<c>",
    ],
)
def test_hostile_rows_take_bounded_time(rows):
    sheet = Sheet("a")
    budget = opening_of(b"", seconds=20).budget
    add_rows(worksheet(rows), sheet, book(), budget)
    assert not budget.is_late


def test_formulas():
    text = '<c><f>A1&amp;"x"</f><v>1</v></c><c><f t="shared" si="0"/></c><c><f t="array" ref="A1">B1</f></c>'
    assert list(formulas_in(text)) == ['A1&"x"', "B1"]


@pytest.mark.parametrize("start", ["<f>", "<f\n>", "<f\t>", '<f\nca="1">', '<f ca="1"\n>', '<f x=">">', '<f x="/>">'])
def test_however_a_formula_is_begun(start):
    rows = f'<row><c r="A1">{start}WEBSERVICE("https://evil.example/x")</f><v>1</v></c></row>'
    opening = opened(open_ooxml, workbook({"a": worksheet(rows)}))
    assert urls(opening) == ["https://evil.example/x"]
    assert found(opening) == {"remote-object": "low"}


def test_no_half_characters():
    assert unescape("a_xD800_b&#xD801;&#0;c_x0041_") == "abcA"
