"""Properties of the edits: what was meant is what two parsers read, and nothing else changes."""

from email import message_from_bytes, policy

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.act.modify import ModifyError, apply
from sekisho.mail.verdict import AddHeader, ChangeHeader, DeleteHeader, DropPart, ReplacePart
from sekisho.parse import parse

LINES = st.sampled_from(["", "x", "--a", "--b--", "Subject: no", "あいう", "é", " ", "\t y", ".", "From z", "=20"])
TEXTS = st.lists(LINES, max_size=6).map("\n".join)
HEADERS = st.lists(
    st.sampled_from(
        [
            b"Subject: one",
            b"subject: two",
            b"X-A: 1",
            b"X-A:\r\n folded\r\n\tvalue",
            b"X-B: \xe3\x81\x82",
            b"MIME-Version: 1.0",
        ]
    ),
    max_size=6,
).map(lambda fields: b"".join(field + b"\r\n" for field in fields))


def leaf(content):
    return st.sampled_from(
        [
            b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + content,
            b"Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + content,
            b"\r\n" + content,
            b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD",
        ]
    )


@st.composite
def entities(draw, depth=0):
    """A MIME entity, header first; boundaries differ by level."""
    if depth < 3 and draw(st.booleans()):
        boundary = b"abc"[depth : depth + 1] + b"-boundary"
        children = draw(st.lists(entities(depth=depth + 1), min_size=1, max_size=3))
        parts = b"".join(b"--" + boundary + b"\r\n" + child + b"\r\n" for child in children)
        return (
            b"Content-Type: multipart/mixed; boundary="
            + boundary
            + b"\r\n\r\n"
            + parts
            + b"--"
            + boundary
            + b"--\r\n"
        )
    return draw(leaf(draw(st.sampled_from([b"", b"text", b"two\r\nlines\r\n", b"\xff\x80"]))))


MESSAGES = st.tuples(HEADERS, entities()).map(b"".join)
NAMES = st.sampled_from(["Subject", "X-A", "X-New"])
WORDS = st.sampled_from(["a", "word", "あ", "長い語", "é", "(x)", ",", "=", "x" * 90])
VALUES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


def leaves(message):
    """What the standard library reads: type and content of each part that holds no others."""
    return [
        (part.get_content_type(), part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart()
    ]


def std(raw):
    return message_from_bytes(raw, policy=policy.SMTP)


@settings(deadline=None)
@given(MESSAGES, NAMES, VALUES)
def test_an_added_header_is_the_first_and_all_else_is_as_it_was(raw, name, value):
    """RFC 5322 2.2: a field is one logical line; what is added stays one."""
    done = apply(parse(raw), [AddHeader(name, value)])
    assert done.endswith(raw)
    assert std(done).items()[0] == (name, value)
    assert std(done).keys()[1:] == std(raw).keys()
    assert leaves(std(done)) == leaves(std(raw))
    ours = parse(done)
    assert (ours.headers[0].name, ours.headers[0].text) == (name, value)
    assert all(len(line) <= 998 for line in done[: -len(raw)].split(b"\r\n"))


@settings(deadline=None)
@given(MESSAGES, NAMES, VALUES)
def test_change_and_delete(raw, name, value):
    """RFC 5322 2.2: the same for fields that are changed or deleted."""
    before = [key for key in std(raw) if key.lower() != name.lower()]
    gone = apply(parse(raw), [DeleteHeader(name)])
    assert std(gone).keys() == before
    changed = std(apply(parse(raw), [ChangeHeader(name, value)]))
    assert changed[name] == value
    assert len(changed.keys()) == max(len(std(raw).keys()), len(before) + 1)
    assert leaves(std(gone)) == leaves(changed) == leaves(std(raw))


@settings(deadline=None, max_examples=200)
@given(MESSAGES, TEXTS, st.data())
def test_one_part_changes_and_no_other(raw, text, data):
    """RFC 2046 5.1: the parts around a changed one, and the multiparts above it, are what they were."""
    message = parse(raw)
    candidates = [p for p in message.parts if not p.children]
    chosen = data.draw(st.integers(0, len(candidates) - 1))
    kind = data.draw(st.sampled_from([DropPart, ReplacePart]))
    done = apply(message, [kind(candidates[chosen].path, text)])
    expected = leaves(std(raw))
    assert len(expected) == len(candidates)
    content = text.replace("\n", "\r\n").encode()
    expected[chosen] = ("text/plain", content if content.endswith(b"\r\n") else content + b"\r\n")
    assert leaves(std(done)) == expected
    ours = [p for p in parse(done).parts if not p.children]
    assert [p.content_type for p in ours] == [kind for kind, _ in expected]
    assert ours[chosen].content == expected[chosen][1]


MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n"
PIECES = st.sampled_from([b"\r\n", b"\n", b" ", b":", b"--b", b"--", b"a", MULTIPART, b"From x", b"Subject: "])
ANY = st.lists(PIECES).map(b"".join)


@settings(deadline=None)
@given(ANY, st.text(max_size=30), st.text(max_size=30), st.data())
def test_anything_is_changed_or_refused(raw, name, value, data):
    """Whatever the message and the modification: bytes, or ModifyError; and no modification, the same bytes."""
    message = parse(raw)
    path = data.draw(st.sampled_from([p.path for p in message.parts] + ["7"]))
    assert apply(message, []) == raw
    for modification in (
        AddHeader(name, value),
        ChangeHeader(name, value),
        DropPart(path, value),
        ReplacePart(path, value),
    ):
        try:
            done = apply(message, [modification])
        except ModifyError:
            continue
        parse(done)
