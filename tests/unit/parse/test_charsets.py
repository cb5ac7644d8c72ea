import codecs
import random

import pytest

from sekisho.parse import charsets
from sekisho.parse.charsets import codec_of, decode, detect


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf_8"),
        ("us-ascii", "ascii"),
        ("ISO_8859-1", "cp1252"),
        ("Shift_JIS", "cp932"),
        ('"x-sjis"', "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("GB2312", "gb18030"),
        ("windows-1251", "cp1251"),
        ("iso-8859-15", "iso8859_15"),
        ("IBM866", "cp866"),
        ("latin2", "iso8859_2"),
        ("UTF-7", "utf-7"),
        ("unicode-1-1-utf-7", "utf-7"),
        ("x-unknown", None),
        ("raw_unicode_escape", None),
        ("zip", None),
        ("x" * 100, None),
    ],
)
def test_labels(label, codec):
    assert codec_of(label) == codec


def test_every_codec_exists():
    for codec in set(charsets._LABELS.values()) - set(charsets._SPECIAL):
        codecs.lookup(codec)


# The octets are JIS X 0208 row 13 (NEC), row 89 and on (NEC's selection of IBM's characters), JIS X 0201 katakana.
@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b$B@A5a=q\x1b(B", "請求書"),
        (b"\x1b$@@A5a=q\x1b(J \\1", "請求書 \\1"),
        (b"\x1b$B-!-j\x1b(B", "①㈱"),
        (b"\x1b$B|b66\x1b(B", "髙橋"),
        (b"\x1b(I6E\x1b(B", "ｶﾅ"),
        (b"\x1b$B@A5a\n=q\x1b(B", "請求\n書"),
        (b"\x1b$B@A5a=q", "請求書"),
        (b"abc", "abc"),
    ],
)
def test_iso_2022_jp_as_outlook_writes_it(octets, text):
    if "髙" in text:
        octets = octets.replace(b"|b", bytes(_jis("髙")))
    assert decode(octets, "ISO-2022-JP") == text


def _jis(character):
    """The JIS pair whose CP932 form is this character, by the shift from JIS to Shift_JIS."""
    target = {"髙": b"\xee\xe0"}[character]  # CP932's table of NEC selected IBM extensions
    lead, trail = target
    row = (lead - 0xC1) * 2 + 0x21 + (trail >= 0x9F)
    return row, trail - 0x7E if trail >= 0x9F else trail - (0x20 if trail > 0x7F else 0x1F)


def test_every_character_of_jis_x_0208_agrees_with_the_standard_codec():
    # CP932 and JIS disagree on the Unicode form of these six only (WHATWG uses CP932's).
    known = dict(zip("〜‖−¢£¬", "～∥－￠￡￢", strict=True))
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            try:
                expected = bytes((row | 0x80, cell | 0x80)).decode("euc_jp")
            except UnicodeDecodeError:
                continue
            expected = known.get(expected, expected)
            assert decode(bytes((row | 0x80, cell | 0x80)), "EUC-JP") == expected
            assert decode(b"\x1b$B" + bytes((row, cell)) + b"\x1b(B", "ISO-2022-JP") == expected


def test_stretches_are_read_each_as_if_it_stood_alone():
    rng = random.Random(3)
    words = (b"@A5a", b"=q", b"B-!-j"[1:], b"|q", b"~~", b"!!", b"@A5a\n=q", b"@", b"", b"\x7f!", b"/!", b"\x2e\x7e")
    for _ in range(2000):
        stretches = [rng.choice(words) for _ in range(rng.randrange(1, 6))]
        alone = "".join(decode(b"\x1b$B" + stretch, "ISO-2022-JP") for stretch in stretches)
        assert decode(b"".join(b"\x1b$B" + stretch for stretch in stretches), "ISO-2022-JP") == alone


def test_euc_jp_beyond_jis_x_0208():
    assert decode(b"\xad\xa1\x8e\xb6\x8f\xb0\xa1a", "euc-jp") == "①ｶ" + b"\x8f\xb0\xa1".decode("euc_jp") + "a"


@pytest.mark.parametrize("codec", ["euc_jp", "cp932", "utf-8", "iso2022_jp"])
@pytest.mark.parametrize("text", ["請求書", "お世話になっております", "見積書を送付します。"])
def test_undeclared_japanese_is_detected(codec, text):
    assert detect(text.encode(codec)) == text
    assert decode(text.encode(codec), "x-unknown") == text


def test_detection_of_a_long_text_looks_at_its_first_foreign_octets():
    octets = b"a" * 100_000 + "請求書を送付します".encode("cp932")
    assert detect(octets).endswith("請求書を送付します")


def test_utf_7_is_refused():
    assert decode(b"+ADw-script+AD4-", "utf-7") == "+ADw-script+AD4-"


def test_hong_kong_big5():
    assert decode(b"\xa4\xa4\x88\x62", "big5") == "中" + b"\x88\x62".decode("big5hkscs")


@pytest.mark.parametrize("label", ["utf-8", "iso-2022-jp", "euc-jp", "utf-16", "big5", "hz-gb-2312", None, "utf-7"])
def test_no_octets_raise_or_make_surrogates(label):
    for octets in (bytes(range(256)), bytes(range(255, -1, -1)), b"\xff", b"\x1b", b"\x1b$B!", b"\xd8\x00\xdc"):
        decode(octets, label).encode("utf-8")
