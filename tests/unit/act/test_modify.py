from base64 import b64encode
from email import message_from_bytes, policy

import pytest

from sekisho.act.modify import ModifyError, apply, apply_envelope
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.verdict import (
    AddHeader,
    AddRecipient,
    ChangeHeader,
    ChangeSender,
    DeleteHeader,
    DeleteRecipient,
    DropPart,
    Overwrite,
    Redact,
    ReplacePart,
)
from sekisho.parse import parse

PLAIN = b"Received: x\r\nSubject: Hi\r\nX-Spam: 1\r\nx-spam: 2\r\nFrom: a@example.jp\r\n\r\nHello.\r\n"
MIXED = (
    b"From: a@example.jp\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--b\r\n"
    b"Content-Type: multipart/alternative; boundary=c\r\n"
    b"\r\n"
    b"--c\r\n"
    b"Content-Type: text/plain; charset=iso-2022-jp\r\n"
    b"Content-Id: <1@x>\r\n"
    b"Content-Transfer-Encoding: 7bit\r\n"
    b"\r\n"
    b"plain\r\n"
    b"--c\r\n"
    b"Content-Type: text/html\r\n"
    b"\r\n"
    b"<p>html</p>\r\n"
    b"--c--\r\n"
    b"--b\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"JVBERi0x\r\n"
    b"--b\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: inner\r\n"
    b"\r\n"
    b"inner text\r\n"
    b"--b--\r\n"
    b"epilogue\r\n"
)
NOTICE = "添付ファイルを取り除きました。\nRemoved."


def modified(raw, *modifications):
    return apply(parse(raw), modifications)


def tree(raw):
    """What the standard library sees: content type and, for leaves, content; line ends as LF."""

    def walk(part):
        if part.get_content_maintype() in ("multipart", "message"):
            return (part.get_content_type(), [walk(p) for p in part.get_payload()])
        return (part.get_content_type(), content(part))

    return walk(message_from_bytes(raw, policy=policy.default))


def content(part):
    return part.get_payload(decode=True).replace(b"\r\n", b"\n").decode()


# --- header ----------------------------------------------------------------------------------------------------


def test_nothing_to_do_gives_the_same_bytes():
    assert modified(PLAIN) == PLAIN
    assert modified(PLAIN, AddRecipient("x@example.jp"), DeleteHeader("absent")) == PLAIN


def test_headers_are_added_on_top_the_last_one_first():
    assert modified(PLAIN, AddHeader("X-A", "1"), AddHeader("X-B", "2")) == b"X-B: 2\r\nX-A: 1\r\n" + PLAIN


def test_the_first_header_of_a_name_is_changed():
    assert modified(PLAIN, ChangeHeader("X-SPAM", "no")) == PLAIN.replace(b"X-Spam: 1", b"X-SPAM: no")
    assert modified(PLAIN, ChangeHeader("X-New", "1")) == b"X-New: 1\r\n" + PLAIN
    assert modified(PLAIN, AddHeader("X-Spam", "0"), ChangeHeader("x-spam", "9")) == b"x-spam: 9\r\n" + PLAIN


def test_every_header_of_a_name_is_deleted():
    without = PLAIN.replace(b"X-Spam: 1\r\nx-spam: 2\r\n", b"")
    assert modified(PLAIN, DeleteHeader("X-SPAM")) == without
    assert modified(PLAIN, AddHeader("X-Spam", "0"), DeleteHeader("X-Spam")) == without
    assert modified(PLAIN, DeleteHeader("X-Spam"), ChangeHeader("X-Spam", "1")) == b"X-Spam: 1\r\n" + without


def test_folded_headers_go_whole():
    raw = b"To: a@example.jp,\r\n\tb@example.jp\r\nSubject: x\r\n\r\nx\r\n"
    assert modified(raw, DeleteHeader("To")) == b"Subject: x\r\n\r\nx\r\n"
    assert modified(raw, ChangeHeader("To", "c@example.jp")) == b"To: c@example.jp\r\nSubject: x\r\n\r\nx\r\n"


def test_lf_messages_get_lf():
    raw = PLAIN.replace(b"\r\n", b"\n")
    assert modified(raw, AddHeader("X-A", "1\r\n 2")) == b"X-A: 1 2\n" + raw
    assert b"\r" not in modified(MIXED.replace(b"\r\n", b"\n"), DropPart("2", NOTICE))


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        (b"", b"X: 1\r\n\r\n"),
        (b"\r\nbody\r\n", b"X: 1\r\n\r\nbody\r\n"),
        (b"From x Mon Mar  2\r\nSubject: a\r\n\r\n", b"From x Mon Mar  2\r\nX: 1\r\nSubject: a\r\n\r\n"),
        (b" odd\r\nSubject: a\r\n\r\n", b" odd\r\nX: 1\r\nSubject: a\r\n\r\n"),
    ],
)
def test_odd_messages_keep_their_header_apart(raw, result):
    assert modified(raw, AddHeader("X", "1")) == result


@pytest.mark.parametrize("kind", [AddHeader, ChangeHeader])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nBcc: evil@example.net"),
        ("X-A", "a\nBcc: evil@example.net"),
        ("X-A", "a\rBcc: evil@example.net"),
        ("X-A", "a\r\n\r\nbody"),
        ("X-A", "a\n b"),
        ("X-A", "a\x00b"),
        ("X-A", "x" * 999),
        ("X-A", "\ud800"),
        ("X-A: b\r\nX-B", "a"),
        ("X A", "a"),
        ("", "a"),
        ("X-Ä", "a"),
        ("Content-Type", "text/plain; name=あ"),
        ("To", "山@例え.jp"),
        ("To", "A <山@example.jp>"),
        ("To", "a@例え.jp"),
    ],
)
def test_no_header_injection(kind, name, value):
    with pytest.raises(ModifyError):
        modified(PLAIN, kind(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subject", "[社外] 見積 書 の件 hello " + "長い" * 60),
        ("Subject", "=?utf-8?b?44GC?="),
        ("Subject", "a  b"),
        ("Comments", "é à ü plain ß"),
        ("From", '"山田, 太郎" <a@example.jp>, 花子 <b@example.jp>'),
        ("To", "a@example.jp, b@example.jp, " * 20 + "c@example.jp"),
    ],
)
def test_values_read_as_meant(name, value):
    raw = modified(PLAIN, ChangeHeader(name, value))
    header = raw.partition(b"\r\n\r\n")[0]
    assert header.isascii()
    assert max(map(len, header.split(b"\r\n"))) <= 78
    expected = "あ" if value.startswith("=?") else value
    assert str(message_from_bytes(raw, policy=policy.default)[name]) == expected
    assert parse(raw).header(name.lower()).text.replace('"', "") == expected.replace('"', "")


def test_raw_octets_in_a_value_become_text():
    # what the parser gives for raw UTF-8 octets in a header
    value = "あ".encode().decode("ascii", "surrogateescape")
    assert parse(modified(PLAIN, ChangeHeader("Subject", f"[x] {value}"))).subject == "[x] あ"


# --- parts -----------------------------------------------------------------------------------------------------


def test_drop_a_part():
    raw = modified(MIXED, DropPart("2", NOTICE))
    start, end = (
        MIXED.index(b"Content-Type: application/pdf"),
        MIXED.index(b"\r\n--b\r\nContent-Type: message/rfc822"),
    )
    assert raw.startswith(MIXED[:start])
    assert raw.endswith(MIXED[end:])
    part = message_from_bytes(raw, policy=policy.default).get_payload(1)
    assert content(part) == NOTICE + "\n"
    assert part.get_content_disposition() == "inline"
    assert part.get_filename() is None


def test_replace_a_part():
    text = "新しい本文\r\n二行目\n"
    raw = modified(MIXED, ReplacePart("1.1", text))
    kind, (alternative, *others) = tree(raw)
    assert (kind, others) == (tree(MIXED)[0], tree(MIXED)[1][1:])
    assert alternative == (
        "multipart/alternative", [("text/plain", "新しい本文\n二行目\n"), ("text/html", "<p>html</p>")],
    )  # fmt: skip
    part = message_from_bytes(raw).get_payload(0).get_payload(0)
    assert part["Content-Id"] == "<1@x>"
    assert part.get_all("Content-Type") == ["text/plain; charset=utf-8"]
    assert len(part.get_all("Content-Transfer-Encoding")) == 1


def test_replace_a_multipart():
    assert tree(modified(MIXED, ReplacePart("1", "one\n", "text/html")))[1][0] == ("text/html", "one\n")


def test_the_outer_modification_stands():
    outer = DropPart("1", "outer")
    for modifications in ((outer, ReplacePart("1.1", "inner")), (DropPart("1.2", "inner"), outer)):
        assert modified(MIXED, *modifications) == modified(MIXED, outer)


def test_of_two_for_one_part_the_later_stands():
    assert modified(MIXED, DropPart("2", "a"), ReplacePart("2", "b")) == modified(MIXED, ReplacePart("2", "b"))


def test_several_parts_and_headers():
    raw = modified(MIXED, DropPart("2", "gone"), AddHeader("X", "1"), ReplacePart("1.2", "new", "text/html"))
    assert raw.startswith(b"X: 1\r\nFrom: ")
    assert tree(raw)[1][:2] == [
        ("multipart/alternative", [("text/plain", "plain"), ("text/html", "new\n")]), ("text/plain", "gone\n"),
    ]  # fmt: skip


def test_drop_the_text_of_an_attached_message():
    raw = modified(MIXED, DropPart("3.1", "gone"))
    inner = message_from_bytes(raw).get_payload(2).get_payload(0)
    assert inner["Subject"] == "inner"
    assert content(inner) == "gone\n"


@pytest.mark.parametrize("raw", [PLAIN, b"From: a@example.jp\r\n\r\n", b"From: a@example.jp\r\n", MIXED, b""])
@pytest.mark.parametrize("modification", [DropPart("", NOTICE), ReplacePart("", NOTICE)])
def test_the_message_itself(raw, modification):
    done = modified(raw, modification)
    read = message_from_bytes(done, policy=policy.default)
    assert not read.defects
    assert content(read) == NOTICE + "\n"
    assert read["From"] == message_from_bytes(raw)["From"]
    assert [len(read.get_all(name)) for name in ("MIME-Version", "Content-Type", "Content-Transfer-Encoding")] == [
        1
    ] * 3


def test_new_content_fields_replace_changed_ones():
    raw = modified(
        MIXED, ChangeHeader("Content-Type", "text/html"), AddHeader("Content-Type", "a/b"), DropPart("", "x")
    )
    assert message_from_bytes(raw).get_all("Content-Type") == ["text/plain; charset=utf-8"]


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b--\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b--\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n--b--\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nx",
    ],
)
@pytest.mark.parametrize("kind", [DropPart, ReplacePart])
@pytest.mark.parametrize("text", [NOTICE, "Removed."])
def test_parts_without_a_body_or_an_end(raw, kind, text):
    part = message_from_bytes(modified(raw, kind("1", text)), policy=policy.default).get_payload(0)
    # the standard library takes the last line end of a part that no boundary ends for the boundary's
    assert content(part) == text + "\n" or (not raw.endswith(b"--\r\n") and content(part) == text)


@pytest.mark.parametrize("text", ["--b", "x\n--b--\n", "--c\nx", "=\n.\nFrom x\n \t", "", "\n", "x" * 5000])
def test_a_text_cannot_end_its_part(text):
    kinds = [part.get_content_type() for part in message_from_bytes(MIXED).walk()]
    read = message_from_bytes(modified(MIXED, ReplacePart("1.1", text)), policy=policy.default)
    assert [part.get_content_type() for part in read.walk()] == kinds
    part = read.get_payload(0).get_payload(0)
    expected = text if text.endswith("\n") else text + "\n"
    assert content(part) == expected


def test_a_part_in_an_encoded_container_cannot_be_changed():
    inner = b64encode(b"Subject: x\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--i--\r\n")
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + inner + b"\r\n--b--\r\n"
    )
    message = parse(raw)
    inside = [part.path for part in message.parts if part.raw is not raw]
    assert inside
    for path in inside:
        with pytest.raises(ModifyError, match="encoded container"):
            apply(message, [DropPart(path, "x")])
    assert tree(apply(message, [DropPart("1", "gone"), DropPart(inside[-1], "x")])) == (
        "multipart/mixed", [("text/plain", "gone\n")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "modification",
    [
        DropPart("9", "x"),
        ReplacePart("1.1.1", "x"),
        ReplacePart("2", "x", "text/html; x=y"),
        ReplacePart("2", "x", "\r\n"),
        Redact(("dlp/*",)),
        Redact(("dlp/*",), (Overwrite(100_000, b"*"),)),
        Redact(("dlp/*",), (Overwrite(-1, b"*"),)),
    ],
)
def test_what_cannot_be_done(modification):
    with pytest.raises(ModifyError):
        modified(MIXED, modification)


def test_masks_are_octets_over_octets():
    redaction = Redact(("dlp/card",), (Overwrite(MIXED.index(b"\r\n\r\n") + 4, b"***"),))
    found = modified(MIXED, redaction)
    assert len(found) == len(MIXED)
    assert sum(a != b for a, b in zip(found, MIXED, strict=True)) == 3
    added = modified(MIXED, AddHeader("X-Long", "y"), redaction)
    assert added == b"X-Long: y\r\n" + found


def test_masks_go_with_the_part_that_is_taken_out():
    part = parse(MIXED).parts[1]
    redaction = Redact((), (Overwrite(part.body_start, b"**"),))
    assert modified(MIXED, redaction, DropPart(part.path, "gone")) == modified(MIXED, DropPart(part.path, "gone"))


# --- envelope --------------------------------------------------------------------------------------------------

ENVELOPE = Envelope("a@example.jp", (Recipient("b@example.net", "FAILURE"), Recipient("C@example.net")))


def test_envelope():
    done = apply_envelope(
        ENVELOPE,
        [
            AddHeader("X", "1"),
            AddRecipient("boss@example.jp"),
            DeleteRecipient("b@EXAMPLE.net"),
            ChangeSender("z@example.jp"),
        ],
    )
    assert done.mail_from == "z@example.jp"
    # RFC 3461 4.1: no report may tell the sender of a blind copy
    assert done.recipients == (Recipient("C@example.net"), Recipient("boss@example.jp", "NEVER"))


def test_envelope_edges():
    assert apply_envelope(ENVELOPE, []) is ENVELOPE
    assert apply_envelope(ENVELOPE, [AddRecipient("b@EXAMPLE.NET")]) == ENVELOPE
    # RFC 5321 2.4: local parts are compared as they are
    assert apply_envelope(ENVELOPE, [DeleteRecipient("c@example.net")]) == ENVELOPE
    assert apply_envelope(ENVELOPE, [ChangeSender(None)]).mail_from is None
    assert apply_envelope(ENVELOPE, [AddRecipient("山@例え.jp")]).smtputf8
    assert apply_envelope(ENVELOPE, [ChangeSender("山@例え.jp")]).smtputf8


@pytest.mark.parametrize(
    "address", ["", "x", "a@", "@b", "a b@c", "a@b>", "a@b\r\nRCPT TO:<x@y>", "a\x00@b", "a" * 400 + "@b"]
)
@pytest.mark.parametrize("kind", [AddRecipient, ChangeSender])
def test_no_command_injection(kind, address):
    with pytest.raises(ModifyError):
        apply_envelope(ENVELOPE, [kind(address)])
