"""Logins tried at a real Dovecot, at an SMTP server of ours, and at servers that misbehave."""

import asyncio
import ssl
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from msgspec.structs import replace
from support import dovecot
from support.certificates import self_signed
from support.gateway import free_port

from sekisho.accounts.sources.proxy import LoginServer, Memory
from sekisho.accounts.sources.source import Known, Reach, SourceAwayError
from sekisho.config.account_settings import LoginServerSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session

TARO = "taro@example.jp"
PASSWORD = dovecot.PASSWORDS[TARO]
KNOWN = Known(Account("acme", TARO, (TARO,)))
needs_dovecot = [pytest.mark.peer, pytest.mark.skipif(bool(dovecot.MISSING), reason=dovecot.MISSING)]


def attempt(login=TARO, tenant="acme"):
    return LoginAttempt(Session("s", "192.0.2.1", tenant=tenant), "PLAIN", login)


def check(kind, settings, login=TARO, password=PASSWORD, reach=None):
    async def run():
        source = LoginServer("mail", kind, settings, reach or Reach("acme", ("example.jp",)), Path)
        return await source.check(attempt(login), password)

    return asyncio.run(run())


@pytest.fixture(name="server", scope="module")
def _server():
    with dovecot.Dovecot() as server:
        yield server


@pytest.fixture(name="settings", params=["implicit", "starttls"])
def _settings(server, request):
    port = server.tls_port if request.param == "implicit" else server.port
    return LoginServerSettings(f"localhost:{port}", request.param, str(server.certificate), timeout_seconds=10.0)


class TestDovecot:
    pytestmark = needs_dovecot

    @pytest.mark.parametrize("login", list(dovecot.PASSWORDS))
    def test_the_right_password(self, settings, login):
        expected = Known(Account("acme", login, (login,)))
        assert check("imap", settings, login, dovecot.PASSWORDS[login]) == expected

    def test_a_wrong_password_and_an_unknown_account_are_the_same(self, settings):
        assert check("imap", settings, TARO, "guess") is None
        assert check("imap", settings, "nobody@example.jp", "guess") is None

    def test_a_certificate_for_another_name(self, settings):
        with pytest.raises(SourceAwayError, match="CertVerification"):
            check("imap", replace(settings, server=settings.server.replace("localhost", "127.0.0.1")))

    def test_a_certificate_that_nobody_vouches_for(self, settings):
        with pytest.raises(SourceAwayError, match="CertVerification"):
            check("imap", replace(settings, ca_file=""))

    def test_in_clear_on_loopback(self, settings, server):
        # Dovecot takes a password in clear from its own machine.
        found = check("imap", replace(settings, server=f"localhost:{server.port}", tls="off"))
        assert found == KNOWN

    def test_another_companys_logins_are_not_shown_to_it(self, settings, server):
        assert check("imap", settings, "somebody@beta.example", "secret") is None
        assert "beta.example" not in server.log

    def test_what_was_right_is_remembered_where_that_is_wanted(self, server):
        settings = LoginServerSettings(
            f"localhost:{server.tls_port}", ca_file=str(server.certificate), remember_seconds=60.0
        )
        now = [0.0]

        async def run():
            source = LoginServer("mail", "imap", settings, Reach("acme"), Path, clock=lambda: now[0])
            found = [await source.check(attempt(), PASSWORD)]
            source._port = free_port()  # from now on nobody answers
            found.append(await source.check(attempt(), PASSWORD))
            for password, seconds in (("guess", 0.0), (PASSWORD, 60.0)):
                now[0] = seconds
                with pytest.raises(SourceAwayError):
                    await source.check(attempt(), password)
            return found

        assert asyncio.run(run()) == [KNOWN, KNOWN]


@pytest.mark.parametrize("password", ["", "\0", "a\0b"])
def test_what_can_be_no_password_is_not_tried(password):
    assert check("imap", LoginServerSettings(f"localhost:{free_port()}"), password=password) is None


@pytest.mark.parametrize("kind", ["imap", "smtp"])
def test_nobody_answers(kind):
    with pytest.raises(SourceAwayError):
        check(kind, LoginServerSettings(f"localhost:{free_port()}"))


@pytest.mark.parametrize("kind", ["imap", "smtp"])
@pytest.mark.parametrize(
    "said",
    [b"", b"* BYE no\r\n", b"421 no\r\n", b"\xff" * 100_000, b"* PREAUTH come in\r\n", b"* OK x\r\nz1 OK in\r\n"],
)
def test_servers_that_misbehave_are_away(kind, said):
    with pytest.raises(SourceAwayError):
        asyncio.run(check_at_one_that_says(kind, said, 5.0))


def test_a_server_that_says_nothing_is_away_in_time():
    with pytest.raises(SourceAwayError, match="in time"):
        asyncio.run(check_at_one_that_says("imap", None, 0.2))


async def check_at_one_that_says(kind, said, seconds):
    """Try a login at a server that says this and no more; None: nothing at all, and does not hang up."""
    ended = asyncio.Event()

    async def serve(reader, writer):
        if said is not None:
            writer.write(said)
            writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = LoginServerSettings(place, "off", timeout_seconds=seconds)
    async with server:
        try:
            await LoginServer("mail", kind, settings, Reach("acme"), Path).check(attempt(), PASSWORD)
        finally:
            await ended.wait()


def authenticate(server, session, envelope, mechanism, data):
    login, password = data.login.decode(), data.password.decode()
    if login == "busy@example.jp":
        return AuthResult(success=False, handled=False, message="454 4.7.0 not now")
    return AuthResult(success=dovecot.PASSWORDS.get(login) == password, handled=False)


@pytest.fixture(name="smtp", params=["implicit", "starttls"])
def _smtp(request, tmp_path):
    certificate, key = self_signed(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tls = {"ssl_context": context} if request.param == "implicit" else {"tls_context": context}
    controller = Controller(
        object(),
        "localhost",
        free_port(),
        authenticator=authenticate,
        auth_require_tls=request.param != "implicit",
        **tls,
    )
    controller.start()
    yield LoginServerSettings(f"localhost:{controller.port}", request.param, str(certificate), timeout_seconds=10.0)
    controller.stop()


def test_smtp(smtp):
    for login, password in dovecot.PASSWORDS.items():
        assert check("smtp", smtp, login, password) == Known(Account("acme", login, (login,)))
    assert check("smtp", smtp, TARO, "guess") is None
    with pytest.raises(SourceAwayError, match="454"):
        check("smtp", smtp, "busy@example.jp", "anything")


def test_the_memory_holds_no_password_and_only_so_many(monkeypatch):
    monkeypatch.setattr("sekisho.accounts.sources.proxy._MOST_REMEMBERED", 2)
    memory = Memory(10.0, lambda: 0.0)
    for login in ("a", "b", "c"):
        memory.keep(login, "a secret of length")
    assert [memory.knows(login, "a secret of length") for login in ("a", "b", "c")] == [False, True, True]
    assert not memory.knows("b", "another")
    assert b"a secret" not in repr(memory.__dict__).encode()
    off = Memory(0.0, lambda: 0.0)
    off.keep("a", "x")
    assert not off.knows("a", "x")
