from __future__ import annotations

import random
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from support.office import office_corpus
from support.opened_file import NAMED_ERRORS, found, opened, urls

from sekisho.parse.unpack.office.odf import open_odf
from sekisho.parse.unpack.opening import CorruptError

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "draw", "script", "presentation", "meta")
) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def odf(body, extra=""):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMESPACES}>{extra}<office:body>{body}</office:body>"
            "</office:document-content>",
        )
    return out.getvalue()


def add(content, **parts):
    out = BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "."), data)
    return out.getvalue()


def places(opening):
    return {text.place: text.text for text in opening.texts}


def test_text():
    body = (
        '<office:text><text:h>題</text:h><text:p>a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>'
        "<text:span>d</text:span>"
        "<text:ruby><text:ruby-base>山</text:ruby-base><text:ruby-text>やま</text:ruby-text></text:ruby>e</text:p>"
        "<text:tracked-changes><text:deletion><text:p>gone</text:p></text:deletion></text:tracked-changes></office:text>"
    )
    assert places(opened(open_odf, odf(body))) == {"": "題\na   b\tc\nd山e\n", "deleted": "gone"}


def cell(text, attributes=""):
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def test_sheets():
    number = cell("4.11E+15", 'office:value="4111111111111111"')
    rows = f"<table:table-row>{cell('山田')}{number}</table:table-row>"
    far = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    body = f'<office:spreadsheet><table:table table:name="顧客">{rows}{far}</table:table></office:spreadsheet>'
    (text,) = opened(open_odf, odf(body)).texts
    assert text.place == "顧客"
    assert text.text.split() == ["山田", "4.11E+15", "4111111111111111"]


def test_slides():
    pages = "<draw:page><text:p>一</text:p></draw:page><draw:page><text:p>二</text:p></draw:page>"
    body = f"<office:presentation>{pages}</office:presentation>"
    assert places(opened(open_odf, odf(body))) == {"slide 1": "一\n", "slide 2": "二\n"}


def test_links_once():
    body = (
        '<office:text><text:p><text:a xlink:href="https://evil.example/">bank.example</text:a></text:p></office:text>'
    )
    opening = opened(open_odf, odf(body))
    assert [(link.url, link.text) for link in opening.links] == [("https://evil.example/", "bank.example")]
    assert found(opening) == {}


def test_remote_objects():
    frame = '<draw:frame><draw:object xlink:href="{}"/></draw:frame>'
    assert found(opened(open_odf, odf(frame.format("./Object 1")))) == {}
    opening = opened(open_odf, odf(frame.format("https://evil.example/a.odt")))
    assert found(opening) == {"remote-object": "high"}
    assert urls(opening) == ["https://evil.example/a.odt"]


MODULE = (
    '<script:module xmlns:script="http://openoffice.org/2000/script" script:name="M">'
    "Sub Main\n{}\nEnd Sub</script:module>"
)
EVENT = (
    '<office:scripts><office:event-listeners><script:event-listener script:event-name="dom:load" '
    'xlink:href="vnd.sun.star.script:Standard.M.Main"/></office:event-listeners></office:scripts>'
)


def macro(body, extra=""):
    content = add(odf("<office:text/>", extra), Basic_M="")
    return add(content, **{"Basic/Standard/M__xml": MODULE.format(body)})


def test_macros():
    assert found(opened(open_odf, macro("Print 1"))) == {"macro": "low"}
    assert found(opened(open_odf, macro("Print 1", EVENT))) == {"macro-autorun": "medium"}
    assert found(opened(open_odf, macro('Shell("cmd /c calc")', EVENT))) == {"macro-dangerous": "high"}
    assert any(text.place == "macro" for text in opened(open_odf, macro("Print 1")).texts)


def test_dde():
    source = '<office:dde-source office:dde-application="cmd" office:dde-topic="/c calc"/>'
    body = f"<office:text><text:p/><table:dde-link>{source}</table:dde-link></office:text>"
    assert found(opened(open_odf, odf(body)))["dde"] == "high"


def test_files_inside_of_the_corpus():
    for name, content in office_corpus().items():
        if name.endswith((".odt", ".ods", ".odp")):
            assert any(child.content[:4] == b"\xd0\xcf\x11\xe0" for child in opened(open_odf, content).children), name


def test_broken_ones():
    with pytest.raises(CorruptError):
        opened(open_odf, b"PK\3\4")
    with pytest.raises(CorruptError, match=r"content\.xml"):
        opened(open_odf, odf("<a>"))


def test_mutations_end_in_named_errors():
    rng = random.Random(13)
    files = [c for n, c in office_corpus().items() if n.endswith((".odt", ".ods", ".odp"))]
    for _ in range(150):
        broken = bytearray(rng.choice(files))
        for _ in range(rng.choice((1, 5, 40))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        with suppress(*NAMED_ERRORS):
            opened(open_odf, bytes(broken))
