"""Mail programs at a submission listener: smtplib, and SCRAM to its end, over STARTTLS and implicit TLS."""

import asyncio
import hashlib
import queue
import smtplib
import ssl
from base64 import b64decode, b64encode
from contextlib import closing, contextmanager
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from support.certificates import self_signed
from support.logins import DictAuthenticator, ScramClient
from support.submission import HANAKO, PASSWORDS, TARO, running

PLUS = "SCRAM-SHA-256-PLUS"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")


def trusting(files, version=None):
    context = ssl.create_default_context(cafile=files[0])
    if version is not None:
        context.maximum_version = version
    return context


@contextmanager
def connected(gate, files, tls="starttls", version=None):
    """A client with TLS, before it logs in."""
    context = trusting(files, version)
    if tls == "implicit":
        client = smtplib.SMTP_SSL("localhost", gate.port, context=context, timeout=10)
    else:
        client = smtplib.SMTP("localhost", gate.port, timeout=10)
        client.starttls(context=context)
    with closing(client):
        client.ehlo()
        yield client


def mail(sender=TARO):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "partner@example.net", "見積"
    message.set_content("本文\n.\n")
    return message


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("at_once", [True, False])
def test_smtplib_logs_in_and_sends(files, tls, mechanism, at_once):
    with running(files, tls=tls) as gate, connected(gate, files, tls) as client:
        assert mechanism in client.esmtp_features["auth"].split()
        client.user, client.password = "Taro@Example.JP", PASSWORDS[TARO]
        method = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism]
        assert client.auth(mechanism, method, initial_response_ok=at_once)[0] == 235
        assert client.send_message(mail()) == {}
        session = gate.sessions.get(timeout=10)
        assert (session.account, session.tenant, session.mechanism) == (TARO, "default", mechanism)
        assert session.tls.version == "TLSv1.3"


def test_smtplib_login_as_people_call_it(files):
    with running(files) as gate, connected(gate, files) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login(TARO, "wrong")
        assert caught.value.smtp_code == 535
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.send_message(mail())
        assert refused.value.smtp_code == 530
        client.login(TARO, PASSWORDS[TARO])
        assert client.send_message(mail()) == {}


def test_nothing_in_clear_text(files):
    """RFC 8314 3."""
    with running(files) as gate, closing(smtplib.SMTP("localhost", gate.port, timeout=10)) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", "PLAIN AHRhcm8AeA==")[0] == 530
        assert client.docmd("MAIL", "FROM:<a@b.example>")[0] == 530


def scram(client, login, name="SCRAM-SHA-256", binding="", data=b""):
    """The whole exchange; the last reply's code."""
    gs2 = f"p={binding},," if binding else "n,,"
    scrammed = ScramClient(login, PASSWORDS.get(login, "x"), gs2=gs2, binding=data)
    code, text = client.docmd("AUTH", f"{name} {b64encode(scrammed.first()).decode()}")
    if code != 334:
        return code
    code, text = client.docmd(b64encode(scrammed.final(b64decode(text))).decode())
    if code != 334:
        return code
    assert scrammed.verify(b64decode(text))
    return client.docmd("")[0]


def test_scram(files):
    with running(files) as gate, connected(gate, files) as client:
        assert scram(client, "nobody@example.jp") == 535
        assert scram(client, HANAKO) == 235
        client.send_message(mail(HANAKO))
        assert gate.sessions.get(timeout=10).account == HANAKO


def end_point(files):
    """RFC 5929 4.1, from the certificate that the client was shown; it is signed with SHA-256."""
    return hashlib.sha256(load_pem_x509_certificate(files[0].read_bytes()).public_bytes(Encoding.DER)).digest()


def test_scram_bound_to_the_certificate(files):
    with running(files, mechanisms=(PLUS, "SCRAM-SHA-256")) as gate, connected(gate, files) as client:
        assert client.esmtp_features["auth"].split() == [PLUS, "SCRAM-SHA-256"]
        assert scram(client, TARO, PLUS, "tls-server-end-point", bytes(32)) == 535
        assert scram(client, TARO, PLUS, "tls-unique", bytes(12)) == 535  # RFC 9266 3
        assert scram(client, TARO, PLUS, "tls-server-end-point", end_point(files)) == 235


def test_in_tls_1_3_it_is_offered_only_where_it_is_asked_for(files):
    """RFC 9266 3: a client would take tls-exporter, which we cannot."""
    with running(files) as gate, connected(gate, files) as client:
        assert PLUS not in client.esmtp_features["auth"].split()


def test_scram_bound_to_the_handshake_of_tls_1_2(files):
    """RFC 5929 3."""
    with running(files) as gate, connected(gate, files, version=ssl.TLSVersion.TLSv1_2) as client:
        assert PLUS in client.esmtp_features["auth"].split()
        unique = client.sock.get_channel_binding("tls-unique")
        assert scram(client, TARO, PLUS, "tls-unique", bytes(len(unique))) == 535
        assert scram(client, TARO, PLUS, "tls-unique", unique) == 235


class Slow(DictAuthenticator):
    """Lets nobody in before `go_on`; says when somebody waits, and when somebody has gone."""

    def __init__(self):
        super().__init__(PASSWORDS)
        self.told = queue.SimpleQueue()
        self.go_on = asyncio.Event()

    async def check_password(self, attempt, password):
        if attempt.login == TARO:
            self.told.put("asked")
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.told.put("cancelled")
                raise
        return await super().check_password(attempt, password)


def plain(login):
    return b64encode(f"\0{login}\0{PASSWORDS[login]}".encode()).decode()


def test_who_waits_holds_nobody_up_and_may_go(files):
    slow = Slow()
    with running(files, slow) as gate, connected(gate, files) as waiting, connected(gate, files) as other:
        waiting.putcmd("AUTH", f"PLAIN {plain(TARO)}")
        assert slow.told.get(timeout=10) == "asked"
        assert other.docmd("AUTH", f"PLAIN {plain(HANAKO)}")[0] == 235
        other.send_message(mail(HANAKO))
        waiting.close()
        assert slow.told.get(timeout=10) == "cancelled"


def test_what_is_sent_ahead_waits_for_the_answer(files):
    slow = Slow()
    with running(files, slow) as gate, connected(gate, files) as client:
        client.send(f"AUTH PLAIN {plain(TARO)}\r\nMAIL FROM:<{TARO}>\r\n")
        slow.told.get(timeout=10)
        client.send("RCPT TO:<partner@example.net>\r\n")
        gate.call(slow.go_on.set)
        assert [client.getreply()[0] for _ in range(3)] == [235, 250, 250]


def test_a_dropped_account_is_closed_and_others_are_not(files):
    with running(files) as gate, connected(gate, files) as taro, connected(gate, files) as hanako:
        taro.login(TARO, PASSWORDS[TARO])
        assert scram(hanako, HANAKO) == 235
        gate.call(lambda: gate.listener.drop("other", TARO))
        gate.call(lambda: gate.listener.drop("default", TARO))
        assert taro.getreply() == (421, b"4.7.0 Connections of this account are closed")
        assert hanako.noop()[0] == 250


def test_a_dropped_account_ends_its_message_and_begins_no_other(files):
    with running(files) as gate, connected(gate, files) as client:
        client.login(TARO, PASSWORDS[TARO])
        gate.go_on.clear()
        client.send(
            f"MAIL FROM:<{TARO}>\r\nRCPT TO:<partner@example.net>\r\nDATA\r\n"
            f"Subject: x\r\n\r\n.\r\nMAIL FROM:<{TARO}>\r\n"
        )
        assert gate.sessions.get(timeout=10).account == TARO
        gate.call(lambda: gate.listener.drop("default", TARO))
        gate.go_on.set()
        assert [client.getreply()[0] for _ in range(5)] == [250, 250, 354, 250, 421]


def test_a_dropped_account_in_a_transaction(files):
    with running(files) as gate, connected(gate, files) as client:
        client.login(TARO, PASSWORDS[TARO])
        assert client.mail(TARO)[0] == 250
        gate.call(lambda: gate.listener.drop("default", TARO))
        assert client.rcpt("partner@example.net")[0] == 250
        assert client.docmd("RSET")[0] == 250
        assert client.getreply()[0] == 421
