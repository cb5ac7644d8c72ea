"""Paths and EHLO names. The well-formed and the malformed ones on the wire are in tests/dialogs/path-*.dialog."""

import pytest

from sekisho.mail.reply import ReplyError
from sekisho.wire.smtp_path import forward_path, reverse_path, split_path, valid_domain, valid_helo, valid_literal


def test_split_path_finds_the_end_behind_a_quoted_angle_bracket():
    assert split_path('<"a> b"@c.example> SIZE=1') == ('<"a> b"@c.example>', " SIZE=1")
    assert split_path("<a@b.example>SIZE=1") == ("", "")
    assert split_path("a@b.example") == ("", "")
    assert split_path("<>") == ("<>", "")


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("<>", None),
        ("<a@b.example>", "a@b.example"),
        ("<@x.example,@y.example:a@b.example>", "a@b.example"),
        ('<"a@x"@b.example>', '"a@x"@b.example'),
    ],
)
def test_reverse_path(path, address):
    assert reverse_path(path, smtputf8=False) == address


def test_lengths():
    """RFC 5321 4.5.3.1.1 to 4.5.3.1.3: 64, 255 and 256 octets."""
    long_domain = ".".join(["d" * 63] * 3)
    assert reverse_path(f"<{'a' * 62}@{long_domain}>", smtputf8=False)
    with pytest.raises(ReplyError):
        reverse_path(f"<{'a' * 63}@{long_domain}>", smtputf8=False)  # 257 with the brackets
    assert valid_domain(".".join(["d" * 63] * 3 + ["d" * 63]))
    assert not valid_domain(".".join(["d" * 63] * 4 + ["d"]))


def test_postmaster_is_ours():
    assert forward_path("<Postmaster>", "mx.example", smtputf8=False) == "Postmaster@mx.example"
    with pytest.raises(ReplyError):
        forward_path("<hostmaster>", "mx.example", smtputf8=False)


@pytest.mark.parametrize("literal", ["[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipv6:::1]"])
def test_literals(literal):
    assert valid_literal(literal)
    assert valid_helo(literal)


@pytest.mark.parametrize(
    "literal", ["[]", "[1]", "[192.0.2.256]", "[IPv6:]", "[IPv6:fe80::1%eth0]", "[2001:db8::1]", "x"]
)
def test_no_literals(literal):
    assert not valid_literal(literal)
