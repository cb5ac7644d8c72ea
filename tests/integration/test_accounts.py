"""Accounts through the running gateway: made on the command line, used by a mail program, limited, and stopped."""

import json
import smtplib
import ssl
import subprocess
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from support.certificates import self_signed
from support.gateway import SEKISHO, RunningGateway, free_port
from support.sink import Sink

HANAKO, TARO = "hanako@example.com", "taro@example.com"
GOOD = "quiet harbour seventeen lamps"
OTHER = "brown teapot under winter moon"


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def submission_port():
    return free_port()


@pytest.fixture
def gateway(tmp_path, sink, submission_port):
    certificate, key = self_signed(tmp_path, "gate.example.com")
    sections = f"""
[[listener]]
name = "submission"
role = "submission"
address = "127.0.0.1:{submission_port}"
tls = "starttls"
certificate = "{certificate}"
private_key = "{key}"

[password_hash]
memory_kib = 8192
scram_iterations = 4096

[tenant.default]
domains = ["example.com"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]

[[tenant.default.limit]]
name = "recipients-hour"
to = "external"
soft = 4
defer = 6
lock = 0
"""
    with RunningGateway(tmp_path, sections=sections, workers=2) as running:
        yield running


def sekisho(gateway, *words, given=""):
    command = [*SEKISHO, *words, "--config", str(gateway.config)]
    return subprocess.run(command, input=given, text=True, capture_output=True, check=False)


def added(gateway, login, password=GOOD):
    done = sekisho(gateway, "account", "add", login, given=f"{password}\n")
    assert done.returncode == 0, done.stderr


def session(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = smtplib.SMTP("127.0.0.1", port, timeout=30)
    client.starttls(context=context)
    return client


def mail(sender=HANAKO, to="partner@example.net", subject="hello"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content("See you at ten.")
    return message


def test_a_mail_program_sends_with_an_account(gateway, sink, submission_port):
    added(gateway, HANAKO)
    with session(submission_port) as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail(HANAKO, ["partner@example.net"], mail().as_bytes())
        assert refused.value.smtp_code == 530
    with session(submission_port) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            client.login(HANAKO, "not her password at all")
        assert wrong.value.smtp_code == 535
    with session(submission_port) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as unknown:
            client.login("nobody@example.com", GOOD)
        assert unknown.value.smtp_error == wrong.value.smtp_error
    with session(submission_port) as client:
        client.login(HANAKO, GOOD)
        assert client.send_message(mail()) == {}
    assert message_from_bytes(sink.received[0][1])["From"] == HANAKO


def test_nobody_writes_as_somebody_else(gateway, sink, submission_port):
    added(gateway, HANAKO)
    with session(submission_port) as client:
        client.login(HANAKO, GOOD)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(mail(sender=TARO), from_addr=HANAKO)
        assert refused.value.smtp_code == 550
    assert sink.received == []


def test_beyond_a_limit_mail_is_put_off(gateway, sink, submission_port):
    added(gateway, HANAKO)
    with session(submission_port) as client:
        client.login(HANAKO, GOOD)
        for number in range(6):
            client.send_message(mail(to=f"partner{number}@example.net"))
        with pytest.raises(smtplib.SMTPResponseException) as deferred:
            client.send_message(mail(to="one-more@example.net"))
        assert deferred.value.smtp_code == 450
        client.send_message(mail(to=TARO))
    outside = [to for to, data in sink.received if to[0].endswith("@example.net") and b"Subject: hello" in data]
    assert len(outside) == 6


def test_a_locked_account_logs_in_no_more(gateway, submission_port):
    added(gateway, HANAKO)
    locked = sekisho(gateway, "account", "lock", HANAKO, "--reason", "phone call")
    assert locked.returncode == 0, locked.stderr
    shown = json.loads(sekisho(gateway, "account", "show", HANAKO, "--json").stdout)
    assert shown["lock"]["state"] == "locked"

    def refused():
        with session(submission_port) as client:
            try:
                client.login(HANAKO, GOOD)
            except smtplib.SMTPAuthenticationError:
                return True
        return False

    assert refused() or refused()  # a lock of another process holds within a second
    assert sekisho(gateway, "account", "unlock", HANAKO, "--reason", "it was her").returncode == 0


def test_an_app_password_is_good_where_it_may_be(gateway, sink, submission_port):
    added(gateway, HANAKO)
    made = sekisho(gateway, "account", "app-password", "add", HANAKO, "--name", "copier", "--json")
    assert made.returncode == 0, made.stderr
    password = json.loads(made.stdout)["password"]
    with session(submission_port) as client:
        client.login(HANAKO, password)
        client.send_message(mail())
    assert len(sink.received) == 1


def test_a_session_ends_when_its_account_is_disabled(gateway, submission_port):
    added(gateway, HANAKO)
    with session(submission_port) as client:
        client.login(HANAKO, GOOD)
        assert sekisho(gateway, "account", "change", HANAKO, "--disable").returncode == 0
        client.sock.settimeout(30)
        assert client.getreply()[0] == 421
