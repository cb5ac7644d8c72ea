import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.parse.source import NotMaskedError, Source, patched

PYTHON = {"iso-2022-jp": "iso2022_jp", "Shift_JIS": "cp932", "EUC-JP": "euc_jp", "windows-31j": "cp932"}
JAPANESE = "abc 019-,.カード番号０１９－−、。個人"


def masked(content, label, places):
    """The content with these characters masked."""
    source = Source(content, label)
    return patched(content, source.patches(dict.fromkeys(places, "")))


@pytest.mark.parametrize("label", ["iso-2022-jp", "Shift_JIS", "EUC-JP", "utf-8"])
@given(data=st.data())
def test_only_what_is_asked_for_changes_and_the_length_stays(label, data):
    codec = PYTHON.get(label, label)
    text = "".join(c for c in data.draw(st.text(JAPANESE + "\r\n", max_size=60)) if encodes(c, codec))
    content = text.encode(codec)
    text = content.decode(codec)  # CP932 has one octet pair for two of these characters
    places = data.draw(st.sets(st.integers(0, len(text) - 1))) if text else set()
    places = {p for p in places if text[p] not in "\r\n"}
    found = masked(content, label, places)
    assert len(found) == len(content)
    expected = [("*" if c.isascii() else "＊") if i in places else c for i, c in enumerate(text)]
    assert found.decode(codec) == "".join(expected)


def encodes(character, codec):
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def test_what_no_python_codec_reads_stays():
    # NEC row 13 (U+2460) and IBM's U+9AD9 in ISO-2022-JP, as mail programs write them
    content = b"\x1b$B-!#1\x1b(B 1"
    source = Source(content, "iso-2022-jp")
    assert source.text == "①１ 1"
    assert patched(content, source.patches({1: "", 3: ""})) == b"\x1b$B-!!v\x1b(B *"


def test_shifts_between_character_sets_stay():
    content = "カード４１１１-1111".encode("iso2022_jp")
    assert masked(content, "iso-2022-jp", range(3, 12)).count(b"\x1b") == content.count(b"\x1b")


def test_octets_that_are_no_text_stay():
    assert masked(b"\x81 12", "shift_jis", [2, 3]) == b"\x81 **"
    content = "番号 1234 ".encode() + b"\xff\xfe end"
    assert masked(content, "utf-8", range(3, 7)) == "番号 **** ".encode() + b"\xff\xfe end"


def test_a_character_without_a_wide_mask_of_its_length():
    assert masked("é1ｱ".encode(), "utf-8", [0, 2]) == "**1＊".encode()
    assert masked("é1".encode("latin-1"), "iso-8859-1", [0, 1]) == b"**"


def test_the_charset_that_nobody_declared():
    assert masked("番号 12".encode(), None, [3, 4]) == "番号 **".encode()
    assert masked("番号 １２ です。".encode("cp932"), None, [3, 4]) == "番号 ＊＊ です。".encode("cp932")
    assert masked("番号 12".encode("iso2022_jp"), None, [3]).decode("iso2022_jp") == "番号 *2"


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ("番号 12".encode("utf-16"), "utf-16"),
        ("番号 12".encode("utf-16"), "utf-16le"),
        (b"~{V:~} 12", "hz-gb-2312"),
        (b"+AGE- 12", "utf-7"),
        (b"\x8f 12", "euc-jp"),
        (b"1" * 4_000_001, "us-ascii"),
        # a lead octet alone, before an octet it goes with: the mask's first octet would go with it
        (b"12\x83\xe5\xdc", "shift_jis"),
    ],
)
def test_what_cannot_be_masked_is_said(content, label):
    with pytest.raises(NotMaskedError) as error:
        masked(content, label, [3])
    assert "12" not in str(error.value)


def test_half_width_kana_in_seven_bits_cannot_be_masked_but_the_rest_can():
    content = b"\x1b(I1\x1b(B 12"
    assert masked(content, "iso-2022-jp", [2, 3]) == b"\x1b(I1\x1b(B **"
    with pytest.raises(NotMaskedError):
        masked(content, "iso-2022-jp", [0])


def test_a_character_of_our_choice():
    content = b"&#52;"
    assert patched(content, Source(content, "us-ascii").patches(dict(enumerate("&#42;")))) == b"&#42;"
