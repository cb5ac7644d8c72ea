from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont
from support.opened_file import all_text, opening_of, urls

from sekisho.parse.unpack.document import ocr


def written(words: str) -> Image.Image:
    picture = Image.new("L", (900, 120), 255)
    ImageDraw.Draw(picture).text((20, 30), words, fill=0, font=ImageFont.load_default(36))
    return picture


def test_it_says_what_is_missing():
    why = ocr.available(("xyz",))
    assert "tesserocr" in why or "tesseract-ocr-xyz" in why
    with pytest.raises(RuntimeError, match="tesser"):
        ocr.enable(("xyz",))


def test_what_decides_how_pictures_are_read():
    assert ocr.identity(("xyz",)) == ()
    known = ocr.identity(("eng",))
    assert (known == ()) == (ocr.available(("eng",)) != "")
    assert known[-1:] in ((), ("eng",))


def test_it_does_nothing_until_it_is_enabled():
    opening = opening_of(b"")
    ocr.read_text(written("words"), opening)
    assert not ocr.enabled()
    assert not opening.texts


@pytest.mark.skipif(ocr.available(("eng",)) != "", reason=ocr.available(("eng",)))
def test_text_and_addresses_are_read():
    ocr.enable(("eng",))
    try:
        opening = opening_of(b"")
        ocr.read_text(written("Invoice 12345 https://pay.example.com"), opening, "page 2")
        assert "Invoice 12345" in all_text(opening)
        assert opening.texts[0].place == "page 2 picture"
        assert urls(opening) == ["https://pay.example.com"]
    finally:
        ocr.disable()
    assert not ocr.enabled()
