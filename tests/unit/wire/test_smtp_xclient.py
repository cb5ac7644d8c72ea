"""XCLIENT attributes. Source: Postfix XCLIENT_README."""

import pytest

from sekisho.mail.reply import ReplyError
from sekisho.wire.smtp_xclient import XclientAttributes, parse_xclient


def test_the_example_of_the_readme():
    said = parse_xclient("NAME=spike.porcupine.org ADDR=168.100.189.2")
    assert said == XclientAttributes(name="spike.porcupine.org", addr="168.100.189.2")


def test_xtext_is_undone_and_addresses_are_made_plain():
    said = parse_xclient("login=a+2Bb+40c.example addr=IPV6:::ffff:192.0.2.1")
    assert (said.login, said.addr) == ("a+b@c.example", "192.0.2.1")


@pytest.mark.parametrize("value", ["[UNAVAILABLE]", "[TEMPUNAVAIL]", "[unavailable]"])
def test_unavailable_takes_back_what_was_said(value):
    said = parse_xclient(f"LOGIN={value}")
    assert said.login == ""
    assert said.over(XclientAttributes(login="taro", name="x")) == XclientAttributes(login="", name="x")


def test_a_helo_that_is_no_name_counts_as_unavailable():
    assert parse_xclient("HELO=(junk)").helo == ""


def test_nothing_said():
    with pytest.raises(ReplyError):
        parse_xclient(" ")
