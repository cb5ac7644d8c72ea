from contextlib import suppress
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.act.compose import FieldError, boundary_for, header_field, multipart, text_entity


def read(field, name):
    return str(message_from_bytes(field + b"\r\n", policy=policy.default)[name])


def test_folding():
    # RFC 5322 2.1.1, 2.2.3: at white space, which stays
    assert header_field("X-A", "a" * 70 + "  b\tc") == b"X-A: " + b"a" * 70 + b"  b\r\n\tc\r\n"
    assert header_field("X-A", "a\r\n b\r\n\tc") == b"X-A: a b\tc\r\n"
    assert header_field("X-A", "") == b"X-A: \r\n"


def test_longest_line():
    assert len(header_field("X-A", "a" * 993)) == 998 + 2
    with pytest.raises(FieldError):
        header_field("X-A", "a" * 994)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", '"山田, 太郎" <a@example.jp>'),
        ("To", "花子 鈴木 (営業 部) <h@example.jp>, Bob <b@example.jp>"),
        ("Cc", '"A \\"é\\" B" <a@example.jp>'),
        ("Reply-To", "営業:a@example.jp,b@example.jp;"),
    ],
)
def test_display_names_outside_ascii(name, value):
    field = header_field(name, value)
    assert field.isascii()
    parsed = message_from_bytes(field + b"\r\n", policy=policy.default)[name]
    assert not parsed.defects
    intended = message_from_string(f"{name}: {value}\r\n\r\n", policy=policy.default)[name]
    assert [a.addr_spec for a in parsed.addresses] == [a.addr_spec for a in intended.addresses]
    assert [a.display_name for a in parsed.addresses] == [a.display_name for a in intended.addresses]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=300))
def test_any_text_is_read_as_meant(value):
    """RFC 2047 2, 5, 6.1: encoded words of at most 75 columns that decode to what was put in."""
    value = value.strip(" ")
    if not value or "=?" in value:
        return
    field = header_field("Subject", value)
    assert all(len(line) <= 998 for line in field.split(b"\r\n"))
    if not value.isascii():
        assert all(len(word) <= 75 for word in field.split() if word.startswith(b"=?"))
    raw = message_from_bytes(field + b"\r\n", policy=policy.compat32)["Subject"].replace("\r\n", "")
    assert str(make_header(decode_header(raw))) == value


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_value_is_one_field_or_refused(name, value):
    """RFC 5322 2.2: no value makes a second field."""
    try:
        field = header_field(name, value)
    except FieldError:
        return
    assert field.endswith(b"\r\n")
    assert all(line[:1] in (b" ", b"\t") and line.strip() for line in field.split(b"\r\n")[1:-1])
    assert message_from_bytes(field + b"X: 1\r\n\r\n", policy=policy.compat32).keys() == [name, "X"]


@given(st.text(max_size=300))
def test_any_text_makes_an_entity(text):
    """RFC 2045 2.7, 6.7, 6.8: seven bits, lines of at most 76 columns, and the same text when decoded."""
    fields, body = text_entity(text)
    assert (fields + body).isascii()
    assert body.endswith(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b"--") for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    content = message_from_bytes(fields + b"\r\n" + body).get_payload(decode=True).decode()
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert content.replace("\r\n", "\n") == (expected if expected.endswith("\n") else expected + "\n")


def test_ascii_stays_readable():
    assert text_entity("Hello, Zoë, this is plain text.\n") == (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        b"Hello, Zo=C3=AB, this is plain text.\r\n",
    )


def test_multipart():
    # RFC 2046 5.1.1
    boundary = boundary_for("id", b"--=_id\r\n", b"=_id.1")
    assert boundary == "=_id.2"
    assert multipart("b", [b"\r\nx", b"A: 1\r\n\r\n"]) == b"--b\r\n\r\nx\r\n--b\r\nA: 1\r\n\r\n\r\n--b--\r\n"
    assert len(boundary_for("é\r\n" + "x" * 500)) <= 70


@pytest.mark.parametrize("piece", ['"', '\\"', "<", "あ ", '"あ', "( ", "=?", "あ<", "\r\n "])
@pytest.mark.parametrize("name", ["To", "Subject"])
def test_linear_time(name, piece):
    # the square of this would run into the timeout of every test
    with suppress(FieldError):
        header_field(name, piece * 100_000)
