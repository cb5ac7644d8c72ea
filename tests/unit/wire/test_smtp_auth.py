"""AUTH's exchange where dialogs do not reach: SCRAM to its end, bindings, and forgetting."""

from base64 import b64decode, b64encode

import pytest
from support.logins import ScramClient, scram_keys

from sekisho.mail.account import Account, Login
from sekisho.mail.envelope import Tls
from sekisho.mail.reply import ReplyError
from sekisho.wire import smtp_replies as say
from sekisho.wire.sasl.offered import MECHANISMS
from sekisho.wire.sasl.steps import CheckPassword, CheckProof, GiveKeys
from sekisho.wire.smtp_auth import Allowed, AuthDialog, LoginAsked

ALL = Allowed(MECHANISMS, ("SCRAM-SHA-256",))
TLS = Tls("TLSv1.3", "x")
BINDINGS = {"tls-exporter": b"x" * 32}
LOGIN = Login(Account("default", "tim"), "SCRAM-SHA-256")
KEYS = scram_keys("pencil", b"salt")


def sent(data):
    return b64encode(data).decode()


def heard(reply):
    assert reply.code == 334
    return b64decode(reply.text)


def dialog(bindings=None):
    made = AuthDialog()
    made.start_anew(bindings or {})
    return made


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("SCRAM-SHA-256", ScramClient("tim", "pencil")),
        ("SCRAM-SHA-256-PLUS", ScramClient("tim", "pencil", gs2="p=tls-exporter,,", binding=b"x" * 32)),
    ],
)
def test_scram_to_its_end(name, client):
    """RFC 5802 3, RFC 4954 4: what the server has to say at the end is one more challenge."""
    auth = dialog(BINDINGS)
    assert auth.begin(f"{name} {sent(client.first())}", ALL, TLS) == LoginAsked(name, GiveKeys("tim"))
    server_first = heard(auth.resume(KEYS))
    step = auth.respond(sent(client.final(server_first)).encode() + b"\r\n")
    assert step == LoginAsked(name, CheckProof("tim", proved=True))
    assert client.verify(heard(auth.resume(LOGIN)))
    assert auth.login is None
    assert auth.respond(b"\r\n") == say.AUTH_OK
    assert (auth.login, auth.open, auth.done) == (LOGIN, False, True)


def test_a_client_that_does_not_trust_the_server_cancels():
    auth, client = dialog(), ScramClient("tim", "pencil")
    auth.begin(f"SCRAM-SHA-256 {sent(client.first())}", ALL, TLS)
    auth.respond(sent(client.final(heard(auth.resume(KEYS)))).encode() + b"\r\n")
    auth.resume(LOGIN)
    with pytest.raises(ReplyError) as caught:
        auth.respond(b"*\r\n")
    assert caught.value.reply == say.AUTH_CANCELLED
    assert (auth.login, auth.open) == (None, False)


def test_a_client_that_proved_it_and_is_refused():
    auth, client = dialog(), ScramClient("tim", "pencil")
    auth.begin(f"SCRAM-SHA-256 {sent(client.first())}", ALL, TLS)
    auth.respond(sent(client.final(heard(auth.resume(KEYS)))).encode() + b"\r\n")
    with pytest.raises(ReplyError) as caught:
        auth.resume(say.AUTH_LOCKED)
    assert caught.value.reply == say.AUTH_LOCKED


def test_offered():
    assert dialog().offered(ALL, None) == ("SCRAM-SHA-256",)
    assert "SCRAM-SHA-256-PLUS" not in dialog().offered(ALL, TLS)
    assert dialog(BINDINGS).offered(ALL, TLS) == MECHANISMS


def test_a_hidden_plus_is_noticed():
    """RFC 5802 6."""
    with pytest.raises(ReplyError) as caught:
        dialog(BINDINGS).begin(f"SCRAM-SHA-256 {sent(ScramClient('tim', 'pencil', gs2='y,,').first())}", ALL, TLS)
    assert caught.value.reply == say.AUTH_FAILED


def test_tls_forgets_the_login():
    """RFC 3207 4.2."""
    auth = dialog()
    assert auth.begin("PLAIN", ALL, TLS).code == 334
    assert auth.respond(sent(b"\0tim\0pencil").encode() + b"\r\n") == LoginAsked(
        "PLAIN", CheckPassword("tim", "pencil")
    )
    assert auth.resume(LOGIN) == say.AUTH_OK
    auth.start_anew({})
    assert (auth.login, auth.done) == (None, False)


def test_one_login_leaves_nothing_for_the_next():
    auth = dialog()
    auth.begin("PLAIN", ALL, TLS)
    auth.respond(sent(b"\0tim\0pencil").encode() + b"\r\n")
    with pytest.raises(ReplyError):
        auth.resume(say.AUTH_CHANGE_PASSWORD)
    auth.begin("PLAIN", ALL, TLS)
    with pytest.raises(ReplyError) as caught:
        auth.respond(sent(b"ursel\0tim\0pencil").encode() + b"\r\n")
    assert caught.value.reply == say.AUTH_FAILED
