"""DKIM keys: sealed, unique by selector and domain, changed together or not at all."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sekisho.mail.signing_key import SigningKey
from sekisho.store.connection import DATABASE, connect
from sekisho.store.signing_keys import SigningKeyExistsError
from sekisho.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
KEY = SigningKey("acme", "example.jp", "a", "rsa", b"public half", b"\x00private half\xff", NOW, NOW)
OTHER = replace(KEY, selector="b", algorithm="ed25519")


def run(coroutine):
    return asyncio.run(coroutine)


def of(store, *arguments):
    return run(store.signing_keys.of(*arguments))


def test_they_come_back_whole(store):
    beta = replace(KEY, tenant="beta", domain="example.net")
    run(store.signing_keys.add([KEY, OTHER, beta]))
    assert of(store) == [KEY, OTHER, beta]
    assert of(store, "acme") == [KEY, OTHER]
    assert of(store, "", "example.net") == [beta]
    assert of(store, "acme", "example.net") == []


def test_a_selector_of_a_domain_is_there_once_whoever_has_it(store):
    run(store.signing_keys.add([KEY]))
    with pytest.raises(SigningKeyExistsError, match=r"a\._domainkey\.example\.jp"):
        run(store.signing_keys.add([OTHER, replace(KEY, tenant="beta")]))
    assert of(store) == [KEY]  # none of them


def test_a_selector_is_taken_over_in_one_step(store):
    run(store.signing_keys.add([KEY]))
    new = replace(KEY, public=b"new")
    with pytest.raises(SigningKeyExistsError):
        run(store.signing_keys.add([new], [replace(KEY, state="retired")]))  # it is not so any more
    run(store.signing_keys.add([new], [KEY]))
    assert of(store) == [new]


def test_changes_are_all_or_none(store):
    run(store.signing_keys.add([KEY, OTHER]))
    active, retiring = replace(KEY, state="active"), replace(OTHER, state="retiring")
    assert not run(store.signing_keys.change([(KEY, active), (retiring, OTHER)]))
    assert of(store) == [KEY, OTHER]
    assert run(store.signing_keys.change([(KEY, active), (OTHER, retiring)]))
    assert of(store) == [active, retiring]


def test_who_is_slower_changes_nothing(tmp_path):
    with SqliteStore.open(tmp_path / "s") as one, SqliteStore.open(tmp_path / "s") as two:
        run(one.signing_keys.add([KEY]))

        async def both():
            change = [(KEY, replace(KEY, state="active"))]
            return await asyncio.gather(*(store.signing_keys.change(change) for store in (one, two) * 4))

        assert sum(run(both())) == 1


def test_removed(store):
    run(store.signing_keys.add([KEY]))
    assert not run(store.signing_keys.remove(replace(KEY, state="active")))
    assert run(store.signing_keys.remove(KEY))
    assert not run(store.signing_keys.remove(KEY))
    assert of(store) == []


def test_the_stamp_changes_with_everything(store):
    stamps = [run(store.signing_keys.stamp())]

    def stamped():
        stamps.append(run(store.signing_keys.stamp()))

    run(store.signing_keys.add([KEY]))
    stamped()
    run(store.signing_keys.change([(KEY, replace(KEY, told="absent"))]))
    stamped()
    run(store.signing_keys.remove(replace(KEY, told="absent")))
    run(store.signing_keys.add([KEY]))
    stamped()
    assert len(set(stamps)) == 4
    assert run(store.signing_keys.stamp()) == stamps[-1]


def test_nothing_secret_lies_on_the_disk(store, tmp_path):
    run(store.signing_keys.add([KEY]))
    store.close()
    for file in (tmp_path / "state").rglob("*"):
        if file.is_file():
            assert b"private half" not in file.read_bytes(), file


def test_one_that_cannot_be_read_does_not_hide_the_others(store, tmp_path, caplog):
    run(store.signing_keys.add([KEY, OTHER]))
    with closing(connect(tmp_path / "state" / DATABASE)) as connection:
        # moved to another selector: a row is bound to its name
        sql = "UPDATE signing_key SET document = (SELECT document FROM signing_key WHERE selector = 'b')"
        connection.execute(sql + " WHERE selector = 'a'")
        connection.commit()
    assert of(store) == [OTHER]
    assert "DKIM key a of example.jp" in caplog.text
