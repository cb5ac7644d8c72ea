"""PDF: text by page, properties, QR codes, passwords (PDFium), and the look at its structure (our own)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_uint, c_ushort, create_string_buffer, string_at

import pypdfium2 as pdfium
from PIL.Image import Image
from pypdfium2 import raw

from sekisho.parse.links import text_links
from sekisho.parse.unpack import passwords
from sekisho.parse.unpack.document import images, ocr
from sekisho.parse.unpack.document.pdf_structure import scan
from sekisho.parse.unpack.opening import Budget, CorruptError, EncryptedError, Opening, OverLimitError

_HEADER_WITHIN = 1024
_MOST_PAGES = 5000
_FEW_CHARACTERS = 1500  # of a page; a page with more is not there for a QR code
_PAGES_WITH_CODES = 3
_LONGEST_PROPERTY = 2_000_000  # octets
_MANY_SHAPES = 60
_MOST_OBJECTS = 5000
_NO_TEXT = 50  # characters of a page that is a scan
_RENDERED = 1100  # pixels of the longer side: a code of 25 mm on A4 has three pixels for each module
_FAR = 1e7  # beyond the page, so that text outside its edges is read too
_LINE_ENDS = str.maketrans({"\r": None, "\x02": "-", "\ufffe": "-", "\0": None})
# Makes the library load what it needs for text, for fonts that are not embedded, and for drawing.
SAMPLE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R"
    b"/Resources<</Font<</a 5 0 R/b 6 0 R>>>>>>endobj "
    b"4 0 obj<</Length 57>>stream\nBT /a 9 Tf (a) Tj /b 9 Tf <93fa967b> Tj ET 0 0 9 9 re f  \nendstream endobj "
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj "
    b"6 0 obj<</Type/Font/Subtype/Type0/BaseFont/MS-Gothic/Encoding/90ms-RKSJ-H/DescendantFonts[7 0 R]>>endobj "
    b"7 0 obj<</Type/Font/Subtype/CIDFontType2/BaseFont/MS-Gothic"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>>>endobj trailer<</Root 1 0 R>>\n%%EOF\n"
)


def warm() -> None:
    """Make the library read everything it reads late."""
    images.warm()
    document = pdfium.PdfDocument(SAMPLE)
    for page in document:
        _text(page)
        _drawn(page, 99)
    document.close()


def open_pdf(opening: Opening) -> None:
    """Tell of a PDF's actions, embedded files, links, text and codes (ISO 32000).

    Raises EncryptedError, CorruptError, OverLimitError.
    """
    content = _from_header(opening.content)
    try:
        document = _document(content, opening)
    except (CorruptError, EncryptedError):
        scan(opening, content)
        raise
    with document:
        plain = content
        if raw.FPDF_GetSecurityHandlerRevision(document) >= 0:
            plain = _copy.of(document, opening.budget)
        skeleton = scan(opening, plain)
        _properties(document, opening)
        _pages(document, opening, drawn=b"/PatternType" not in skeleton.text)


def _from_header(content: bytes) -> bytes:
    """The file from "%PDF" on, which readers look for in the first 1024 octets (ISO 32000-1 H.3.4.1)."""
    at = content.find(b"%PDF", 0, _HEADER_WITHIN + 4)
    return content[at:] if at > 0 else content


def _document(content: bytes, opening: Opening) -> pdfium.PdfDocument:
    """The document, opened without a password or with the first candidate that fits."""
    loaded = _loaded(content, "")
    if loaded is not None:
        return loaded
    password = passwords.try_passwords(opening, lambda candidate: _loaded(content, candidate) is not None)
    loaded = _loaded(content, password) if password else None
    if loaded is None:
        raise EncryptedError("a PDF with a password")
    passwords.tell_opened(opening)
    return loaded


def _loaded(content: bytes, password: str) -> pdfium.PdfDocument | None:
    """The document, or None where the password does not fit. Raises CorruptError."""
    try:
        return pdfium.PdfDocument(content, password=password or None)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            return None
        raise CorruptError("the PDF cannot be read") from None
    except ValueError:  # a candidate with a NUL or half a character
        return None


class _Copy:
    """Takes the decrypted document, counted. There is one: its callback has to be made before the confinement."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.budget: Budget | None = None
        self.over: OverLimitError | None = None
        self.writer = raw.FPDF_FILEWRITE(version=1)
        self._block = type(self.writer.WriteBlock)(self._take)
        self.writer.WriteBlock = self._block

    def _take(self, _writer: object, data: int, size: int) -> int:
        try:
            if self.budget:
                self.budget.take_bytes(size)
        except OverLimitError as error:  # must not leave a callback of the library
            self.over = error
            return 0
        self.octets += string_at(data, size)
        return 1

    def of(self, document: pdfium.PdfDocument, budget: Budget) -> bytes:
        """The document without its encryption. Raises OverLimitError."""
        self.octets.clear()
        self.budget, self.over = budget, None
        raw.FPDF_SaveAsCopy(document, byref(self.writer), raw.FPDF_REMOVE_SECURITY)
        if self.over:
            raise self.over
        return bytes(self.octets)


_copy = _Copy()


def _properties(document: pdfium.PdfDocument, opening: Opening) -> None:
    """The document information (ISO 32000-1 14.3.3)."""
    shown = []
    for key in document.METADATA_KEYS:
        size = min(raw.FPDF_GetMetaText(document, key.encode(), None, 0), _LONGEST_PROPERTY)
        buffer = create_string_buffer(size)
        raw.FPDF_GetMetaText(document, key.encode(), buffer, size)
        if words := buffer.raw.decode("utf-16-le", "replace").strip("\0 "):
            shown.append(f"{key}: {words}")
    opening.text("\n".join(shown), "properties")


def _pages(document: pdfium.PdfDocument, opening: Opening, *, drawn: bool) -> None:
    """The text and its addresses page by page; QR codes of the first pages that have little text.

    Pages with patterns are not drawn: a pattern can be drawn a billion times.
    """
    count = len(document)
    looked_at = 0
    for number in range(min(count, _MOST_PAGES)):
        opening.budget.check_time()
        if opening.budget.text_chars <= 0:
            return
        with _page(document, number) as page:
            if page is None:
                continue
            text = _text(page)
            place = f"page {number + 1}"
            opening.text(text, place)
            for address in text_links(text):
                opening.link(address, origin="text")
            if drawn and looked_at < _PAGES_WITH_CODES and len(text) < _FEW_CHARACTERS and _may_have_code(page):
                looked_at += 1
                images.read_codes(_drawn(page, _RENDERED), opening, place)
                if ocr.enabled() and len(text.strip()) < _NO_TEXT:
                    ocr.read_text(_drawn(page, ocr.LONGEST), opening, place)
    if count > _MOST_PAGES:
        raise OverLimitError(f"{_MOST_PAGES} pages")


@contextmanager
def _page(document: pdfium.PdfDocument, number: int) -> Iterator[pdfium.PdfPage | None]:
    """A page that is closed at once, or None where it cannot be loaded."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        yield None
        return
    try:
        yield page
    finally:
        page.close()


def _text(page: pdfium.PdfPage) -> str:
    """A page's characters, those beyond its edges too; lines as they are drawn."""
    try:
        text = page.get_textpage()
    except pdfium.PdfiumError:
        return ""
    try:
        found = _all_of(text)
    finally:
        text.close()
    return found.translate(_LINE_ENDS)


def _all_of(text: pdfium.PdfTextPage) -> str:
    """The text of a page. The library's own function looks at every character twice: to count, then to copy."""
    room = 3 * raw.FPDFText_CountChars(text) + 2  # of 16 bits: each character may begin a line; NUL ends the text
    units = (c_ushort * room)()
    taken = raw.FPDFText_GetBoundedText(text, -_FAR, _FAR, _FAR, -_FAR, units, room)
    if taken >= room:  # characters of 32 bits
        found: str = text.get_text_bounded(-_FAR, -_FAR, _FAR, _FAR)
        return found
    return string_at(units, 2 * taken).decode("utf-16-le", "ignore")


def _may_have_code(page: pdfium.PdfPage) -> bool:
    """Whether there is an image on the page, or so many shapes that they may be a code's modules; not if huge."""
    objects = raw.FPDFPage_CountObjects(page)
    kinds = set()
    for number in range(min(objects, _MOST_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, number)
        kinds.add(raw.FPDFPageObj_GetType(item))
        width, height = c_uint(), c_uint()
        if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_IMAGE:
            raw.FPDFImageObj_GetImagePixelSize(item, width, height)
        if width.value * height.value > images.MOST_PIXELS:
            return False
    drawn = {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM, raw.FPDF_PAGEOBJ_SHADING}
    return objects > _MANY_SHAPES or not drawn.isdisjoint(kinds)


def _drawn(page: pdfium.PdfPage, longest: int) -> Image:
    """The page in shades of grey, its longer side `longest` pixels."""
    longer = max(page.get_width(), page.get_height(), 1.0)
    bitmap = page.render(scale=longest / longer, grayscale=True, draw_annots=True, limit_image_cache=True)
    try:
        shown: Image = bitmap.to_pil().convert("L")
        return shown
    finally:
        bitmap.close()
