"""Second natures; the files are made by the libraries that make such files elsewhere."""

import io
import zipfile

import pytest
from PIL import Image, PngImagePlugin

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active.polyglot import image_end, look_for_second_nature, zip_names
from sekisho.parse.unpack.kinds import kind_of
from sekisho.parse.unpack.opening import Budget, Opening


def seen(content, kind=None):
    opening = Opening(content, "file", budget=Budget(OpenLimits()))
    opening.kind = kind or kind_of(content, "file")
    look_for_second_nature(opening)
    assert {f.rule for f in opening.findings} <= {"attachment/polyglot"}
    return max((f.severity for f in opening.findings), default=None), [c.content for c in opening.children]


def image(form, **more):
    whole = io.BytesIO()
    Image.effect_noise((40, 40), 50).convert("P" if form == "GIF" else "RGB").save(whole, form, **more)
    return whole.getvalue()


def archive(name="a.txt", content=b"text", comment=b""):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as made:
        made.writestr(name, content)
        made.comment = comment
    return whole.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
IMAGES = ["PNG", "JPEG", "GIF", "BMP", "WEBP"]


@pytest.mark.parametrize("form", IMAGES)
def test_an_image_is_one_thing(form):
    assert seen(image(form)) == (None, [])


@pytest.mark.parametrize("form", IMAGES)
def test_image_with_a_zip_behind_it(form):
    assert seen(image(form) + archive()) == (Severity.MEDIUM, [archive()])
    assert seen(image(form) + archive("setup.exe"))[0] is Severity.HIGH


@pytest.mark.parametrize("form", IMAGES)
def test_image_with_a_page_script_or_program_behind_it(form):
    assert seen(image(form) + b"<html><script>alert(1)</script>" + bytes(80))[0] is Severity.HIGH
    assert seen(image(form) + b"<?php system($_GET[1]); ?>" + bytes(80))[0] is Severity.HIGH
    program = b"MZ" + bytes(200)
    assert seen(image(form) + program) == (Severity.HIGH, [program])


@pytest.mark.parametrize("form", IMAGES)
def test_image_with_a_rar_behind_it_is_opened_too(form):
    rar = b"Rar!\x1a\x07\x01\x00" + bytes(100)
    assert seen(image(form) + rar) == (Severity.MEDIUM, [rar])


@pytest.mark.parametrize("form", IMAGES)
def test_end_of_an_image(form):
    whole = image(form)
    assert image_end(whole + b"more", form.lower()) == len(whole)


def test_page_in_a_comment():
    assert seen(image("JPEG", comment=b"<script>alert(1)</script>"))[0] is Severity.HIGH
    assert seen(image("GIF", comment=b"<?php eval($x); ?>"))[0] is Severity.HIGH
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    assert seen(image("PNG", pnginfo=text))[0] is Severity.HIGH


def test_everyday_comments():
    assert seen(image("JPEG", comment=b"taken <b>in</b> Kyoto; a < b"))[0] is None
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Example 1.0")
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF/></x:xmpmeta>")
    assert seen(image("PNG", pnginfo=text))[0] is None


def test_camera_data_behind_a_jpeg():
    assert seen(image("JPEG") + image("JPEG"))[0] is None  # multi-picture format, previews
    assert seen(image("JPEG") + b"\0\0\0\x18ftypmp42" + bytes(500))[0] is None  # moving photo
    assert seen(image("JPEG") + bytes(5000))[0] is None


def test_gif_that_is_javascript():
    assert seen(b"GIF89a/*" + bytes(100) + b"*/=1;alert(1);//")[0] is Severity.HIGH
    assert seen(b"GIF89a=1;" + bytes(100) + b"alert(1)")[0] is Severity.HIGH


def test_pdf():
    assert seen(PDF) == (None, [])
    assert seen(PDF + b"\r\n" * 100)[0] is None
    assert seen(PDF + PDF.replace(b"%PDF-1.4\n", b""))[0] is None  # incremental update
    assert seen(PDF + archive()) == (Severity.MEDIUM, [archive()])
    assert seen(PDF + archive("run.js"))[0] is Severity.HIGH
    assert seen(PDF + b"<html><script>alert(1)</script>" + bytes(80))[0] is Severity.HIGH
    assert seen(b"<html><script>/*" + PDF, "pdf")[0] is Severity.HIGH
    assert seen(b"\r\n\r\n" + PDF, "pdf")[0] is None


def test_pdf_with_an_embedded_zip_is_a_pdf():
    stream = b"2 0 obj<</Length 1>>stream\n" + archive() + b"\nendstream endobj\n"
    assert seen(PDF.replace(b"trailer", stream + b"trailer"))[0] is None


def test_zip_with_something_in_front():
    assert seen(archive())[0] is None
    assert seen(archive(comment=b"<script>"))[0] is None
    assert seen(b"<html><script>alert(1)</script>" + archive(), "zip")[0] is Severity.HIGH
    assert seen(bytes(4000) + archive(), "zip")[0] is Severity.MEDIUM
    assert seen(b"MZ" + bytes(4000) + archive(), "exe")[0] is None  # self-extracting: a program


def test_text_about_zip_is_text():
    assert seen(b"A zip begins with PK\3\4 and ends with PK\5\6" + bytes(30), "text")[0] is None


def test_names_in_a_zip():
    assert zip_names(b"front" + archive("b.txt")) == (5, [b"b.txt"])
    assert zip_names(archive()[:-5]) is None
    assert zip_names(b"PK\5\6" + b"\xff" * 18) is None


def test_cut_short_anywhere_never_raises():
    for form in IMAGES:
        whole = image(form)[:700] + archive()
        for end in range(64, len(whole), 3):
            seen(whole[:end], form.lower())
