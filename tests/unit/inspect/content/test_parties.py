import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.written_mail import raw_mail, written

from sekisho.inspect.content.parties import parties, quoted_parties, site_of
from sekisho.parse import parse


@pytest.mark.parametrize(
    ("domain", "site"),
    [
        ("mail.example.co.jp", "example.co.jp"),
        ("Sub.Firm.EXAMPLE", "firm.example"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_site_of(domain, site):
    assert site_of(domain) == site


QUOTED = """
ok

-----Original Message-----
From: Sato, Hanako <hanako@tokyo-shoji.co.jp>
To: "Taro Yamada" <taro@yamanoue.co.jp>; ap@yamanoue.co.jp
Cc: keiri@tokyo-shoji.co.jp
Subject: x

> 差出人： 鈴木 <suzuki@partner.jp>
> 宛先: [mailto:ito@partner.jp]
"""


def test_heads_of_quoted_mail():
    found = [(one.role, one.name, one.address) for one in quoted_parties(QUOTED)]
    assert found == [
        ("from", "Sato, Hanako", "hanako@tokyo-shoji.co.jp"),
        ("to", "Taro Yamada", "taro@yamanoue.co.jp"),
        ("to", "", "ap@yamanoue.co.jp"),
        ("cc", "", "keiri@tokyo-shoji.co.jp"),
        ("from", "鈴木", "suzuki@partner.jp"),
        ("to", "", "ito@partner.jp"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, 2 Mar 2026 at 10:00, Hanako Sato <h@x.co.jp> wrote:",
        "Am 2.3.2026 schrieb Hanako Sato <h@x.co.jp>:",
        "2026年3月2日(月) 10:00 佐藤花子 <h@x.co.jp>さんは書きました：",
        "> On Mon, 2 Mar 2026, Hanako Sato <h@x.co.jp>\n> wrote:",
    ],
)
def test_lines_that_introduce_a_quotation(line):
    assert [one.address for one in quoted_parties(f"ok\n\n{line}\n> text\n")] == ["h@x.co.jp"]


@pytest.mark.parametrize("text", ["write to h@x.co.jp", "Mail: h@x.co.jp", "the head From was h@x.co.jp", "a @ b"])
def test_other_addresses_are_nobodys_part(text):
    assert list(quoted_parties(text)) == []


def test_parties_of_a_mail():
    found = parties(
        written(QUOTED, From="Taro <TARO@yamanoue.co.jp>", Reply_To="x@mail.tokyo-shoji.co.jp", Cc="c@d.jp")
    )
    assert (found.author.name, found.author.address, found.author.site) == (
        "Taro",
        "taro@yamanoue.co.jp",
        "yamanoue.co.jp",
    )
    assert [one.site for one in found.answers] == ["tokyo-shoji.co.jp"]
    assert [one.address for one in found.recipients] == ["b@tokyo-shoji.co.jp", "c@d.jp"]
    assert len(found.quoted) == 6
    assert len(found.present) == 4


def test_no_from():
    assert parties(written("x", From="")).author is None


@given(st.text(alphabet="From: to@x.jp<>\n\"'wrote:＠宛先", max_size=300))
def test_any_text(text):
    list(quoted_parties(text))


@pytest.mark.parametrize("piece", ["@", "From: " + "a" * 900 + "\n@", "To: " + "!#" * 450 + "@\n", "a@b.c "])
def test_bounded_time(piece):
    text = (piece * 50_000)[:40_000]
    before = time.process_time()
    list(quoted_parties(text))
    assert time.process_time() - before < 1


def test_names_and_addresses_of_any_length_are_cut():
    found = parties(written("x", From=f'"{"a " * 40_000}" <{"x" * 5000}@{"a." * 5000}example.com>'))
    assert found.author is not None
    assert len(found.author.name) <= 300
    assert len(found.author.address) <= 320
    assert found.author.site == "example.com"


def test_octets_that_are_no_utf_8_can_be_written_down():
    raw = raw_mail("x", {"From": "<a@firm-OCTET.example>"}).replace(b"OCTET", b"\xff")
    found = parties(replace(written("x"), message=parse(raw)))
    assert found.author is not None
    assert found.author.address.encode() == b"a@firm-?.example"
    assert found.author.site.isascii()
