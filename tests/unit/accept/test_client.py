"""Who is at the other end: the socket, what PROXY said, what XCLIENT said."""

from sekisho.accept.client import Client
from sekisho.accept.usage import Usage
from sekisho.config.settings import LimitSettings
from sekisho.mail.account import Account, Login
from sekisho.wire.smtp_events import ServerOptions
from sekisho.wire.smtp_server import SmtpServer
from sekisho.wire.smtp_xclient import XclientAttributes

LIMITS = LimitSettings(connections_per_ip=1)


def test_the_count_follows_the_address():
    usage = Usage()
    client = Client("s1", usage)
    assert not client.known
    assert client.known_as("192.0.2.1", LIMITS) is None
    assert client.vouched_for(XclientAttributes(addr="192.0.2.2"), LIMITS) is None
    assert usage.enter("192.0.2.1", LIMITS) is None
    assert usage.enter("192.0.2.2", LIMITS).code == 421
    client.leave()
    client.leave()
    assert usage.enter("192.0.2.2", LIMITS) is None


def test_a_named_client_that_has_too_many_is_refused_and_the_count_stays():
    usage = Usage()
    usage.enter("192.0.2.2", LIMITS)
    client = Client("s1", usage)
    client.known_as("192.0.2.1", LIMITS)
    assert client.vouched_for(XclientAttributes(addr="192.0.2.2"), LIMITS).code == 421
    client.leave()
    assert usage.enter("192.0.2.1", LIMITS) is None


def test_what_the_front_end_says_outweighs():
    client = Client("s1", Usage())
    client.known_as("192.0.2.1", LIMITS)
    server = SmtpServer(ServerOptions("mx.example"))
    server.greet()
    server.receive_data(b"EHLO front.example\r\n")
    server.next_event()
    assert client.session(server, "relay", "default").helo == "front.example"
    client.vouched_for(XclientAttributes(helo="client.example", proto="SMTP", login="taro"), LIMITS)
    session = client.session(server, "relay", "default")
    assert (session.id, session.helo, session.esmtp, session.account) == ("s1", "client.example", False, "taro")


def test_who_logs_in_brings_his_account_and_tenant():
    client, server = Client("s1", Usage()), SmtpServer(ServerOptions("mx.example"))
    client.known_as("192.0.2.1", LIMITS)
    server.auth.login = Login(Account("subsidiary", "taro@example.jp"), "SCRAM-SHA-256")
    session = client.session(server, "submission", "default")
    assert (session.account, session.tenant, session.mechanism) == ("taro@example.jp", "subsidiary", "SCRAM-SHA-256")
    client.vouched_for(XclientAttributes(login="hanako"), LIMITS)
    session = client.session(server, "submission", "default")
    assert (session.account, session.tenant, session.mechanism) == ("hanako", "default", "")
