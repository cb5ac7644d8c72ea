from __future__ import annotations

import itertools
import random
import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageFilter, ImageOps
from support.opened_file import NAMED_ERRORS, all_text, found, opened, opening_of, urls

from sekisho.parse.unpack.document import images
from sekisho.parse.unpack.opening import CorruptError

ADDRESS = "https://login.example.com/verify?u=1"


@pytest.fixture(scope="module", autouse=True)
def _warm():
    images.warm()


def code(words: str, sort: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.QRCode, scale: int = 4) -> Image.Image:
    pixels = memoryview(zxingcpp.create_barcode(words, sort).to_image(scale=scale))
    return Image.frombytes("L", (pixels.shape[1], pixels.shape[0]), bytes(pixels))


def octets(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    whole = BytesIO()
    picture.save(whole, kind, **options)
    return whole.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_code_in_every_format(kind):
    opening = opened(images.open_image, octets(code(ADDRESS), kind))
    assert [(link.url, link.origin) for link in opening.links] == [(ADDRESS, "qr")]


BUT_FOR_QR = [zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.PDF417]


@pytest.mark.parametrize("sort", BUT_FOR_QR)
def test_other_codes(sort):
    assert urls(opened(images.open_image, octets(code(ADDRESS, sort)))) == [ADDRESS]


def photograph(seed: int, size: tuple[int, int], grain: int) -> Image.Image:
    """Soft shapes, as large as `grain` pixels."""
    rng = random.Random(seed)
    small = (size[0] // grain + 1, size[1] // grain + 1)
    return Image.frombytes("RGB", small, rng.randbytes(small[0] * small[1] * 3)).resize(
        size, Image.Resampling.BICUBIC
    )


def whole(shown: Image.Image, background: int) -> Image.Image:
    around = Image.new("L", (shown.width + 300, shown.height + 240), background)
    around.paste(shown, (130, 77))
    return around


def pale(contrast: int, scale: int, sort: zxingcpp.BarcodeFormat) -> Image.Image:
    return whole(code(ADDRESS, sort, scale).point(lambda level: 110 + level * contrast // 255), 110 + contrast)


def dotted(contrast: int, scale: int, sort: zxingcpp.BarcodeFormat) -> Image.Image:
    """With a black and a white dot beside the code."""
    shown = pale(contrast, scale, sort)
    for place, level in ((10, 0), (30, 255)):
        shown.paste(level, (place, 10, place + 8, 18))
    return shown


def below_a_photograph(contrast: int, scale: int, sort: zxingcpp.BarcodeFormat) -> Image.Image:
    shown = pale(contrast, scale, sort)
    page = photograph(1, (max(shown.width, 700), shown.height + 400), 12).convert("L")
    page.paste(shown, (0, 400))
    return page


def noisy(sigma: int, scale: int, sort: zxingcpp.BarcodeFormat) -> Image.Image:
    rng = random.Random(sigma)
    shown = whole(code(ADDRESS, sort, scale).point(lambda level: 40 + level * 170 // 255), 210)
    return Image.frombytes(
        "L", shown.size, bytes(max(0, min(255, int(rng.gauss(level, sigma)))) for level in shown.tobytes())
    )


@pytest.mark.parametrize("sort", BUT_FOR_QR, ids=lambda sort: sort.name)
@pytest.mark.parametrize(
    ("change", "strength"),
    [
        *itertools.product([pale, below_a_photograph], [24, 30, 38]),
        *itertools.product([dotted], [30, 38]),
        *itertools.product([noisy], [8, 16, 25]),
    ],
)
def test_pale_and_noisy_codes_are_looked_for(sort, change, strength):
    """What the library finds when it looks for all codes, these pictures are let through to."""
    readable = 0
    for scale in (3, 5, 8, 20)[: 3 if change is noisy else 4]:
        picture = change(strength, scale, sort)
        if zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(SORTS)):
            readable += 1
            assert images.may_hold_any(picture), scale
    assert readable


@pytest.mark.parametrize("grain", [4, 12, 60])
def test_other_codes_are_not_looked_for_in_photographs(grain):
    photos = [photograph(seed, (810, 540), grain) for seed in range(5)]
    assert not any(images.may_hold_any(photo.convert("L")) for photo in photos)


PLACES = ["alone", "photograph", "page"]
SORTS = [zxingcpp.BarcodeFormat.QRCode, *BUT_FOR_QR]


def changed(plain: Image.Image, how: str) -> Image.Image:
    if how == "inverted":
        return ImageOps.invert(plain)
    if how == "coloured":
        return ImageOps.colorize(plain, "#103080", "#ffffd0")
    if how == "pale":
        return plain.point(lambda level: 110 + level * 50 // 255)
    return plain.filter(ImageFilter.GaussianBlur(1)) if how == "blurred" else plain


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: sort.name)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["plain", "inverted", "coloured", "pale", "blurred", "coarse"])
def test_codes_wherever_they_are(sort, place, how):
    """What the library finds with all its effort is found; but for QR, small modules have to be clear."""
    clear = sort is zxingcpp.BarcodeFormat.QRCode or how not in {"blurred", "coarse"}
    for scale, turn in itertools.product((4, 6, 8) if clear else (5, 8), (0, 90, 180)):
        shown = changed(code(ADDRESS, sort, scale).rotate(turn, expand=True), how).convert("RGB")
        size = (shown.width + 300, shown.height + 240)
        whole = photograph(scale + turn, size, 6) if place == "photograph" else Image.new("RGB", size, "#b0b0b0")
        if place == "alone":
            whole = shown
        else:
            whole.paste(shown, (130, 77))
        content = octets(whole, "JPEG", quality=30) if how == "coarse" else octets(whole)
        grey = Image.open(BytesIO(content)).convert("L")
        possible = {found.text for found in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(SORTS))}
        assert set(urls(opened(images.open_image, content))) == possible
        assert possible or sort is not zxingcpp.BarcodeFormat.QRCode


def test_codes_as_they_are_sent():
    plain = code(ADDRESS)
    inverted = plain.point(lambda level: 255 - level)
    turned = plain.rotate(20, expand=True, fillcolor=255)
    clear = Image.new("RGBA", plain.size, (0, 0, 0, 255))
    clear.putalpha(inverted)
    photo = Image.effect_noise((2400, 1800), 30).convert("RGB")
    photo.paste(code(ADDRESS, scale=8).convert("RGB"), (1500, 900))
    palette = plain.convert("P")
    for picture in (inverted, turned, clear, photo, palette, plain.convert("1")):
        assert urls(opened(images.open_image, octets(picture))) == [ADDRESS]


def test_words_in_a_code_are_text():
    for words in ("お振込先 みずほ銀行 1234567", "MECARD:N:山田;TEL:0312345678;;", "WIFI:S:office;P:secret;;"):
        opening = opened(images.open_image, octets(code(words)))
        assert [(t.text, t.place) for t in opening.texts] == [(words, "qr code")]
        assert not opening.links


class Code:
    """What a decoder hands over, with the octets of a byte segment (ISO/IEC 18004 7.4.5)."""

    def __init__(self, octets: bytes) -> None:
        self.bytes = octets
        self.text = octets.decode("latin-1")


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "euc_jp"])
def test_octets_without_a_charset_are_read_as_japanese(codec):
    assert images.code_text(Code("株式会社山田商事".encode(codec))) == "株式会社山田商事"


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("HTTPS://EXAMPLE.COM/A", "HTTPS://EXAMPLE.COM/A"),
        ("example.co.jp/a", "http://example.co.jp/a"),
        ("URLTO:https://a.example", "https://a.example"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("tel:0312345678", ""),
        ("1234567890", ""),
        ("Invoice 12.50", ""),
    ],
)
def test_what_a_camera_takes_for_an_address(words, address):
    assert images.code_address(words) == address


def claimed(width: int, height: int) -> bytes:
    """A PNG of one bit a pixel, all black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(60_000, 60_000), (2_000_000_000, 2), (9000, 9000)])
def test_too_many_pixels_are_not_made(size):
    assert found(opened(images.open_image, claimed(*size))) == {"large-image": "low"}


def test_small_and_long_pictures_are_not_read():
    assert not images.worth_reading(48, 48)
    assert not images.worth_reading(900, 90)
    assert images.worth_reading(100, 100)
    assert urls(opened(images.open_image, octets(code(ADDRESS, scale=1)))) == []


def test_later_pages_are_read():
    pages = [Image.new("L", (300, 300), 255), code(ADDRESS)]
    whole = BytesIO()
    pages[0].save(whole, "TIFF", save_all=True, append_images=pages[1:])
    assert urls(opened(images.open_image, whole.getvalue())) == [ADDRESS]


def test_what_is_no_picture_is_corrupt():
    for content in (b"\x89PNG\r\n\x1a\nnothing", b"\0\0\1\0" * 30, b""):
        with pytest.raises(CorruptError, match="cannot be read"):
            opened(images.open_image, content)


def test_every_format_that_is_asked_for_is_known():
    assert set(images._KINDS) <= set(Image.OPEN)


def test_mutated_pictures_raise_only_the_named_errors():
    source = random.Random(5)
    seeds = [octets(code("請求書 " + ADDRESS), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")]
    for round_ in range(900):
        changed = bytearray(seeds[round_ % len(seeds)])
        for _ in range(source.randrange(1, 15)):
            at = source.randrange(len(changed))
            if source.random() < 0.7:
                changed[at] = source.randrange(256)
            else:
                del changed[at : at + source.randrange(1, 50)]
        opening = opening_of(bytes(changed))
        with suppress(*NAMED_ERRORS):
            images.open_image(opening)
        assert len(all_text(opening)) < 10_000
