"""Accounts are kept sealed, by login, all at once or not at all; nothing secret is in files or representations."""

import asyncio
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sekisho.mail.account import Account, ScramKeys
from sekisho.mail.kept import StoreAwayError
from sekisho.store.accounts import AccountExistsError, AppPassword, NewAccount, SecondFactor, StoredAccount
from sekisho.store.connection import DATABASE, connect

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
HASH, SALT, STORED, SERVER = b"$argon2id$v=19$hash-of-taro", b"the-salt", b"stored-key-of-32", b"server-key-of-32"
TOTP, APP, RECOVERY, PRINT = b"totp-secret-of-20", b"digest-of-an-app", b"recovery-digest-1", b"print-of-the-pass"
SECRETS = (HASH, SALT, STORED, SERVER, TOTP, APP, RECOVERY, PRINT)


def made(login="taro@example.jp", tenant="acme", **more):
    return StoredAccount(Account(tenant, login, (login,), name="Taro"), NOW, **more)


WHOLE = made(
    password=HASH.decode(),
    scram=ScramKeys(SALT, 4096, STORED, SERVER),
    password_set_at=NOW,
    change_why="given",
    change_since=NOW,
    app_passwords=(AppPassword("a1", "copier", APP, NOW, ("submission",), ("192.0.2.0/24",)),),
    second_factor=SecondFactor(TOTP, confirmed=True, recovery=(RECOVERY,)),
)


def add(store, *accounts, of=b""):
    asyncio.run(store.accounts.add([NewAccount(account, of) for account in accounts]))


def find(store, login="taro@example.jp"):
    return asyncio.run(store.accounts.find(login))


def change(store, to, login="taro@example.jp", **more):
    return asyncio.run(store.accounts.change(login, to, **more))


def test_an_account_comes_back_whole(store):
    add(store, WHOLE)
    assert find(store) == WHOLE
    assert find(store, "nobody") is None


def test_all_are_made_or_none(store):
    add(store, made())
    with pytest.raises(AccountExistsError) as caught:
        add(store, made("b"), made(), made("c"))
    assert caught.value.logins == ("taro@example.jp",)
    assert [stored.account.login for stored in asyncio.run(store.accounts.of())] == ["taro@example.jp"]


def test_a_login_is_one_in_the_whole_installation(store):
    add(store, made())
    with pytest.raises(AccountExistsError):
        add(store, made(tenant="beta"))


def test_a_login_twice_in_one_import_makes_none(store):
    with pytest.raises(AccountExistsError, match="x"):
        add(store, made("x"), made("y"), made("x"))
    assert asyncio.run(store.accounts.of()) == []


def test_by_tenant(store):
    add(store, made("b"), made("a"), made("c", tenant="beta"))
    of = {
        tenant: [s.account.login for s in asyncio.run(store.accounts.of(tenant))] for tenant in ("", "acme", "beta")
    }
    assert of == {"": ["a", "b", "c"], "acme": ["a", "b"], "beta": ["c"]}


def test_who_is_disabled_may_not_send(store):
    add(store, made("a"), made("b", disabled=True))
    assert [account.login for account in asyncio.run(store.accounts.accounts())] == ["a"]


def test_nothing_is_readable_in_the_files_or_in_a_log(store, tmp_path):
    add(store, WHOLE, of=PRINT[:16])
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    said = repr((WHOLE, WHOLE.app_passwords, WHOLE.second_factor, NewAccount(WHOLE, PRINT))).encode()
    for secret in SECRETS:
        assert secret[:16] not in content
        assert secret[:16] not in said


def test_a_row_of_another_account_cannot_be_taken_for_it(store, tmp_path):
    add(store, made("a"), made("b"))
    (database,) = tmp_path.rglob(DATABASE)
    with connect(database) as connection:
        connection.execute(
            "UPDATE account SET document = (SELECT document FROM account WHERE login='a') WHERE login='b'"
        )
        connection.commit()
    connection.close()
    with pytest.raises(StoreAwayError, match="account b"):
        find(store, "b")


def test_changes_do_not_overwrite_each_other(store):
    add(store, made())

    async def all_at_once():
        await asyncio.gather(
            *(
                store.accounts.change(
                    "taro@example.jp",
                    lambda now, n=n: replace(
                        now, account=replace(now.account, addresses=(*now.account.addresses, f"a{n}@x"))
                    ),
                )
                for n in range(20)
            )
        )

    asyncio.run(all_at_once())
    assert len(find(store).account.addresses) == 21


def test_a_change_keeps_login_and_tenant(store):
    add(store, made())
    change(store, lambda now: replace(now, account=replace(now.account, login="x", tenant="beta", name="New")))
    assert find(store).account == replace(made().account, name="New")
    assert change(store, lambda now: now, "nobody") is None


def test_the_stamp_is_another_after_each_change(store):
    stamps = [asyncio.run(store.accounts.stamp())]
    for do in (
        lambda: add(store, made()),
        lambda: change(store, lambda now: replace(now, disabled=True)),
        lambda: asyncio.run(store.accounts.remove("acme", "taro@example.jp")),
    ):
        do()
        stamps.append(asyncio.run(store.accounts.stamp()))
    assert stamps[3] == stamps[0]
    assert len(set(stamps)) == 3


def test_the_last_fingerprints_the_newest_first(store):
    add(store, made("a"), of=b"1" * 16)
    add(store, made("b"), made("c", tenant="beta"), of=b"9" * 16)
    for number in b"2345":
        change(store, lambda now: now, "a", new_print=bytes([number]) * 16, most_prints=3)
    prints = asyncio.run(store.accounts.prints("acme"))
    assert prints == {"a": (b"5" * 16, b"4" * 16, b"3" * 16), "b": (b"9" * 16,)}
    change(store, lambda now: replace(now, disabled=True), "a")
    assert asyncio.run(store.accounts.prints("acme")) == prints


def test_removed_with_all_that_is_kept_of_it(store):
    add(store, WHOLE, of=b"1" * 16)
    assert not asyncio.run(store.accounts.remove("beta", "taro@example.jp"))
    assert asyncio.run(store.accounts.remove("acme", "taro@example.jp"))
    assert find(store) is None
    assert asyncio.run(store.accounts.prints("acme")) == {}


def test_accounts_of_another_source(store):
    account = made().account

    async def remember(account, source):
        return await store.accounts.remember(account, source)

    assert asyncio.run(remember(account, "ad")).source == "ad"
    newer = replace(account, name="Taro Y.")
    assert asyncio.run(remember(newer, "ad")).account == newer
    assert asyncio.run(remember(account, "other")).account == newer  # it is ad's
    add(store, made("ours"))
    assert asyncio.run(remember(replace(made("ours").account, name="x"), "ad")) == made("ours")


def test_a_digest_is_of_its_purpose_and_login(store):
    rows = store.accounts
    assert rows.digest("app password", "a", "x") == rows.digest("app password", "a", "x")
    others = [rows.digest("recovery code", "a", "x"), rows.digest("app password", "b", "x")]
    assert rows.digest("app password", "a", "x") not in others
    assert len(others[0]) == 16


def test_who_is_disabled(store):
    add(store, made("a"), made("b", "beta", disabled=True))
    assert asyncio.run(store.accounts.disabled()) == {("acme", "a"): False, ("beta", "b"): True}
    change(store, lambda now: replace(now, disabled=True), "a")
    assert asyncio.run(store.accounts.disabled())["acme", "a"]
