"""The sources of the settings, and what other servers may say of accounts."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.gateway import free_port
from support.issuer import AUDIENCE, Issuer

from sekisho.accounts.sources.build import Registered, sources_of
from sekisho.accounts.sources.oidc import OidcSource
from sekisho.accounts.sources.source import Known, Reach, SourceAwayError, Wrong
from sekisho.config.account_settings import (
    AccountSourceSettings,
    LdapSettings,
    LoginServerSettings,
    OidcSettings,
)
from sekisho.config.settings import Settings, TenantSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session
from sekisho.mail.kept import StoreAwayError
from sekisho.store.sqlite import SqliteStore

TARO = Account("acme", "taro@example.jp", ("taro@example.jp", "sales@example.jp", "ceo@beta.example"))
KEPT = replace(TARO, addresses=("taro@example.jp", "sales@example.jp"))


class Says:
    """A source of another server that says this of every account."""

    name = "ad"
    has_keys = False
    reach = Reach("acme", ("example.jp",))

    def __init__(self, checked):
        self.checked = checked

    async def check(self, *_):
        return self.checked

    async def close(self):
        pass


@pytest.fixture(name="store")
def _store(tmp_path):
    with closing(SqliteStore.open(tmp_path / "state")) as store:
        yield store


def attempt(login="taro"):
    return LoginAttempt(Session("s", "192.0.2.1", tenant="acme"), "PLAIN", login)


def check(store, checked):
    return asyncio.run(Registered(Says(checked), store.accounts).check(attempt(), "secret"))


def test_an_account_is_noted_with_the_addresses_of_its_company(store):
    assert check(store, Known(TARO)) == Known(KEPT)
    assert asyncio.run(store.accounts.find("taro@example.jp")).source == "ad"
    assert asyncio.run(store.accounts.accounts()) == [KEPT]


def test_what_changed_there_changes_here(store):
    check(store, Known(TARO))
    fewer = replace(TARO, addresses=("taro@example.jp",), name="Taro")
    assert check(store, Known(fewer)) == Known(fewer)
    assert asyncio.run(store.accounts.accounts()) == [fewer]


def test_who_is_disabled_here_does_not_come_in(store):
    check(store, Known(TARO))
    asyncio.run(store.accounts.change(TARO.login, lambda now: replace(now, disabled=True)))
    assert check(store, Known(TARO)) == Wrong()


def test_nobody_comes_in_as_another_companys_account(store, caplog):
    assert check(store, Known(replace(TARO, login="ceo@beta.example"))) == Wrong()
    assert "not its own" in caplog.text
    asyncio.run(store.accounts.remember(Account("beta", "shared"), ""))
    assert check(store, Known(Account("acme", "shared"))) == Wrong()


def test_what_is_not_known_is_passed_on_and_nothing_noted(store):
    assert check(store, Wrong()) == Wrong()
    assert check(store, None) is None
    assert asyncio.run(store.accounts.of()) == []


def test_a_store_that_is_away(store):
    class Away:
        async def remember(self, *_):
            raise StoreAwayError("the disk is full")

    with pytest.raises(SourceAwayError, match="full"):
        asyncio.run(Registered(Says(Known(TARO)), Away()).check(attempt(), "secret"))


def source(name, kind, **more):
    return AccountSourceSettings(name, kind, "acme", **more)


def built(*sources, register=None):
    async def run():
        own = Says(None)
        settings = Settings(account_source=sources, tenant={"acme": TenantSettings(domains=("example.jp",))})
        made = sources_of(settings, Path, own, register)
        names = ["own" if one is own else one.name for one in made.passwords], [one.name for one in made.tokens]
        await made.close()
        return names

    return asyncio.run(run())


def test_without_settings_there_are_our_own_accounts():
    assert built() == (["own"], [])


def test_the_order_is_that_of_the_settings():
    server = LoginServerSettings("localhost:993")
    assert built(
        source("mail", "imap", server=server),
        source("here", "own"),
        source("ad", "ldap", ldap=LdapSettings(("ldaps://localhost",), base_dn="dc=example")),
        source("idp", "oidc", oidc=OidcSettings("https://idp.example", (AUDIENCE,))),
        source("hop", "smtp", server=server),
    ) == (["mail", "own", "ad", "hop"], ["idp"])


def test_a_source_is_asked_about_its_tenants_domains_only():
    async def run():
        port = free_port()  # nobody listens: whoever is asked about is away
        sources = (source("mail", "imap", server=LoginServerSettings(f"localhost:{port}")),)
        settings = Settings(account_source=sources, tenant={"acme": TenantSettings(domains=("example.jp",))})
        made = sources_of(settings, Path, Says(None), None)
        assert await made.passwords[0].check(attempt("x@beta.example"), "secret") is None
        with pytest.raises(SourceAwayError):
            await made.passwords[0].check(attempt("x@example.jp"), "secret")

    asyncio.run(run())


def test_tokens_are_noted_too(store):
    async def run():
        with Issuer() as issuer:
            inner = OidcSource("idp", OidcSettings(issuer.url, (AUDIENCE,)), Reach("acme", ("example.jp",)), Path)
            found = await Registered(inner, store.accounts).check_token(attempt(""), issuer.token())
            await inner.close()
        return found

    assert asyncio.run(run()).account.login == "taro@example.jp"
    assert asyncio.run(store.accounts.find("taro@example.jp")).source == "idp"
