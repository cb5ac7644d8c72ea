import time

import pytest

from sekisho.inspect.exact.heads import without_participants


def shown(text):
    left = without_participants(text, text)
    assert len(left) == len(text)
    return [line for line in left.split("\n") if line]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("From: a\nDate: b\nTo: c\n", ["Date: b"]),
        ("> From: a\n> To: x,\n>  y <y@z.example>,\n>  w <w@z.example>\n> Subject: b\n> t@z.example", 2),
        ("差出人: a\n送信日時: b\n宛先: c\n件名: d\n本文", ["送信日時: b", "件名: d", "本文"]),
        ("*From:* a\n*Sent:* b\n*Cc:* c\n", ["*Sent:* b"]),
        ("From: a\nTo: c\n", ["From: a", "To: c"]),
        ("Subject: a\nTo: c\n", ["Subject: a", "To: c"]),
        ("From: a\n\nSubject: b\nTo: c\n", ["From: a", "Subject: b", "To: c"]),
        ("From: a\nSubject: b\nTo: c,\nno address,\nd@e.example", ["Subject: b", "no address,", "d@e.example"]),
        ("From: a\nTo: c@d.e\nf@g.h\nSubject: b", ["From: a", "To: c@d.e", "f@g.h", "Subject: b"]),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_left(text, left):
    assert shown(text) == (left if isinstance(left, list) else ["> Subject: b", "> t@z.example"])


def test_a_part_is_told_by_the_whole():
    whole = "From: a\nDate: b\nTo: c\n\ntext"
    part = "\n" * 8 + whole[8:]
    assert without_participants(part, whole).split() == ["Date:", "b", "text"]


@pytest.mark.parametrize("text", ["From: " + ", \n" * 100_000, "To: a@b,\n" * 50_000, "> " * 300_000, "\n" * 300_000])
def test_hostile_texts(text):
    started = time.thread_time()
    shown(text)
    assert time.thread_time() - started < 5
