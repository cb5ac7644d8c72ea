"""The store's keys as a process signs with them."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.act.sign import Signer
from sekisho.config.settings import Settings, TenantSettings
from sekisho.daemon import signing_keys
from sekisho.daemon.signing_keys import StoredKeys
from sekisho.mailauth.key_making import new_key, signing_key
from sekisho.store.connection import DATABASE, connect
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
KEY = replace(new_key("default", "example.jp", "s1", "ed25519", NOW), state="active")
MAIL = b"From: a@%s\r\nSubject: x\r\n\r\nhello\r\n"
SETTINGS = Settings(tenant={"default": TenantSettings(), "child": TenantSettings(parent="default")})


@pytest.fixture
def store(tmp_path):
    with SqliteStore.open(tmp_path / "state") as opened:
        yield opened


def add(store, *keys):
    asyncio.run(store.signing_keys.add(keys))


def signer(stored, tenant="default", keys=()):
    return Signer(keys).beside(stored.of(SETTINGS, tenant))


def selectors(made, domain=b"example.jp"):
    fields = made.sign(MAIL % domain).decode()
    return [part.split(";")[0] for part in fields.replace("\r\n", "").split(" s=")[1:]]


def test_the_active_ones_sign(store):
    stored = StoredKeys(store.signing_keys)
    made = signer(stored)
    assert made.signature(MAIL % b"example.jp", 1).reason == "no DKIM keys"
    rsa = replace(new_key("default", "example.jp", "r1", "rsa", NOW), state="active")
    add(store, KEY, rsa, replace(KEY, selector="s2", state="pending"), replace(KEY, selector="s0", state="retired"))
    assert asyncio.run(stored.refresh())
    assert selectors(made) == ["r1", "s1"]  # RSA on top
    assert sorted(selectors(made, b"sub.example.jp")) == ["r1", "s1"]
    assert made.signature(MAIL % b"example.net", 1).reason == "no DKIM key for example.net"
    assert not asyncio.run(stored.refresh())


def test_a_key_of_the_configuration_wins_for_its_domain(store):
    stored = StoredKeys(store.signing_keys)
    add(store, KEY, replace(KEY, domain="example.net"))
    asyncio.run(stored.refresh())
    pem = signing_key(replace(KEY, selector="pem"))
    made = signer(stored, keys=[pem])
    assert (selectors(made), selectors(made, b"example.net")) == (["pem"], ["s1"])


def test_a_tenant_has_its_parents_keys_for_domains_that_it_has_none_for(store):
    stored = StoredKeys(store.signing_keys)
    add(store, KEY, replace(KEY, domain="example.net"), replace(KEY, tenant="child", selector="c"))
    asyncio.run(stored.refresh())
    made = signer(stored, "child")
    assert (selectors(made), selectors(made, b"example.net")) == (["c"], ["s1"])
    assert selectors(signer(stored)) == ["s1"]  # and never its children's


def test_always_signed_from_one_key_to_the_next(store):
    stored = StoredKeys(store.signing_keys)
    made = signer(stored)
    new = replace(new_key("default", "example.jp", "s2", "ed25519", NOW), state="pending")
    add(store, KEY, new)
    asyncio.run(stored.refresh())
    seen = []

    async def change():
        for _ in range(20):
            seen.append(selectors(made))
            await asyncio.sleep(0)

    async def both():
        at = NOW + timedelta(days=1)
        changes = [(KEY, replace(KEY, state="retiring", since=at)), (new, replace(new, state="active", since=at))]
        await store.signing_keys.change(changes)
        await asyncio.gather(change(), stored.refresh())
        await change()

    asyncio.run(both())
    assert {tuple(one) for one in seen} <= {("s1",), ("s2",)}
    assert seen[-1] == ["s2"]


def test_taken_up_without_being_told_and_kept_while_the_store_is_away(store, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(signing_keys, "_EVERY_SECONDS", 0.01)
    stored = StoredKeys(store.signing_keys)
    made = signer(stored)

    async def until(true):
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)

    async def watch():
        running = asyncio.create_task(stored.run())
        await store.signing_keys.add([KEY])
        await until(lambda: made.sign(MAIL % b"example.jp"))
        with closing(connect(tmp_path / "state" / DATABASE)) as connection:
            connection.execute("DROP TABLE signing_key")
        await until(lambda: "go on signing" in caplog.text)
        assert selectors(made) == ["s1"]
        running.cancel()

    asyncio.run(watch())


def test_one_that_cannot_be_used_leaves_the_others(store, caplog):
    stored = StoredKeys(store.signing_keys)
    add(store, KEY, replace(KEY, domain="example.net", private=b"nothing", public=b"x" * 32))
    asyncio.run(stored.refresh())
    assert selectors(signer(stored)) == ["s1"]
    assert "s1._domainkey.example.net does not sign" in caplog.text
