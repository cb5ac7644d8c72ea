"""Images: the codes in them (QR, Data Matrix, Aztec, PDF417) as links and text. Pixels are counted first."""

from __future__ import annotations

import itertools
import re
import warnings
from io import BytesIO

import PIL.Image
import zxingcpp
from PIL import ImageChops, ImageFile, ImageFilter
from PIL.Image import Image

from sekisho.mail.finding import Severity
from sekisho.parse import charsets
from sekisho.parse.links import text_links
from sekisho.parse.unpack.document import ocr
from sekisho.parse.unpack.opening import CorruptError, Opening

MOST_PIXELS = 40_000_000
_ALL_PIXELS = 160_000_000  # of one file with several pictures
_LONGEST = 1600  # pixels to which the longer side is brought; a code that fills a tenth of it can still be read
_SMALLEST = 60  # pixels: 21 modules with a margin, two pixels each
_MOST_STRETCHED = 8.0  # longer side to shorter: banners and lines carry no square code that a camera reads
_MOST_FRAMES = 3
_KINDS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP")
_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_ALL = zxingcpp.BarcodeFormats([
    zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix,
    zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.PDF417,
])  # fmt: skip
# To look for the other codes takes six times as long as for QR, and longest where none is: in photographs.
_SMALL = 20_000  # pixels: below it, all codes are looked for whatever is shown
_BLOCK = 16  # pixels of the side of a square in which the modules of a code are either dark or light
_ENOUGH_BLOCKS = 4  # that are like a code, for all codes to be looked for; the smallest code has as many
_APART = 3  # pixels: two levels so far from each other are compared, across an edge that is blurred a little
_CLEAR_EDGE = 40  # levels, in a picture that is neither pale nor noisy
_TILE = 256  # pixels of the side of a square of which the contrast is measured: a code may be the palest thing of all
_DOTS = 75  # pixels at either end of the levels that are left out of it
_EDGE_SHARE = 0.4  # of the contrast
_LEAST_EDGE = 12
_EDGES = [[255 if difference >= edge else 0 for difference in range(256)] for edge in range(_CLEAR_EDGE + 1)]
_EVEN = [255 if difference <= 8 else 0 for difference in range(256)]
_LIKE_A_CODE = 70  # of 255: the share of even pixels times three times the share of edges
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}:\S", re.ASCII)
_BARE = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?:[:/?#]\S*)?\Z", re.ASCII)
_FOR_PEOPLE = ("wifi:", "begin:", "mecard:", "smsto:", "tel:", "geo:", "matmsg:", "memory:", "otpauth:")


def warm() -> None:
    """Load the picture formats and read one code."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # a cut picture is shown as far as it goes
    warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)  # the limit here is lower
    PIL.Image.init()
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        octets = BytesIO()
        PIL.Image.new("L", (64, 64), 255).save(octets, kind)
        octets.seek(0)
        PIL.Image.open(octets, formats=_KINDS).convert("L")
    zxingcpp.read_barcodes(PIL.Image.new("L", (64, 64), 255), formats=_ALL)


def open_image(opening: Opening) -> None:
    """Tell of the codes in a picture. Raises CorruptError, OverLimitError."""
    try:
        picture = PIL.Image.open(BytesIO(opening.content), formats=_KINDS)
    except PIL.Image.DecompressionBombError:
        opening.finding("attachment/large-image", Severity.LOW, "the picture has too many pixels to be looked at")
        return
    except Exception as error:  # noqa: BLE001 - its decoders raise whatever they like at broken files
        raise CorruptError(f"the picture cannot be read: {type(error).__name__}") from None
    with picture:
        _frames(picture, opening)


def _frames(picture: Image, opening: Opening) -> None:
    """The first pictures of the file: pages of a TIFF, frames of a GIF."""
    pixels = 0
    for number in range(_MOST_FRAMES):
        opening.budget.check_time()
        try:
            picture.seek(number)
        except EOFError:
            return
        except Exception:  # noqa: BLE001 - see open_image; what was read before counts
            return
        width, height = picture.size
        pixels += width * height
        if width * height > MOST_PIXELS or pixels > _ALL_PIXELS:
            why = f"{width} x {height} pixels are too many to be looked at"
            opening.finding("attachment/large-image", Severity.LOW, why)
            return
        if not worth_reading(width, height) and not ocr.enabled():
            return
        try:
            grey = _grey(picture)
        except Exception as error:  # noqa: BLE001 - see open_image
            raise CorruptError(f"the picture cannot be read: {type(error).__name__}") from None
        if worth_reading(width, height):
            read_codes(grey, opening)
        ocr.read_text(grey, opening)


def worth_reading(width: int, height: int) -> bool:
    """Whether a code could be in a picture of this size."""
    shorter, longer = sorted((width, height))
    return shorter >= _SMALLEST and longer <= shorter * _MOST_STRETCHED


def _grey(picture: Image) -> Image:
    """The picture in shades of grey on white, not larger than is needed."""
    longest = ocr.LONGEST if ocr.enabled() else _LONGEST
    picture.draft("L", (longest, longest))  # JPEG: decoded at a half, a quarter or an eighth
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", coloured.size, "white")
        shown = PIL.Image.alpha_composite(white, coloured).convert("L")
    elif picture.mode.startswith(("I;16", "I", "F")):
        shown = picture.convert("I").point(lambda level: level / 256).convert("L")
    elif picture.mode == "L":  # a copy would be made of it
        picture.load()
        shown = picture
    else:
        shown = picture.convert("L")
    step = -(-max(shown.size) // longest)
    return shown.reduce(step) if step > 1 else shown


def read_codes(grey: Image, opening: Opening, place: str = "") -> None:
    """Tell of every code in a picture: an address as a link, anything else as text."""
    low, high = grey.getextrema()
    if not isinstance(low, int) or not isinstance(high, int) or high - low < 20:
        return
    formats = _ALL if may_hold_any(grey) else _QR
    for code in zxingcpp.read_barcodes(grey, formats=formats, text_mode=zxingcpp.TextMode.Plain):
        words = code_text(code)
        if url := code_address(words):
            opening.link(url, origin="qr")
            continue
        opening.text(words, f"{place} qr code".strip())
        for address in text_links(words):
            opening.link(address, origin="qr")


def may_hold_any(grey: Image) -> bool:
    """Whether a Data Matrix, Aztec or PDF417 code could be in a picture: edges close to each other, even in between.

    A photograph has few such places: what has many edges there has few even pixels. A code has them, light or dark,
    coloured or turned, pale (from a contrast of 20 levels) or noisy (up to a deviation of 30). One that is both very
    small and very coarsely compressed, or out of focus, may not, nor one that is paler than what is close around it.
    """
    width, height = grey.size
    if width * height < _SMALL:
        return True
    if _blocks_like_a_code(_differences(grey), _CLEAR_EDGE, _BLOCK) >= _ENOUGH_BLOCKS:
        return True
    smooth = grey.reduce((1, 2)).filter(ImageFilter.BoxBlur(1))
    return _blocks_by_tile(smooth, _differences(smooth)) >= _ENOUGH_BLOCKS


def _blocks_by_tile(smooth: Image, differences: Image) -> int:
    """Blocks that are like a code for the contrast of the tile they stand in."""
    block, like = (_BLOCK, _BLOCK // 2), 0
    even = differences.point(_EVEN).reduce(block)
    for y, x in itertools.product(range(0, differences.height, _TILE // 2), range(0, differences.width, _TILE)):
        tile = (x, y, min(x + _TILE, differences.width), min(y + _TILE // 2, differences.height))
        contrast = _contrast(smooth.crop(tile))
        if contrast >= _LEAST_EDGE:
            edge = min(_CLEAR_EDGE, max(_LEAST_EDGE, int(contrast * _EDGE_SHARE)))
            edges = differences.crop(tile).point(_EDGES[edge]).reduce(block)
            left, top = x // block[0], y // block[1]
            like += _like_a_code(edges, even.crop((left, top, left + edges.width, top + edges.height)))
    return like


def _differences(grey: Image) -> Image:
    left = grey.crop((0, 0, grey.width - _APART, grey.height))
    return ImageChops.difference(left, grey.crop((_APART, 0, grey.width, grey.height)))


def _contrast(grey: Image) -> int:
    """Levels between the darkest and the lightest pixels, but for a few of either; below 0 if there are no others."""
    counts = grey.histogram()
    below, above = itertools.accumulate(counts), itertools.accumulate(reversed(counts))
    low, high = (sum(count <= _DOTS for count in so_far) for so_far in (below, above))
    return 255 - high - low


def _blocks_like_a_code(differences: Image, edge: int, block: int) -> int:
    return _like_a_code(differences.point(_EDGES[edge]).reduce(block), differences.point(_EVEN).reduce(block))


def _like_a_code(edges: Image, even: Image) -> int:
    """How many pixels, each a block, have many edges and many even pixels."""
    threefold = ImageChops.add(ImageChops.add(edges, edges), edges)
    return sum(ImageChops.multiply(threefold, even).histogram()[_LIKE_A_CODE:])


def code_text(code: zxingcpp.Barcode) -> str:
    """What a code says. Octets without a declared charset are UTF-8 or Shift_JIS far more often than Latin-1."""
    octets = bytes(code.bytes)
    if octets.isascii():
        return octets.decode("ascii").strip()
    return code.text.strip() if code.text.isascii() or not octets else charsets.detect(octets).strip()


def code_address(words: str) -> str:
    """The address that a camera would offer to open, or ""."""
    lower = words.lower()
    if lower.startswith(_FOR_PEOPLE):
        return ""
    if lower.startswith("urlto:"):
        return words[6:]
    if "\n" not in words and _SCHEME.match(words):
        return words
    return f"http://{words}" if _BARE.match(words) else ""
