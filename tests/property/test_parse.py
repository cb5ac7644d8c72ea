"""What must hold for every message, made or mutilated; each class quotes the clause it checks."""

import base64
import email.message
import email.policy
import quopri

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.parse import charsets, parse
from sekisho.parse.parameters import Parameters
from sekisho.parse.transfer import decode
from sekisho.parse.words import header_text

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
lines = st.lists(
    st.sampled_from([
        b"From: a@b.example", b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822",
        b"Content-Type: multipart/digest; boundary=c", b"Content-Transfer-Encoding: base64", b"", b"",
        b"--b", b"--b--", b"--c", b"--c--", b"--b--b",
        b" folded", b"no colon", b"U3ViamVjdDogeAoK", b"begin 644 x", b"#86)C", b"end",
        b"Content-Type: text/html; charset=iso-2022-jp", b"<a href=x>\x1b$B!!", b"\xff\0", b"From x",
    ]),
    max_size=40,
)  # fmt: skip
messages = st.builds(lambda ls, end: end.join(ls), lines, st.sampled_from([b"\n", b"\r\n", b"\r"]))


class TestOffsets:
    """`raw` is the truth; everything else points into it (Part, Header)."""

    @given(messages)
    @settings(max_examples=300, deadline=None)
    def test_parts_lie_in_order_within_their_parent(self, raw):
        for part in parse(raw).parts:
            assert 0 <= part.start <= part.body_start <= part.end <= len(part.raw)
            at = part.body_start
            for child in part.children:
                if child.raw is part.raw:
                    assert at <= child.start
                    assert child.end <= part.end
                    at = child.end

    @given(messages)
    @settings(max_examples=300, deadline=None)
    def test_fields_follow_each_other_without_gap(self, raw):
        for part in parse(raw).parts:
            at = part.start
            for header in part.headers:
                assert (header.start, at) == (at, header.start)
                assert header.start <= header.value_start <= header.end
                at = header.end
            assert at <= part.body_start

    @given(messages)
    @settings(max_examples=300, deadline=None)
    def test_paths_are_unique(self, raw):
        paths = [part.path for part in parse(raw).parts]
        assert len(paths) == len(set(paths))


class TestRfc2046:
    """RFC 2046 5.1.1: the body of a multipart must contain one or more body parts, each preceded by a delimiter."""

    @given(st.lists(st.text("abc -\n", max_size=30), min_size=1, max_size=5), st.sampled_from([b"\n", b"\r\n"]))
    def test_parts_are_found_as_they_were_put_in(self, texts, end):
        raw = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=boundary\n\n"
        raw += b"".join(b"--boundary\n\n" + text.encode() + b"\n" for text in texts) + b"--boundary--\n"
        raw = raw.replace(b"\n", end)
        message = parse(raw)
        assert [part.content for part in message.root.children] == [t.encode().replace(b"\n", end) for t in texts]
        assert message.findings == ()


class TestRfc2047:
    """RFC 2047 6.2: white space between adjacent encoded words is ignored; what was encoded is shown."""

    @given(words, st.sampled_from(["utf-8", "utf-16-be"]), st.integers(1, 20))
    def test_words_cut_anywhere(self, text, codec, size):
        octets = text.encode(codec)
        pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
        value = "\t".join(f"=?{codec}?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)
        assert header_text(value) == text

    @given(st.text(st.characters(max_codepoint=127)))
    def test_text_without_words_is_unchanged(self, value):
        if "=?" not in value and "\x1b" not in value:
            assert header_text(value) == value

    @given(st.binary(max_size=200))
    def test_any_octets_give_characters(self, octets):
        header_text(octets.decode("ascii", "surrogateescape")).encode("utf-8")


class TestRfc2045:
    """RFC 2045 6.7, 6.8: what was encoded is decoded."""

    @given(st.binary(max_size=300))
    def test_base64(self, octets):
        assert decode(base64.encodebytes(octets), "base64") == octets

    @given(st.binary(max_size=300))
    def test_quoted_printable(self, octets):
        assert decode(quopri.encodestring(octets), "quoted-printable") == octets

    @given(st.binary(max_size=300), st.sampled_from(["base64", "quoted-printable", "uuencode", "x"]))
    def test_any_octets_are_decoded_to_something(self, octets, encoding):
        assert isinstance(decode(octets, encoding), bytes)


class TestRfc2231:
    """RFC 2231 3, 4: continuations and percent encoding are undone, as the standard library writes them."""

    @given(words.filter(lambda text: text.strip() == text and text))
    def test_file_name(self, name):
        message = email.message.Message(email.policy.compat32)
        message.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
        assert Parameters(message["Content-Disposition"]).shown()["filename"] == name


class TestCharsets:
    """RFC 1468: text in ISO-2022-JP, and the other Japanese charsets, is what was written."""

    @given(st.text(st.sampled_from("あいう請求書アイウabc \n１２（株）"), max_size=60))
    def test_japanese(self, text):
        for codec, label in (("iso2022_jp", "ISO-2022-JP"), ("euc_jp", "EUC-JP"), ("cp932", "Shift_JIS")):
            assert charsets.decode(text.encode(codec), label) == text
