import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.verdict import Overwrite
from sekisho.parse import parse
from sekisho.parse.masking import Maskable, is_signed
from sekisho.parse.source import NotMaskedError

TEXT = "お世話になります。\nカード番号 ４１１１ 1111-2222 です。\n\n--\n12\n"
PYTHON = {"iso-2022-jp": "iso2022_jp", "shift_jis": "cp932", "euc-jp": "euc_jp", "utf-8": "utf-8"}


def encoded(content, encoding):
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(content.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return content


def message(content, charset="utf-8", encoding="8bit", kind="text/plain", more=""):
    head = f"Subject: x\r\nContent-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return parse(f"{head}{more}\r\n".encode() + encoded(content, encoding))


def masked(made, part=0, wanted=str.isdigit):
    """The message's octets with all digits of a part masked."""
    maskable = Maskable(made, made.parts[part])
    raw = bytearray(made.raw)
    for mask in maskable.masks(i for i, c in enumerate(maskable.text) if wanted(c)):
        raw[mask.start : mask.start + len(mask.octets)] = mask.octets
    assert len(raw) == len(made.raw)
    return bytes(raw)


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", PYTHON)
def test_every_charset_in_every_encoding(charset, encoding):
    content = TEXT.replace("\n", "\r\n").encode(PYTHON[charset])
    raw = masked(message(content, charset, encoding))
    text = "".join(("*" if c.isascii() else "＊") if c.isdigit() else c for c in TEXT)
    assert parse(raw).parts[0].text == text
    if encoding == "quoted-printable":
        assert b"=" in raw.partition(b"\r\n\r\n")[2] or charset == "iso-2022-jp"
        assert [len(line) for line in raw.split(b"\r\n")] == [
            len(line) for line in message(content, charset, encoding).raw.split(b"\r\n")
        ]


@given(st.binary(max_size=300), st.sets(st.integers(0, 299)), st.sampled_from(["base64", "quoted-printable", "8bit"]))
def test_octets_beside_a_mask_are_what_they_were(content, places, encoding):
    """Against another implementation of both encodings (Python's)."""
    content = content.replace(b"\r", b"x").replace(b"\n", b"y")
    made = message(content, "iso-8859-15", encoding)
    maskable = Maskable(made, made.parts[0])
    assert len(maskable.text) == len(content)
    places = {p for p in places if p < len(content) and not maskable.text[p].isspace()}
    raw = bytearray(made.raw)
    for mask in maskable.masks(places):
        raw[mask.start : mask.start + len(mask.octets)] = mask.octets
    body = bytes(raw).partition(b"\r\n\r\n")[2]
    decoded = {"base64": base64.b64decode, "quoted-printable": quopri.decodestring}.get(encoding, bytes)(body)
    expected = bytes(ord("*") if i in places else octet for i, octet in enumerate(content))
    assert decoded == expected


def test_an_escaped_octet_stays_escaped():
    made = parse(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=31=\r\n2 3=\r\n")
    assert masked(made).endswith(b"\r\n\r\n=2A=\r\n* *=\r\n")


def test_neighbours_are_one_mask():
    made = message(b"12 34")
    maskable = Maskable(made, made.parts[0])
    start = made.raw.index(b"12")
    assert maskable.masks([0, 1, 3]) == (Overwrite(start, b"**"), Overwrite(start + 3, b"*"))


def test_html_declares_its_charset_itself():
    content = '<meta charset="Shift_JIS"><p>番号 １２</p>'.encode("cp932")
    made = parse(b"Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + content)
    assert parse(masked(made)).parts[0].text.endswith("<p>番号 ＊＊</p>")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (message(b"12", encoding="x-uuencode"), "transfer encoding"),
        (message(b"12", more="Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"), "checksum"),
        (message(b"-----BEGIN PGP SIGNED MESSAGE-----\n\n12"), "signed"),
        (parse(b"Content-Transfer-Encoding: base64\r\n\r\nMTI=MTI=\r\n"), "base64"),
        (parse(b"Content-Transfer-Encoding: base64\r\n\r\nMTI!\r\n"), "base64"),
        (parse(b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=\rb\nc12\r\n"), "quoted-printable"),
    ],
)
def test_what_cannot_be_masked_is_said(made, why):
    with pytest.raises(NotMaskedError, match=why):
        masked(made)


def test_a_text_in_an_encoded_message_is_no_stretch_of_the_octets():
    inner = base64.encodebytes(b"Subject: y\r\n\r\n12\r\n")
    made = parse(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inner)
    place = next(i for i, part in enumerate(made.parts) if part.is_text)
    with pytest.raises(NotMaskedError, match="container"):
        masked(made, place)


@pytest.mark.parametrize(
    "kind", ["multipart/signed; boundary=b", "application/pkcs7-mime", "application/x-pkcs7-mime"]
)
def test_signed(kind):
    assert is_signed(parse(f"Content-Type: {kind}\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n".encode()))
    assert not is_signed(message(b"x"))
