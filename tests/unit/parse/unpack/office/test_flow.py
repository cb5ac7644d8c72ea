from __future__ import annotations

import pytest
from support.office import WORD, paragraph, run
from support.opened_file import found, opening_of

from sekisho.parse.unpack.office.flow import read_flow


def flow(body, **more):
    opening = opening_of(b"")
    read, broken = read_flow(opening, f"<w:document {WORD} xmlns:mc='mc'>{body}</w:document>".encode(), **more)
    assert broken is None
    return read, opening


def test_tables_with_tabs():
    def table(*rows):
        return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"

    def cell(*texts):
        return f"<w:tc>{''.join(paragraph(run(t)) for t in texts)}</w:tc>"

    read, _ = flow(table(cell("a") + cell("b", "c"), cell("d") + cell("")) + paragraph(run("e")))
    assert read.text == "a\tb\nc\nd\t\ne\n"


def test_tab_stops_are_no_text():
    read, _ = flow(paragraph("<w:pPr><w:tabs><w:tab/></w:tabs></w:pPr>", run("a"), "<w:r><w:tab/></w:r>", run("b")))
    assert read.text == "a\tb\n"


def test_deleted_and_hidden_text():
    body = paragraph(
        "<w:del><w:r><w:delText>旧</w:delText></w:r></w:del>", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>隠</w:t></w:r>"
    )
    read, _ = flow(body)
    assert (read.text, read.deleted) == ("隠\n", "旧")


def test_readings_stand_apart():
    base = f"<w:rubyBase>{run('山田')}</w:rubyBase>"
    ruby = f"<w:r><w:ruby><w:rt>{run('やまだ')}</w:rt>{base}</w:ruby></w:r>"
    assert flow(paragraph(ruby, run("太郎")))[0].text == "山田太郎\nやまだ\n"


def test_text_boxes_once():
    box = f"<w:txbxContent>{paragraph(run('箱'))}</w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    assert flow(paragraph(f"<w:r>{both}</w:r>", run("本文")))[0].text == "箱\n本文\n"


def test_symbols():
    assert flow(paragraph('<w:r><w:sym w:font="Wingdings" w:char="F041"/></w:r>'))[0].text == "A\n"


def field(*pieces, result="r"):
    inside = "".join(
        piece if piece.startswith("<") else f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in pieces
    )
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'.format
    return mark("begin") + inside + mark("separate") + run(result) + mark("end")


DDE = {
    "plain": paragraph(field(' DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc.exe" ')),
    "in pieces": paragraph(field(" DDE", "AUTO ", 'cmd "/k calc" ')),
    "over paragraphs": paragraph(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>', "<w:r><w:instrText>DDE cm</w:instrText></w:r>"
    )
    + paragraph("<w:r><w:instrText>d /c x</w:instrText></w:r>", '<w:r><w:fldChar w:fldCharType="end"/></w:r>'),
    "quoted": paragraph(field(field(" QUOTE 68 68 69 65 85 84 79 "), ' cmd "/k calc" ')),
    "simple": paragraph("<w:fldSimple w:instr='DDEAUTO cmd \"/k calc\"'/>"),
    "never ended": paragraph(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDE cmd /k</w:instrText></w:r>'
    ),
    "deep": paragraph('<w:r><w:fldChar w:fldCharType="begin"/></w:r>' * 60, field('DDEAUTO cmd "/k"')),
}


@pytest.mark.parametrize("body", DDE.values(), ids=DDE.keys())
def test_dde(body):
    assert found(flow(body)[1])["dde"] == "high"


@pytest.mark.parametrize(
    "instruction", [" PAGE ", ' DATE \\@ "yyyy/MM/dd" ', " TOC \\o ", ' MERGEFIELD "氏名" ', " REF a \\h "]
)
def test_ordinary_fields(instruction):
    assert found(flow(paragraph(field(instruction)))[1]) == {}


def test_links_in_fields():
    opening = flow(paragraph(field(' HYPERLINK "https://evil.example/" \\o "tip" ', result="example.com")))[1]
    assert [(link.url, link.text) for link in opening.links] == [("https://evil.example/", "example.com")]


def test_included_from_the_network():
    assert found(flow(paragraph(field(' INCLUDEPICTURE "http://evil.example/a.png" \\d ')))[1]) == {
        "remote-object": "low"
    }
    assert found(flow(paragraph(field(' INCLUDETEXT "http://evil.example/a.docx" ')))[1]) == {"remote-object": "high"}


def test_many_links_in_each_other():
    body = paragraph("<w:hyperlink r:id='a'>" * 200 + run("x") * 3000 + "</w:hyperlink>" * 200)
    read, _ = flow(body)
    assert max(len(text) for _, text in read.links) <= 20
