from __future__ import annotations

import random
import resource
import tarfile
import time
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pypdfium2 as pdfium
import pytest
import zxingcpp
from PIL import Image
from support.opened_file import NAMED_ERRORS, all_text, found, opened, opening_of, urls

from sekisho.parse.unpack.document import pdf
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, OverLimitError

FILES = Path("../shared/data/attachments/files.tar.xz")


def pdf_of(*objects: str | bytes, root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, without an xref table: readers rebuild it."""
    whole = b"%PDF-1.7\n"
    for number, body in enumerate(objects, 1):
        whole += b"%d 0 obj\n" % number + (body.encode("latin-1") if isinstance(body, str) else body) + b"\nendobj\n"
    return whole + b"trailer\n<</Root %d 0 R>>\n%%%%EOF\n" % root


def stream(data: bytes, extra: str = "") -> bytes:
    return f"<</Length {len(data)} {extra}>>\nstream\n".encode() + data + b"\nendstream"


def flate(data: bytes, extra: str = "") -> bytes:
    return stream(zlib.compress(data, 9), f"/Filter/FlateDecode {extra}")


CATALOG = "<</Type/Catalog/Pages 2 0 R>>"
PAGES = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def page_with(words: str, catalog: str = CATALOG, *more: str | bytes) -> bytes:
    return pdf_of(catalog, PAGES, PAGE, flate(f"BT /F 12 Tf 20 20 Td ({words}) Tj ET".encode()), FONT, *more)


def test_text_has_its_page_and_addresses_are_links():
    two = pdf_of(
        CATALOG,
        "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
        PAGE,
        flate(b"BT /F 12 Tf 20 20 Td (first page) Tj ET"),
        FONT,
        PAGE.replace("4 0 R", "7 0 R"),
        flate(b"BT /F 12 Tf 20 20 Td (see https://example.org/a?b) Tj ET"),
    )
    opening = opened(pdf.open_pdf, two)
    assert [(t.place, t.text.strip()) for t in opening.texts] == [
        ("page 1", "first page"),
        ("page 2", "see https://example.org/a?b"),
    ]
    assert urls(opening) == ["https://example.org/a?b"]


def test_text_beyond_the_edges_of_the_page_is_read():
    outside = pdf_of(CATALOG, PAGES, PAGE, flate(b"BT /F 12 Tf 2000 -3000 Td (hidden number) Tj ET"), FONT)
    assert "hidden number" in all_text(opened(pdf.open_pdf, outside))


def test_the_header_may_stand_behind_other_octets():
    assert "words" in all_text(opened(pdf.open_pdf, b"junk\r\n" * 20 + page_with("words")))


def test_a_file_that_is_no_pdf_is_corrupt_but_still_looked_at():
    broken = b"%PDF-1.7\n1 0 obj<</S/Launch/F(evil.exe)>>endobj"
    opening = opening_of(broken)
    with pytest.raises(CorruptError):
        pdf.open_pdf(opening)
    assert found(opening) == {"pdf-launch": "high"}


def test_properties_with_half_characters_are_read():
    """A lone surrogate: found by mutation."""
    info = page_with("words").replace(
        b"trailer\n<<", b"9 0 obj<</Title<feffd83d5c71>>>endobj\ntrailer\n<</Info 9 0 R"
    )
    texts = {t.place: t.text for t in opened(pdf.open_pdf, info).texts}
    assert texts["properties"] == "Title: \ufffd山"


def test_a_code_on_a_page_is_a_link():
    code = zxingcpp.create_barcode("https://login.example.com/qr", zxingcpp.BarcodeFormat.QRCode)
    pixels = memoryview(code.to_image(scale=4))
    picture = Image.frombytes("L", (pixels.shape[1], pixels.shape[0]), bytes(pixels))
    page = Image.new("L", (800, 1100), 255)
    page.paste(picture, (300, 500))
    octets = BytesIO()
    page.save(octets, "PDF")
    opening = opened(pdf.open_pdf, octets.getvalue())
    assert [(link.url, link.origin) for link in opening.links] == [("https://login.example.com/qr", "qr")]


def real_files() -> dict[str, bytes]:
    if not FILES.exists():
        pytest.skip(f"{FILES} is not there")
    with tarfile.open(FILES) as archive:
        return {
            member.name.rsplit("/", 1)[-1]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.name.endswith(".pdf")
        }


def test_a_password_of_the_mail_opens_a_file():
    locked = real_files()["libreoffice-writer-password.pdf"]
    with pytest.raises(EncryptedError):
        opened(pdf.open_pdf, locked, passwords=("wrong", "also wrong"))
    opening = opened(pdf.open_pdf, locked, passwords=("wrong", "openpassword"))  # its upstream description names it
    assert found(opening) == {"password-in-mail": "medium"}
    assert opening.opened_by_password
    assert "page 1" in [text.place for text in opening.texts]


def test_real_files_give_the_text_that_the_library_gives_and_no_alarm():
    for name, content in real_files().items():
        if name == "libreoffice-writer-password.pdf":
            continue
        opening = opened(pdf.open_pdf, content, name)
        assert not {"high", "critical"} & set(found(opening).values()), name
        shown = {t.place: t.text for t in opening.texts}
        for number, page in enumerate(pdfium.PdfDocument(content), 1):
            words = page.get_textpage().get_text_range().split()
            assert set(shown.get(f"page {number}", "").split()) >= {
                w for w in words if w.isascii() and w.isalnum()
            }, name


def test_an_embedded_file_is_the_one_the_library_hands_out():
    content = real_files()["with-attachment.pdf"]
    opening = opened(pdf.open_pdf, content)
    attached = pdfium.PdfDocument(content).get_attachment(0)
    assert [(c.name, c.content) for c in opening.children] == [(attached.get_name(), bytes(attached.get_data()))]
    assert found(opening) == {"pdf-embedded-file": "low"}


def test_the_form_and_links_of_real_files():
    files = real_files()
    assert "http://exampe.com" in urls(opened(pdf.open_pdf, files["pdflatex-forms.pdf"]))
    assert urls(opened(pdf.open_pdf, files["libre-office-link.pdf"])) == ["https://martin-thoma.com/"]


@pytest.mark.parametrize("layers", [1, 2])
def test_a_content_stream_that_is_a_bomb_stops_at_the_limit(layers):
    data = b" " * 300_000_000
    for _ in range(layers):
        data = zlib.compress(data, 9)
    filters = "/Filter[" + "/FlateDecode" * layers + "]"
    # Several of them, as one of a thousandth of the limit is none.
    whole = pdf_of(CATALOG, PAGES, PAGE, stream(data, filters), FONT)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OverLimitError):
        opened(pdf.open_pdf, whole, unpacked_bytes=50_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kilobytes


def test_cycles_in_the_page_tree_and_many_objects_end():
    cycle = pdf_of(CATALOG, "<</Type/Pages/Kids[2 0 R 2 0 R 3 0 R]/Count 100000000>>", PAGE, stream(b""), FONT)
    million = b"%PDF-1.7\n" + b"".join(b"%d 0 obj<</A %d 0 R>>endobj\n" % (n, n + 1) for n in range(9, 300_000))
    many_actions = page_with("a", CATALOG, *(f"<</S/URI/URI(http://e.example/{n})>>" for n in range(5000)))
    for content in (cycle, million, many_actions):
        started = time.process_time()
        with suppress(*NAMED_ERRORS):
            opened(pdf.open_pdf, content, seconds=10)
        assert time.process_time() - started < 20


def test_mutated_files_raise_only_the_named_errors():
    source = random.Random(7)
    seeds = [
        page_with(
            "words", "<</Type/Catalog/Pages 2 0 R/OpenAction 6 0 R>>", "<</S/JavaScript/JS(app.alert\\(1\\))>>"
        ),
        pdf_of(
            CATALOG,
            PAGES,
            PAGE,
            flate(b"6 0 7 20 <</S/Launch/F(a)>> <</EF<</F 4 0 R>>>>", "/Type/ObjStm/N 2/First 9"),
            FONT,
        ),
    ]
    for round_ in range(300):
        octets = bytearray(seeds[round_ % 2])
        for _ in range(source.randrange(1, 12)):
            at = source.randrange(len(octets))
            if source.random() < 0.5:
                octets[at] = source.randrange(256)
            elif source.random() < 0.5:
                del octets[at : at + source.randrange(1, 30)]
            else:
                octets[at:at] = octets[: source.randrange(1, 60)]
        with suppress(*NAMED_ERRORS):
            opened(pdf.open_pdf, bytes(octets))
