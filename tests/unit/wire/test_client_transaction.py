"""What a transaction looks like for each kind of server, and what may not be sent to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.config.settings import LimitSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.wire.client_capabilities import Capabilities
from sekisho.wire.client_transaction import Content, plan, stuffed
from sekisho.wire.smtp_body import DataReader

ALL = Capabilities(
    pipelining=True, eightbitmime=True, smtputf8=True, dsn=True, size=0, enhancedstatuscodes=True, chunking=True
)
OLD = Capabilities()
DATA = b"Subject: x\r\n\r\nbody\r\n"
LATIN = b"Subject: x\r\n\r\nbod\xff\r\n"
UTF8_HEADER = "Subject: 件名\r\n\r\nbody\r\n".encode()


def envelope(*recipients, **more):
    return Envelope(
        **{"mail_from": "a@example.com", "recipients": recipients or (Recipient("b@example.net"),), **more}
    )


def refusals(env, data, peer):
    return {i: str(reply).split(" ")[:2] for i, reply in plan(env, data, peer).refused.items()}


def test_every_parameter():
    given = envelope(
        Recipient("b@example.net", "SUCCESS,DELAY", "rfc822;b+2Bc@example.net"),
        ret="HDRS",
        envid="QQ+3D1",
        body="8BITMIME",
    )
    laid_out = plan(given, LATIN, ALL)
    assert laid_out.mail == b"MAIL FROM:<a@example.com> SIZE=20 BODY=8BITMIME RET=HDRS ENVID=QQ+3D1\r\n"
    assert laid_out.rcpt == (b"RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@example.net\r\n",)


def test_no_parameter_that_was_not_offered():
    given = envelope(Recipient("b@example.net", "NEVER", "rfc822;x@y"), ret="FULL", envid="1", smtputf8=True, size=5)
    laid_out = plan(given, DATA, OLD)
    assert (laid_out.mail, laid_out.rcpt) == (b"MAIL FROM:<a@example.com>\r\n", (b"RCPT TO:<b@example.net>\r\n",))


def test_the_null_reverse_path():
    assert plan(envelope(mail_from=None), DATA, OLD).mail == b"MAIL FROM:<>\r\n"


def test_size_is_that_of_the_message_that_leaves():
    # RFC 1870 6: the declared size of the client may be wrong, and edits change it
    assert plan(envelope(size=1), DATA, Capabilities(size=0)).mail == b"MAIL FROM:<a@example.com> SIZE=20\r\n"


def test_utf8_addresses():
    given = envelope(Recipient("用户@example.net", None, "utf-8;用户@example.net"), smtputf8=True)
    assert plan(given, DATA, ALL).mail == b"MAIL FROM:<a@example.com> SIZE=20 SMTPUTF8\r\n"
    assert plan(given, DATA, ALL).rcpt == ("RCPT TO:<用户@example.net> ORCPT=utf-8;用户@example.net\r\n".encode(),)


def test_utf8_original_recipient_in_ascii():
    given = envelope(Recipient("b@example.net", None, "utf-8;用@example.net"))
    # RFC 6533 3: \x{HEXPOINT} in xtext of the ASCII form
    assert plan(given, DATA, Capabilities(dsn=True)).rcpt == (
        rb"RCPT TO:<b@example.net> ORCPT=utf-8;\x{7528}@example.net" + b"\r\n",
    )


def test_only_utf8_recipients_are_refused_where_the_rest_can_go():
    given = envelope(Recipient("b@example.net"), Recipient("用户@example.net"), smtputf8=True)
    assert refusals(given, DATA, OLD) == {1: ["553", "5.6.7"]}
    assert plan(given, DATA, OLD).order == (0,)


@pytest.mark.parametrize(
    ("given", "data", "peer", "reply"),
    [
        (envelope(), DATA, Capabilities(size=19), ["552", "5.3.4"]),
        (envelope(), LATIN, OLD, ["554", "5.6.3"]),
        (envelope(body="7BIT"), LATIN, OLD, ["554", "5.6.3"]),
        (envelope(mail_from="用户@example.com"), DATA, Capabilities(eightbitmime=True), ["553", "5.6.7"]),
        (envelope(smtputf8=True), UTF8_HEADER, Capabilities(eightbitmime=True), ["554", "5.6.9"]),
        (envelope(), b"a\nb\r\n", ALL, ["554", "5.6.0"]),
        (envelope(), b"a\rb\r\n", ALL, ["554", "5.6.0"]),
        (envelope(), b"a\r\n.\n", OLD, ["554", "5.6.0"]),
        (envelope(), b"a\n.\r\nMAIL FROM:<x>\r\n", OLD, ["554", "5.6.0"]),
        (envelope(), b"a\r\r\n.\n\r\n", OLD, ["554", "5.6.0"]),
        (envelope(), b"a\n\r\r\n", OLD, ["554", "5.6.0"]),
        (envelope(ret="FULL\r\nX"), DATA, ALL, ["501", "5.5.4"]),
        (envelope(envid="a b"), DATA, ALL, ["501", "5.5.4"]),
    ],
)
def test_what_may_not_go(given, data, peer, reply):
    assert refusals(given, data, peer) == {0: reply}
    assert plan(given, data, peer).order == ()


@pytest.mark.parametrize(
    ("given", "data", "peer"),
    [
        (envelope(), DATA, Capabilities(size=20)),
        (envelope(), LATIN, Capabilities(eightbitmime=True)),
        # Not declared as SMTPUTF8: an 8-bit header of the old kind, which 8BITMIME servers take
        (envelope(), UTF8_HEADER, Capabilities(eightbitmime=True)),
        (envelope(smtputf8=True), LATIN, Capabilities(eightbitmime=True)),
        (envelope(smtputf8=True), DATA, OLD),
        (envelope(mail_from='"a b>\\""@example.com'), DATA, OLD),
        (envelope(mail_from=""), DATA, OLD),
        (envelope(Recipient("postmaster")), DATA, OLD),
        (envelope(Recipient("@relay.test:b@[IPv6:::1]")), DATA, OLD),
    ],
)
def test_what_may_go(given, data, peer):
    assert refusals(given, data, peer) == {}


@pytest.mark.parametrize(
    "address",
    [
        "b@x\r\nRCPT TO:<c@x",
        "b@x\nDATA",
        "b@x\r",
        "b@x> SIZE=1",
        "b@x>",
        "<b@x",
        "b c@x",
        '"b@x',
        '"b\r\n"@x',
        '"b\\\n"@x',
        "b\\@x",
        "b\0@x",
        "b\x85@x",
        "b\udcff@x",
        "",
    ],
)
def test_no_address_breaks_out_of_its_brackets(address):
    assert refusals(envelope(Recipient("ok@x"), Recipient(address)), DATA, ALL) == {1: ["553", "5.1.3"]}
    if address:
        assert refusals(envelope(mail_from=address), DATA, ALL) == {0: ["553", "5.1.7"]}


@pytest.mark.parametrize("parameter", ["NEVER\r\nDATA", "A B", "", "\0"])
def test_no_parameter_breaks_out_of_its_line(parameter):
    for recipient in (Recipient("b@x", parameter), Recipient("b@x", None, parameter)):
        assert refusals(envelope(recipient), DATA, ALL) == {0: ["501", "5.5.4"]}


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..\r\n.\r\n.a\r\n", b"...\r\n..\r\n..a\r\n.\r\n"),
        (b"a.\r\n\r\n.", b"a.\r\n\r\n..\r\n.\r\n"),
        (b"no line end", b"no line end\r\n.\r\n"),
    ],
)
def test_dots(data, wire):
    assert b"".join(stuffed(data)) == wire


def test_a_message_without_dots_is_not_copied():
    data = b"line\r\n" * 1000
    assert stuffed(data)[0] is data


WIRE = st.lists(st.sampled_from([b"\r\n.", b"\r\n", b".", b"..", b"a", b"bcdefgh"])).map(b"".join)


@given(WIRE, st.integers(3, 20))
def test_dots_over_the_borders_of_pieces(data, size):
    whole = b"".join(stuffed(data))
    with pieces_of(size):
        assert b"".join(stuffed(data)) == whole
        reader = DataReader(LimitSettings())
        assert reader.feed(whole) == b""
        assert reader.finish() == (data if data.endswith(b"\r\n") or not data else data + b"\r\n")


CONTENTS = [b"", b"a\r\n", b".a\r\n", "あ\r\n".encode(), b"a\nb", "Subject: あ\r\n\r\n".encode()]


@pytest.mark.parametrize("data", CONTENTS)
@pytest.mark.parametrize("peer", [ALL, Capabilities(), Capabilities(size=3), Capabilities(eightbitmime=True)])
def test_a_content_that_was_looked_at_ahead_is_sent_alike(data, peer):
    content = Content(data)
    for env in (envelope(Recipient("a@example.com")), envelope(Recipient("a@example.com"), smtputf8=True)):
        assert plan(env, content, peer) == plan(env, data, peer)
    assert len(content) == len(data)
    assert content.stuffed is content.stuffed
