from __future__ import annotations

import random
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from support.office import (
    DRAWING,
    KIND,
    WORD,
    compound,
    corpus,
    macro_document,
    office_corpus,
    package,
    paragraph,
    relations,
    run,
    word,
)  # fmt: skip
from support.opened_file import NAMED_ERRORS, found, opened, opening_of, urls

from sekisho.parse.unpack.office.ooxml import open_ooxml
from sekisho.parse.unpack.opening import MOST_LINKS, CorruptError, OverLimitError


def places(opening):
    texts: dict[str, str] = {}
    for text in opening.texts:
        texts[text.place] = texts.get(text.place, "") + text.text
    return texts


def test_word_text_by_place():
    content = word(
        paragraph(run("本文"), "<w:r><w:tab/></w:r>", run("二")),
        ("h", "header", "kopf.xml"),
        ("f", "footnotes", "footnotes.xml"),
        ("c", "comments", "comments.xml"),
        kopf__xml=f"<w:hdr {WORD}>{paragraph(run('社外秘'))}</w:hdr>",
        footnotes__xml=f"<w:footnotes {WORD}>{paragraph(run('脚注'))}</w:footnotes>",
        comments__xml=f"<w:comments {WORD}>{paragraph(run('コメント'))}</w:comments>",
    )
    texts = places(opened(open_ooxml, content))
    assert texts == {"": "本文\t二\n", "header": "社外秘\n", "footnotes": "脚注\n", "comments": "コメント\n"}


def test_properties_with_labels():
    custom = (
        '<Properties xmlns="x" xmlns:vt="vt"><property name="MSIP_Label_1_Name"><vt:lpwstr>Confidential</vt:lpwstr>'
        "</property></Properties>"
    )
    core = '<c xmlns:dc="dc"><dc:creator>山田</dc:creator></c>'
    label = '<l:labelList xmlns:l="l"><l:label id="{1}" siteId="{2}" method="Privileged"/></l:labelList>'
    content = package(
        {"word/document.xml": f"<w:document {WORD}/>", "docProps/custom.xml": custom, "docProps/core.xml": core,
         "docMetadata/LabelInfo.xml": label},
        more=[("c", "custom-properties", "docProps/custom.xml"),
              ("d", "metadata/core-properties", "docProps/core.xml")],
    )  # fmt: skip
    text = places(opened(open_ooxml, content))["properties"]
    assert "MSIP_Label_1_Name: Confidential" in text
    assert "creator: 山田" in text
    assert "method: Privileged" in text


def test_links_with_their_text():
    body = paragraph('<w:hyperlink r:id="k">' + run("example.com") + "</w:hyperlink>")
    opening = opened(open_ooxml, word(body, ("k", "hyperlink", "https://evil.example/", "External")))
    (link,) = opening.links
    assert (link.url, link.text, link.origin) == ("https://evil.example/", "example.com", "href")
    assert opening.findings == []


TARGETS = [
    ("attachedTemplate", "https://evil.example/t.dotm", "remote-template", "high"),
    ("attachedTemplate", "https://contoso.sharepoint.com/t.dotx", "remote-template", "medium"),
    ("attachedTemplate", "file:///C:\\Users\\a\\Normal.dotm", None, None),
    ("attachedTemplate", "file:///\\\\server\\vorlagen\\t.dotx", "remote-template", "low"),
    ("attachedTemplate", "file:///\\\\203.0.113.9@80\\a\\t.dotx", "remote-template", "high"),
    ("oleObject", "https://evil.example/a.doc", "remote-object", "high"),
    ("oleObject", "mhtml:https://evil.example/a!x-usc:https://evil.example/a", "remote-object", "high"),
    ("frame", "http://evil.example/", "remote-object", "high"),
    ("image", "https://pixel.example/a.png", "remote-object", "low"),
    ("image", "\\\\203.0.113.9\\a\\b.png", "remote-object", "medium"),
    ("image", "file:///C:\\a.png", None, None),
    ("hyperlink", "https://example.com/", None, None),
    ("hyperlink", "mailto:a@example.com", None, None),
    ("hyperlink", "file:///\\\\server\\share\\a.xlsx", None, None),
    ("hyperlink", "ms-word:ofe|u|https://contoso.sharepoint.com/a.docx", None, None),
    ("hyperlink", "ms-msdt:/id PCWDiagnostic", "remote-object", "high"),
    ("hyperlink", "search-ms:query=a&amp;crumb=location:\\\\203.0.113.9\\a", "remote-object", "high"),
    ("externalLinkPath", "file:///C:\\data\\a.xlsx", None, None),
    ("externalLinkPath", "https://contoso.sharepoint.com/a.xlsx", "remote-object", "low"),
]


@pytest.mark.parametrize(("kind", "target", "rule", "severity"), TARGETS)
def test_targets_outside(kind, target, rule, severity):
    opening = opened(open_ooxml, word(paragraph(), ("a", kind, target, "External")))
    assert found(opening) == ({rule: severity} if rule else {})
    assert urls(opening) == [target.replace("&amp;", "&")]


def test_slides_in_the_order_of_the_presentation():
    def slide(text):
        return f"<p:sld {DRAWING}><p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:sld>"

    content = package(
        {
            "ppt/presentation.xml": f'<p:presentation {DRAWING} xmlns:o="o"><p:sldIdLst><p:sldId id="256" o:id="b"/>'
            '<p:sldId id="257" o:id="a"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": relations(
                ("a", "slide", "slides/slide1.xml"), ("b", "slide", "slides/slide2.xml")
            ),
            "ppt/slides/slide1.xml": slide("後"),
            "ppt/slides/slide2.xml": slide("先"),
            "ppt/slides/_rels/slide2.xml.rels": relations(("n", "notesSlide", "../notesSlides/n.xml")),
            "ppt/notesSlides/n.xml": slide("ノート"),
        },
        "ppt/presentation.xml",
    )
    assert places(opened(open_ooxml, content)) == {"slide 1": "先\n", "slide 2": "後\n", "notes 1": "ノート\n"}


def test_masters_without_their_placeholders():
    shape = "<p:sp><p:nvSpPr><p:nvPr>{}</p:nvPr></p:nvSpPr><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:sp>"
    master = (
        f"<p:sldMaster {DRAWING}>{shape.format('<p:ph/>', 'click here')}{shape.format('', '社外秘')}</p:sldMaster>"
    )
    content = package(
        {
            "ppt/presentation.xml": f"<p:presentation {DRAWING}/>",
            "ppt/_rels/presentation.xml.rels": relations(("m", "slideMaster", "m.xml")),
            "ppt/m.xml": master,
        },
        "ppt/presentation.xml",
    )
    assert places(opened(open_ooxml, content)) == {"master": "社外秘\n"}


def test_files_inside():
    content = word(
        paragraph(),
        ("i", "image", "media/bild.png"),
        ("o", "oleObject", "embeddings/oleObject1.bin"),
        ("p", "package", "embeddings/b.xlsx"),
        ("a", "aFChunk", "teil.xml"),
        ("t", "theme", "theme.xml"),
        **{"media/bild__png": b"png", "embeddings/oleObject1__bin": b"ole", "embeddings/b__xlsx": b"xlsx",
           "teil__xml": "<html/>", "theme__xml": "<x>not text</x>", "extra__exe": b"MZ"},
    )  # fmt: skip
    opening = opened(open_ooxml, content, "a.docx")
    assert {child.path.removeprefix("a.docx/") for child in opening.children} == {
        "bild.png", "oleObject1.bin", "b.xlsx", "teil.xml", "extra.exe"
    }  # fmt: skip
    assert "not text" not in str(places(opening))


def test_macros_whatever_their_part_is_called():
    plain = zipfile.ZipFile(BytesIO(macro_document("Sub AutoOpen()\r\nShell x\r\nEnd Sub")))
    parts = {n: plain.read(n) for n in plain.namelist() if n.startswith("word/")}
    parts["word/media/image1.png"] = parts.pop("word/vbaProject.bin")
    parts["word/_rels/document.xml.rels"] = relations(("m", "theme", "media/image1.png"))
    assert found(opened(open_ooxml, package(parts)))["macro-dangerous"] == "high"


def test_controls():
    def control(class_id):
        ocx = f'<ax:ocx xmlns:ax="ax" ax:classid="{{{class_id}}}"/>'
        return found(opened(open_ooxml, word(paragraph(), ("c", "control", "activeX1.xml"), activeX1__xml=ocx)))

    assert control("8856F961-340A-11D0-A96B-00C04FD705A2") == {"exploit-object": "high"}
    assert control("D7053240-CE69-11CD-A777-00DD01143C57") == {}  # Forms.CommandButton.1
    assert control("00000000-0000-0000-0000-000000000001") == {"activex": "low"}


def test_two_parts_of_one_name():
    out = BytesIO(word(paragraph(run("shown"))))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("WORD/Document.XML", f"<w:document {WORD}>{paragraph(run('second'))}</w:document>")
    opening = opened(open_ooxml, out.getvalue())
    assert found(opening) == {"duplicate-part": "medium"}
    assert {text.text for text in opening.texts} == {"shown\n", "second\n"}


def test_entities_are_refused():
    entities = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    content = package({"word/document.xml": f"{entities}<w:document {WORD}>{paragraph(run('&b;'))}</w:document>"})
    opening = opening_of(content)
    with pytest.raises(CorruptError):
        open_ooxml(opening)
    assert not any("aaaa" in text.text for text in opening.texts)


def test_what_there_is_of_a_broken_part():
    document = f"<w:document {WORD}>{paragraph(run('before'))}<w:p><w:r></w:p>"
    opening = opening_of(package({"word/document.xml": document, "word/other.bin": b"x"}))
    with pytest.raises(CorruptError, match=r"document\.xml"):
        open_ooxml(opening)
    assert [text.text for text in opening.texts] == ["before\n"]
    assert [child.name for child in opening.children] == ["other.bin"]


def test_bombs():
    with pytest.raises(OverLimitError, match="ratio"):
        opened(open_ooxml, package({"word/document.xml": b" " * 40_000_000}))
    with pytest.raises(OverLimitError, match="parts"):
        opened(open_ooxml, package({f"word/{n}.xml": "" for n in range(11_000)}))
    many = [(f"r{n}", "hyperlink", f"http://a{n}.example/", "External") for n in range(100_000)]
    opening = opened(open_ooxml, word(paragraph(run("x")), *many), ratio=10_000)
    assert len(opening.links) == MOST_LINKS


def test_not_a_package():
    for content in (b"", b"PK\3\4", b"PK\5\6" + bytes(18), compound({"a": b"b"})):
        with pytest.raises(CorruptError):
            opened(open_ooxml, content)


def test_mutations_end_in_named_errors():
    rng = random.Random(11)
    files = [
        c for n, c in office_corpus().items() if n.startswith(("msodde/", "oleobj/", "excel4")) and c[:2] == b"PK"
    ]
    for _ in range(300):
        broken = bytearray(rng.choice(files))
        for _ in range(rng.choice((1, 5, 40))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        with suppress(*NAMED_ERRORS):
            opened(open_ooxml, bytes(broken))


@pytest.mark.parametrize("ending", ["docx", "docm", "xlsx", "xlsm", "xlsb"])
def test_dde_of_the_corpus(ending):
    assert found(opened(open_ooxml, corpus(f"msodde/dde-test.{ending}")))["dde"] == "high"


@pytest.mark.parametrize("ending", ["docx", "docm"])
def test_harmless_of_the_corpus(ending):
    assert found(opened(open_ooxml, corpus(f"msodde/harmless-clean.{ending}"))) == {}


@pytest.mark.parametrize("ending", ["docx", "dotm", "xlsx", "xlsb", "pptx", "ppsm"])
def test_remote_objects_of_the_corpus(ending):
    opening = opened(open_ooxml, corpus(f"external_link/sample_with_external_link_to_doc.{ending}"))
    assert found(opening)["remote-object"] == "high"
    assert all("oletools" in url for url in urls(opening))
    assert urls(opening)


def test_kinds_of_relations_are_told_by_their_last_word():
    strict = KIND.replace(
        "http://schemas.openxmlformats.org/officeDocument/2006", "http://purl.oclc.org/ooxml/officeDocument"
    )
    content = word(paragraph(), ("a", "attachedTemplate", "http://evil.example/", "External"))
    plain = zipfile.ZipFile(BytesIO(content))
    parts = {n: plain.read(n).replace(KIND.encode(), strict.encode()) for n in plain.namelist() if "document" in n}
    assert found(opened(open_ooxml, package(parts))) == {"remote-template": "high"}
