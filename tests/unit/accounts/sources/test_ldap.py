"""Accounts of a real OpenLDAP server, with the attributes of Active Directory."""

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from support import slapd
from support.gateway import free_port

from sekisho.accounts.sources.ldap import LdapMissingError, LdapSource, addresses_of, disabled
from sekisho.accounts.sources.source import Known, Reach, SourceAwayError, Wrong
from sekisho.config.account_settings import LdapSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session

needs_slapd = [pytest.mark.peer, pytest.mark.skipif(bool(slapd.MISSING), reason=slapd.MISSING)]
TARO = Account("acme", "taro.yamada@example.jp", ("taro.yamada@example.jp", "sales@example.jp"), name="Taro Yamada")


@pytest.fixture(name="server", scope="module")
def _server():
    with slapd.Slapd() as server:
        yield server


@pytest.fixture(name="settings")
def _settings(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(slapd.READER_PASSWORD + "\n")
    return LdapSettings(
        servers=(f"ldaps://localhost:{server.tls_port}",),
        ca_file=str(server.certificate),
        bind_dn=slapd.READER,
        password_file=str(secret),
        base_dn=f"ou=people,{slapd.BASE}",
        timeout_seconds=5.0,
    )


def attempt(login, tenant="acme"):
    return LoginAttempt(Session("s", "192.0.2.1", tenant=tenant), "PLAIN", login)


@contextmanager
def source_of(settings, reach=None):
    source = LdapSource("ad", settings, reach or Reach("acme"), Path)
    yield source
    asyncio.run(source.close())


def check(settings, login, password, reach=None):
    with source_of(settings, reach) as source:
        return asyncio.run(source.check(attempt(login), password))


class TestRealServer:
    pytestmark = needs_slapd

    @pytest.mark.parametrize("login", ["taro", "taro@example.jp", "taro.yamada@example.jp", "sales@example.jp"])
    def test_by_whatever_name_it_is_one_account(self, settings, login):
        assert check(settings, login, slapd.PASSWORDS["taro"]) == Known(TARO)

    def test_a_password_beyond_ascii(self, settings):
        found = check(settings, "hanako@example.jp", slapd.PASSWORDS["hanako"])
        assert isinstance(found, Known)
        assert found.account.name == "hanako"  # no displayName: the common name

    def test_a_wrong_password_is_not_an_unknown_account(self, settings):
        assert check(settings, "taro", "guess") == Wrong()
        assert check(settings, "nobody", "guess") is None

    @pytest.mark.parametrize("password", ["", "\0"])
    def test_no_password_is_never_tried(self, settings, server, password):
        before = server.binds()
        assert check(settings, "taro", password) is None
        assert server.binds() == before

    def test_a_disabled_account_of_active_directory_with_the_right_password(self, settings):
        assert check(settings, "jiro", slapd.PASSWORDS["jiro"]) == Wrong()

    @pytest.mark.parametrize("login", ["*", "tar*", "x*)(uid=*", ")(|(uid=taro", "taro)(objectClass=*"])
    def test_a_login_is_no_filter(self, settings, login):
        assert check(settings, login, slapd.PASSWORDS["taro"]) is None

    def test_a_star_in_a_name_is_found_as_itself(self, settings):
        assert isinstance(check(settings, "x*y", slapd.PASSWORDS["x*y"]), Known)

    def test_more_than_one_entry_lets_nobody_in(self, settings, caplog):
        assert (
            check(replace(settings, filter="(|(uid={login})(uid=hanako))"), "taro", slapd.PASSWORDS["taro"]) is None
        )
        assert "more than one entry" in caplog.text

    def test_another_companys_logins_are_not_shown_to_it(self, settings, server):
        before = server.binds()
        reach = Reach("acme", ("example.jp",))
        assert check(settings, "taro@beta.example", "secret", reach) is None
        with source_of(settings, reach) as source:
            assert asyncio.run(source.check(attempt("taro", tenant="beta"), slapd.PASSWORDS["taro"])) is None
        assert server.binds() == before

    def test_starttls(self, settings, server):
        plain = replace(settings, servers=(f"ldap://localhost:{server.port}",))
        assert check(plain, "taro", slapd.PASSWORDS["taro"]) == Known(TARO)
        assert "STARTTLS" in server.log

    @pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
    def test_a_certificate_for_another_name_ends_it(self, settings, server, scheme):
        port = server.tls_port if scheme == "ldaps" else server.port
        with pytest.raises(SourceAwayError):
            check(replace(settings, servers=(f"{scheme}://127.0.0.1:{port}",)), "taro", slapd.PASSWORDS["taro"])

    @pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
    def test_a_certificate_that_nobody_vouches_for_ends_it(self, settings, server, scheme):
        port = server.tls_port if scheme == "ldaps" else server.port
        changed = replace(settings, servers=(f"{scheme}://localhost:{port}",), ca_file="")
        with pytest.raises(SourceAwayError):
            check(changed, "taro", slapd.PASSWORDS["taro"])

    def test_connections_are_used_again(self, settings, server):
        with source_of(settings) as source:
            before = server.log.count(" ACCEPT ")
            for password in (slapd.PASSWORDS["taro"], "guess", slapd.PASSWORDS["taro"]):
                asyncio.run(source.check(attempt("taro"), password))
            # one for searching, one for binding, and after the wrong password another one for binding
            assert server.log.count(" ACCEPT ") - before == 3

    def test_the_wrong_password_of_the_reader_is_no_word_on_anybody(self, settings, tmp_path):
        (tmp_path / "other").write_text("wrong")
        with pytest.raises(SourceAwayError, match="bind_dn"):
            check(replace(settings, password_file=str(tmp_path / "other")), "taro", slapd.PASSWORDS["taro"])

    def test_direct_bind(self, settings):
        direct = replace(
            settings, bind_template=f"uid={{login}},ou=people,{slapd.BASE}", bind_dn="", password_file=""
        )
        assert check(direct, "taro", slapd.PASSWORDS["taro"]) == Known(TARO)
        assert check(direct, "taro", "guess") is None
        assert check(direct, "jiro", slapd.PASSWORDS["jiro"]) == Wrong()
        injected = check(direct, f"taro,ou=people,{slapd.BASE}+cn=x", slapd.PASSWORDS["taro"])
        assert injected is None

    def test_direct_bind_without_reading_the_entry(self, settings):
        bare = replace(settings, bind_template=f"uid={{login}},ou=people,{slapd.BASE}", base_dn="")
        assert check(bare, "taro", slapd.PASSWORDS["taro"]) == Known(Account("acme", "taro"))

    def test_the_next_server_where_the_first_is_away(self, settings):
        two = replace(settings, servers=(f"ldaps://localhost:{free_port()}", *settings.servers))
        assert check(two, "taro", slapd.PASSWORDS["taro"]) == Known(TARO)

    def test_find(self, settings):
        with source_of(settings) as source:
            assert asyncio.run(source.find("taro")) == TARO
            assert asyncio.run(source.find("nobody")) is None
            assert asyncio.run(source.find("jiro")) is None

    def test_a_server_that_came_back_and_one_that_hangs(self, settings):
        with slapd.Slapd() as server:
            fast = replace(
                settings,
                servers=(f"ldaps://localhost:{server.tls_port}",),
                ca_file=str(server.certificate),
                timeout_seconds=1.0,
            )
            with source_of(fast) as source:
                right = attempt("taro"), slapd.PASSWORDS["taro"]
                assert asyncio.run(source.check(*right)) == Known(TARO)
                server.stop()
                with pytest.raises(SourceAwayError):
                    asyncio.run(source.check(*right))
                server.start()
                assert asyncio.run(source.check(*right)) == Known(TARO)
                server.pause()
                with pytest.raises(SourceAwayError):
                    asyncio.run(source.check(*right))
                server.go_on()


def test_without_ldap3_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ldap3", None)
    with pytest.raises(LdapMissingError, match=r"sekisho\[ldap\]"):
        LdapSource("ad", LdapSettings(servers=("ldaps://dc1.example.jp",)), Reach("acme"), Path)


def test_nobody_answers():
    settings = LdapSettings(servers=(f"ldap://localhost:{free_port()}",), base_dn="dc=example", timeout_seconds=2.0)
    with pytest.raises(SourceAwayError):
        check(settings, "taro", "secret")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, False),
        ({"useraccountcontrol": [b"512"]}, False),
        ({"useraccountcontrol": [b"514"]}, True),
        ({"useraccountcontrol": [b"66050"]}, True),
        ({"msds-user-account-control-computed": [b"16"]}, True),
        ({"pwdaccountlockedtime": [b"000001010000Z"]}, True),
        ({"nsaccountlock": [b"TRUE"]}, True),
        ({"nsaccountlock": [b"false"]}, False),
        ({"useraccountcontrol": [b"x" * 400]}, False),
    ],
)
def test_disabled(attributes, expected):
    assert disabled(attributes) is expected


def test_addresses():
    values = [
        "SMTP:A@example.jp",
        "smtp:b@example.jp",
        "x500:/o=x",
        "sip:a@example.jp",
        "c@example.jp",
        "nonsense",
        "@x",
    ]
    assert addresses_of(values) == ("a@example.jp", "b@example.jp", "c@example.jp")
